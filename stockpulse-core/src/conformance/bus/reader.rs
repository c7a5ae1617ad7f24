//! Publishing on a bus under test, and reading from it with patience.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use compact_str::{CompactString, format_compact};

use crate::conformance::support::fresh;
use crate::conformance::{BusBackend, Harness, Violation};
use crate::model::{Envelope, EventId, EventType};
use crate::port::{Delivery, DeliveryTag, Published, SubscribeOptions, Subscription};

/// What rules publish, unless they say otherwise.
pub(super) const TYPE: EventType = EventType::OrderPlaced;
/// How long one look for events waits.
const LOOK: Duration = Duration::from_millis(50);
/// After how many looks without events there are none: enough for a partition to change hands on most buses, and never
/// for the sake of what has to come.
const QUIET: usize = 10;

/// A bus, and the harness that opened it.
pub(super) struct Stop<'a> {
    pub harness: &'a dyn Harness<BusBackend>,
    pub bus: BusBackend,
}

impl<'a> Stop<'a> {
    pub(super) async fn open(harness: &'a dyn Harness<BusBackend>) -> Result<Self, Violation> {
        Ok(Self { harness, bus: harness.open().await? })
    }

    /// The process dies and comes back.
    pub(super) async fn restart(self) -> Result<Self, Violation> {
        Ok(Self { harness: self.harness, bus: self.harness.reopen(self.bus).await? })
    }

    /// Publishes events, trying again what the bus did not take yet. All events behind one that failed are published
    /// again too, so that each key keeps its order.
    pub(super) async fn publish(&self, batch: &[Envelope]) -> Result<(), Violation> {
        let mut left = batch;
        for _ in 0..50 {
            let answers = self.bus.publisher.publish(left).await?;
            ensure_eq!(answers.len(), left.len(), "answers to as many envelopes");
            if let Some(Published::Refused(reason)) =
                answers.iter().find(|answer| matches!(answer, Published::Refused(_)))
            {
                return Err(Violation::new(format!("a good event was refused: {reason}")));
            }
            let taken = answers.iter().take_while(|answer| **answer == Published::Acknowledged).count();
            left = left.get(taken..).unwrap_or_default();
            if left.is_empty() {
                return Ok(());
            }
            self.harness.pass(LOOK).await;
        }
        Err(Violation::new(format!("{} events that the bus does not take", left.len())))
    }

    /// Joins a group as rules do: everything from the oldest on.
    pub(super) async fn join(&self, group: &CompactString) -> Result<Reader<'a>, Violation> {
        self.join_with(SubscribeOptions::new(group.clone(), [TYPE])).await
    }

    /// Joins a group.
    pub(super) async fn join_with(&self, options: SubscribeOptions) -> Result<Reader<'a>, Violation> {
        let subscription = self.bus.subscriber.subscribe(options).await?;
        Ok(Reader { harness: self.harness, subscription })
    }
}

/// A member of a group.
pub(super) struct Reader<'a> {
    harness: &'a dyn Harness<BusBackend>,
    pub subscription: Box<dyn Subscription>,
}

