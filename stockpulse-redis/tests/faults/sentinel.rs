//! A primary that dies, and a replica that Sentinel promotes.

use stockpulse_core::port::{Admission, AdmissionGate};
use stockpulse_core::worker::Reconciler;

use super::shop::{Shop, cup, key, request};
use crate::support::found_or_skip;
use crate::support::node::{program, until};
use crate::support::sentinel::Watched;

#[tokio::test(flavor = "multi_thread")]
async fn the_gate_goes_on_with_the_replica_that_was_promoted() {
    let Some(program) = found_or_skip("the_gate_goes_on_with_the_replica_that_was_promoted", program()) else { return };
    let mut redis = Watched::start(&program, &[]).await;
    let shop = Shop::open(redis.options());
    shop.inventory.receive(cup(), 10).await.unwrap();
    shop.tell().await;
    let first: Vec<_> = (0..6).map(|_| request()).collect();
    assert!(shop.gate.admit(&first).await.unwrap().iter().all(|answer| *answer == Admission::Admitted));
    redis.primary.is_replicated().await;
    redis.fail_over().await;

    let again = until("the gate answers", || async { shop.gate.admit(&first).await.ok() }).await;
    assert!(again.iter().all(|answer| *answer == Admission::Admitted), "{again:?}: asked again, none takes a place");
    let more: Vec<_> = (0..6).map(|_| request()).collect();
    let answers = shop.gate.admit(&more).await.unwrap();
    let admitted = answers.iter().filter(|answer| **answer == Admission::Admitted).count();
    assert_eq!(admitted, 4, "what the first six left");
}

#[tokio::test(flavor = "multi_thread")]
async fn sales_that_redis_forgets_in_a_failover_are_not_made_twice() {
    let name = "sales_that_redis_forgets_in_a_failover_are_not_made_twice";
    let Some(program) = found_or_skip(name, program()) else { return };
    let mut redis = Watched::start(&program, &[]).await;
    let shop = Shop::open(redis.options());
    shop.inventory.receive(cup(), 40).await.unwrap();
    shop.tell().await;
    shop.sells(10).await;
    shop.cache_converges().await;
    let before = shop.cached().await.unwrap().version;
    redis.primary.is_replicated().await;
    redis.primary.cut_off().await;
    shop.sells(30).await;
    shop.cache_converges().await;
    assert_eq!(shop.gate_says().await, Some(Admission::Refused(key())), "all is sold");
    redis.fail_over().await;

    let said = until("the gate answers", || shop.gate_says()).await;
    assert_eq!(said, Admission::Admitted, "the gate forgot what was sold");
    assert_eq!(shop.cached().await.unwrap().version, before, "the cache forgot it too");
    for _ in 0..10 {
        assert!(!shop.sell().await, "oversold");
    }
    assert_eq!(shop.level().await.sellable(), 0.into());
    shop.cache_converges().await;
    assert_eq!(shop.gate_says().await, Some(Admission::Refused(key())));
    shop.inventory.receive(cup(), 5).await.unwrap();
    shop.tell().await;
    shop.sells(5).await;
    assert!(!shop.sell().await, "oversold");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_in_and_redis_forgets_in_a_failover_is_sold_once_the_reconciler_has_passed() {
    let name = "what_came_in_and_redis_forgets_in_a_failover_is_sold_once_the_reconciler_has_passed";
    let Some(program) = found_or_skip(name, program()) else { return };
    let mut redis = Watched::start(&program, &[]).await;
    let shop = Shop::open(redis.options());
    shop.inventory.receive(cup(), 5).await.unwrap();
    shop.tell().await;
    shop.sells(5).await;
    assert_eq!(shop.gate_says().await, Some(Admission::Refused(key())));
    redis.primary.is_replicated().await;
    redis.primary.cut_off().await;
    shop.inventory.receive(cup(), 20).await.unwrap();
    shop.tell().await;
    assert_eq!(shop.gate_says().await, Some(Admission::Admitted));
    redis.fail_over().await;

    let said = until("the gate answers", || shop.gate_says()).await;
    assert_eq!(said, Admission::Refused(key()), "the gate forgot what came in");
    Reconciler::new(shop.inventory.clone()).with_gate(shop.gate.clone()).run_once().await.unwrap();
    assert_eq!(shop.gate_says().await, Some(Admission::Admitted));
    shop.sells(20).await;
    assert!(!shop.sell().await, "oversold");
}
