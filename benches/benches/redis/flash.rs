//! A flash sale from end to end: buyers answered each second, with the gate before Postgres and with Postgres alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use stockpulse_core::engine::stock::{Decision, Reserve};
use stockpulse_core::model::Sku;
use stockpulse_core::port::AdmissionGate;
use stockpulse_core::service::Inventory;
use stockpulse_core::worker::Reconciler;
use stockpulse_redis::RedisGate;

use crate::database::{Database, Place};
use crate::server::Redis;
use crate::table::{ROUNDS, Row, Spent, Table, measure, now};

const UNITS: u32 = 1_000;
const BUYERS: usize = 50_000;
/// How many buyers come at a time.
const AT_A_TIME: usize = 512;
/// How long a buyer has to pay.
const HOLD: Duration = Duration::from_secs(900);

/// What stands before the queue.
#[derive(Clone, Copy, Debug)]
enum Front {
    Nothing,
    Gate,
}

/// The tables of it.
pub(crate) async fn run(redis: &Redis) {
    let (mut sales, mut refusals) = (Table::default(), Table::default());
    for _ in 0..ROUNDS {
        for (front, name) in [(Front::Nothing, "Postgres alone"), (Front::Gate, "the gate before Postgres")] {
            let shop = Shop::open(redis, front).await;
            sales.add(name, shop.sale(redis).await);
            refusals.add(name, shop.refusals(redis).await);
            shop.close(redis).await;
        }
    }
    sales.print(&format!("buyers of {BUYERS} who want {UNITS} units, {AT_A_TIME} at a time"), "Postgres alone");
    refusals.print(&format!("buyers when all is sold, {AT_A_TIME} at a time"), "Postgres alone");
}

struct Shop {
    place: Place,
    inventory: Inventory,
}

impl Shop {
    /// A shop that has not sold anything.
    async fn open(redis: &Redis, front: Front) -> Self {
        let place = Place::new(Database::Postgres).await;
        let builder = Inventory::builder(place.store().await);
        let gate: Arc<dyn AdmissionGate> = Arc::new(RedisGate::new(redis.connection()));
        let inventory = match front {
            Front::Nothing => builder.start(),
            Front::Gate => builder.with_gate(Arc::clone(&gate)).start(),
        };
        inventory.receive(ticket(), UNITS).await.expect("goods come in");
        let told = Reconciler::new(inventory.clone()).with_gate(gate).run_once().await;
        told.expect("the gate is told");
        Self { place, inventory }
    }

    /// All buyers, until the last one has an answer.
    #[expect(clippy::cast_precision_loss, reason = "buyers")]
    async fn sale(&self, redis: &Redis) -> Row {
        let (next, sold) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (begun, spent) = (now(), Spent::begin(redis).await);
        let tasks: Vec<_> = (0..AT_A_TIME)
            .map(|_| {
                let (inventory, next, sold) = (self.inventory.clone(), Arc::clone(&next), Arc::clone(&sold));
                tokio::spawn(async move {
                    let mut waits = Vec::new();
                    while next.fetch_add(1, Ordering::Relaxed) < BUYERS {
                        let begun = now();
                        sold.fetch_add(usize::from(buy(&inventory).await), Ordering::Relaxed);
                        waits.push(begun.elapsed().as_secs_f64() * 1e3);
                    }
                    waits
                })
            })
            .collect();
        let mut waits = Vec::with_capacity(BUYERS);
        for task in tasks {
            waits.extend(task.await.expect("no buyer panics"));
        }
        let time = begun.elapsed().as_secs_f64();
        let (by_redis, here) = spent.per_second(redis).await;
        assert_eq!((waits.len(), sold.load(Ordering::Relaxed)), (BUYERS, UNITS as usize));
        waits.sort_unstable_by(f64::total_cmp);
        let per_second = BUYERS as f64 / time;
        let [p50, p99] = [waits[BUYERS / 2], waits[BUYERS * 99 / 100]];
        Row { per_second, p50, p99, redis: by_redis * 1e6 / per_second, here: here * 1e6 / per_second }
    }

    /// Those who come when nothing is left.
    async fn refusals(&self, redis: &Redis) -> Row {
        measure(redis, vec![self.inventory.clone(); AT_A_TIME], 1, |inventory| async move {
            assert!(!buy(&inventory).await, "nothing is left");
            inventory
        })
        .await
    }

    async fn close(self, redis: &Redis) {
        self.inventory.close().await;
        drop(self.inventory);
        self.place.remove().await;
        redis.clear().await;
    }
}

fn ticket() -> Sku {
    Sku::new("TICKET").expect("a SKU")
}

async fn buy(inventory: &Inventory) -> bool {
    let reserve = Reserve::new(inventory.new_reservation_id()).with_line(ticket(), 1).with_hold(HOLD);
    matches!(inventory.reserve(reserve).await.expect("the database answers"), Decision::Accepted(_))
}
