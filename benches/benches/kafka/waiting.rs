//! Who placed an order waits here until its confirmation was consumed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;
use uuid::Uuid;

/// Orders that are not confirmed yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting(Arc<Mutex<HashMap<Uuid, oneshot::Sender<()>>>>);

impl Waiting {
    /// To be called before the order is placed.
    pub(crate) fn wait_for(&self, order: Uuid) -> oneshot::Receiver<()> {
        let (confirmed, wait) = oneshot::channel();
        self.0.lock().expect("nobody panics").insert(order, confirmed);
        wait
    }

    pub(crate) fn confirmed(&self, order: Uuid) {
        if let Some(confirmed) = self.0.lock().expect("nobody panics").remove(&order) {
            // Nobody listens once the measurement is over.
            let _ = confirmed.send(());
        }
    }
}
