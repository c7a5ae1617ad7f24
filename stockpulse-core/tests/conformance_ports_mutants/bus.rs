//! Buses with a fault.

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use stockpulse_core::conformance::bus::RULES;
use stockpulse_core::conformance::{BusBackend, Harness, Mapped};
use stockpulse_core::model::{Envelope, EventId, EventType};
use stockpulse_core::port::{
    Delivery, DeliveryTag, Nack, Published, Publisher, Start, SubscribeOptions, Subscriber, Subscription,
};
use stockpulse_core::{Error, ErrorKind, Result};

use super::noticed::{Hasty, deadline, each_fault_is_noticed, nothing_is_noticed_without_a_fault};
use crate::harness;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    AnswersReversed,
    EmptyFails,
    LargeFailsTheBatch,
    DropsTraces,
    BatchReversed,
    LosesWhenBusy,
    StuckWhenGivenUp,
    ClosesNothing,
    ForgetsOnRestart,
    OneGroup,
    AlwaysLatest,
    AlwaysEarliest,
    GroupPerMember,
    AllTypes,
    AcksOnReceive,
    StaysWhenDropped,
    AcksUpTo,
    StaleTagsCount,
    IgnoresAcks,
    AcksInOrderOnly,
    RetriesAtOnce,
    RetriesBehind,
    RetriesDeadLetters,
    DeadForAll,
    IgnoresMax,
    IgnoresMaxInFlight,
    NobodyIsWoken,
    LosesWhenWaitIsGivenUp,
    NeverCloses,
}

const FAULTS: &[(Fault, &[&str])] = &[
    (Fault::AnswersReversed, &["answers_are_aligned"]),
    (Fault::EmptyFails, &["an_empty_batch_is_harmless"]),
    (Fault::LargeFailsTheBatch, &["what_is_too_large_is_refused"]),
    (Fault::DropsTraces, &["an_envelope_arrives_as_it_was"]),
    (Fault::BatchReversed, &["a_key_keeps_its_order"]),
    (Fault::LosesWhenBusy, &["many_publishers_lose_nothing"]),
    (Fault::StuckWhenGivenUp, &["a_publication_may_be_given_up"]),
    (Fault::ClosesNothing, &["a_closed_publisher_publishes_nothing"]),
    (Fault::ForgetsOnRestart, &["events_survive_a_restart", "events_in_flight_survive_a_restart"]),
    (Fault::OneGroup, &["each_group_receives_everything", "a_dead_letter_is_the_groups_own"]),
    (Fault::AlwaysLatest, &["a_new_group_begins_with_the_oldest"]),
    (Fault::AlwaysEarliest, &["a_new_group_may_begin_with_the_next"]),
    (Fault::GroupPerMember, &["members_share_the_events", "a_known_group_goes_on", "what_was_acknowledged_is_done"]),
    (Fault::AllTypes, &["other_types_are_skipped"]),
    (
        Fault::AcksOnReceive,
        &[
            "who_leaves_passes_events_on",
            "who_is_dropped_passes_events_on",
            "what_was_not_acknowledged_comes_again",
            "events_in_flight_survive_a_restart",
        ],
    ),
    (Fault::StaysWhenDropped, &["who_is_dropped_passes_events_on"]),
    (Fault::AcksUpTo, &["a_gap_holds_the_place", "nothing_is_lost_while_members_come_and_go"]),
    (Fault::StaleTagsCount, &["tags_of_an_older_generation_are_ignored"]),
    (Fault::IgnoresAcks, &["what_was_acknowledged_is_done", "any_order_will_do"]),
    (Fault::AcksInOrderOnly, &["any_order_will_do"]),
    (Fault::RetriesAtOnce, &["a_retry_comes_after_its_time"]),
    (Fault::RetriesBehind, &["later_events_wait_behind_a_retry"]),
    (Fault::RetriesDeadLetters, &["a_dead_letter_is_put_aside"]),
    (Fault::DeadForAll, &["a_dead_letter_is_the_groups_own"]),
    (Fault::IgnoresMax, &["no_more_are_received_than_asked_for"]),
    (Fault::IgnoresMaxInFlight, &["no_more_are_in_flight_than_set"]),
    (Fault::NobodyIsWoken, &["who_waits_receives_what_comes"]),
    (Fault::LosesWhenWaitIsGivenUp, &["receiving_may_be_given_up"]),
    (Fault::NeverCloses, &["a_closed_subscription_receives_nothing"]),
];

