//! A primary that dies, and a replica that Sentinel promotes.

use stockpulse_core::model::{ReservationId, Sku, StockKey, StockQuantity};
use stockpulse_core::port::{Admission, AdmissionGate, AdmitRequest, Clock, GateLevel, IdGenerator};
use stockpulse_core::{RandomIds, SystemClock};
use stockpulse_redis::{RedisConnection, RedisGate, RedisOptions};

use crate::support::node::{Node, program, until};
use crate::support::{found_or_skip, fresh};

fn requests(key: &StockKey, count: usize) -> Vec<AdmitRequest> {
    let request = || AdmitRequest {
        reservation: ReservationId::new(RandomIds.next_id(SystemClock.now())),
        lines: vec![StockQuantity::new(key.clone(), 1.into())],
        ttl: std::time::Duration::from_secs(600),
    };
    (0..count).map(|_| request()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gate_goes_on_with_the_replica_that_was_promoted() {
    let Some(program) = found_or_skip("the_gate_goes_on_with_the_replica_that_was_promoted", program()) else { return };
    let mut primary = Node::start(&program, &[]).await;
    let port = primary.port.to_string();
    let replica = Node::start(&program, &["--replicaof", "127.0.0.1", &port]).await;
    until("the replica is in step", || async {
        let info: String = replica.command(&["INFO", "replication"]).await.ok()?;
        info.contains("master_link_status:up").then_some(())
    })
    .await;
    let sentinel = Node::sentinel(&program, &primary, "shop").await;
    until("the sentinel knows the replica", || async {
        let replicas: Vec<redis::Value> = sentinel.command(&["SENTINEL", "REPLICAS", "shop"]).await.ok()?;
        (replicas.len() == 1).then_some(())
    })
    .await;

    let options = RedisOptions::sentinel([sentinel.url()], "shop").with_prefix(fresh());
    let gate = RedisGate::new(RedisConnection::new(options).unwrap());
    let key = StockKey::main(Sku::new("CUP").unwrap());
    gate.reconcile(&[GateLevel { key: key.clone(), sellable: 10.into(), version: 1 }]).await.unwrap();
    let first = requests(&key, 6);
    assert!(gate.admit(&first).await.unwrap().iter().all(|answer| *answer == Admission::Admitted));
    let replicas: u64 = primary.command(&["WAIT", "1", "10000"]).await.unwrap();
    assert_eq!(replicas, 1, "what follows is known to the replica");
    primary.kill();

    let again = until("the replica is promoted", || async { gate.admit(&first).await.ok() }).await;
    assert!(again.iter().all(|answer| *answer == Admission::Admitted), "{again:?}: asked again, none takes a place");
    let answers = gate.admit(&requests(&key, 6)).await.unwrap();
    let admitted = answers.iter().filter(|answer| **answer == Admission::Admitted).count();
    assert_eq!(admitted, 4, "what the first six left");
}
