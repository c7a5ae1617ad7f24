//! The rules of an [`Outbox`](crate::port::Outbox), written to by the inventory store that it belongs to.

use super::backend::InventoryBackend;

mod aside;
mod claims;
mod desk;
mod keys;
mod leases;

rules! {
    $
    /// Makes a test of every rule of an `Outbox`, for a harness of
    /// [`InventoryBackend`](crate::conformance::InventoryBackend)s: the store writes, the outbox is tried.
    outbox_conformance => outbox: InventoryBackend;
    /// A claim answers what waits, by id, with the event as it was written; the rows of a key in the order of their commits.
    claims::rows_are_read_in_order,
    /// A claim answers `limit` rows at most, those with the lowest ids.
    claims::a_claim_is_limited,
    /// What was claimed and not settled is answered again.
    claims::what_is_not_settled_comes_again,
    /// What was settled is gone; the other rows stay, whatever their ids.
    claims::what_is_settled_is_gone,
    /// Settling what is not there, or nothing, changes nothing.
    claims::settling_what_is_gone_is_harmless,
    /// Rows whose commits overtake each other are all handed out, each key's in order.
    claims::no_row_is_skipped_while_others_write,
    /// An outbox counts what waits and what was set aside, and knows the oldest that waits.
    claims::the_stats_count_rows,
    /// The wait for new rows is a hint: it may be given up at any time, and takes nothing from who claims.
    claims::waiting_may_be_given_up,
    /// Rows are handed out after a restart as they were left: with attempts, pauses and what was set aside.
    claims::rows_survive_a_restart,
    /// While one worker holds the leases, another gets no rows and no shards.
    leases::a_lease_keeps_others_out,
    /// The worker that holds a lease renews it by claiming, under the same epochs.
    leases::the_holder_renews_its_lease,
    /// When a lease has ended, another worker gets its shards with higher epochs, and the rows that were not settled.
    leases::an_ended_lease_passes_on,
    /// Under a lease that passed on nothing is settled, put back or set aside: `Contention`, never to be retried, and nothing changed.
    leases::a_stale_lease_changes_nothing,
    /// A lease that was given back is free at once; giving it back under an old epoch takes it from nobody.
    leases::a_lease_can_be_given_back,
    /// The epochs of a shard only grow, also after a restart.
    leases::epochs_only_grow,
    /// Of many workers that claim at once, each shard goes to one.
    leases::a_shard_is_leased_to_one,
    /// A row that was put back waits until its time, and counts one attempt more.
    keys::a_row_that_was_put_back_waits,
    /// A row that waits to be tried again holds up the later rows of its key, and no others.
    keys::a_waiting_row_holds_up_its_key,
    /// A row that was set aside holds up the later rows of its key, and no others.
    keys::a_row_set_aside_holds_up_its_key,
    /// Held-up rows leave room for others: a claim is not filled with what may not be published.
    keys::held_up_rows_take_no_room,
    /// What was set aside is listed with its reason and its attempts, `limit` at most.
    aside::what_is_set_aside_is_listed,
    /// A requeued row comes again as if it had never been tried, and its key goes on in order.
    aside::a_requeued_row_comes_again,
    /// A discarded row is gone, and its key goes on.
    aside::a_discarded_row_is_gone,
    /// Only what was set aside is requeued or discarded, and the answer counts it.
    aside::only_what_is_set_aside_is_requeued_or_discarded,
}
