//! Keeping caches and gates fresh.

use std::sync::Arc;

use async_trait::async_trait;
use compact_str::CompactString;

use crate::error::Result;
use crate::model::{EventData, EventType, StockEvent, StockLevel};
use crate::port::{AdmissionGate, Cache, GateLevel};
use crate::service::LevelCache;
#[cfg(feature = "near-cache")]
use crate::service::NearLevels;
use crate::worker::{Handled, Handler, Incoming};

/// Writes every level that changed into a cache, shared or the process' own, and tells a gate what can be sold of it. Both ignore what is older
/// than what they know, so that events may come twice and late.
#[derive(Clone, Debug)]
pub struct CacheHandler {
    group: CompactString,
    cache: Option<LevelCache>,
    gate: Option<Arc<dyn AdmissionGate>>,
    #[cfg(feature = "near-cache")]
    near: Option<NearLevels>,
}

impl CacheHandler {
    /// A handler with neither. A cache that several processes share needs one group; one inside a process needs a
    /// group of its own.
    #[must_use]
    pub fn new(group: impl Into<CompactString>) -> Self {
        Self {
            group: group.into(),
            cache: None,
            gate: None,
            #[cfg(feature = "near-cache")]
            near: None,
        }
    }

    /// Keeps this cache fresh.
    #[must_use]
    pub fn with_cache(mut self, cache: Arc<dyn Cache>) -> Self {
        self.cache = Some(LevelCache::new(cache));
        self
    }

    /// Keeps these levels of the process fresh.
    #[cfg(feature = "near-cache")]
    #[must_use]
    pub fn with_near_levels(mut self, near: NearLevels) -> Self {
        self.near = Some(near);
        self
    }

    /// Keeps this gate informed.
    #[must_use]
    pub fn with_gate(mut self, gate: Arc<dyn AdmissionGate>) -> Self {
        self.gate = Some(gate);
        self
    }
}

#[async_trait]
impl Handler for CacheHandler {
    fn group(&self) -> &str {
        &self.group
    }

    fn event_types(&self) -> Vec<EventType> {
        vec![EventType::StockUpdated]
    }

    async fn handle(&self, batch: &[Incoming]) -> Result<Vec<Handled>> {
        let levels: Vec<&StockLevel> = batch
            .iter()
            .filter_map(|event| match &event.data {
                EventData::Stock(StockEvent::Updated(level)) => Some(level),
                _ => None,
            })
            .collect();
        #[cfg(feature = "near-cache")]
        if let Some(near) = &self.near {
            near.refresh(levels.iter().copied());
        }
        if let Some(cache) = &self.cache {
            cache.refresh(levels.iter().copied()).await;
        }
        if let Some(gate) = &self.gate {
            let known: Vec<GateLevel> = levels.into_iter().map(GateLevel::from).collect();
            gate.reconcile(&known).await?;
        }
        Ok(vec![Handled::Done; batch.len()])
    }
}
