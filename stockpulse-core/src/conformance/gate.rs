//! The rules of an [`AdmissionGate`].

use std::sync::Arc;

use crate::port::AdmissionGate;

mod admits;
mod doorman;
mod ends;
mod figures;
mod races;

rules! {
    $
    /// Makes a test of every rule of an `AdmissionGate`, for a harness of `Arc<dyn AdmissionGate>`s.
    gate_conformance => gate: Arc<dyn AdmissionGate>;
    /// Answers are aligned with the requests.
    admits::answers_are_aligned,
    /// Nothing asked, settled, released or reconciled is nothing done.
    admits::empty_batches_are_harmless,
    /// As many units are let through as there are, over one batch and over many.
    admits::no_more_are_let_through_than_there_are,
    /// A request is let through with all its lines or takes nothing, and the refusal names a level that is short.
    admits::all_lines_or_none,
    /// What asks for a level that the gate does not know is for the database, and takes nothing.
    admits::unknown_levels_are_for_the_database,
    /// A request that was let through is let through again, and takes no second place.
    admits::asked_again_it_takes_no_second_place,
    /// A refusal is not remembered: when there is enough, the same request is let through.
    admits::a_refusal_is_not_remembered,
    /// Levels are compared byte for byte, by SKU and location.
    admits::levels_are_told_apart,
    /// Requests that come at once are let through as often as there are units.
    races::many_at_once_get_no_more_than_there_is,
    /// Requests for the same levels in opposite orders fail none of each other, and take all or nothing.
    races::opposite_orders_do_not_meet,
    /// The same request at once takes one place.
    races::the_same_at_once_takes_one_place,
    /// The future of a call may be dropped at any point: each request has its place or not, and can be released.
    races::a_call_may_be_given_up,
    /// A released place is free again, once.
    ends::a_released_place_is_free_again_once,
    /// Within its time a settled place stays taken, however often it is settled, until the database's next version.
    ends::a_settled_place_stays_taken,
    /// A settled place that is released before the database's next version is free again.
    ends::a_settled_place_may_be_released,
    /// Settling or releasing what is not there changes nothing.
    ends::ends_of_the_unknown_change_nothing,
    /// A place ends with its time if nobody settled it, and then an end that comes late changes nothing.
    ends::a_place_ends_with_its_time,
    /// A settled place ends with its time too: a grant that was settled long after it was made counts no longer than that.
    ends::a_settled_place_ends_with_its_time,
    /// A version that is higher is believed, whether it has more or less.
    figures::a_higher_version_is_believed,
    /// A version that is lower, or the same, changes nothing; also within a batch.
    figures::an_old_version_changes_nothing,
    /// What was let through and not settled stays taken when the database tells a new figure.
    figures::a_place_outlives_a_reconciliation,
    /// Whichever comes first, the settling of a grant or the figures around it, in the end it counts once.
    figures::a_grant_counts_once_in_the_end,
    /// A release that the database's figure already has is not given back a second time.
    figures::what_the_figure_has_is_not_given_back_again,
}
