//! Places that end, many at a time and one lot after the other.

use std::time::Duration;

use stockpulse_core::model::{ReservationId, Sku, StockKey, StockQuantity};
use stockpulse_core::port::{Admission, AdmissionGate, AdmitRequest, Clock, GateLevel, IdGenerator};
use stockpulse_core::{RandomIds, Result, SystemClock};
use stockpulse_redis::{RedisConnection, RedisGate, RedisOptions};

use crate::support::{fresh, server_or_skip};

fn request(level: &StockKey, ttl: Duration) -> AdmitRequest {
    let lines = vec![StockQuantity::new(level.clone(), 1.into())];
    AdmitRequest { reservation: ReservationId::new(RandomIds.next_id(SystemClock.now())), lines, ttl }
}

/// How many of so many are let through.
async fn enter(gate: &RedisGate, level: &StockKey, count: usize, ttl: Duration) -> Result<usize> {
    let requests: Vec<AdmitRequest> = (0..count).map(|_| request(level, ttl)).collect();
    let answers = gate.admit(&requests).await?;
    Ok(answers.iter().filter(|answer| **answer == Admission::Admitted).count())
}

#[tokio::test]
async fn places_that_ended_are_given_back_by_as_few_calls_as_it_takes() {
    let Some(url) = server_or_skip("places_that_ended_are_given_back_by_as_few_calls_as_it_takes") else { return };
    let options = RedisOptions::new(url).with_prefix(fresh());
    let gate = RedisGate::new(RedisConnection::new(options).unwrap());
    let level = StockKey::main(Sku::new("CUP").unwrap());
    gate.reconcile(&[GateLevel { key: level.clone(), sellable: 1_000.into(), version: 1 }]).await.unwrap();
    for _ in 0..2 {
        let (short, long) = (Duration::from_millis(1), Duration::from_millis(600));
        assert_eq!(enter(&gate, &level, 500, short).await.unwrap(), 500);
        assert_eq!(enter(&gate, &level, 500, long).await.unwrap(), 500);
        tokio::time::sleep(Duration::from_millis(1_000)).await;
        // Two slices of five hundred, a hundred at a time, each of which is found to be empty by one more call.
        for _ in 0..12 {
            enter(&gate, &StockKey::main(Sku::new("OTHER").unwrap()), 1, short).await.unwrap();
        }
        assert_eq!(enter(&gate, &level, 1_000, short).await.unwrap(), 1_000);
        tokio::time::sleep(Duration::from_millis(400)).await;
        for _ in 0..11 {
            enter(&gate, &StockKey::main(Sku::new("OTHER").unwrap()), 1, short).await.unwrap();
        }
    }
}
