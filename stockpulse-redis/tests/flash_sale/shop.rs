//! A shop on PostgreSQL with the gate in front.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use stockpulse_core::engine::stock::{Decision, Reserve};
use stockpulse_core::layer::{Layered, fail_fast};
use stockpulse_core::model::{MovementKind, ReservationId, ReservationState, Sku, StockKey, Timestamp};
use stockpulse_core::port::InventoryStore;
use stockpulse_core::service::Inventory;
use stockpulse_core::worker::Reconciler;
use stockpulse_redis::{RedisConnection, RedisGate, RedisOptions};
use stockpulse_sql::{Context, PgOptions, PgStore};

use crate::support::counted::Counted;
use crate::support::{found_or_skip, fresh};

/// How long Redis may take before its answer no longer counts; far longer than it does.
const BUDGET: Duration = Duration::from_secs(2);
/// How long a buyer has to pay.
const HOLD: Duration = Duration::from_secs(900);
const PAGE: NonZeroUsize = NonZeroUsize::new(500).unwrap();

/// Stock of one SKU in a schema of its own.
pub(crate) struct Shop {
    inventory: Inventory,
    store: PgStore,
    pub(crate) gate: RedisGate,
    commands: Counted,
    _schema: Schema,
}

impl Shop {
    /// A shop with so many units, of which the gate was told.
    pub(crate) async fn open(redis: &str, postgres: &str, units: u32) -> Self {
        let schema = Schema { url: postgres.to_owned(), name: fresh().replace(['-', ':'], "_") };
        let options = PgOptions::new(postgres).unwrap().with_schema(&schema.name).with_contexts([Context::Inventory]);
        let store = PgStore::connect(options).await.unwrap();
        let redis = RedisOptions::new(redis).with_prefix(fresh()).with_response_timeout(BUDGET);
        let gate = RedisGate::new(RedisConnection::new(redis).unwrap());
        let commands = Counted::default();
        let inventory = Inventory::builder(Arc::new(Layered::new(store.clone(), commands.clone())))
            .with_gate(Arc::new(fail_fast(gate.clone(), BUDGET)))
            .start();
        inventory.receive(ticket(), units).await.unwrap();
        let shop = Self { inventory, store, gate, commands, _schema: schema };
        shop.tell().await.unwrap();
        shop
    }

    /// Tells the gate what the database knows.
    pub(crate) async fn tell(&self) -> stockpulse_core::Result<()> {
        Reconciler::new(self.inventory.clone()).with_gate(Arc::new(self.gate.clone())).run_once().await.map(drop)
    }

    /// One unit for one buyer: the reservation, or `None` if there was no unit left.
    pub(crate) async fn buy(&self) -> Option<ReservationId> {
        let reservation = self.inventory.new_reservation_id();
        let reserve = Reserve::new(reservation).with_line(ticket(), 1).with_hold(HOLD);
        match self.inventory.reserve(reserve).await.unwrap() {
            Decision::Accepted(_) => Some(reservation),
            Decision::Refused(_) => None,
        }
    }

    /// How many commands reached the store, without the one that brought the goods.
    pub(crate) fn commands(&self) -> usize {
        self.commands.count() - 1
    }

    /// In the database all units are sold, to those who were told so, and nothing else is.
    pub(crate) async fn assert_sold(&self, units: u32, mut sold: Vec<ReservationId>) {
        let units = i64::from(units);
        let audit = self.store.audit(None, PAGE).await.unwrap();
        let [audit] = audit.items.as_slice() else { panic!("{audit:?}") };
        assert_eq!((audit.level.on_hand.get(), audit.level.reserved.get()), (units, units));
        assert_eq!((audit.ledger.on_hand, audit.ledger.reserved), (units, units));
        assert_eq!(audit.claims.reserved, units);

        assert_eq!(i64::try_from(sold.len()), Ok(units));
        for reservation in self.store.reservations(&sold).await.unwrap() {
            let reservation = reservation.expect("who was told so has a reservation");
            assert_eq!(reservation.state, ReservationState::Held);
            assert_eq!(reservation.lines.iter().map(|line| line.quantity.get()).sum::<i64>(), 1);
        }
        let everybody = NonZeroUsize::new(sold.len() + 1).unwrap();
        let mut held = self.store.expiring(Timestamp::from_micros(i64::MAX), everybody).await.unwrap();
        held.sort_unstable();
        sold.sort_unstable();
        assert!(held == sold, "others hold units too");
        assert_eq!(self.reserving_movements().await, sold.len());
    }

    async fn reserving_movements(&self) -> usize {
        let (key, mut after, mut count) = (StockKey::main(ticket()), 0, 0);
        loop {
            let page = self.store.movements(&key, after, PAGE).await.unwrap();
            count += page.items.iter().filter(|movement| movement.kind == MovementKind::Reserved).count();
            match page.next {
                Some(next) => after = next,
                None => return count,
            }
        }
    }
}

/// A schema on the server. Dropped it is deleted there, also when the test fails.
struct Schema {
    url: String,
    name: String,
}

impl Schema {
    async fn remove(&self) -> Result<(), sqlx::Error> {
        let sql = format!(
            "SET client_min_messages = warning; SET lock_timeout = '5s'; DROP SCHEMA IF EXISTS {} CASCADE",
            self.name
        );
        let mut connection = PgConnection::connect(&self.url).await?;
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.map(drop)
    }
}

impl Drop for Schema {
    #[expect(clippy::print_stderr, reason = "whoever owns the server has to see what was left there")]
    fn drop(&mut self) {
        // A runtime of its own: that of the test is busy with dropping, and may be on its way out.
        let removed = std::thread::scope(|scope| {
            let remove = || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                runtime.block_on(self.remove()).map_err(std::io::Error::other)
            };
            scope.spawn(remove).join()
        });
        if !matches!(removed, Ok(Ok(()))) {
            eprintln!("{} was left on the server", self.name);
        }
    }
}

pub(crate) fn ticket() -> Sku {
    Sku::new("TICKET").unwrap()
}

/// PostgreSQL's URL; `None`, after saying so, if there is none.
pub(crate) fn postgres_or_skip(test: &str) -> Option<String> {
    let reason = || "STOCKPULSE_PG_URL names no server (postgres://user@host/database)".to_owned();
    found_or_skip(test, std::env::var("STOCKPULSE_PG_URL").ok().filter(|url| !url.is_empty()).ok_or_else(reason))
}
