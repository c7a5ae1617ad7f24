//! What stands before the store: a cache of its levels, and a gate that is told of them.

mod check;

use std::sync::Arc;

use stockpulse_core::port::{AdmissionGate, Cache};

use crate::address::without_secrets;
#[cfg(feature = "redis")]
use crate::address::{RedisAddress, redis};
use crate::args::Args;
use crate::error::ReplayError;

/// What `--cache` and `--gate` take.
const FRONTS: &str = if cfg!(feature = "redis") { "redis://…" } else { "none" };

/// The cache and the gate that were asked for.
#[derive(Clone, Debug, Default)]
pub struct Front {
    /// Answers reads of availability.
    pub cache: Option<Arc<dyn Cache>>,
    /// Is told of every level, and asked by reservations without an order: the replay has none.
    pub gate: Option<Arc<dyn AdmissionGate>>,
}

impl Front {
    /// Whether there is anything.
    #[must_use]
    pub const fn is_there(&self) -> bool {
        self.cache.is_some() || self.gate.is_some()
    }

    /// Connects to what the command line names.
    ///
    /// # Errors
    /// As for [`Args::check_front`], and [`ReplayError::Front`] for what does not answer.
    #[cfg(feature = "redis")]
    pub async fn open(args: &Args) -> Result<Self, ReplayError> {
        let mut front = Self::default();
        if let Some(address) = args.front("--cache", args.cache.as_deref())? {
            front.cache = Some(Arc::new(crate::redis::cache(&address).await?));
        }
        if let Some(address) = args.front("--gate", args.gate.as_deref())? {
            front.gate = Some(Arc::new(crate::redis::gate(&address).await?));
        }
        Ok(front)
    }

    /// Nothing: this build has none.
    ///
    /// # Errors
    /// As for [`Args::check_front`].
    #[cfg(not(feature = "redis"))]
    pub async fn open(args: &Args) -> Result<Self, ReplayError> {
        args.check_front().map(|()| Self::default())
    }
}

impl Args {
    /// Whether the cache and the gate that were asked for are of a kind that there is.
    ///
    /// # Errors
    /// [`ReplayError::UnknownBackend`] if this build has no such cache or gate, [`ReplayError::Options`] for a wrong name.
    pub fn check_front(&self) -> Result<(), ReplayError> {
        self.front("--cache", self.cache.as_deref())?;
        self.front("--gate", self.gate.as_deref())?;
        Ok(())
    }

    #[cfg(feature = "redis")]
    fn front(&self, option: &'static str, value: Option<&str>) -> Result<Option<RedisAddress>, ReplayError> {
        match value {
            None => Ok(None),
            Some(url) if url.starts_with("redis://") => redis(option, url).map(Some),
            Some(other) => Err(unknown(option, other)),
        }
    }

    #[cfg(not(feature = "redis"))]
    fn front(&self, option: &'static str, value: Option<&str>) -> Result<(), ReplayError> {
        value.map_or(Ok(()), |other| Err(unknown(option, other)))
    }
}

fn unknown(option: &'static str, value: &str) -> ReplayError {
    ReplayError::UnknownBackend { option, value: without_secrets(value), known: FRONTS }
}
