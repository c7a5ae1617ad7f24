//! Fifty buyers for each unit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use stockpulse_core::model::{ReservationId, StockKey, StockQuantity};
use stockpulse_core::port::{Admission, AdmissionGate, AdmitRequest, Clock, IdGenerator};
use stockpulse_core::{RandomIds, SystemClock};
use tokio::sync::Mutex;

use super::shop::{Shop, postgres_or_skip, ticket};
use crate::support::node::{Node, program, until};
use crate::support::{found_or_skip, server_or_skip};

const UNITS: u32 = 1_000;
const BUYERS: usize = 50_000;
/// How many come where Redis is killed.
const FEWER: usize = 20_000;
const AT_A_TIME: usize = 512;
/// The buyer before whom Redis dies: when it comes, 600 of 1,000 units are sold at most.
const FATAL: usize = 600;

/// So many buyers come, some at a time. Each awaits `before` with its number first. The units that were sold.
async fn sell<F: Future<Output = ()> + Send>(
    shop: &Arc<Shop>,
    buyers: usize,
    before: impl Fn(usize) -> F + Clone + Send + 'static,
) -> Vec<ReservationId> {
    let next = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..AT_A_TIME)
        .map(|_| {
            let (shop, next, before) = (Arc::clone(shop), Arc::clone(&next), before.clone());
            tokio::spawn(async move {
                let (mut sold, mut answered) = (Vec::new(), 0);
                loop {
                    let buyer = next.fetch_add(1, Ordering::Relaxed);
                    if buyer >= buyers {
                        return (sold, answered);
                    }
                    before(buyer).await;
                    sold.extend(shop.buy().await);
                    answered += 1;
                }
            })
        })
        .collect();
    let (mut sold, mut answered) = (Vec::new(), 0);
    for task in tasks {
        let (by_task, answers) = task.await.unwrap();
        sold.extend(by_task);
        answered += answers;
    }
    assert_eq!(answered, buyers, "everybody is answered");
    sold
}

#[tokio::test(flavor = "multi_thread")]
async fn every_unit_is_sold_once_and_the_database_hears_of_the_buyers_of_units_only() {
    let test = "every_unit_is_sold_once_and_the_database_hears_of_the_buyers_of_units_only";
    let (Some(redis), Some(postgres)) = (server_or_skip(test), postgres_or_skip(test)) else { return };
    let shop = Arc::new(Shop::open(&redis, &postgres, UNITS).await);
    let sold = sell(&shop, BUYERS, |_| async {}).await;
    shop.assert_sold(UNITS, sold).await;
    // One for each unit: the gate counts every place that it gave until the next figure. A tenth more is room for calls of
    // the gate that a loaded machine did not answer within the budget, and for places that are over after a minute.
    let commands = shop.commands();
    assert!((1_000..=1_100).contains(&commands), "{commands} commands for {UNITS} units and {BUYERS} buyers");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_unit_is_sold_once_though_redis_is_killed_in_the_middle() {
    let test = "every_unit_is_sold_once_though_redis_is_killed_in_the_middle";
    let (Some(program), Some(postgres)) = (found_or_skip(test, program()), postgres_or_skip(test)) else { return };
    let node = Node::start(&program, &[]).await;
    let shop = Arc::new(Shop::open(&node.url(), &postgres, UNITS).await);
    let redis = Arc::new(Mutex::new(node));
    let (server, selling) = (Arc::clone(&redis), Arc::clone(&shop));
    let sold = sell(&shop, FEWER, move |buyer| {
        let (redis, shop) = (Arc::clone(&server), Arc::clone(&selling));
        async move {
            if buyer == FATAL {
                let mut redis = redis.lock().await;
                redis.kill();
                assert!(shop.commands() < 1_000, "units are left to be sold");
                redis.restart().await;
                assert_eq!(said(&shop).await, Some(Admission::Unknown), "what it knew is lost");
                until("the gate is told", || async { shop.tell().await.ok() }).await;
            }
        }
    })
    .await;
    shop.assert_sold(UNITS, sold).await;
    assert!(shop.commands() > 1_000, "while Redis was away everybody passed");
    // Who passed by the gate while its circuit was open, it hears of only now.
    until("the gate is told", || async { shop.tell().await.ok() }).await;
    assert_eq!(said(&shop).await, Some(Admission::Refused(StockKey::main(ticket()))));
}

/// What the gate answers somebody who wants a unit, and takes no place.
async fn said(shop: &Shop) -> Option<Admission> {
    let reservation = ReservationId::new(RandomIds.next_id(SystemClock.now()));
    let lines = vec![StockQuantity::new(StockKey::main(ticket()), 1.into())];
    let request = AdmitRequest { reservation, lines, ttl: Duration::from_secs(60) };
    let answer = shop.gate.admit(&[request]).await.ok()?.pop();
    shop.gate.release(&[reservation]).await.ok()?;
    answer
}
