//! The rules of a [`NotificationLog`](crate::port::NotificationLog).

use super::backend::NotificationBackend;

mod ends;
mod reads;
mod sending;

rules! {
    $
    /// Makes a test of every rule of a `NotificationLog`, for a harness of
    /// [`NotificationBackend`](crate::conformance::NotificationBackend)s.
    notification_log_conformance => notification_log: NotificationBackend;
    /// The answers are aligned with the batch; what is new or pending is to be sent, what has ended is not.
    sending::answers_are_aligned,
    /// A notification that is twice in one batch is to be sent once, and counts one attempt.
    sending::twice_in_a_batch_is_sent_once,
    /// A notification that was begun and did not end is to be sent again, and each beginning counts as an attempt.
    sending::what_did_not_end_is_sent_again,
    /// What was sent or refused is not sent again, and no further attempt is counted.
    sending::what_ended_is_not_sent_again,
    /// Empty batches answer nothing and change nothing.
    sending::an_empty_batch_changes_nothing,
    /// A batch of 1,000 notifications is begun and ended as a whole.
    sending::a_large_batch_is_stored,
    /// An end writes its event with it, one for each notification, in order for each order.
    ends::events_are_written_with_the_end,
    /// A second end of the same notification changes nothing and tells nobody, in one batch or in several.
    ends::a_second_end_changes_nothing,
    /// `Pending` is no end, and what was never begun does not end: neither changes anything.
    ends::what_is_no_end_changes_nothing,
    /// However many begin or end one notification at once, each beginning is counted, and one event tells of the end.
    ends::one_of_many_ends_it,
    /// Everything that a record carries is read as it was written.
    reads::every_field_is_kept,
    /// The notifications about an order are read oldest first, and no others.
    reads::notifications_are_about_one_order,
    /// A page holds `limit` notifications at most; the next begins where it ended; the last says so, also when full.
    reads::notifications_are_paged,
    /// After a restart everything is there: records, attempts, ends, and the events that tell of them.
    reads::everything_survives_a_restart,
}
