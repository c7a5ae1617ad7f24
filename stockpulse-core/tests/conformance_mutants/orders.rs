//! Order stores that are broken.

use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;
use stockpulse_core::Result;
use stockpulse_core::conformance::{OrderBackend, order_store};
use stockpulse_core::engine::Engine;
use stockpulse_core::engine::order::{OrderAction, OrderCommand, OrderOutcome, OrderRefusal};
use stockpulse_core::model::{HistoryEntry, Order, OrderId, PaymentTerms, Timestamp};
use stockpulse_core::port::{OrderQuery, OrderStore, Outbox, Page};

use super::batches::fresh;
use super::broken::{Broken, Fault, every_rule_notices};
use crate::harness;

type Store = Broken<dyn OrderStore>;

const ALL: NonZeroUsize = NonZeroUsize::MAX;

fn is_refused(outcome: &OrderOutcome) -> bool {
    matches!(outcome, OrderOutcome::Refused(_))
}

impl Store {
    /// Forgets the limits of those who are refused for them, or of everybody.
    async fn uncounted(&self, engine: &Engine, mut batch: Vec<OrderCommand>) -> Result<Vec<OrderOutcome>> {
        let before = batch.iter().all(|command| !matches!(command.action, OrderAction::Cancel { .. }));
        for command in &mut batch {
            if let OrderAction::Place(place) = &mut command.action
                && before
            {
                place.limits.clear();
            }
        }
        self.inner.execute(engine, batch).await
    }

    /// Answers a refusal for a tombstone by placing the order under another id.
    async fn unburied(&self, engine: &Engine, batch: Vec<OrderCommand>) -> Result<Vec<OrderOutcome>> {
        let mut outcomes = self.inner.execute(engine, batch.clone()).await?;
        for (outcome, mut command) in outcomes.iter_mut().zip(batch) {
            if let (OrderOutcome::Refused(OrderRefusal::OrderExists(_)), OrderAction::Place(place)) =
                (&outcome, &mut command.action)
            {
                place.order = OrderId::new(fresh().as_uuid());
                command.id = fresh();
                if let Some(placed) = self.inner.execute(engine, vec![command]).await?.pop() {
                    *outcome = placed;
                }
            }
        }
        Ok(outcomes)
    }
}

#[async_trait]
impl OrderStore for Store {
    async fn execute(&self, engine: &Engine, batch: Vec<OrderCommand>) -> Result<Vec<OrderOutcome>> {
        for command in &batch {
            if let OrderAction::Place(place) = &command.action
                && let PaymentTerms::Prepaid { pay_within } = place.terms
            {
                let due = (command.at.plus(pay_within), place.order.as_uuid());
                self.memory.ends.lock().unwrap().push(due);
            }
        }
        let own = Engine::new();
        let engine = if self.is(Fault::OwnEngine) { &own } else { engine };
        match self.fault {
            Fault::CountsNoPurchases => self.uncounted(engine, batch).await,
            Fault::ForgetsTombstones => self.unburied(engine, batch).await,
            _ => self.batch(batch, is_refused, |batch| self.inner.execute(engine, batch)).await,
        }
    }

    async fn orders(&self, ids: &[OrderId]) -> Result<Vec<Option<Order>>> {
        let mut found = self.inner.orders(ids).await?;
        match self.fault {
            Fault::LeavesOutTheUnknown => found.retain(Option::is_some),
            Fault::SortsLines => {
                found.iter_mut().flatten().for_each(|found| found.lines.sort_by(|a, b| a.sku.cmp(&b.sku)));
            }
            _ => {}
        }
        Ok(found)
    }

    async fn overdue(&self, before: Timestamp, limit: NonZeroUsize) -> Result<Vec<OrderId>> {
        match self.fault {
            Fault::BeforeIsExclusive => self.inner.overdue(Timestamp::from_micros(before.as_micros() - 1), limit).await,
            Fault::IgnoresTheLimit => self.inner.overdue(before, ALL).await,
            Fault::NewestFirst => {
                let mut ids = self.inner.overdue(before, limit).await?;
                ids.reverse();
                Ok(ids)
            }
            Fault::ListsByOldEnds => {
                let mut ends = self.memory.ends.lock().unwrap().clone();
                ends.sort_unstable();
                let due = ends.into_iter().filter(|(end, _)| *end <= before);
                Ok(due.map(|(_, id)| OrderId::new(id)).take(limit.get()).collect())
            }
            _ => self.inner.overdue(before, limit).await,
        }
    }

