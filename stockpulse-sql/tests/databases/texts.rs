//! Texts that a database might refuse.

use stockpulse_core::engine::Engine;
use stockpulse_core::engine::order::OrderAction;
use stockpulse_core::engine::record::{Expected, Put};
use stockpulse_core::model::{Command, CommandId, Currency, Money, OrderId, Product, Sku, Timestamp};
use stockpulse_sql::Context;

use crate::support::{Kind, Place};

/// One customer's odd text must not fail a batch, which holds the commands of others.
async fn a_nul_fails_no_batch(kind: Kind, kept: &str) {
    if kind.skips() {
        return;
    }
    let place = Place::new(kind).await.unwrap();
    let ports = place.connect(&[Context::Orders, Context::Catalog]).await.unwrap();
    let (engine, at) = (Engine::default(), Timestamp::from_secs(1));
    let sku = Sku::new("CUP").unwrap();
    let product = Product::new(sku.clone(), "a\0cup", Money::new(100, Currency::EUR));
    let put = Put { record: product, expected: Expected::New };
    ports.catalog.execute(&engine, vec![Command::new(CommandId::from_u128(1), at, put)]).await.unwrap();
    let stored = ports.catalog.products(&[sku]).await.unwrap().remove(0).unwrap();
    assert_eq!(stored.name, "a\0cup");
    let order = OrderId::from_u128(2);
    let cancel = OrderAction::Cancel { order, reason: Some("I\0changed".to_owned()) };
    ports.orders.execute(&engine, vec![Command::new(CommandId::from_u128(3), at, cancel)]).await.unwrap();
    let history = ports.orders.history(order).await.unwrap();
    assert_eq!(history[0].reason.as_deref(), Some(kept));
}

#[tokio::test]
async fn on_sqlite() {
    a_nul_fails_no_batch(Kind::Sqlite, "I\0changed").await;
}

#[tokio::test]
async fn on_mysql() {
    a_nul_fails_no_batch(Kind::MySql, "I\0changed").await;
}

/// PostgreSQL keeps no NUL in a text.
#[tokio::test]
async fn on_postgres() {
    a_nul_fails_no_batch(Kind::Postgres, "I\u{fffd}changed").await;
}
