//! What an answer says of itself.

use super::super::Decision;
use super::*;
use crate::model::{ReservationState, Shortage};

#[test]
fn a_refusal_says_in_words_what_is_wrong() {
    let short = |name, requested: u32, sellable: u32| {
        let (requested, sellable) = (requested.into(), sellable.into());
        Shortage { sku: sku(name), requested, sellable }
    };
    let refusals = [
        (Refusal::Short(vec![short("A", 5, 2)]), "not enough stock; A: 5 asked, 2 to be had"),
        (Refusal::UnknownSku(sku("A")), "unknown SKU A"),
        (Refusal::UnknownLevel(key("A")), "no stock level A@main"),
        (Refusal::ReservationExists(ReservationState::Held), "the reservation exists already and is Held"),
        (Refusal::HoldEnded(Timestamp::from_secs(0)), "the hold ended at 1970-01-01T00:00:00.000000Z"),
        (
            Refusal::NotClaimed { sku: sku("A"), requested: 3.into(), open: 1.into() },
            "A: 3 asked, 1 can be had from the reservation",
        ),
        (
            Refusal::Committed { key: key("A"), on_hand: -1, committed: 4.into() },
            "A@main: on-hand would be -1, and 4 are promised",
        ),
        (Refusal::Claimed { key: key("A@east"), reserved: 4.into() }, "A@east: 4 units are claimed"),
        (Refusal::Stale { version: 7 }, "the level changed; it has version 7"),
        (Refusal::UnknownStrategy("near".to_owned()), "sourcing strategy 'near' is not registered"),
        (Refusal::Invalid("no lines".to_owned()), "no lines"),
    ];
    for (refusal, words) in refusals {
        assert_eq!(refusal.to_string(), words);
    }
}

#[test]
fn a_decision_is_what_was_decided_or_why_not() {
    let (yes, no) = (Decision::<u32>::Accepted(1), Decision::<u32>::Refused(Refusal::Conflict));
    assert_eq!((yes.is_accepted(), no.is_accepted()), (true, false));
    assert_eq!((yes.clone().accepted(), yes.refused()), (Some(1), None));
    assert_eq!((no.clone().accepted(), no.refused()), (None, Some(Refusal::Conflict)));
}