impl Reader<'_> {
    /// What there is within one look; time passes if there is nothing.
    pub(super) async fn look(&mut self, max: usize) -> Result<Vec<Delivery>, Violation> {
        match tokio::time::timeout(LOOK, self.subscription.receive(max)).await {
            Ok(received) => {
                let received = received?;
                ensure!(!received.is_empty(), "receiving answered no events");
                Ok(received)
            }
            Err(_) => {
                self.harness.pass(LOOK).await;
                Ok(Vec::new())
            }
        }
    }

    /// What there is, without waiting longer than for a few looks.
    pub(super) async fn some(&mut self, max: usize) -> Result<Vec<Delivery>, Violation> {
        for _ in 0..QUIET {
            let received = self.look(max).await?;
            if !received.is_empty() {
                return Ok(received);
            }
        }
        Ok(Vec::new())
    }

    /// What there is, at least one event, which is waited for until the rule's deadline.
    pub(super) async fn until_some(&mut self) -> Result<Vec<Delivery>, Violation> {
        for _ in 0..self.looks() {
            let received = self.look(100).await?;
            if !received.is_empty() {
                return Ok(received);
            }
        }
        Err(Violation::new("no events came"))
    }

    /// How many looks what has to come may take: about two thirds of the rule's deadline, as each waits and lets time pass.
    fn looks(&self) -> u128 {
        self.harness.deadline().as_millis() / LOOK.as_millis() / 3
    }

    /// Receives until all of these were received; answers everything that was, in its order. What has to come is
    /// waited for until the rule's deadline.
    pub(super) async fn until(&mut self, wanted: &[Envelope]) -> Result<Vec<Delivery>, Violation> {
        let mut missing: BTreeSet<EventId> = wanted.iter().map(|envelope| envelope.id).collect();
        let mut all: Vec<Delivery> = Vec::new();
        for _ in 0..self.looks() {
            if missing.is_empty() {
                return Ok(all);
            }
            for delivery in self.look(100).await? {
                missing.remove(&delivery.envelope.id);
                all.push(delivery);
            }
        }
        let keys = keys(wanted);
        Err(Violation::new(format!("{} of {} events of {keys:?} never came", missing.len(), wanted.len())))
    }

    /// Receives until all of these were received, and acknowledges everything.
    pub(super) async fn handle(&mut self, wanted: &[Envelope]) -> Result<Vec<Delivery>, Violation> {
        let all = self.until(wanted).await?;
        self.subscription.ack(&tags(&all)).await?;
        Ok(all)
    }

    /// Receives until these were received, and nothing of the rest comes, at least as long as they take.
    pub(super) async fn only(&mut self, wanted: &[Envelope], what: &str) -> Result<(), Violation> {
        let found = self.handle(wanted).await?;
        let wanted: BTreeSet<EventId> = wanted.iter().map(|envelope| envelope.id).collect();
        let strange: Vec<u64> = found
            .iter()
            .filter(|found| !wanted.contains(&found.envelope.id))
            .map(|found| found.envelope.sequence)
            .collect();
        ensure!(strange.is_empty(), "{what}: received events {strange:?} as well");
        Ok(())
    }

    /// Leaves the group.
    pub(super) async fn leave(mut self) -> Result<(), Violation> {
        Ok(self.subscription.close().await?)
    }
}

/// A text that no other rule uses: a group or a key.
pub(super) fn name(of: &str) -> CompactString {
    format_compact!("{of}-{}", fresh())
}

/// An event of a key.
pub(super) fn event(key: &CompactString, number: u64) -> Envelope {
    Envelope {
        id: EventId::new(fresh()),
        source: "/conformance".into(),
        type_name: TYPE.cloud_event_type().into(),
        subject: key.clone(),
        time: crate::model::Timestamp::from_secs(1_700_000_000),
        partition_key: key.clone(),
        sequence: number,
        trace: None,
        data: Bytes::from(format!("{{\"number\":{number}}}")),
    }
}

/// Events of one key, numbered.
pub(super) fn events(numbers: std::ops::Range<u64>) -> Vec<Envelope> {
    let key = name("key");
    numbers.map(|number| event(&key, number)).collect()
}

/// As many events of as many keys, one after the other.
pub(super) fn spread(each: u64, keys: usize) -> Vec<Envelope> {
    let keys: Vec<CompactString> = (0..keys).map(|_| name("key")).collect();
    (0..each).flat_map(|number| keys.iter().map(move |key| event(key, number))).collect()
}

/// A further event for the key of each of these: when it has come, all before it should have.
pub(super) fn fences(events: &[Envelope]) -> Vec<Envelope> {
    keys(events).iter().map(|key| event(key, 1_000_000)).collect()
}

fn keys(events: &[Envelope]) -> BTreeSet<CompactString> {
    events.iter().map(|event| event.partition_key.clone()).collect()
}

pub(super) fn tags(deliveries: &[Delivery]) -> Vec<DeliveryTag> {
    deliveries.iter().map(|delivery| delivery.tag).collect()
}

/// The numbers of events, by key, each where it came for the first time.
pub(super) fn firsts<'a>(events: impl IntoIterator<Item = &'a Envelope>) -> BTreeMap<&'a CompactString, Vec<u64>> {
    let mut seen = BTreeSet::new();
    let mut keys: BTreeMap<&CompactString, Vec<u64>> = BTreeMap::new();
    for event in events.into_iter().filter(|event| seen.insert(event.id)) {
        keys.entry(&event.partition_key).or_default().push(event.sequence);
    }
    keys
}

/// All of these came, and those of a key in this order when each came for the first time.
pub(super) fn in_order(found: &[Delivery], sent: &[Envelope], what: &str) -> Result<(), Violation> {
    let (found, sent) = (firsts(found.iter().map(|delivery| &delivery.envelope)), firsts(sent));
    for (key, numbers) in sent {
        ensure_eq!(found.get(key), Some(&numbers), "{what}: events of {key}");
    }
    Ok(())
}
