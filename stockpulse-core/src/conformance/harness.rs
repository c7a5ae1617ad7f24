//! What somebody who writes a backend gives to the suite.

use std::marker::PhantomData;
use std::time::Duration;

use async_trait::async_trait;

use crate::error::Result;
use crate::model::Timestamp;
use crate::port::Clock;
use crate::system::SystemClock;

/// Opens backends for the rules of one port. `B` is what the rules of that port need, such as
/// [`InventoryBackend`](super::InventoryBackend).
///
/// One harness serves one rule at a time, and a rule opens once: what it reopens later is what it opened. So a
/// harness remembers where it opened last, a schema or a directory, and needs no more than that.
#[async_trait]
pub trait Harness<B: Clone + Send + Sync + 'static>: Send + Sync {
    /// A backend that is fresh and empty, and shares nothing with those opened before or by other harnesses.
    ///
    /// # Errors
    /// What keeps it from being opened; the rule then counts as broken.
    async fn open(&self) -> Result<B>;

    /// The process died and came back: new handles on what is stored where [`Harness::open`] was called last. The
    /// old ones are given, so that they can be dropped first.
    ///
    /// A backend that keeps everything in memory answers with handles on the same memory.
    ///
    /// # Errors
    /// What keeps it from being opened.
    async fn reopen(&self, backend: B) -> Result<B>;

    /// Handles on the same, while the first ones are in use: what another process would have. `None`, which is the
    /// answer unless this is written, says that there is no such thing; the rules then share the first handles.
    ///
    /// # Errors
    /// What keeps it from being opened.
    async fn another(&self) -> Result<Option<B>> {
        Ok(None)
    }

    /// Lets so much time pass, as the backend sees it: leases, holds and times to live end by that. Rules ask for
    /// some 100 ms at a time; unless this is written, they sleep.
    async fn pass(&self, time: Duration) {
        SystemClock.sleep(time).await;
    }

    /// The time as the backend sees it, roughly; unless this is written, the machine's.
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    /// Why it cannot run here: no such server. Unless this is written, it can.
    fn skip(&self) -> Option<String> {
        None
    }

    /// After which a rule that has not ended counts as broken; a minute unless this is written.
    fn deadline(&self) -> Duration {
        Duration::from_secs(60)
    }
}

#[async_trait]
impl<B: Clone + Send + Sync + 'static, H: Harness<B> + ?Sized> Harness<B> for &H {
    async fn open(&self) -> Result<B> {
        (**self).open().await
    }

    async fn reopen(&self, backend: B) -> Result<B> {
        (**self).reopen(backend).await
    }

    async fn another(&self) -> Result<Option<B>> {
        (**self).another().await
    }

    async fn pass(&self, time: Duration) {
        (**self).pass(time).await;
    }

    fn now(&self) -> Timestamp {
        (**self).now()
    }

    fn skip(&self) -> Option<String> {
        (**self).skip()
    }

    fn deadline(&self) -> Duration {
        (**self).deadline()
    }
}

/// A harness whose backends are wrapped: in an `Arc` more, in a layer, in something that is broken on purpose.
pub struct Mapped<B, H, F> {
    harness: H,
    map: F,
    backend: PhantomData<fn(B) -> B>,
}

impl<B, H, F> Mapped<B, H, F>
where
    B: Clone + Send + Sync + 'static,
    H: Harness<B>,
    F: Fn(B) -> B + Send + Sync,
{
    /// Wraps everything that the harness opens.
    #[must_use]
    pub fn new(harness: H, map: F) -> Self {
        Self { harness, map, backend: PhantomData }
    }
}

#[async_trait]
impl<B, H, F> Harness<B> for Mapped<B, H, F>
where
    B: Clone + Send + Sync + 'static,
    H: Harness<B>,
    F: Fn(B) -> B + Send + Sync,
{
    async fn open(&self) -> Result<B> {
        Ok((self.map)(self.harness.open().await?))
    }

    async fn reopen(&self, backend: B) -> Result<B> {
        Ok((self.map)(self.harness.reopen(backend).await?))
    }

    async fn another(&self) -> Result<Option<B>> {
        Ok(self.harness.another().await?.map(&self.map))
    }

    async fn pass(&self, time: Duration) {
        self.harness.pass(time).await;
    }

    fn now(&self) -> Timestamp {
        self.harness.now()
    }

    fn skip(&self) -> Option<String> {
        self.harness.skip()
    }

    fn deadline(&self) -> Duration {
        self.harness.deadline()
    }
}