#[derive(Debug, Default)]
struct Shared {
    busy: AtomicUsize,
    members: AtomicU64,
    dead: Mutex<BTreeSet<EventId>>,
}

#[derive(Clone, Debug)]
struct Broken {
    bus: BusBackend,
    fault: Fault,
    shared: Arc<Shared>,
}

#[async_trait]
impl Publisher for Broken {
    async fn publish(&self, batch: &[Envelope]) -> Result<Vec<Published>> {
        let mut batch = batch.to_vec();
        match self.fault {
            Fault::EmptyFails if batch.is_empty() => return Err(Error::new(ErrorKind::InvalidInput, "no events")),
            Fault::LargeFailsTheBatch if batch.iter().any(|event| event.data.len() > 1 << 24) => {
                return Err(Error::new(ErrorKind::InvalidInput, "too large"));
            }
            Fault::DropsTraces => batch.iter_mut().for_each(|event| event.trace = None),
            Fault::BatchReversed => batch.reverse(),
            Fault::LosesWhenBusy => {
                let others = self.shared.busy.fetch_add(1, Ordering::AcqRel);
                tokio::time::sleep(Duration::from_millis(1)).await;
                self.shared.busy.fetch_sub(1, Ordering::AcqRel);
                if others > 0 {
                    return Ok(vec![Published::Acknowledged; batch.len()]);
                }
            }
            Fault::StuckWhenGivenUp => {
                if self.shared.busy.swap(1, Ordering::AcqRel) == 1 {
                    return Ok(vec![Published::Failed("busy".to_owned()); batch.len()]);
                }
                tokio::task::yield_now().await;
                self.shared.busy.store(0, Ordering::Release);
            }
            _ => {}
        }
        let mut answers = self.bus.publisher.publish(&batch).await?;
        if matches!(self.fault, Fault::AnswersReversed | Fault::BatchReversed) {
            answers.reverse();
        }
        Ok(answers)
    }

    async fn close(&self) -> Result<()> {
        if self.fault == Fault::ClosesNothing { Ok(()) } else { self.bus.publisher.close().await }
    }
}

#[async_trait]
impl Subscriber for Broken {
    async fn subscribe(&self, mut options: SubscribeOptions) -> Result<Box<dyn Subscription>> {
        match self.fault {
            Fault::OneGroup => options.group = "all".into(),
            Fault::AlwaysLatest => options.start = Start::Latest,
            Fault::AlwaysEarliest => options.start = Start::Earliest,
            Fault::GroupPerMember => {
                let member = self.shared.members.fetch_add(1, Ordering::AcqRel);
                options.group = format!("{}-{member}", options.group).into();
            }
            Fault::AllTypes => options.event_types = EventType::ALL.to_vec(),
            Fault::IgnoresMaxInFlight => options.max_in_flight = 4_096,
            _ => {}
        }
        let inner = Some(self.bus.subscriber.subscribe(options).await?);
        let broken = self.clone();
        Ok(Box::new(BrokenMember { inner, broken, received: BTreeMap::new(), acked: BTreeMap::new() }))
    }
}

#[derive(Debug)]
struct BrokenMember {
    inner: Option<Box<dyn Subscription>>,
    broken: Broken,
    /// What was received, by partition and offset: under which generation last, and what.
    received: BTreeMap<(u32, u64), (DeliveryTag, Envelope)>,
    /// The highest offset that was acknowledged, by partition.
    acked: BTreeMap<u32, u64>,
}

impl BrokenMember {
    fn inner(&mut self) -> &mut dyn Subscription {
        self.inner.as_deref_mut().unwrap()
    }
}

impl Drop for BrokenMember {
    fn drop(&mut self) {
        if self.broken.fault == Fault::StaysWhenDropped {
            std::mem::forget(self.inner.take());
        }
    }
}

