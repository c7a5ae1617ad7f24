//! The rules of an [`OrderStore`](crate::port::OrderStore).

use super::backend::OrderBackend;

mod batches;
mod commands;
mod crashes;
mod duplicates;
mod histories;
mod purchases;
mod races;
mod reads;
mod reference;

rules! {
    $
    /// Makes a test of every rule of an `OrderStore`, for a harness of
    /// [`OrderBackend`](crate::conformance::OrderBackend)s.
    order_store_conformance => order_store: OrderBackend;
    /// Outcomes are aligned with the batch, orders with the ids that are read; what does not exist is `None`.
    batches::answers_are_aligned,
    /// An empty batch answers nothing and changes nothing, and so does reading nothing.
    batches::an_empty_batch_changes_nothing,
    /// Commands of one batch are decided in its order, and each sees what those before it did.
    batches::a_batch_is_decided_in_order,
    /// A batch of 2,000 orders is decided and stored as a whole.
    batches::a_large_batch_is_stored,
    /// An order of 500 lines is decided, stored and read as a whole.
    batches::an_order_of_many_lines_is_stored,
    /// The engine that is given decides, by its own limits.
    batches::the_given_engine_decides,
    /// An order that was cancelled before it came is refused when it comes.
    batches::a_tombstone_is_kept,
    /// The outbox holds the events of what was committed, all of them and no others, in order for each order.
    batches::events_are_written_with_the_decision,
    /// A command that comes again gets its first answer, whatever happened since, and changes nothing.
    duplicates::a_known_command_gets_its_first_answer,
    /// A refusal is stored like any outcome.
    duplicates::a_refusal_is_an_answer_for_good,
    /// A command that is twice in one batch is decided once.
    duplicates::a_command_twice_in_a_batch_is_decided_once,
    /// An id that was used for something else is refused as a conflict, and the first answer stays.
    duplicates::another_command_of_a_known_id_is_a_conflict,
    /// A whole history sent again gets the same answers and changes nothing.
    duplicates::a_replayed_history_changes_nothing,
    /// Everything that an order and its history carry is read as it was written.
    reads::every_field_is_kept,
    /// An order's history is read from its first entry on; of an unknown order there is none.
    reads::history_is_oldest_first,
    /// Orders that were due at the time asked for or before are listed, the oldest due first, `limit` at most.
    reads::overdue_orders_are_listed,
    /// An order that was paid, cancelled, expired or given more time is no longer listed by its old end.
    reads::only_unpaid_orders_are_overdue,
    /// A page holds `limit` orders at most; the next begins where it ended; the last says so, also when it is full.
    reads::orders_are_paged,
    /// Orders are listed by customer, by status, by both, and by where they stand now.
    reads::orders_are_listed_by_customer_and_status,
    /// What customers have on order is counted over all batches, and no longer once an order is off.
    purchases::purchases_are_counted,
    /// Random histories in random batches get the engine's answers, and leave what the engine leaves.
    histories::random_histories_agree_with_the_engine,
    /// However many orders a customer places at once, a purchase limit is kept.
    races::a_purchase_limit_is_kept_by_many_at_once,
    /// One command that is sent many times at once is decided once, and everybody gets the same answer.
    races::one_command_at_once_is_decided_once,
    /// Batches that change the same orders in opposite orders both end, without an error.
    races::opposite_orders_both_end,
    /// A call that is dropped half-way is committed as a whole or not at all, and the store goes on.
    crashes::a_dropped_call_splits_nothing,
    /// After a restart everything is there: orders, histories, purchases, events, and the outcomes of known commands.
    crashes::everything_survives_a_restart,
}
