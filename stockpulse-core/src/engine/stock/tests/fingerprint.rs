//! Fingerprints are stored with outcomes: if a change of the toolchain or of a type alters one, every retry
//! that is under way becomes a conflict. These are pinned.

use std::time::Duration;

use super::super::{Existing, Hold, ReserveLine};
use super::*;
use crate::model::{CustomerId, Kit, OrderId, Policy, Sourcing, Strategy};

/// One command of each kind, with every field that counts.
fn actions() -> Vec<(&'static str, StockAction)> {
    let reservation = id(0x0193_0000_1234_7abc_8def_0123_4567_89ab);
    let order = OrderId::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0001);
    let lines = || units_at(&[("85123A", 6), ("85123A@east", 1)]);
    let counters = |on_hand, reserved, backordered| Counters { on_hand, reserved, backordered };
    let settings = LevelSettings {
        safety_stock: Some(1.into()),
        backorder_limit: Some(Quantity::MAX),
        low_stock_at: Some(Some(3.into())),
        tracked: Some(true),
        retired: Some(false),
    };
    let reserve = Reserve {
        reservation,
        order: Some(order),
        customer: Some(CustomerId::from_u128(17_850)),
        lines: [
            ReserveLine { sku: sku("85123A"), quantity: 6.into(), location: None },
            ReserveLine { sku: sku("71053"), quantity: 1.into(), location: Some(place("east")) },
        ]
        .into_iter()
        .collect(),
        policy: Policy::Backorder,
        sourcing: Sourcing { strategy: Strategy::Custom("near".to_owned()), locations: vec![place("main")] },
        hold: Hold::For(Duration::from_millis(1_500)),
        existing: Existing::Replace,
        kits: Vec::new(),
    };
    vec![
        ("receive", StockAction::Receive { lines: lines() }),
        ("adjust", StockAction::Adjust { key: key("85123A"), change: -3, reason: Some("broken".into()) }),
        ("count", StockAction::Count { key: key("85123A"), counted: 9.into(), reason: None }),
        (
            "transfer",
            StockAction::Transfer { sku: sku("85123A"), from: place("main"), to: place("east"), quantity: 2.into() },
        ),
        ("reserve", StockAction::Reserve(reserve)),
        ("reserve plainly", StockAction::Reserve(request(1, &[("85123A", 6)]))),
        ("extend", StockAction::Extend { reservation, hold: Hold::Until(Timestamp::from_secs(1_291_192_000)) }),
        ("allocate", StockAction::Allocate { reservation }),
        ("fulfil", StockAction::Fulfil { reservation, parts: Parts::All }),
        ("fulfil SKUs", StockAction::Fulfil { reservation, parts: skus(&[("85123A", 2)]) }),
        ("release", StockAction::Release { reservation, parts: levels(&[("85123A", 2)]), tombstone: true }),
        ("expire", StockAction::Expire { reservation }),
        ("return", StockAction::Return { lines: lines(), order: Some(order) }),
        ("configure", StockAction::Configure { key: key("85123A"), settings }),
        ("retire", StockAction::Retire { sku: sku("85123A") }),
        (
            "reconcile",
            StockAction::Reconcile {
                key: key("85123A"),
                version: 7,
                ledger: counters(9, 4, 1),
                claims: counters(0, 3, 1),
            },
        ),
    ]
}

const GOLDEN: &str = include_str!("fingerprint.golden");

#[test]
fn fingerprints_are_stable_across_releases() {
    let now: String =
        actions().iter().map(|(name, action)| format!("{:016x} {name}\n", action.fingerprint())).collect();
    assert_eq!(now, GOLDEN, "a fingerprint changed: stored outcomes would no longer be found by their retries");
}

#[test]
fn kits_are_not_part_of_what_is_asked() {
    let plain = request(1, &[("SET", 6)]);
    let mut with_kit = plain.clone();
    with_kit.kits.push(Kit { sku: sku("SET"), components: Vec::new() });
    assert_eq!(StockAction::Reserve(plain).fingerprint(), StockAction::Reserve(with_kit).fingerprint());
}

#[test]
fn everything_else_that_is_asked_counts() {
    let plain = request(1, &[("A", 6)]);
    let variants = [
        request(2, &[("A", 6)]),
        request(1, &[("A", 7)]),
        request(1, &[("a", 6)]),
        request(1, &[("A@main", 6)]),
        request(1, &[("A", 6), ("B", 1)]),
        plain.clone().with_order(OrderId::from_u128(1)),
        plain.clone().with_customer(CustomerId::from_u128(1)),
        plain.clone().with_policy(Policy::Partial),
        plain.clone().with_policy(Policy::Backorder),
        plain.clone().with_sourcing(Sourcing { strategy: Strategy::SingleSource, locations: Vec::new() }),
        plain.clone().with_sourcing(Sourcing { strategy: Strategy::Priority, locations: vec![place("main")] }),
        plain.clone().with_hold(Duration::from_secs(1)),
        plain.clone().replacing(),
        plain,
    ];
    let mut all: Vec<_> = variants.into_iter().map(|request| StockAction::Reserve(request).fingerprint()).collect();
    all.extend(actions().iter().map(|(_, action)| action.fingerprint()));
    let many = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), many);
}