    async fn history(&self, order: OrderId) -> Result<Vec<HistoryEntry>> {
        let mut entries = self.inner.history(order).await?;
        match self.fault {
            Fault::NewestFirst => entries.reverse(),
            // As an order by text has it: 1, 10, 11, 12, 2.
            Fault::AnyOrder => entries.sort_by_key(|entry| entry.version.to_string()),
            Fault::LosesText => entries.iter_mut().for_each(|entry| entry.reason = None),
            _ => {}
        }
        Ok(entries)
    }

    async fn list_orders(&self, query: &OrderQuery, limit: NonZeroUsize) -> Result<Page<Order, OrderId>> {
        let mut query = query.clone();
        match self.fault {
            Fault::IgnoresStatus => query.status = None,
            Fault::IgnoresCustomer => query.customer = None,
            _ => {}
        }
        let mut page = self.inner.list_orders(&query, limit).await?;
        match self.fault {
            Fault::ListsOneLess if page.next.is_some() => drop(page.items.pop()),
            Fault::FullPageSaysMore if page.items.len() == limit.get() => {
                page.next = page.items.last().map(|order| order.id);
            }
            _ => {}
        }
        Ok(page)
    }
}

fn broken(backend: OrderBackend, fault: Fault) -> OrderBackend {
    let outbox: Arc<dyn Outbox> = Broken::new(backend.outbox, fault);
    OrderBackend { store: Broken::new(backend.store, fault), outbox }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_of_order_stores_notices_a_mutant() {
    let mutants: &[(Fault, &[&str])] = &[
        (Fault::OutcomesReversed, &["answers_are_aligned"]),
        (Fault::LeavesOutTheUnknown, &["answers_are_aligned"]),
        (Fault::EmptyBatchFails, &["an_empty_batch_changes_nothing"]),
        (Fault::BatchReversed, &["a_batch_is_decided_in_order", "random_histories_agree_with_the_engine"]),
        (Fault::EndOfLargeBatchLost, &["a_large_batch_is_stored"]),
        (Fault::SortsLines, &["an_order_of_many_lines_is_stored"]),
        (Fault::OwnEngine, &["the_given_engine_decides"]),
        (Fault::ForgetsTombstones, &["a_tombstone_is_kept"]),
        (Fault::LosesTheFirst, &["events_are_written_with_the_decision"]),
        (
            Fault::ForgetsCommands,
            &[
                "a_known_command_gets_its_first_answer",
                "a_replayed_history_changes_nothing",
                "everything_survives_a_restart",
            ],
        ),
        (Fault::ForgetsOldCommands, &["a_replayed_history_changes_nothing"]),
        (Fault::ForgetsRefusals, &["a_refusal_is_an_answer_for_good"]),
        (Fault::MissesDuplicatesInBatch, &["a_command_twice_in_a_batch_is_decided_once"]),
        (Fault::IgnoresContents, &["another_command_of_a_known_id_is_a_conflict"]),
        (Fault::LosesText, &["every_field_is_kept"]),
        (Fault::NewestFirst, &["history_is_oldest_first", "overdue_orders_are_listed"]),
        (Fault::AnyOrder, &["history_is_oldest_first"]),
        (Fault::BeforeIsExclusive, &["overdue_orders_are_listed"]),
        (Fault::IgnoresTheLimit, &["overdue_orders_are_listed"]),
        (Fault::ListsByOldEnds, &["only_unpaid_orders_are_overdue"]),
        (Fault::ListsOneLess, &["orders_are_paged"]),
        (Fault::FullPageSaysMore, &["orders_are_paged", "orders_are_listed_by_customer_and_status"]),
        (Fault::IgnoresStatus, &["orders_are_listed_by_customer_and_status"]),
        (Fault::IgnoresCustomer, &["orders_are_listed_by_customer_and_status"]),
        (Fault::CountsNoPurchases, &["purchases_are_counted", "a_purchase_limit_is_kept_by_many_at_once"]),
        (Fault::ChecksBeforeItLocks, &["one_command_at_once_is_decided_once"]),
        (Fault::FailsWhenBusy, &["opposite_orders_both_end", "a_purchase_limit_is_kept_by_many_at_once"]),
        (Fault::TwoTransactions, &["a_dropped_call_splits_nothing"]),
        (Fault::ForgetsOnRestart, &["everything_survives_a_restart"]),
    ];
    every_rule_notices(order_store::RULES, mutants, harness::orders, broken).await;
}
