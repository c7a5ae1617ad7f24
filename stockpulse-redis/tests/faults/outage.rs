//! Servers that die, forget, fall silent or are slow. Orders go on, and cache and gate come back by themselves.

use std::time::Duration;

use stockpulse_core::port::{Admission, AdmissionGate, AdmitRequest, Cache, CacheKey, CachePut, Cached};
use stockpulse_redis::RedisOptions;
use tokio::time::timeout;

use super::shop::{A_MINUTE, Shop, cup, key, request};
use crate::support::node::{Node, program, until};
use crate::support::proxy::{Proxy, Way};
use crate::support::{found_or_skip, server_or_skip};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_killed_and_comes_back_empty_is_filled_again() {
    let Some(program) = found_or_skip("a_server_that_was_killed_and_comes_back_empty_is_filled_again", program())
    else {
        return;
    };
    let mut node = Node::start(&program, &[]).await;
    let shop = Shop::open(RedisOptions::new(node.url()));
    shop.inventory.receive(cup(), 100).await.unwrap();
    shop.tell().await;
    shop.sells(10).await;
    shop.cache_converges().await;
    node.kill();
    shop.sells(30).await;
    assert_eq!(shop.inventory.sellable(cup()).await.unwrap(), 60.into(), "read from the store");
    node.restart().await;
    let said = until("the gate answers", || shop.gate_says()).await;
    assert_eq!(said, Admission::Unknown, "what it knew is lost");
    shop.tell().await;
    assert_eq!(shop.gate_says().await, Some(Admission::Admitted));
    shop.cache_converges().await;
    shop.sells(60).await;
    assert!(!shop.sell().await, "nothing is oversold");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_call_after_a_restart_is_answered() {
    let Some(program) = found_or_skip("the_first_call_after_a_restart_is_answered", program()) else { return };
    let mut node = Node::start(&program, &[]).await;
    let shop = Shop::open(RedisOptions::new(node.url()));
    shop.inventory.receive(cup(), 5).await.unwrap();
    shop.tell().await;
    for _ in 0..3 {
        node.kill();
        node.restart().await;
        assert_eq!(shop.gate.admit(&[request()]).await.unwrap(), [Admission::Unknown]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_level_that_was_lost_and_told_again_owes_nothing_to_places_from_before() {
    let name = "a_level_that_was_lost_and_told_again_owes_nothing_to_places_from_before";
    let Some(program) = found_or_skip(name, program()) else { return };
    let node = Node::start(&program, &[]).await;
    let shop = Shop::open(RedisOptions::new(node.url()));
    shop.inventory.receive(cup(), 5).await.unwrap();
    shop.tell().await;
    let early = [request(), request(), request()];
    assert!(shop.gate.admit(&early).await.unwrap().iter().all(|answer| *answer == Admission::Admitted));
    let lost: Vec<String> = node.command(&["KEYS", "*l:CUP*"]).await.unwrap();
    assert_eq!(lost.len(), 1, "{lost:?}");
    node.command::<()>(&["DEL", &lost[0]]).await.unwrap();
    assert_eq!(shop.gate.admit(&[request()]).await.unwrap(), [Admission::Unknown]);
    shop.tell().await;
    shop.gate.settle(&[early[0].reservation]).await.unwrap();
    shop.gate.release(&[early[0].reservation, early[1].reservation, early[2].reservation]).await.unwrap();
    let requests: Vec<AdmitRequest> = (0..8).map(|_| request()).collect();
    let answers = shop.gate.admit(&requests).await.unwrap();
    assert_eq!(answers.iter().filter(|answer| **answer == Admission::Admitted).count(), 5, "{answers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_that_the_server_forgot_are_sent_again() {
    let Some(program) = found_or_skip("scripts_that_the_server_forgot_are_sent_again", program()) else { return };
    let node = Node::start(&program, &[]).await;
    let shop = Shop::open(RedisOptions::new(node.url()));
    shop.inventory.receive(cup(), 5).await.unwrap();
    shop.tell().await;
    let shelf = CacheKey::new("test", "shelf");
    for version in 1..=5_u64 {
        node.command::<()>(&["SCRIPT", "FLUSH"]).await.unwrap();
        let cached = Cached { version, value: "cup".into() };
        let put = CachePut { key: shelf.clone(), cached: cached.clone(), ttl: A_MINUTE };
        shop.cache.put(vec![put]).await.unwrap();
        assert_eq!(shop.cache.get(std::slice::from_ref(&shelf)).await.unwrap(), [Some(cached)]);
        let answer = shop.gate.admit(&[request()]).await.unwrap();
        assert_eq!(answer, [Admission::Admitted]);
    }
    assert_eq!(shop.gate.admit(&[request()]).await.unwrap(), [Admission::Refused(key())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_go_on_while_the_server_is_silent_or_slow() {
    let Some(program) = found_or_skip("orders_go_on_while_the_server_is_silent_or_slow", program()) else { return };
    let node = Node::start(&program, &[]).await;
    for way in [Way::HalfOpen, Way::Slow(Duration::from_secs(2))] {
        let proxy = Proxy::to(node.port).await;
        let shop = Shop::open(RedisOptions::new(proxy.url()));
        shop.inventory.receive(cup(), 100).await.unwrap();
        shop.tell().await;
        shop.sells(10).await;
        shop.cache_converges().await;

        proxy.set(way);
        let before = proxy.sent();
        shop.sells(50).await;
        let available = timeout(A_MINUTE, shop.inventory.sellable(cup())).await.unwrap().unwrap();
        assert!(available == 40.into() || available == 90.into(), "{available:?}: from the store, or a moment old");
        let sent = proxy.sent() - before;
        assert!(sent < 50, "a hundred calls of the gate cost {sent} attempts while the way is {way:?}");

        proxy.set(Way::Open);
        until("the gate answers", || shop.gate_says()).await;
        shop.cache_converges().await;
        // Places whose answers nobody waited for may stay taken until their time is over: some of the last forty.
        shop.sells(20).await;
        assert_eq!(shop.level().await.sellable(), 20.into());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_buyers_cost_the_store_nothing() {
    let Some(url) = server_or_skip("refused_buyers_cost_the_store_nothing") else { return };
    let shop = std::sync::Arc::new(Shop::patient(RedisOptions::new(url)));
    shop.inventory.receive(cup(), 200).await.unwrap();
    shop.tell().await;
    let buyers: Vec<_> = (0..64)
        .map(|_| {
            let shop = std::sync::Arc::clone(&shop);
            tokio::spawn(async move {
                let mut sold = 0;
                for _ in 0..50 {
                    sold += usize::from(shop.sell().await);
                }
                sold
            })
        })
        .collect();
    let mut sold = 0;
    for buyer in buyers {
        sold += buyer.await.unwrap();
    }
    assert_eq!(sold, 200);
    assert_eq!(shop.level().await.sellable(), 0.into());
    assert_eq!(shop.commands(), 201, "what came in, and each unit that was sold; of 3,200 buyers");
}
