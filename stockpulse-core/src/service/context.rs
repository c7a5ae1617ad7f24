//! What every service makes commands with.

use std::sync::Arc;

use uuid::Uuid;

use crate::model::{Actor, Cause, Command, CommandId, Timestamp, TraceContext};
use crate::port::{Clock, IdGenerator};
use crate::system::{RandomIds, SystemClock};

/// Clock, ids, and in whose name commands are made.
#[derive(Clone, Debug)]
pub(super) struct Context {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdGenerator>,
    pub(super) actor: Actor,
    pub(super) cause: Cause,
    pub(super) trace: Option<TraceContext>,
}

impl Default for Context {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            ids: Arc::new(RandomIds),
            actor: Actor::System,
            cause: Cause::Request,
            trace: None,
        }
    }
}

impl Context {
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn id(&self) -> Uuid {
        self.ids.next_id(self.clock.now())
    }

    /// A new command with a new id, now.
    pub(super) fn command<A>(&self, action: A) -> Command<A> {
        let now = self.clock.now();
        Command::new(CommandId::new(self.ids.next_id(now)), now, action)
            .with_actor(self.actor.clone())
            .with_cause(self.cause)
            .with_trace(self.trace)
    }
}
