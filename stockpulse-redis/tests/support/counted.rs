//! How much reaches the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use stockpulse_core::Result;
use stockpulse_core::layer::{Call, Layer};

/// Counts the commands that reach the store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counted(Arc<AtomicUsize>);

impl Counted {
    /// How many there were.
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Layer for Counted {
    const REPEATS: bool = false;

    async fn around<T: Send>(&self, mut call: Call<'_, T>) -> Result<T> {
        if call.operation() == "inventory.execute" {
            self.0.fetch_add(call.items().unwrap_or(0), Ordering::SeqCst);
        }
        call.make().await
    }
}
