//! The bus of one test, and what the broker knows about it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use stockpulse_core::conformance::BusBackend;
use stockpulse_core::model::{Envelope, EventId, EventType};
use stockpulse_core::port::{Clock, IdGenerator, SubscribeOptions, Subscriber, Subscription};
use stockpulse_core::{RandomIds, SystemClock};
use stockpulse_kafka::{DeadLetters, KafkaAdmin, KafkaBus, KafkaOptions, TopicSettings};

/// How many partitions each topic has.
const PARTITIONS: i32 = 4;
/// How long a question to the broker may take.
const ASKING: Duration = Duration::from_secs(10);
/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// Each group, and an event of the topic from which its work comes.
const GROUPS: [(&str, EventType); 2] = [("inventory", EventType::OrderPlaced), ("orders", EventType::StockReserved)];

/// Topics under a prefix of their own.
#[derive(Clone, Debug)]
pub(crate) struct Kafka {
    pub(crate) options: KafkaOptions,
}

impl Kafka {
    /// What another process made.
    pub(crate) fn existing(broker: &str, prefix: &str, commit_interval: Duration) -> Self {
        let mut options = KafkaOptions::new(broker).with_prefix(prefix);
        // The shortest that brokers allow, and what nobody acknowledges holds up no rebalance.
        options.session_timeout = Duration::from_secs(6);
        options.heartbeat = Duration::from_millis(100);
        options.drain = Duration::from_millis(100);
        options.commit_interval = commit_interval;
        Self { options }
    }

    /// New topics.
    pub(crate) async fn new(broker: &str) -> Self {
        let prefix = format!("flow-{}.", RandomIds.next_id(SystemClock.now()).simple());
        let kafka = Self::existing(broker, &prefix, Duration::from_millis(200));
        let settings = TopicSettings::default().with_partitions(u16::try_from(PARTITIONS).unwrap());
        KafkaAdmin::new(kafka.options.clone()).unwrap().create_topics(&settings).await.unwrap();
        kafka
    }

    /// A bus of its own.
    pub(crate) fn bus(&self) -> BusBackend {
        let bus = Arc::new(KafkaBus::new(self.options.clone()).unwrap());
        BusBackend { publisher: Arc::clone(&bus) as _, subscriber: bus }
    }

    fn consumer(&self, group: &str) -> BaseConsumer {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.options.brokers).set("group.id", self.options.group(group));
        config.create().unwrap()
    }

    fn partitions(&self, event_type: EventType) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        list.add_partition_range(&self.options.topic(event_type), 0, PARTITIONS - 1);
        list
    }

    /// How many events the brokers have been told that a group is done with.
    pub(crate) fn committed(&self, (group, event_type): (&str, EventType)) -> i64 {
        let places = self.consumer(group).committed_offsets(self.partitions(event_type), ASKING).unwrap();
        let known = |offset| match offset {
            Offset::Offset(offset) => offset,
            _ => 0,
        };
        places.elements().iter().map(|place| known(place.offset())).sum()
    }

    /// How many events a topic has.
    fn published(&self, event_type: EventType) -> i64 {
        let (consumer, topic) = (self.consumer("auditor"), self.options.topic(event_type));
        (0..PARTITIONS).map(|number| consumer.fetch_watermarks(&topic, number, ASKING).unwrap().1).sum()
    }

    /// Waits until both groups are done with everything that is there.
    pub(crate) async fn caught_up(&self) {
        let passed = tokio::time::timeout(PATIENCE, async {
            loop {
                let kafka = self.clone();
                let left = move || GROUPS.iter().map(|group| kafka.published(group.1) - kafka.committed(*group)).sum();
                let left: i64 = tokio::task::spawn_blocking(left).await.unwrap();
                if left == 0 {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        passed.await.expect("groups that see to everything");
    }

    /// Sets both groups back to the beginning, as soon as they have no members.
    pub(crate) async fn set_back(&self) {
        let kafka = self.clone();
        let set_back = tokio::task::spawn_blocking(move || {
            for (group, event_type) in GROUPS {
                let mut places = kafka.partitions(event_type);
                places.set_all_offsets(Offset::Offset(0)).unwrap();
                while kafka.consumer(group).commit(&places, CommitMode::Sync).is_err() {
                    std::thread::sleep(Duration::from_millis(50));
                }
                assert_eq!(kafka.committed((group, event_type)), 0);
            }
        });
        tokio::time::timeout(PATIENCE, set_back).await.expect("groups that end").unwrap();
    }

    /// All that is on the topics, as a new group reads it.
    async fn events(&self) -> Vec<Envelope> {
        let topics: BTreeSet<String> = EventType::ALL.iter().map(|known| self.options.topic(*known)).collect();
        let one_of = |topic: &String| EventType::ALL.iter().find(|known| self.options.topic(**known) == *topic);
        let types: Vec<EventType> = topics.iter().filter_map(one_of).copied().collect();
        let kafka = self.clone();
        let all = move || types.into_iter().map(|known| kafka.published(known)).sum::<i64>();
        let all = usize::try_from(tokio::task::spawn_blocking(all).await.unwrap()).unwrap();
        let bus = KafkaBus::new(self.options.clone()).unwrap();
        let options = SubscribeOptions::new("auditor", EventType::ALL.iter().copied()).with_max_in_flight(all.max(1));
        let mut subscription: Box<dyn Subscription> = bus.subscribe(options).await.unwrap();
        let mut events = Vec::new();
        while events.len() < all {
            let received = tokio::time::timeout(PATIENCE, subscription.receive(1_000)).await.unwrap().unwrap();
            events.extend(received.into_iter().map(|delivery| delivery.envelope));
        }
        subscription.close().await.unwrap();
        events
    }

    /// The events of each key came in their order, where each came first; and nothing was put aside. Answers how many
    /// there are, and how many different ones.
    pub(crate) async fn nothing_is_amiss(&self) -> (usize, usize) {
        let events = self.events().await;
        let (mut last, mut seen) = (BTreeMap::new(), BTreeSet::<EventId>::new());
        for event in &events {
            if seen.insert(event.id) {
                let topic = self.options.topic(event.event_type().unwrap());
                let before = last.insert((topic, event.partition_key.clone()), event.sequence);
                assert!(before.is_none_or(|before| before <= event.sequence), "{event:?} came after {before:?}");
            }
        }
        assert_eq!(DeadLetters::new(self.options.clone()).unwrap().topics().await.unwrap(), [] as [String; 0]);
        (events.len(), seen.len())
    }
}
