//! The database server is killed under load, again and again, while callers ask again until they have an answer.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use stockpulse_core::Retry;
use stockpulse_core::engine::Engine;
use stockpulse_core::engine::stock::{Parts, StockAction, StockCommand, StockOutcome};
use stockpulse_core::model::{CommandId, EventData, ReservationId, StockEvent};
use stockpulse_core::service::{GroupCommitOptions, Inventory};
use stockpulse_sql::Context;

use super::books::{audited, command, receive, reserve};
use super::server::Server;
use crate::support::{Kind, Place, Ports};

const SKUS: [&str; 4] = ["CUP", "JAR", "MUG", "POT"];
const UNITS: u32 = 400;
const CALLERS: u128 = 16;
const KILLS: u32 = 3;

/// What the callers have in common.
struct Load {
    inventory: Inventory,
    ended: AtomicBool,
    failures: AtomicU32,
    answers: AtomicU32,
}

type Answered = Vec<(StockCommand, StockOutcome)>;

impl Load {
    /// Asks until there is an answer, always with the same id.
    async fn ask(&self, command: &StockCommand) -> StockOutcome {
        loop {
            match self.inventory.execute(command.clone()).await {
                Ok(outcome) => {
                    self.answers.fetch_add(1, Ordering::Relaxed);
                    return outcome;
                }
                Err(error) => {
                    assert_ne!(error.retry(), Retry::Never, "{error}: {error:?}");
                    self.failures.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        }
    }

    /// Reserves one unit or one each of two, and gives every third back.
    async fn call(self: Arc<Self>, caller: u128) -> Answered {
        let mut answered = Vec::new();
        let mut number = 0_usize;
        while !self.ended.load(Ordering::Relaxed) {
            let id = (caller + 1) * 1_000_000 + u128::try_from(number).unwrap() * 2;
            let (one, two) = (SKUS[number % 4], SKUS[(number + 1 + number % 3) % 4]);
            let both = [(one, 1), (two, 1)];
            let asked = reserve(id, if number.is_multiple_of(2) { &both[..1] } else { &both });
            let outcome = self.ask(&asked).await;
            answered.push((asked, outcome));
            if number % 3 == 2 {
                let (reservation, parts) = (ReservationId::from_u128(id), Parts::All);
                let asked = command(id + 1, StockAction::Release { reservation, parts, tombstone: false });
                let outcome = self.ask(&asked).await;
                answered.push((asked, outcome));
            }
            number += 1;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        answered
    }
}

async fn it_is_killed_under_load(kind: Kind) {
    let Some(mut server) = Server::new(kind).await else { return };
    let place = Place::existing(kind, if kind == Kind::Postgres { "public" } else { "" }, &server.url());
    let ports = place.connect(&[Context::Inventory]).await.unwrap();
    ports.inventory.execute(&Engine::new(), vec![receive(1, &SKUS, UNITS)]).await.unwrap();
    let options = GroupCommitOptions { shards: NonZeroUsize::new(4).unwrap(), ..GroupCommitOptions::default() };
    let inventory = Inventory::builder(Arc::clone(&ports.inventory)).with_group_commit(options).start();
    let load = Arc::new(Load {
        inventory,
        ended: AtomicBool::default(),
        failures: AtomicU32::default(),
        answers: AtomicU32::default(),
    });
    let callers: Vec<_> = (0..CALLERS).map(|caller| tokio::spawn(Arc::clone(&load).call(caller))).collect();
    // A kill between two transactions is felt by nobody.
    let (mut felt, mut kills) = (0, 0);
    while kills < KILLS || felt == 0 {
        kills += 1;
        assert!(kills <= 20 * KILLS, "{felt} of {kills} kills were felt");
        tokio::time::sleep(Duration::from_millis(250)).await;
        let before = load.failures.load(Ordering::Relaxed);
        server.kill();
        tokio::time::sleep(Duration::from_millis(50)).await;
        server.start().await;
        felt += u32::from(load.failures.load(Ordering::Relaxed) > before);
    }
    // However slow the machine is, there has to be something to lose.
    let enough = async {
        while load.answers.load(Ordering::Relaxed) < 1_000 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), enough).await.expect("callers are answered");
    load.ended.store(true, Ordering::Relaxed);
    let mut answered = Vec::new();
    for caller in callers {
        answered.extend(tokio::time::timeout(Duration::from_secs(20), caller).await.expect("callers end").unwrap());
    }
    drop(ports);
    nothing_is_lost(&place.connect(&[]).await.unwrap(), &answered).await;
}

async fn nothing_is_lost(ports: &Ports, answered: &Answered) {
    let mut claimed: BTreeMap<&str, i64> = BTreeMap::new();
    let mut granted = BTreeSet::new();
    for (command, outcome) in answered {
        match (&command.action, outcome) {
            (StockAction::Reserve(request), StockOutcome::Reserved(_)) => {
                granted.insert(command.id);
                for line in &request.lines {
                    *claimed.entry(line.sku.as_str()).or_default() += 1;
                }
            }
            (StockAction::Release { .. }, StockOutcome::Released(released)) => {
                for line in &released.lines {
                    *claimed.entry(line.key.sku.as_str()).or_default() -= line.quantity.get();
                }
            }
            (_, StockOutcome::Refused(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(granted.len() > 100, "only {} were granted", granted.len());
    for audit in audited(ports.inventory.as_ref()).await {
        let claimed = claimed.get(audit.level.key.sku.as_str()).copied();
        assert_eq!(Some(audit.level.reserved.get()), claimed, "claims on {}", audit.level.key);
    }
    for part in answered.chunks(1_000) {
        let (commands, answers): (Vec<_>, Vec<_>) = part.iter().cloned().unzip();
        assert_eq!(ports.inventory.execute(&Engine::new(), commands).await.unwrap(), answers);
    }
    let mut told: BTreeMap<CommandId, u32> = BTreeMap::new();
    // Without a relay, which would publish so many events of so few SKUs one after the other.
    let outbox = ports.outbox(Context::Inventory);
    let limit = NonZeroUsize::new(1 << 20).unwrap();
    let claim = outbox.claim("successor", Duration::from_secs(60), limit).await.unwrap();
    for row in &claim.rows {
        if let EventData::Stock(StockEvent::Reserved(event)) = &row.event.data {
            *told.entry(CommandId::new(event.reservation.as_uuid())).or_default() += 1;
        }
    }
    let ids: Vec<_> = claim.rows.iter().map(|row| row.id).collect();
    outbox.settle(&claim.lease, &ids).await.unwrap();
    assert_eq!(outbox.stats().await.unwrap().pending, 0);
    assert_eq!(told.keys().copied().collect::<BTreeSet<_>>(), granted);
    assert!(told.values().all(|times| *times == 1), "one claim, one event");
}

#[tokio::test]
async fn on_postgres() {
    it_is_killed_under_load(Kind::Postgres).await;
}

#[tokio::test]
async fn on_mysql() {
    it_is_killed_under_load(Kind::MySql).await;
}
