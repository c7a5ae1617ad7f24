//! Holds by the time they end.

use std::collections::BTreeMap;

use crate::model::{Reservation, ReservationId, ReservationState, Timestamp};

/// Holds by the second in which they end: taking one in is a push, and only whoever asks what is due sorts. Entries of
/// holds that have changed since are dropped when they are met.
#[derive(Debug, Default)]
pub(super) struct Holds {
    seconds: BTreeMap<i64, Vec<(Timestamp, ReservationId)>>,
}

impl Holds {
    /// Takes a reservation in, if it is a hold that ends.
    pub(super) fn insert(&mut self, reservation: &Reservation) {
        if let (ReservationState::Held, Some(end)) = (reservation.state, reservation.expires_at) {
            self.seconds.entry(second(end)).or_default().push((end, reservation.id));
        }
    }

    /// At most `limit` holds that end at `before` or earlier, the first to end first. `ends` says when a hold ends now,
    /// if it does.
    pub(super) fn due(
        &mut self,
        before: Timestamp,
        limit: usize,
        ends: impl Fn(ReservationId) -> Option<Timestamp>,
    ) -> Vec<ReservationId> {
        let mut due = Vec::new();
        for holds in self.seconds.range_mut(..=second(before)).map(|(_, holds)| holds) {
            if due.len() >= limit {
                break;
            }
            holds.retain(|(end, id)| ends(*id) == Some(*end));
            holds.sort_unstable();
            holds.dedup();
            let ended = holds.iter().take_while(|(end, _)| *end <= before);
            due.extend(ended.take(limit - due.len()).map(|(_, id)| *id));
        }
        self.seconds.retain(|_, holds| !holds.is_empty());
        due
    }
}

fn second(at: Timestamp) -> i64 {
    at.as_micros().div_euclid(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    fn hold(id: u128, micros: i64) -> Reservation {
        Reservation {
            id: ReservationId::from_u128(id),
            order: None,
            customer: None,
            state: ReservationState::Held,
            lines: smallvec::SmallVec::new(),
            kits: Vec::new(),
            created_at: Timestamp::default(),
            expires_at: Some(Timestamp::from_micros(micros)),
            version: 1,
        }
    }

    fn due(holds: &mut Holds, before: i64, limit: usize, ends: impl Fn(u128) -> Option<i64>) -> Vec<u128> {
        let ends = |id: ReservationId| ends(id.as_uuid().as_u128()).map(Timestamp::from_micros);
        let due = holds.due(Timestamp::from_micros(before), limit, ends);
        due.into_iter().map(|id| id.as_uuid().as_u128()).collect()
    }

    #[test]
    fn the_first_to_end_comes_first_up_to_the_moment_and_the_limit() {
        let mut holds = Holds::default();
        let ends = [(1, 5_000_000), (2, 1_999_999), (3, 1_000_000), (4, -1), (5, 5_000_001)];
        for (id, end) in ends {
            holds.insert(&hold(id, end));
        }
        let end_of = |id| ends.iter().find(|(known, _)| *known == id).map(|(_, end)| *end);
        assert_eq!(due(&mut holds, 5_000_000, 10, end_of), [4, 3, 2, 1]);
        assert_eq!(due(&mut holds, 5_000_000, 2, end_of), [4, 3]);
        assert_eq!(due(&mut holds, 999_999, 10, end_of), [4]);
    }

    #[test]
    fn what_changed_since_is_dropped_and_what_came_twice_is_named_once() {
        let mut holds = Holds::default();
        for hold in [hold(1, 10), hold(1, 10), hold(1, 20), hold(2, 15)] {
            holds.insert(&hold);
        }
        assert_eq!(due(&mut holds, 100, 10, |id| (id == 1).then_some(20)), [1]);
        assert_eq!(due(&mut holds, 100, 10, |_| Some(15)), [] as [u128; 0], "their entries are gone");
        assert!(holds.seconds.is_empty());
    }
}
