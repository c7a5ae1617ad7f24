//! A flash sale from end to end: buyers answered each second, with the gate before Postgres, with Postgres alone, and as
//! people write it by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sqlx::{AssertSqlSafe, PgPool};
use stockpulse_core::engine::stock::{Decision, Reserve};
use stockpulse_core::model::Sku;
use stockpulse_core::port::{AdmissionGate, Clock, IdGenerator};
use stockpulse_core::service::Inventory;
use stockpulse_core::worker::Reconciler;
use stockpulse_core::{RandomIds, SystemClock};
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

/// How long a refusal is repeated without asking the gate.
const NEGATIVE_TTL: Duration = Duration::from_millis(10);
/// Connections of the usual way.
const CONNECTIONS: u32 = 64;

/// What stands before the database.
#[derive(Clone, Copy, Debug)]
enum Front {
    /// A transaction for each buyer.
    Usual,
    Nothing,
    Gate,
    /// The gate, whose refusals are repeated for a moment.
    Repeating,
}

const FRONTS: [(Front, &str); 4] = [
    (Front::Usual, "the usual way"),
    (Front::Nothing, "Postgres alone"),
    (Front::Gate, "the gate before Postgres"),
    (Front::Repeating, "the same, refusals repeated for 10 ms"),
];

/// The tables of it.
pub(crate) async fn run(redis: &Redis) {
    let (mut sales, mut refusals) = (Table::default(), Table::default());
    for _ in 0..ROUNDS {
        for (front, name) in FRONTS {
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
    seller: Seller,
}

/// Who sells.
#[derive(Clone, Debug)]
enum Seller {
    Usual(PgPool),
    Ours(Inventory),
}

impl Shop {
    /// A shop that has not sold anything.
    async fn open(redis: &Redis, front: Front) -> Self {
        let place = Place::new(Database::Postgres).await;
        if matches!(front, Front::Usual) {
            let pool = place.postgres(CONNECTIONS).await;
            let sql = format!(
                "CREATE TABLE stock (sku text PRIMARY KEY, available bigint NOT NULL CHECK (available >= 0))
                    WITH (fillfactor = 50);
                 CREATE TABLE reservation (id uuid PRIMARY KEY, sku text NOT NULL, expires_at timestamptz NOT NULL);
                 INSERT INTO stock VALUES ('{}', {UNITS})",
                ticket()
            );
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&pool).await.expect("tables");
            return Self { place, seller: Seller::Usual(pool) };
        }
        let builder = Inventory::builder(place.store().await);
        let gate: Arc<dyn AdmissionGate> = Arc::new(RedisGate::new(redis.connection()));
        let inventory = match front {
            Front::Usual | Front::Nothing => builder.start(),
            Front::Gate => builder.with_gate(Arc::clone(&gate)).start(),
            Front::Repeating => builder.with_gate(Arc::clone(&gate)).with_negative_ttl(NEGATIVE_TTL).start(),
        };
        inventory.receive(ticket(), UNITS).await.expect("goods come in");
        let told = Reconciler::new(inventory.clone()).with_gate(gate).run_once().await;
        told.expect("the gate is told");
        Self { place, seller: Seller::Ours(inventory) }
    }

    /// All buyers, until the last one has an answer.
    #[expect(clippy::cast_precision_loss, reason = "buyers")]
    async fn sale(&self, redis: &Redis) -> Row {
        let (next, sold) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (begun, spent) = (now(), Spent::begin(redis).await);
        let tasks: Vec<_> = (0..AT_A_TIME)
            .map(|_| {
                let (seller, next, sold) = (self.seller.clone(), Arc::clone(&next), Arc::clone(&sold));
                tokio::spawn(async move {
                    let mut waits = Vec::new();
                    while next.fetch_add(1, Ordering::Relaxed) < BUYERS {
                        let begun = now();
                        sold.fetch_add(usize::from(seller.sells().await), Ordering::Relaxed);
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
        measure(redis, vec![self.seller.clone(); AT_A_TIME], 1, |seller| async move {
            assert!(!seller.sells().await, "nothing is left");
            seller
        })
        .await
    }

    async fn close(self, redis: &Redis) {
        match &self.seller {
            Seller::Usual(pool) => pool.close().await,
            Seller::Ours(inventory) => inventory.close().await,
        }
        drop(self.seller);
        self.place.remove().await;
        redis.clear().await;
    }
}

fn ticket() -> Sku {
    Sku::new("TICKET").expect("a SKU")
}

impl Seller {
    /// Whether a buyer gets a unit.
    async fn sells(&self) -> bool {
        match self {
            Self::Usual(pool) => usual(pool).await.expect("the database answers"),
            Self::Ours(inventory) => {
                let reserve = Reserve::new(inventory.new_reservation_id()).with_line(ticket(), 1).with_hold(HOLD);
                matches!(inventory.reserve(reserve).await.expect("the database answers"), Decision::Accepted(_))
            }
        }
    }
}

/// Locks the row, looks whether a unit is left, takes it, and commits.
async fn usual(pool: &PgPool) -> Result<bool, sqlx::Error> {
    let sku = "TICKET";
    let mut transaction = pool.begin().await?;
    let lock = sqlx::query_scalar::<_, i64>("SELECT available FROM stock WHERE sku = $1 FOR UPDATE");
    if lock.bind(sku).fetch_one(&mut *transaction).await? < 1 {
        transaction.rollback().await?;
        return Ok(false);
    }
    let update = sqlx::query("UPDATE stock SET available = available - 1 WHERE sku = $1");
    update.bind(sku).execute(&mut *transaction).await?;
    let insert = sqlx::query("INSERT INTO reservation VALUES ($1, $2, now() + interval '15 minutes')");
    let id = RandomIds.next_id(SystemClock.now());
    insert.bind(id).bind(sku).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(true)
}
