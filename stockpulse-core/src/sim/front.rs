//! How clients reach the shop: any node, as often as it takes, with the same command.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::check::Answer;
use super::faults::Fault;
use super::violation::Rule;
use super::world::{World, locked};
use crate::engine::order::{OrderAction, OrderCommand};
use crate::engine::stock::{Decision, Refusal, StockAction, StockCommand, StockOutcome};
use crate::error::{ErrorKind, Result};
use crate::memory::SequentialIds;
use crate::model::{Command, CommandId, Order, OrderId};
use crate::port::IdGenerator;
use crate::service::{Inventory, OrderDecision, Orders};

/// How long a patient client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(8);
/// After so many tries in vain nobody can be there.
const MAX_TRIES: u32 = 500;

#[derive(Debug)]
pub(super) struct Front {
    pub(super) world: Arc<World>,
    ids: SequentialIds,
    /// By slot. One that died is called until the next one is there.
    inventories: Mutex<Vec<(usize, Inventory)>>,
    orders: Mutex<Vec<(usize, Orders)>>,
}

fn replace<T>(open: &Mutex<Vec<(usize, T)>>, slot: usize, service: Option<T>) {
    if let Some(service) = service {
        let mut open = locked(open);
        open.retain(|(taken, _)| *taken != slot);
        open.push((slot, service));
    }
}

impl Front {
    pub(super) fn new(world: Arc<World>) -> Arc<Self> {
        Arc::new(Self { world, ids: SequentialIds::new(), inventories: Mutex::default(), orders: Mutex::default() })
    }

    /// A new node serves clients in this slot.
    pub(super) fn open(&self, slot: usize, inventory: Option<Inventory>, orders: Option<Orders>) {
        replace(&self.inventories, slot, inventory);
        replace(&self.orders, slot, orders);
    }

    pub(super) fn next_id(&self) -> uuid::Uuid {
        self.ids.next_id(self.world.now())
    }

    /// A command with an id of its own.
    pub(super) fn command<A>(&self, action: A) -> Command<A> {
        Command::new(CommandId::new(self.next_id()), self.world.now(), action)
    }

    /// Asks the order service until it answers; `None` if the client gave up.
    pub(super) async fn order(&self, action: OrderAction) -> Option<OrderDecision> {
        let command = self.command(action);
        let ask = || {
            let service = self.some(&self.orders);
            let command: OrderCommand = command.clone();
            async move {
                let answer = service?.execute(command.clone()).await;
                Some(answer.inspect(|decision| {
                    self.world.say(format_args!("client hears of {}: {decision:?}", command.id));
                    self.world.answered(&Answer::Order(command, decision.clone()));
                }))
            }
        };
        self.persist(ask).await
    }

    /// Asks the inventory service until it answers; `None` if the client gave up.
    pub(super) async fn stock(&self, action: StockAction) -> Option<StockOutcome> {
        let command = self.command(action);
        let ask = || {
            let service = self.some(&self.inventories);
            let command: StockCommand = command.clone();
            async move {
                let told_before = self.world.was_answered(command.id);
                let answer = service?.execute(command.clone()).await;
                Some(answer.inspect(|outcome| {
                    self.world.say(format_args!("client hears of {}: {outcome:?}", command.id));
                    // It may have been the gate alone that refused, which nobody remembers.
                    let by_gate = matches!(command.action, StockAction::Reserve(_))
                        && matches!(outcome, StockOutcome::Refused(Refusal::Short(_)));
                    if told_before || !by_gate {
                        self.world.answered(&Answer::Stock(command, outcome.clone()));
                    }
                }))
            }
        };
        self.persist(ask).await
    }

    /// Reads an order; the outer `None` if the client gave up.
    pub(super) async fn read(&self, id: OrderId) -> Option<Option<Order>> {
        let ask = || {
            let service = self.some(&self.orders);
            async move { Some(service?.order(id).await) }
        };
        self.persist(ask).await
    }

    /// Reads what can be sold, through the cache.
    pub(super) async fn browse(&self, keys: &[crate::model::StockKey]) {
        if let Some(inventory) = self.some(&self.inventories) {
            // A customer who only looks does not look again.
            let _ = tokio::time::timeout(PATIENCE, inventory.availability(keys)).await;
        }
    }

    fn some<T: Clone>(&self, open: &Mutex<Vec<(usize, T)>>) -> Option<T> {
        self.world.dice().pick(&locked(open)).map(|(_, service)| service.clone())
    }

    /// Asks until there is an answer, as clients do: some do not wait, some press the button twice.
    async fn persist<T, F>(&self, ask: impl Fn() -> F) -> Option<T>
    where
        F: Future<Output = Option<Result<T>>>,
    {
        for attempt in 0..MAX_TRIES {
            if attempt > 0 {
                self.world.count("asked again", 1);
            }
            let patience = if self.world.strikes(Fault::CallerGone) {
                self.world.dice().between(Duration::ZERO, Duration::from_millis(60))
            } else {
                PATIENCE
            };
            let asked = async {
                if self.world.strikes(Fault::AskedTwice) {
                    let (one, other) = futures::future::join(ask(), ask()).await;
                    one.filter(Result::is_ok).or(other)
                } else {
                    ask().await
                }
            };
            match tokio::time::timeout(patience, asked).await {
                Ok(Some(Ok(answer))) => return Some(answer),
                Ok(Some(Err(error))) if error.kind() == ErrorKind::InvalidInput => {
                    self.world.violated(Rule::SoundCommand, error.to_string());
                    return None;
                }
                Ok(Some(Err(_)) | None) | Err(_) => {}
            }
            if self.world.strikes(Fault::GivenUp) {
                return None;
            }
            let pause = self.world.dice().between(Duration::from_millis(10), Duration::from_millis(800));
            tokio::time::sleep(pause).await;
        }
        self.world.violated(Rule::ComesToRest, format!("a client asked {MAX_TRIES} times and got no answer"));
        None
    }
}

/// Whether a decision was a yes that changed something.
pub(super) const fn changed(decision: &OrderDecision) -> bool {
    matches!(decision, Decision::Accepted(state) if state.changed)
}
