//! A publisher that counts events, and delivers some of them again.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use stockpulse_core::Result;
use stockpulse_core::model::{Envelope, EventId, EventType};
use stockpulse_core::port::{Published, Publisher};

use crate::chance::Chance;

/// Passes events on to a bus. With a probability it keeps a copy back and publishes it once more behind later ones,
/// as happens when a publisher was not told of its success.
#[derive(Debug)]
pub struct ReplayPublisher {
    bus: Arc<dyn Publisher>,
    counted: Arc<Counted>,
}

/// What was published so far, and what is to be published again. It outlives a publisher.
#[derive(Debug)]
pub struct Counted {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    chance: Chance,
    kept_back: Vec<Envelope>,
    published: HashSet<EventId>,
}

impl Counted {
    /// Nothing was published yet.
    #[must_use]
    pub fn new(duplicates: f64, seed: u64) -> Self {
        let state = State { chance: Chance::new(duplicates, seed), kept_back: Vec::new(), published: HashSet::new() };
        Self { state: Mutex::new(state) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReplayPublisher {
    /// A publisher to a bus.
    #[must_use]
    pub fn new(bus: Arc<dyn Publisher>, counted: Arc<Counted>) -> Self {
        Self { bus, counted }
    }

    /// The bus itself.
    #[must_use]
    pub fn bus(&self) -> Arc<dyn Publisher> {
        Arc::clone(&self.bus)
    }

    /// What was published so far.
    #[must_use]
    pub fn counted(&self) -> Arc<Counted> {
        Arc::clone(&self.counted)
    }

    /// How many different events this process published, apart from `stock.updated`: how many of those there are depends
    /// on how commands fell into batches.
    #[must_use]
    pub fn published(&self) -> u64 {
        self.counted.lock().published.len() as u64
    }
}

#[async_trait]
impl Publisher for ReplayPublisher {
    async fn publish(&self, batch: &[Envelope]) -> Result<Vec<Published>> {
        let answers = self.bus.publish(batch).await?;
        let again = {
            let mut state = self.counted.lock();
            let again = std::mem::take(&mut state.kept_back);
            for (envelope, answer) in batch.iter().zip(&answers) {
                if *answer != Published::Acknowledged {
                    continue;
                }
                if envelope.event_type().ok() != Some(EventType::StockUpdated) {
                    state.published.insert(envelope.id);
                }
                if state.chance.strikes() {
                    state.kept_back.push(envelope.clone());
                }
            }
            again
        };
        if !again.is_empty() {
            self.bus.publish(&again).await?;
        }
        Ok(answers)
    }

    async fn close(&self) -> Result<()> {
        self.bus.close().await
    }
}
