//! The database is away for a while, and the workers go on.

use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::SystemClock;
use stockpulse_core::engine::Engine;
use stockpulse_core::worker::Supervisor;
use stockpulse_sql::Context;

use super::server::Server;
use super::shop::{MUGS, ORDERS, Shop, placing};
use crate::support::{Kind, Place};

/// With the bus elsewhere, so that events come in that nobody can do anything about; or in the same database.
async fn nothing_is_put_aside_while_it_is_away(kind: Kind, elsewhere: bool) {
    let Some(mut server) = Server::new(kind).await else { return };
    let place = Place::existing(kind, if kind == Kind::Postgres { "public" } else { "" }, &server.url());
    let mut shop = Shop::new(&place, MUGS).await;
    shop.ports = place.connect_within(&[], Duration::from_millis(200)).await.unwrap();
    let file = Place::new(Kind::Sqlite).await.unwrap();
    if elsewhere {
        shop = shop.with_bus_at(file.connect(&[Context::Bus]).await.unwrap());
    }
    let mut workers = Supervisor::new(Arc::new(SystemClock));
    shop.publish(&mut workers);
    for number in 0..ORDERS / 2 {
        shop.place(number).await;
    }
    while shop.ports.outbox(Context::Orders).stats().await.unwrap().pending > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    server.kill();
    shop.consume(&mut workers);
    // Longer than all tries of an event that is to blame take together.
    tokio::time::sleep(Duration::from_secs(3)).await;
    server.start().await;
    for number in 0..ORDERS {
        // The first to come may still be handed a connection to the server that is gone.
        while shop.ports.orders.execute(&Engine::new(), vec![placing(number)]).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    assert_eq!(workers.running().count(), 4, "no worker gave up");
    shop.settled(ORDERS).await;
    drop(workers);
    shop.nothing_is_amiss(ORDERS, MUGS).await;
}

#[tokio::test]
async fn on_postgres() {
    nothing_is_put_aside_while_it_is_away(Kind::Postgres, false).await;
}

#[tokio::test]
async fn on_mysql() {
    nothing_is_put_aside_while_it_is_away(Kind::MySql, false).await;
}

#[tokio::test]
async fn on_postgres_with_the_bus_elsewhere() {
    nothing_is_put_aside_while_it_is_away(Kind::Postgres, true).await;
}

#[tokio::test]
async fn on_mysql_with_the_bus_elsewhere() {
    nothing_is_put_aside_while_it_is_away(Kind::MySql, true).await;
}
