//! Harnesses of the bus, the cache and the gate in memory.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use stockpulse_core::Result;
use stockpulse_core::conformance::{BusBackend, Harness};
use stockpulse_core::memory::{ManualClock, MemoryBus};
use stockpulse_core::model::Timestamp;
use stockpulse_core::port::Clock;

/// Opens memory backends, whose time passes when it is told to. `M` is what they are, and outlives their handles.
pub(crate) struct Memory<M, B> {
    clock: ManualClock,
    make: Box<dyn Fn(Arc<dyn Clock>) -> M + Send + Sync>,
    handle: fn(&M) -> B,
    opened: Mutex<Option<M>>,
}

impl<M, B> Memory<M, B> {
    pub(crate) fn new(make: impl Fn(Arc<dyn Clock>) -> M + Send + Sync + 'static, handle: fn(&M) -> B) -> Self {
        let clock = ManualClock::new(Timestamp::from_secs(1_700_000_000));
        Self { clock, make: Box::new(make), handle, opened: Mutex::new(None) }
    }
}

#[async_trait]
impl<M: Send + Sync, B: Clone + Send + Sync + 'static> Harness<B> for Memory<M, B> {
    async fn open(&self) -> Result<B> {
        let memory = (self.make)(Arc::new(self.clock.clone()));
        let backend = (self.handle)(&memory);
        *self.opened.lock().unwrap() = Some(memory);
        Ok(backend)
    }

    async fn reopen(&self, backend: B) -> Result<B> {
        drop(backend);
        Ok((self.handle)(self.opened.lock().unwrap().as_ref().unwrap()))
    }

    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
        tokio::task::yield_now().await;
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn deadline(&self) -> Duration {
        Duration::from_secs(20)
    }
}

pub(crate) fn bus() -> Memory<MemoryBus, BusBackend> {
    Memory::new(
        |clock| MemoryBus::new().with_clock(clock),
        |bus| {
            // A connection of its own, which is closed alone.
            let bus = Arc::new(bus.clone());
            BusBackend { publisher: Arc::clone(&bus) as _, subscriber: bus }
        },
    )
}
