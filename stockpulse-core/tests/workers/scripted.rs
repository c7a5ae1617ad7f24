//! A handler that does as it is told, and events for it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use stockpulse_core::Result;
use stockpulse_core::memory::{ManualClock, MemoryBus};
use stockpulse_core::model::{CommandId, Customer, CustomerEvent, CustomerId, Envelope, Event, EventData, EventType};
use stockpulse_core::port::{Clock, Published, Publisher};
use stockpulse_core::worker::{Backoff, Handled, Handler, Incoming, Processor, ProcessorOptions};

use crate::support::{clock, start};

type Script = dyn Fn(&[u64]) -> Result<Vec<Handled>> + Send;

/// A handler that remembers each call by the events' sequences, and answers as it is told.
pub(crate) struct Scripted {
    calls: Mutex<Vec<Vec<u64>>>,
    script: Mutex<Box<Script>>,
    open: watch::Sender<bool>,
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scripted").finish_non_exhaustive()
    }
}

impl Scripted {
    pub(crate) fn will(&self, script: impl Fn(&[u64]) -> Result<Vec<Handled>> + Send + 'static) {
        *self.script.lock().unwrap() = Box::new(script);
    }

    /// Lets calls end, or holds them up.
    pub(crate) fn set_open(&self, open: bool) {
        self.open.send_replace(open);
    }

    pub(crate) fn calls(&self) -> Vec<Vec<u64>> {
        self.calls.lock().unwrap().clone()
    }

    /// How often it was called with this event.
    pub(crate) fn times(&self, event: u64) -> usize {
        self.calls().iter().filter(|call| call.contains(&event)).count()
    }
}

pub(crate) fn done(events: &[u64]) -> Result<Vec<Handled>> {
    Ok(vec![Handled::Done; events.len()])
}

#[async_trait]
impl Handler for Scripted {
    fn group(&self) -> &str {
        "test"
    }

    fn event_types(&self) -> Vec<EventType> {
        vec![EventType::CustomerCreated]
    }

    async fn handle(&self, batch: &[Incoming]) -> Result<Vec<Handled>> {
        let events: Vec<u64> = batch.iter().map(|event| event.envelope.sequence).collect();
        self.calls.lock().unwrap().push(events.clone());
        let _ = self.open.subscribe().wait_for(|open| *open).await;
        // One that panics does not spoil it.
        let script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        script(&events)
    }
}

/// An event by its number; all are of one key, and so in order.
pub(crate) fn event(number: u64) -> Envelope {
    let customer = Customer::new(CustomerId::from_u128(1), "Ann");
    let event = Event {
        command: CommandId::from_u128(u128::from(number)),
        index: 0,
        sequence: number,
        at: start(),
        trace: None,
        data: EventData::Customer(CustomerEvent::Created(customer)),
    };
    Envelope::seal(&event, "/test").unwrap()
}

/// A bus, a handler and a processor between them, by a clock that stands still.
pub(crate) struct Bench {
    pub(crate) time: ManualClock,
    pub(crate) bus: MemoryBus,
    pub(crate) handler: Arc<Scripted>,
    pub(crate) processor: Processor,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let (time, clock) = clock();
        let bus = MemoryBus::new().with_clock(Arc::clone(&clock));
        let (calls, script) = (Mutex::default(), Mutex::new(Box::new(done as fn(&[u64]) -> _) as Box<Script>));
        let handler = Arc::new(Scripted { calls, script, open: watch::Sender::new(true) });
        let processor = processor(&bus, &handler, clock);
        Self { time, bus, handler, processor }
    }

    pub(crate) async fn publish(&self, numbers: std::ops::RangeInclusive<u64>) {
        let batch: Vec<Envelope> = numbers.map(event).collect();
        let answers = self.bus.publish(&batch).await.unwrap();
        assert!(answers.iter().all(|answer| *answer == Published::Acknowledged));
    }

    pub(crate) fn start(&self) -> (JoinHandle<Result<()>>, CancellationToken) {
        let (processor, stop) = (self.processor.clone(), CancellationToken::new());
        let token = stop.clone();
        (tokio::spawn(async move { processor.run(token).await }), stop)
    }

    pub(crate) fn lag(&self) -> u64 {
        self.bus.lag("test").unwrap()
    }

    /// The reasons of what was put aside.
    pub(crate) fn aside(&self) -> Vec<(u64, String)> {
        let letters = self.bus.dead_letters("test");
        letters.into_iter().map(|letter| (letter.envelope.sequence, letter.reason)).collect()
    }
}

pub(crate) fn processor(bus: &MemoryBus, handler: &Arc<Scripted>, clock: Arc<dyn Clock>) -> Processor {
    let backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(60) };
    let options = ProcessorOptions { backoff, ..ProcessorOptions::default() };
    Processor::new(Arc::new(bus.clone()), Arc::clone(handler) as _).with_options(options).with_clock(clock)
}
