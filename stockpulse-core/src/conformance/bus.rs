//! The rules of a bus: a [`Publisher`](crate::port::Publisher), a [`Subscriber`](crate::port::Subscriber), and the
//! [`Subscription`](crate::port::Subscription)s that it opens.

use super::backend::BusBackend;

mod acks;
mod flow;
mod groups;
mod members;
mod nacks;
mod publishing;
mod reader;

rules! {
    $
    /// Makes a test of every rule of a bus, for a harness of
    /// [`BusBackend`](crate::conformance::BusBackend)s.
    bus_conformance => bus: BusBackend;
    /// Answers are aligned with the batch; what is no envelope is refused, and the others of the batch go.
    publishing::answers_are_aligned,
    /// Nothing published is answered by nothing.
    publishing::an_empty_batch_is_harmless,
    /// An event that is too large is refused, and the others of the batch go. A bus that takes 32 MiB delivers it whole.
    publishing::what_is_too_large_is_refused,
    /// An envelope arrives as it was sent: every attribute, whatever its letters, and the document byte for byte.
    publishing::an_envelope_arrives_as_it_was,
    /// The events of a key keep their order, within a batch and over batches.
    publishing::a_key_keeps_its_order,
    /// Whoever publishes at once, everything arrives, and each key's events in their order.
    publishing::many_publishers_lose_nothing,
    /// A publication may be given up at any point; those after it arrive.
    publishing::a_publication_may_be_given_up,
    /// Closing flushes: what was acknowledged is there, and nothing more is published.
    publishing::a_closed_publisher_publishes_nothing,
    /// What was acknowledged to its publisher is there after a restart.
    publishing::events_survive_a_restart,
    /// Every group receives everything.
    groups::each_group_receives_everything,
    /// A new group begins with the oldest event, however many others have read it.
    groups::a_new_group_begins_with_the_oldest,
    /// A new group may begin with the next event; what was there before does not come, all that follows does.
    groups::a_new_group_may_begin_with_the_next,
    /// A group that is known goes on at its place, wherever new ones are to begin.
    groups::a_known_group_goes_on,
    /// Only the types that were subscribed to are received.
    groups::other_types_are_skipped,
    /// Each event goes to one member of a group, and none is lost among them.
    members::members_share_the_events,
    /// What a member that leaves has not acknowledged goes to another, in order.
    members::who_leaves_passes_events_on,
    /// What a member that is dropped has not acknowledged goes to another.
    members::who_is_dropped_passes_events_on,
    /// While members come and go, nothing is lost.
    members::nothing_is_lost_while_members_come_and_go,
    /// A tag from before its partition moved acknowledges nothing.
    members::tags_of_an_older_generation_are_ignored,
    /// What was acknowledged does not come again: not to the member, and not to the group after it left.
    acks::what_was_acknowledged_is_done,
    /// What was not acknowledged comes again, in order and before what follows.
    acks::what_was_not_acknowledged_comes_again,
    /// An event that was not acknowledged comes again though later ones of its key were.
    acks::a_gap_holds_the_place,
    /// Events may be acknowledged in any order, one by one or together, and twice.
    acks::any_order_will_do,
    /// What was not acknowledged comes again after a restart.
    acks::events_in_flight_survive_a_restart,
    /// An event to be tried again comes again, not before its time.
    nacks::a_retry_comes_after_its_time,
    /// Later events of the key wait behind one that is tried again.
    nacks::later_events_wait_behind_a_retry,
    /// An event that is put aside counts as handled: it does not come again to its group, and holds up nothing.
    nacks::a_dead_letter_is_put_aside,
    /// What one group put aside, another receives.
    nacks::a_dead_letter_is_the_groups_own,
    /// One event at least is answered, and `max` at most.
    flow::no_more_are_received_than_asked_for,
    /// No more than `max_in_flight` events are received and not acknowledged; acknowledging makes room.
    flow::no_more_are_in_flight_than_set,
    /// Who waits for events receives those that are published meanwhile.
    flow::who_waits_receives_what_comes,
    /// A wait for events may be given up at any point, and nothing is lost by it.
    flow::receiving_may_be_given_up,
    /// A subscription that was closed answers `Closed`; closing it again is harmless.
    flow::a_closed_subscription_receives_nothing,
}
