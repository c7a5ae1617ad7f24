//! The handlers that come with StockPulse: what each service does about the others' events.

mod cache_handler;
mod inventory_handler;
mod notification_handler;
mod order_handler;

pub use cache_handler::CacheHandler;
pub use inventory_handler::InventoryHandler;
pub use notification_handler::NotificationHandler;
pub use order_handler::OrderHandler;

use std::sync::Arc;

use crate::engine::saga::command_for;
use crate::model::{Actor, Cause, Command};
use crate::port::Clock;

use super::processor::Incoming;

/// The command that an event makes: its id is derived from the event's, so that it is the same when it comes again.
fn command<A>(event: &Incoming, service: &str, clock: &Arc<dyn Clock>, action: A) -> Command<A> {
    Command::new(command_for(event.envelope.id, service), clock.now(), action)
        .with_actor(Actor::Service(event.envelope.source.clone()))
        .with_cause(Cause::Event(event.envelope.id))
        .with_trace(event.envelope.trace)
}