#[async_trait]
impl Subscription for BrokenMember {
    async fn receive(&mut self, max: usize) -> Result<Vec<Delivery>> {
        let fault = self.broken.fault;
        let max = if fault == Fault::IgnoresMax { max + 5 } else { max };
        let mut found = match fault {
            Fault::NobodyIsWoken => match self.inner().receive(max).now_or_never() {
                Some(found) => found?,
                None => pending().await,
            },
            _ => self.inner().receive(max).await?,
        };
        match fault {
            Fault::LosesWhenWaitIsGivenUp => tokio::task::yield_now().await,
            Fault::AcksOnReceive => {
                let tags: Vec<DeliveryTag> = found.iter().map(|delivery| delivery.tag).collect();
                self.inner().ack(&tags).await?;
            }
            Fault::DeadForAll => {
                let dead = self.broken.shared.dead.lock().unwrap().clone();
                found.retain(|delivery| !dead.contains(&delivery.envelope.id));
                if found.is_empty() {
                    return pending().await;
                }
            }
            _ => {}
        }
        for Delivery { tag, envelope, .. } in &found {
            self.received.insert((tag.partition, tag.offset), (*tag, envelope.clone()));
        }
        Ok(found)
    }

    async fn ack(&mut self, tags: &[DeliveryTag]) -> Result<()> {
        let mut tags = tags.to_vec();
        match self.broken.fault {
            Fault::IgnoresAcks => return Ok(()),
            Fault::StaleTagsCount => {
                for tag in &mut tags {
                    *tag = self.received.get(&(tag.partition, tag.offset)).map_or(*tag, |(latest, _)| *latest);
                }
            }
            Fault::AcksUpTo => {
                let up_to = |(tag, _): &&(DeliveryTag, Envelope)| {
                    tags.iter().any(|acked| acked.partition == tag.partition && acked.offset >= tag.offset)
                };
                tags = self.received.values().filter(up_to).map(|(tag, _)| *tag).collect();
            }
            Fault::AcksInOrderOnly => tags.retain(|tag| {
                let next = self.acked.entry(tag.partition).or_default();
                *next += u64::from(*next == tag.offset);
                *next > tag.offset
            }),
            _ => {}
        }
        self.inner().ack(&tags).await
    }

    async fn nack(&mut self, tags: &[(DeliveryTag, Nack)]) -> Result<()> {
        for (tag, nack) in tags {
            let tag = *tag;
            let envelope = self.received.get(&(tag.partition, tag.offset)).map(|(_, envelope)| envelope.clone());
            let nack = match (self.broken.fault, nack) {
                (Fault::RetriesAtOnce, Nack::Retry(_)) | (Fault::RetriesDeadLetters, Nack::DeadLetter(_)) => {
                    Nack::Retry(Duration::ZERO)
                }
                (Fault::RetriesBehind, Nack::Retry(_)) => {
                    self.broken.bus.publisher.publish(&[envelope.unwrap()]).await?;
                    self.inner().ack(&[tag]).await?;
                    continue;
                }
                (Fault::DeadForAll, Nack::DeadLetter(_)) => {
                    self.broken.shared.dead.lock().unwrap().insert(envelope.unwrap().id);
                    nack.clone()
                }
                _ => nack.clone(),
            };
            self.inner().nack(&[(tag, nack)]).await?;
        }
        Ok(())
    }

    async fn close(&mut self) -> Result<()> {
        if self.broken.fault == Fault::NeverCloses { Ok(()) } else { self.inner().close().await }
    }
}

fn harness(fault: Fault) -> impl Harness<BusBackend> {
    let forgets = fault == Fault::ForgetsOnRestart;
    let memory = Hasty { harness: harness::bus(), forgets, deadline: deadline(fault != Fault::None) };
    Mapped::new(memory, move |bus: BusBackend| {
        let broken = Arc::new(Broken { bus, fault, shared: Arc::default() });
        BusBackend { publisher: Arc::clone(&broken) as _, subscriber: broken }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_rule_notices_a_broken_bus() {
    each_fault_is_noticed(RULES, FAULTS, harness).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_rule_notices_a_bus_that_is_whole() {
    nothing_is_noticed_without_a_fault(RULES, || harness(Fault::None)).await;
}
