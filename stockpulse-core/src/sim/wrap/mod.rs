//! The ports as a node sees them: each call goes through [`Node`](super::node::Node), and what the backend really
//! did is shown to the history.

mod bus;
mod cache;
mod gate;
mod inventory_store;
mod notification;
mod order_store;
mod outbox;
mod record_store;

pub(super) use bus::{NodeBus, Seat};
pub(super) use cache::{NodeCache, SharedCache};
pub(super) use gate::{NodeGate, SharedGate};
pub(super) use inventory_store::NodeInventoryStore;
pub(super) use notification::{NodeLog, NodeNotifier};
pub(super) use order_store::NodeOrderStore;
pub(super) use outbox::NodeOutbox;
pub(super) use record_store::{NodeCatalogStore, NodeCustomerStore};
