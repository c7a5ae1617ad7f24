//! The scenarios can fail: each names at least one shop that is broken on purpose.

use std::collections::BTreeSet;
use std::time::Duration;

use stockpulse_core::conformance::Mapped;
use stockpulse_core::conformance::scenarios::{RULES, ShopBackend};

use super::broken::{self, Fault};
use super::harness::Memory;

/// Which scenarios have to name which fault.
const MUTANTS: &[(Fault, &[&str])] = &[
    (
        Fault::Oversells,
        &[
            "one_of_ten_reserves_the_last_unit",
            "one_of_ten_orders_gets_the_last_unit",
            "a_sku_named_twice_counts_twice",
            "an_order_that_names_a_sku_twice_gets_the_sum",
            "a_stale_cart_is_refused_before_it_is_charged",
            "a_payment_for_stock_that_is_gone_is_refunded",
            "a_cart_is_not_blocked_by_its_own_hold",
            "opposite_carts_end_and_lock_nothing_while_paying",
            "opposite_orders_are_paid_or_rejected",
        ],
    ),
    (Fault::ForgetsExtensions, &["a_payment_begun_in_time_extends_the_hold"]),
    (
        Fault::ForgetsKeys,
        &["a_shipment_sent_three_times_leaves_once", "a_refusal_is_repeated", "one_key_for_two_things_is_a_conflict"],
    ),
    (Fault::ClaimsTwice, &["an_event_published_twice_has_one_effect", "a_cart_is_not_blocked_by_its_own_hold"]),
    (
        Fault::ReleasesWhatShipped,
        &["cancelling_gives_back_what_has_not_shipped", "releasing_without_a_hold_changes_nothing"],
    ),
    (
        Fault::NeverReleases,
        &["cancelling_gives_back_what_has_not_shipped", "cancelling_without_a_reservation_changes_nothing"],
    ),
    (Fault::Drifts, &["releasing_without_a_hold_changes_nothing"]),
    (
        Fault::OneLocation,
        &["an_order_split_across_locations_ships_from_each", "a_sku_absent_at_the_first_location_is_found_elsewhere"],
    ),
    (Fault::NeverReplaces, &["a_cart_is_not_blocked_by_its_own_hold"]),
    (Fault::Deadlocks, &["opposite_carts_end_and_lock_nothing_while_paying"]),
    (Fault::LocksWhilePaying, &["opposite_carts_end_and_lock_nothing_while_paying"]),
    (Fault::NeverExpires, &["an_unpaid_order_gives_its_stock_back_once", "a_payment_after_its_window_is_refunded"]),
    (Fault::DeafToExpiry, &["a_payment_for_stock_that_is_gone_is_refunded"]),
    (Fault::PlacesAgain, &["an_order_placed_again_keeps_its_hold"]),
    (
        Fault::HidesAnomalies,
        &["a_late_payment_is_recorded_and_changes_nothing", "a_payment_for_stock_that_is_gone_is_refunded"],
    ),
    (Fault::LosesEvents, &["an_order_outlives_a_broker_and_a_process", "an_event_published_twice_has_one_effect"]),
];

#[test]
fn every_scenario_names_a_broken_shop() {
    let named: BTreeSet<&str> = MUTANTS.iter().flat_map(|(_, rules)| rules.iter().copied()).collect();
    let rules: BTreeSet<&str> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(named, rules);
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "shows, with --nocapture, in which words each fault is named")]
async fn broken_shops_are_named() {
    let mut tasks = Vec::new();
    for (fault, rules) in MUTANTS {
        for rule in RULES.iter().filter(|rule| rules.contains(&rule.name)) {
            tasks.push(tokio::spawn(async move {
                let (memory, remembered) = (Memory::with_deadline(Duration::from_secs(60)), broken::Memory::default());
                let harness = Mapped::new(memory, |shop: ShopBackend| broken::shop(shop, *fault, &remembered));
                (fault, rule.name, rule.check(&harness).await)
            }));
        }
    }
    let mut missed = Vec::new();
    for task in tasks {
        match task.await.unwrap() {
            (fault, rule, Ok(())) => missed.push(format!("{rule} holds though the shop has the fault {fault:?}")),
            // A rule that hangs says nothing about the fault.
            (fault, rule, Err(violation)) => {
                let violation = violation.to_string();
                if violation.contains("not at an end") {
                    missed.push(format!("{rule} hangs when the shop has the fault {fault:?}"));
                }
                println!("{fault:?} / {rule}: {violation}");
            }
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}
