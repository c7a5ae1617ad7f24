//! Fingerprints are stored with outcomes: they must be the same on every machine and in every release.

use super::desk::{CUSTOMER, HALF_HOUR, ORDER, cancel, filled, paid, parts, payment_failed, place, reserved, set, sku};
use crate::engine::order::{OrderAction, OrderParts, Place, PurchaseLimit, StockAnswer};
use crate::model::{CustomerId, LocationId, OrderId, Policy, Sourcing, Strategy};

fn big() -> Place {
    let locations = vec![LocationId::main(), LocationId::new("east").unwrap()];
    place(&[("CUP", 3), ("SET", 1)])
        .with_policy(Policy::Backorder)
        .with_sourcing(Sourcing { strategy: Strategy::Custom("near".to_owned()), locations })
        .prepaid(HALF_HOUR)
}

fn answered(answer: StockAnswer) -> OrderAction {
    OrderAction::RecordReservation { order: ORDER, reservation: ORDER.reservation(1), answer }
}

fn samples() -> Vec<(&'static str, OrderAction)> {
    let location = LocationId::main();
    vec![
        ("place", OrderAction::Place(place(&[("CUP", 3)]))),
        ("place prepaid", OrderAction::Place(big())),
        ("reserved", answered(reserved(&[("CUP", 3, 2)], &[("CUP", 1)]))),
        ("allocated", answered(StockAnswer::Allocated)),
        ("rejected", answered(StockAnswer::Rejected)),
        ("expired", answered(StockAnswer::Expired)),
        ("filled", answered(filled(&[("CUP", 1)]))),
        ("begin payment", OrderAction::BeginPayment { order: ORDER, window: HALF_HOUR }),
        ("paid", paid(ORDER)),
        ("payment failed", payment_failed(ORDER)),
        ("ship", OrderAction::Ship { order: ORDER, parts: OrderParts::All }),
        ("ship parts", OrderAction::Ship { order: ORDER, parts: parts(&[("CUP", 1)]) }),
        ("cancel", cancel(ORDER)),
        ("return", OrderAction::Return { order: ORDER, parts: OrderParts::All, location }),
        ("expire", OrderAction::Expire { order: ORDER }),
    ]
}

#[test]
fn fingerprints_are_stable_across_releases() {
    let lines: Vec<String> =
        samples().iter().map(|(name, action)| format!("{name}: {:016x}", action.fingerprint())).collect();
    assert_eq!(lines.join("\n"), include_str!("fingerprints.golden").trim());
}

#[test]
fn every_part_of_what_is_asked_tells() {
    let mut seen: Vec<u64> = samples().iter().map(|(_, action)| action.fingerprint()).collect();
    let mut place = |change: fn(&mut Place)| {
        let mut other = big();
        change(&mut other);
        seen.push(OrderAction::Place(other).fingerprint());
    };
    place(|other| other.order = OrderId::from_u128(1));
    place(|other| other.customer = Some(CustomerId::from_u128(1)));
    place(|other| other.lines[0].quantity = 4.into());
    place(|other| other.lines[0].unit_price.minor = 1);
    place(|other| other.lines.swap(0, 1));
    place(|other| other.policy = Policy::Partial);
    place(|other| other.sourcing.locations.reverse());
    place(|other| *other = other.clone().prepaid(2 * HALF_HOUR));
    let count = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), count);
}

#[test]
fn what_the_catalog_says_is_not_what_was_asked() {
    let mut other = big();
    other.kits = vec![set()];
    other.limits = vec![PurchaseLimit { sku: sku("CUP"), limit: 5.into() }];
    assert_eq!(other.customer, Some(CUSTOMER));
    assert_eq!(OrderAction::Place(other).fingerprint(), OrderAction::Place(big()).fingerprint());
}
