//! The rules of an [`InventoryStore`](crate::port::InventoryStore).

use super::backend::InventoryBackend;

mod batches;
mod commands;
mod crashes;
mod duplicates;
mod events;
mod histories;
mod names;
mod pages;
mod queues;
mod races;
mod reads;
mod reference;

rules! {
    $
    /// Makes a test of every rule of an `InventoryStore`, for a harness of
    /// [`InventoryBackend`](crate::conformance::InventoryBackend)s.
    inventory_store_conformance => inventory_store: InventoryBackend;
    /// Outcomes are aligned with the batch, levels and reservations with what was asked for; what does not exist is `None`.
    batches::answers_are_aligned,
    /// An empty batch answers nothing and changes nothing, and so does reading nothing.
    batches::an_empty_batch_changes_nothing,
    /// Commands of one batch are decided in its order, and each sees what those before it did.
    batches::a_batch_is_decided_in_order,
    /// A batch of 5,000 commands is decided and stored as a whole.
    batches::a_large_batch_is_stored,
    /// A reservation of 500 SKUs is decided, stored and read as a whole.
    batches::a_reservation_of_many_lines_is_stored,
    /// The engine that is given decides, by its own limits and strategies, not one that the store keeps.
    batches::the_given_engine_decides,
    /// The largest quantities, limits and times are stored as they are.
    batches::the_largest_numbers_are_kept,
    /// A command that comes again gets its first answer, whatever happened since, and changes nothing.
    duplicates::a_known_command_gets_its_first_answer,
    /// A refusal is stored like any outcome: it is the answer even when there would be enough by now.
    duplicates::a_refusal_is_an_answer_for_good,
    /// A command that is twice in one batch is decided once.
    duplicates::a_command_twice_in_a_batch_is_decided_once,
    /// An id that was used for something else is refused as a conflict, and the first answer stays.
    duplicates::another_command_of_a_known_id_is_a_conflict,
    /// A whole history sent again gets the same answers and changes nothing.
    duplicates::a_replayed_history_changes_nothing,
    /// SKUs and locations that differ in a byte are different: case, blanks, accents, signs of any script, 255 bytes.
    names::names_differ_by_bytes,
    /// What is listed is in the order of the names' bytes.
    names::names_are_ordered_by_bytes,
    /// Everything that a level, a reservation and a movement carry is read as it was written.
    reads::every_field_is_kept,
    /// Levels, reservations and movements that do not exist are answered as such, not as errors.
    reads::what_does_not_exist_is_none,
    /// Holds that end at the time asked for or before are listed, those that end first in front, `limit` at most.
    reads::ended_holds_are_listed,
    /// A hold that was extended, allocated, released or replaced is no longer listed by its old end.
    reads::only_live_holds_are_listed,
    /// The audit answers each level with the sum of its movements and of the live claims on it.
    reads::the_audit_adds_up,
    /// A page of levels holds `limit` at most; the next begins where it ended; the last says so, also when it is full.
    pages::levels_are_paged,
    /// Movements are paged by version, from the one after the cursor.
    pages::movements_are_paged,
    /// The audit is paged like the levels.
    pages::audits_are_paged,
    /// Who reads page after page while others write sees every level that was there before, once.
    pages::pages_skip_nothing_while_others_write,
    /// Claims that wait are filled first in, first out, in whatever batches they came.
    queues::backorders_are_filled_in_order,
    /// A reservation is read with the units of each line that wait, however they came to be filled.
    queues::a_reader_sees_what_waits,
    /// Retiring a SKU reaches its levels at every location.
    queues::retiring_reaches_every_location,
    /// The outbox holds the events of what was committed, all of them and no others, in order for each key.
    events::events_are_written_with_the_decision,
    /// What changed nothing wrote no event: a duplicate, a conflict, a refusal without an order.
    events::what_changed_nothing_tells_nothing,
    /// Random histories in random batches get the engine's answers, and leave what the engine leaves.
    histories::random_histories_agree_with_the_engine,
    /// Of many who want the last units at once, as many get one as there are.
    races::the_last_units_are_sold_once,
    /// Batches that want the same levels in opposite orders both end, without an error.
    races::opposite_orders_both_end,
    /// One command that is sent many times at once is decided once, and everybody gets the same answer.
    races::one_command_at_once_is_decided_once,
    /// Levels and reservations that several batches create at once are created once.
    races::what_is_created_at_once_is_created_once,
    /// A call that is dropped half-way is committed as a whole or not at all, and the store goes on.
    crashes::a_dropped_call_splits_nothing,
    /// After a restart everything is there: levels, reservations, queues, movements, and the outcomes of known commands.
    crashes::everything_survives_a_restart,
    /// What was committed before a crash is published after it.
    crashes::events_are_published_after_a_crash,
}
