//! Whole orders: accepted, reserved and confirmed, with two relays and two consumer groups between; beside the usual way.

use std::sync::Arc;
use std::time::Duration;

use crate::load::{Measured, drive};
use crate::meter::now;
use crate::place::{Schema, topics};
use crate::shop::Shop;
use crate::usual::Usual;

/// How long each figure is measured.
const TIME: Duration = Duration::from_secs(6);
/// Callers who wait for the confirmation of their order and place the next. The usual way is as fast as its consumers,
/// however many wait for it.
const CALLERS: usize = 8_192;
const USUAL_CALLERS: usize = 64;
/// How often orders come in at a given rate.
const TICK: Duration = Duration::from_millis(5);

/// The table of it.
pub(crate) async fn run(broker: &str, postgres: &str) {
    println!("| one SKU, Postgres and Kafka | orders each second | p50 ms | p99 ms | × |\n|---|--:|--:|--:|--:|");
    let schema = Schema::new(postgres).await;
    let usual = Arc::new(Usual::open(&topics(broker).await, &schema).await);
    usual.confirm().await;
    let usual_way = drive(vec![Arc::clone(&usual); USUAL_CALLERS], TIME, |shop| async move {
        shop.confirm().await;
        shop
    });
    let usual_way = usual_way.await;
    drop(usual);
    schema.remove().await;
    print("the usual way, 64 callers", usual_way, usual_way);

    let schema = Schema::new(postgres).await;
    let shop = Arc::new(Shop::open(&topics(broker).await, &schema).await);
    // Groups are joined, and everything is prepared.
    shop.confirm().await;
    let peak = drive(vec![Arc::clone(&shop); CALLERS], TIME, |shop| async move {
        shop.confirm().await;
        shop
    });
    let peak = peak.await;
    print("StockPulse, 8,192 callers", peak, usual_way);
    // Orders that were confirmed are allocated yet, on the same topic that new ones come by.
    tokio::time::sleep(TIME).await;
    let tenth = at_rate(&shop, peak.per_second / 10.0).await;
    print("StockPulse, at a tenth of that rate", tenth, usual_way);
    Arc::into_inner(shop).expect("nobody places orders any more").close().await;
    schema.remove().await;
}

/// Orders that come in at a rate, whether or not the ones before are confirmed.
async fn at_rate(shop: &Arc<Shop>, per_second: f64) -> Measured {
    let (begun, mut due, mut orders) = (now(), 0.0, Vec::new());
    let mut ticks = tokio::time::interval(TICK);
    while begun.elapsed() < TIME {
        ticks.tick().await;
        while due < per_second * begun.elapsed().as_secs_f64() {
            due += 1.0;
            let shop = Arc::clone(shop);
            orders.push(tokio::spawn(async move {
                let begun = now();
                shop.confirm().await;
                begun.elapsed().as_secs_f64() * 1e3
            }));
        }
    }
    let mut waits = Vec::with_capacity(orders.len());
    for order in orders {
        waits.push(order.await.expect("no order panics"));
    }
    waits.sort_unstable_by(f64::total_cmp);
    let at = |hundredths: usize| waits.get(waits.len() * hundredths / 100).copied().unwrap_or_default();
    Measured { per_second: due / begun.elapsed().as_secs_f64(), p50: at(50), p99: at(99) }
}

fn print(what: &str, measured: Measured, usual: Measured) {
    let Measured { per_second, p50, p99 } = measured;
    println!("| {what} | {per_second:.0} | {p50:.1} | {p99:.1} | {:.1} |", per_second / usual.per_second);
}
