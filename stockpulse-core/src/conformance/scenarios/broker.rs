//! A publisher that fails as a broker does.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use async_trait::async_trait;

use crate::error::{Error, ErrorKind, Result};
use crate::model::Envelope;
use crate::port::{Published, Publisher};

/// How a broker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Health {
    /// It takes events and says so.
    Up = 0,
    /// It cannot be reached.
    Down = 1,
    /// It takes events, and its answers are lost.
    Silent = 2,
}

/// The health of a broker. Clones are the same broker's.
#[derive(Clone, Debug, Default)]
pub(super) struct Broker(Arc<AtomicU8>);

impl Broker {
    pub(super) fn becomes(&self, health: Health) {
        self.0.store(health as u8, Ordering::SeqCst);
    }

    fn is(&self, health: Health) -> bool {
        self.0.load(Ordering::SeqCst) == health as u8
    }

    /// A way to publish to it.
    pub(super) fn publisher(&self, inner: Arc<dyn Publisher>) -> Arc<dyn Publisher> {
        Arc::new(Link { broker: self.clone(), inner })
    }
}

#[derive(Debug)]
struct Link {
    broker: Broker,
    inner: Arc<dyn Publisher>,
}

#[async_trait]
impl Publisher for Link {
    async fn publish(&self, batch: &[Envelope]) -> Result<Vec<Published>> {
        if self.broker.is(Health::Down) {
            return Err(Error::new(ErrorKind::Unavailable, "the broker is down"));
        }
        let published = self.inner.publish(batch).await?;
        if self.broker.is(Health::Silent) {
            return Err(Error::new(ErrorKind::Timeout, "the broker did not answer"));
        }
        Ok(published)
    }

    async fn close(&self) -> Result<()> {
        self.inner.close().await
    }
}
