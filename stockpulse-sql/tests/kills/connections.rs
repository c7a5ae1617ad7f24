//! The connection is cut while the server commits, and callers go away while a transaction begins.

use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::engine::Engine;
use stockpulse_core::engine::stock::{Parts, StockAction, StockCommand, StockOutcome};
use stockpulse_core::model::{ReservationId, StockKey};
use stockpulse_core::port::InventoryStore;
use stockpulse_core::{ErrorKind, Retry};
use stockpulse_sql::{Context, MySqlOptions, MySqlStore, PgOptions, PgStore};

use super::books::{audited, command, receive, reserve, sku};
use super::proxy::Proxy;
use crate::support::{Kind, Place};

/// A store with one connection, through the proxy.
async fn through(proxy: &Proxy, kind: Kind, place: &Place) -> Arc<dyn InventoryStore> {
    // The proxy has to be able to read along.
    let plain = if kind == Kind::Postgres { "sslmode=disable" } else { "ssl-mode=DISABLED" };
    let url = format!("{}?{plain}", proxy.url(place.url()));
    match kind {
        Kind::Postgres => {
            let options = PgOptions::new(&url).unwrap().with_schema(place.name()).with_contexts([]);
            Arc::new(PgStore::connect(options.with_max_connections(1)).await.unwrap())
        }
        _ => {
            let options = MySqlOptions::new(&url).unwrap().with_contexts([]);
            Arc::new(MySqlStore::connect(options.with_max_connections(1)).await.unwrap())
        }
    }
}

async fn reserved(store: &dyn InventoryStore) -> i64 {
    let level = store.levels(&[StockKey::main(sku("MUG"))]).await.unwrap().remove(0);
    level.unwrap().reserved.get()
}

/// Executes a batch whose answer is lost, and asks again.
async fn lost_and_asked_again(
    store: &dyn InventoryStore,
    other: &dyn InventoryStore,
    proxy: &Proxy,
    (batch, cut): (Vec<StockCommand>, &[u8]),
    then: i64,
) {
    let engine = Engine::new();
    let cuts = proxy.cuts();
    proxy.cut(cut);
    let lost = store.execute(&engine, batch.clone()).await;
    assert_eq!(proxy.cuts(), cuts + 1, "{lost:?}");
    let lost = lost.unwrap_err();
    assert_eq!((lost.kind(), lost.retry()), (ErrorKind::Indeterminate, Retry::Safe), "{lost:?}");
    // It was committed, and whoever asks again learns what was decided, and not that it exists already.
    assert_eq!(reserved(other).await, then);
    let again = store.execute(&engine, batch.clone()).await.unwrap();
    let refused = |outcome: &StockOutcome| matches!(outcome, StockOutcome::Refused(_));
    assert!(!again.iter().any(refused), "{again:?}");
    assert_eq!(other.execute(&engine, batch).await.unwrap(), again);
    assert_eq!(reserved(store).await, then);
    audited(other).await;
}

async fn an_answer_to_commit_is_lost(kind: Kind) {
    if kind.skips() {
        return;
    }
    // Not the one in READ COMMITTED.
    let commit: &[u8] = if kind == Kind::Postgres { b"COMMIT\0" } else { b";COMMIT" };
    let place = Place::new(kind).await.unwrap();
    let direct = place.connect(&[Context::Inventory]).await.unwrap().inventory;
    let proxy = Proxy::before(place.url()).await;
    let store = through(&proxy, kind, &place).await;
    store.execute(&Engine::new(), vec![receive(1, &["MUG"], 10)]).await.unwrap();
    // The first time statements are prepared, and the second time they are known. Nothing is left that deciding anew
    // would grant.
    for (units, then) in [(4, 5), (3, 9)] {
        let (one, other) = (u128::from(units), 0xfeed_beef_feed_beef_feed_beef_feed_beef + u128::from(units));
        // What is remembered is forgotten with the connection: so that the next batch is one at once.
        let remember = reserve(10 + one, &[("CUP", 1)]);
        let stock = reserve(20 + one, &[("MUG", 100)]);
        store.execute(&Engine::new(), vec![remember, stock]).await.unwrap();
        // In PostgreSQL that is one statement without COMMIT, which is known by what is bound.
        let id = other.to_be_bytes();
        let cut: &[u8] = if kind == Kind::Postgres { &id } else { commit };
        let batch = vec![reserve(one, &[("MUG", 1)]), reserve(other, &[("MUG", units)])];
        lost_and_asked_again(store.as_ref(), direct.as_ref(), &proxy, (batch, cut), then).await;
    }
    let release =
        StockAction::Release { reservation: ReservationId::from_u128(4), parts: Parts::All, tombstone: false };
    let batch = vec![command(500, release), reserve(501, &[("MUG", 2)])];
    lost_and_asked_again(store.as_ref(), direct.as_ref(), &proxy, (batch, commit), 10).await;
}

/// Callers who go away after every so many milliseconds, while each answer of the server takes some: the only connection
/// is good for the next one, and what the others asked for is there wholly or not at all.
async fn callers_go_away(kind: Kind) {
    if kind.skips() {
        return;
    }
    let place = Place::new(kind).await.unwrap();
    let direct = place.connect(&[Context::Inventory]).await.unwrap().inventory;
    let proxy = Proxy::before(place.url()).await;
    let (store, engine) = (through(&proxy, kind, &place).await, Engine::new());
    store.execute(&engine, vec![receive(1, &["CUP", "MUG"], 1_000)]).await.unwrap();
    proxy.delay(Duration::from_millis(3));
    for wait in 0..25_u128 {
        let id = 1_000 + wait * 10;
        let receive = receive(id, &["MUG"], 1);
        let batch = vec![reserve(id + 1, &[("CUP", 1), ("MUG", 1)]), receive];
        let wait = Duration::from_millis(u64::try_from(wait).unwrap());
        let _ = tokio::time::timeout(wait, store.execute(&engine, batch.clone())).await;
        let _ = tokio::time::timeout(wait, store.reservations(&[ReservationId::from_u128(id + 1)])).await;
        // A transaction that was left open would hide this from everybody else, or undo it.
        let next = reserve(id + 2, &[("MUG", 1)]);
        store.execute(&engine, vec![next.clone()]).await.unwrap();
        let there = [id + 1, id + 2].map(ReservationId::from_u128);
        let there = direct.reservations(&there).await.unwrap();
        assert!(there[1].is_some(), "after {wait:?}");
        let both = direct.execute(&engine, batch).await.unwrap();
        assert!(matches!(both[..], [StockOutcome::Reserved(_), StockOutcome::Moved(_)]), "{both:?}");
        audited(direct.as_ref()).await;
    }
    assert_eq!(reserved(direct.as_ref()).await, 50);
}

mod postgres {
    use crate::support::Kind;

    #[tokio::test]
    async fn an_answer_to_commit_is_lost() {
        super::an_answer_to_commit_is_lost(Kind::Postgres).await;
    }

    #[tokio::test]
    async fn callers_go_away() {
        super::callers_go_away(Kind::Postgres).await;
    }
}

mod mysql {
    use crate::support::Kind;

    #[tokio::test]
    async fn an_answer_to_commit_is_lost() {
        super::an_answer_to_commit_is_lost(Kind::MySql).await;
    }

    #[tokio::test]
    async fn callers_go_away() {
        super::callers_go_away(Kind::MySql).await;
    }
}
