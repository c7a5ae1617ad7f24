//! The database is away for a while, with the bus in it, and the workers go on.

use std::time::Duration;

use stockpulse_core::engine::Engine;

use super::server::Server;
use super::shop::{MUGS, ORDERS, Shop, placing};
use crate::support::{Kind, Place};

async fn nothing_is_put_aside_while_it_is_away(kind: Kind) {
    let Some(mut server) = Server::new(kind).await else { return };
    let place = Place::existing(kind, if kind == Kind::Postgres { "public" } else { "" }, &server.url());
    let shop = Shop::new(&place, MUGS).await;
    let workers = shop.work();
    for number in 0..ORDERS / 2 {
        shop.place(number).await;
    }
    for away in [500, 2_000] {
        server.kill();
        tokio::time::sleep(Duration::from_millis(away)).await;
        server.start().await;
    }
    // The first to come may still be handed a connection to the server that is gone.
    for number in 0..ORDERS {
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
    nothing_is_put_aside_while_it_is_away(Kind::Postgres).await;
}

#[tokio::test]
async fn on_mysql() {
    nothing_is_put_aside_while_it_is_away(Kind::MySql).await;
}
