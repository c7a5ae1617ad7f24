//! The rules of a [`Cache`].

use std::sync::Arc;

use crate::port::Cache;

mod floors;
mod lifetimes;
mod reads;
mod shelf;
mod versions;

rules! {
    $
    /// Makes a test of every rule of a `Cache`, for a harness of `Arc<dyn Cache>`s.
    cache_conformance => cache: Arc<dyn Cache>;
    /// Answers are aligned with the keys, `None` for what is not there; a key may be asked for twice.
    reads::answers_are_aligned,
    /// Nothing read, written or invalidated is nothing done.
    reads::empty_batches_are_harmless,
    /// A value comes back byte for byte, whatever its bytes and its length.
    reads::values_come_back_as_they_were,
    /// Keys are compared byte for byte, and so are spaces: case, blanks, accents and separators count.
    reads::keys_are_told_apart,
    /// A lower version never replaces a higher one.
    versions::a_lower_version_replaces_nothing,
    /// A higher version replaces a lower one.
    versions::a_higher_version_replaces_a_lower_one,
    /// Of several values of one key in a batch the highest version stays, wherever it stands.
    versions::the_highest_of_a_batch_stays,
    /// Versions are told apart up to 2^63 - 1.
    versions::large_versions_are_told_apart,
    /// Whoever writes at once, the highest version stays.
    versions::the_highest_of_many_at_once_stays,
    /// The future of a call may be dropped at any point: newer values are taken as before.
    versions::a_call_may_be_given_up,
    /// An invalidation removes the value, and no other key's.
    floors::an_invalidation_removes_the_value,
    /// Nothing below the floor is taken; what is at the floor or above is. A key needs no value to get a floor.
    floors::nothing_below_a_floor_is_taken,
    /// A second floor that is lower, or ends sooner, takes nothing from the first.
    floors::floors_only_rise,
    /// What was removed counts as a floor too: an older value does not come after it.
    floors::what_was_removed_is_a_floor,
    /// A floor ends with its time; then any version is taken.
    floors::a_floor_ends_with_its_time,
    /// A floor outlives a value above it that ended earlier.
    floors::a_floor_outlives_the_value_above_it,
    /// A value is not answered when its time has passed, and a lower version is taken after it.
    lifetimes::a_value_ends_with_its_time,
    /// A value is answered for as long as it may be.
    lifetimes::a_value_stays_until_its_time,
    /// The same version written again lives as long as was said last.
    lifetimes::the_same_version_renews_a_value,
}
