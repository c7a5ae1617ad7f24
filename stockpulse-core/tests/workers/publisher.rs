//! An outbox with events of several orders, and a publisher that can be watched and told what to answer.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use stockpulse_core::engine::Engine;
use stockpulse_core::engine::order::{OrderAction, PaymentResult, Place};
use stockpulse_core::memory::{ManualClock, MemoryOrderStore, MemoryOutbox};
use stockpulse_core::model::{Command, CommandId, Envelope, OrderId};
use stockpulse_core::port::{Clock, OrderStore, Outbox, Published, Publisher};
use stockpulse_core::worker::{Backoff, OutboxRelay, RelayOptions};
use stockpulse_core::{Error, ErrorKind, Result};

use crate::support::{clock, euro, sku, start};

type Answer = dyn Fn(&Envelope) -> Published + Send;

/// A publisher that remembers each call, and answers as it is told.
pub(crate) struct Recorder {
    waves: Mutex<Vec<Vec<Envelope>>>,
    answer: Mutex<Box<Answer>>,
    down: AtomicBool,
    short: AtomicBool,
    open: watch::Sender<bool>,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

impl Recorder {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            waves: Mutex::default(),
            answer: Mutex::new(Box::new(|_| Published::Acknowledged)),
            down: AtomicBool::new(false),
            short: AtomicBool::new(false),
            open: watch::Sender::new(true),
        })
    }

    pub(crate) fn answer(&self, answer: impl Fn(&Envelope) -> Published + Send + 'static) {
        *self.answer.lock().unwrap() = Box::new(answer);
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    /// Answers one event too few.
    pub(crate) fn set_short(&self, short: bool) {
        self.short.store(short, Ordering::SeqCst);
    }

    /// Lets calls end, or holds them up after they were recorded.
    pub(crate) fn set_open(&self, open: bool) {
        self.open.send_replace(open);
    }

    pub(crate) fn waves(&self) -> Vec<Vec<Envelope>> {
        self.waves.lock().unwrap().clone()
    }

    /// What it was asked to publish, as (order, sequence).
    pub(crate) fn asked(&self) -> Vec<(u128, u64)> {
        self.waves().concat().iter().map(short).collect()
    }

    pub(crate) fn forget(&self) {
        self.waves.lock().unwrap().clear();
    }
}

/// An order's number and the event's place in it.
pub(crate) fn short(envelope: &Envelope) -> (u128, u64) {
    let order: OrderId = envelope.partition_key.parse().unwrap();
    (order.as_uuid().as_u128(), envelope.sequence)
}

#[async_trait]
impl Publisher for Recorder {
    async fn publish(&self, batch: &[Envelope]) -> Result<Vec<Published>> {
        if self.down.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Unavailable, "the bus is down"));
        }
        self.waves.lock().unwrap().push(batch.to_vec());
        let _ = self.open.subscribe().wait_for(|open| *open).await;
        let answer = self.answer.lock().unwrap();
        let mut answers: Vec<Published> = batch.iter().map(&*answer).collect();
        if self.short.load(Ordering::SeqCst) {
            answers.pop();
        }
        Ok(answers)
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}

/// An order store with its outbox, by a clock that stands still.
pub(crate) struct Desk {
    pub(crate) time: ManualClock,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) store: MemoryOrderStore,
    pub(crate) publisher: Arc<Recorder>,
}

impl Desk {
    pub(crate) fn open() -> Self {
        let (time, clock) = clock();
        let store = MemoryOrderStore::new(Arc::clone(&clock));
        Self { time, clock, store, publisher: Recorder::new() }
    }

    pub(crate) fn outbox(&self) -> MemoryOutbox {
        self.store.outbox()
    }

    /// Orders with up to three events each, written turn by turn: placed, cancelled, paid late.
    pub(crate) async fn orders(&self, numbers: std::ops::Range<u128>, events: usize) {
        let actions = |order| {
            [
                OrderAction::Place(Place::new(order).with_line(sku("CUP"), 1, euro(1)).prepaid(Duration::from_secs(9))),
                OrderAction::Cancel { order, reason: None },
                OrderAction::RecordPayment { order, result: PaymentResult::Paid },
            ]
        };
        for turn in 0..events {
            let batch = numbers.clone().map(|number| {
                let action = actions(OrderId::from_u128(number))[turn].clone();
                Command::new(CommandId::from_u128(number * 10 + turn as u128), start(), action)
            });
            self.store.execute(&Engine::new(), batch.collect()).await.unwrap();
        }
    }

    pub(crate) fn relay(&self, worker: &str) -> OutboxRelay {
        self.relay_to(worker, Arc::clone(&self.publisher) as _)
    }

    pub(crate) fn relay_to(&self, worker: &str, publisher: Arc<dyn Publisher>) -> OutboxRelay {
        let backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(60) };
        let options = RelayOptions { backoff, ..RelayOptions::new("/test", worker) };
        OutboxRelay::new(Arc::new(self.outbox()), publisher, options).with_clock(Arc::clone(&self.clock))
    }

    pub(crate) async fn pending(&self) -> u64 {
        self.outbox().stats().await.unwrap().pending
    }
}
