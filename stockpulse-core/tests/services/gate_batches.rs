//! Callers who share calls of the gate, and what becomes of their places when somebody or something fails.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use stockpulse_core::engine::stock::{Decision, Parts, Reserve, Reserved, StockAction, StockOutcome};
use stockpulse_core::layer::{Call, Layer, Layered, fail_fast};
use stockpulse_core::memory::{MemoryGate, MemoryInventoryStore};
use stockpulse_core::model::ReservationId;
use stockpulse_core::port::{Admission, AdmissionGate, AdmitRequest, GateLevel};
use stockpulse_core::service::Inventory;
use stockpulse_core::{Error, ErrorKind, Result};

use crate::support::store::WatchedStore;
use crate::support::{clock, key, settle, sku, stock};

/// So many calls may go on that none ever waits.
const MANY: usize = 100_000;

/// A gate that admits everybody, when it is let, and remembers its calls.
#[derive(Debug)]
struct Gate {
    calls: Mutex<Vec<(&'static str, Vec<ReservationId>)>>,
    admits: Semaphore,
    tells: Semaphore,
    fails: AtomicBool,
}

impl Gate {
    fn new(admits: usize, tells: usize) -> Arc<Self> {
        let (admits, tells) = (Semaphore::new(admits), Semaphore::new(tells));
        Arc::new(Self { calls: Mutex::default(), admits, tells, fails: AtomicBool::new(false) })
    }

    /// How many each call of a kind was about.
    fn sizes(&self, what: &str) -> Vec<usize> {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|(kind, _)| *kind == what).map(|(_, ids)| ids.len()).collect()
    }

    /// What it was told of a reservation, in order.
    fn told(&self, reservation: ReservationId) -> Vec<&'static str> {
        let calls = self.calls.lock().unwrap();
        let told = calls.iter().filter(|(what, ids)| *what != "admit" && ids.contains(&reservation));
        told.map(|(what, _)| *what).collect()
    }

    /// Lets so many calls that admit go on.
    async fn let_admit(&self, calls: usize) {
        self.admits.add_permits(calls);
        settle().await;
    }

    async fn let_tell(&self, calls: usize) {
        self.tells.add_permits(calls);
        settle().await;
    }

    async fn call(&self, what: &'static str, ids: Vec<ReservationId>, permits: &Semaphore) -> Result<()> {
        self.calls.lock().unwrap().push((what, ids));
        permits.acquire().await.unwrap().forget();
        match self.fails.load(Ordering::SeqCst) {
            true => Err(Error::new(ErrorKind::Unavailable, "the gate is down")),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl AdmissionGate for Gate {
    async fn admit(&self, batch: &[AdmitRequest]) -> Result<Vec<Admission>> {
        self.call("admit", batch.iter().map(|request| request.reservation).collect(), &self.admits).await?;
        Ok(vec![Admission::Admitted; batch.len()])
    }

    async fn settle(&self, reservations: &[ReservationId]) -> Result<()> {
        self.call("settle", reservations.to_vec(), &self.tells).await
    }

    async fn release(&self, reservations: &[ReservationId]) -> Result<()> {
        self.call("release", reservations.to_vec(), &self.tells).await
    }

    async fn reconcile(&self, _: &[GateLevel]) -> Result<()> {
        Ok(())
    }
}

async fn start(gate: Arc<dyn AdmissionGate>, units: u32) -> (Inventory, Arc<WatchedStore>) {
    let store = WatchedStore::new(MemoryInventoryStore::default());
    let inventory = Inventory::builder(Arc::clone(&store) as _).with_gate(gate).start();
    inventory.receive(sku("HOT"), units).await.unwrap();
    (inventory, store)
}

type Caller = JoinHandle<Result<Decision<Reserved>>>;

/// Callers who want a unit each, all at once, with their reservations.
async fn ask(inventory: &Inventory, callers: usize) -> Vec<(ReservationId, Caller)> {
    let ask = |_| {
        let (inventory, id) = (inventory.clone(), inventory.new_reservation_id());
        let request = Reserve::new(id).with_line(sku("HOT"), 1);
        (id, tokio::spawn(async move { inventory.reserve(request).await }))
    };
    let callers = (0..callers).map(ask).collect();
    settle().await;
    callers
}

async fn accepted(callers: Vec<(ReservationId, Caller)>) -> usize {
    let mut accepted = 0;
    for (_, caller) in callers {
        accepted += usize::from(caller.await.unwrap().unwrap().is_accepted());
    }
    accepted
}

#[tokio::test]
async fn many_at_once_need_few_calls_and_each_gets_his_own_answer() {
    let gate = Gate::new(MANY, MANY);
    let (inventory, _) = start(gate.clone(), 100).await;
    let callers = ask(&inventory, 500).await;
    let ids: Vec<ReservationId> = callers.iter().map(|(id, _)| *id).collect();
    let mut granted = Vec::new();
    for (id, caller) in callers {
        if caller.await.unwrap().unwrap().is_accepted() {
            granted.push(id);
        }
    }
    assert_eq!((granted.len(), stock(&inventory, "HOT").await), (100, (100, 100)));
    for id in ids {
        assert_eq!(gate.told(id), [if granted.contains(&id) { "settle" } else { "release" }]);
    }
    for what in ["admit", "settle", "release"] {
        let sizes = gate.sizes(what);
        assert!(sizes.len() <= 4 && sizes.iter().all(|size| *size <= 256), "{what}: {sizes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lone_caller_waits_for_nobody() {
    let gate = Gate::new(MANY, MANY);
    let (inventory, _) = start(gate.clone(), 3).await;
    let before = tokio::time::Instant::now();
    for _ in 0..3 {
        assert!(inventory.reserve(Reserve::new(inventory.new_reservation_id()).with_line(sku("HOT"), 1)).await.is_ok());
    }
    assert_eq!(before.elapsed().as_nanos(), 0, "any timer would have moved the paused time");
    assert_eq!((gate.sizes("admit"), gate.sizes("settle")), (vec![1; 3], vec![1; 3]));
}

#[tokio::test]
async fn those_who_come_during_calls_share_the_next() {
    let gate = Gate::new(0, MANY);
    let (inventory, _) = start(gate.clone(), 100).await;
    let mut callers = ask(&inventory, 1).await;
    callers.extend(ask(&inventory, 10).await);
    assert_eq!(gate.sizes("admit"), [1, 10], "they need not wait for the first");
    for _ in 0..5 {
        callers.extend(ask(&inventory, 1).await);
    }
    assert_eq!(gate.sizes("admit"), [1, 10]);
    gate.let_admit(2).await;
    assert_eq!(gate.sizes("admit"), [1, 10, 5]);
    gate.let_admit(1).await;
    assert_eq!(accepted(callers).await, 16);
}

#[tokio::test]
async fn when_a_call_fails_those_who_wait_are_let_through_with_those_who_were_in_it() {
    let gate = Gate::new(0, MANY);
    let (inventory, _) = start(gate.clone(), 100).await;
    let mut callers = ask(&inventory, 1).await;
    callers.extend(ask(&inventory, 10).await);
    for _ in 0..5 {
        callers.extend(ask(&inventory, 1).await);
    }
    gate.fails.store(true, Ordering::SeqCst);
    gate.let_admit(2).await;
    assert_eq!(accepted(callers).await, 16);
    assert_eq!(gate.sizes("admit"), [1, 10], "nobody asked it again for them");
    gate.fails.store(false, Ordering::SeqCst);
    gate.let_admit(1).await;
    assert_eq!(accepted(ask(&inventory, 1).await).await, 1);
    assert_eq!(gate.sizes("admit"), [1, 10, 1], "who comes afterwards does");
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_hangs_costs_nobody_more_than_a_budget() {
    let budget = Duration::from_millis(50);
    let gate = Gate::new(0, MANY);
    let (inventory, _) = start(Arc::new(fail_fast(Arc::clone(&gate) as Arc<dyn AdmissionGate>, budget)), 1_000).await;
    let mut callers = Vec::new();
    for _ in 0..100 {
        let inventory = inventory.clone();
        callers.push(tokio::spawn(async move {
            let (came, id) = (tokio::time::Instant::now(), inventory.new_reservation_id());
            let decided = inventory.reserve(Reserve::new(id).with_line(sku("HOT"), 1)).await.unwrap();
            (decided.is_accepted(), came.elapsed())
        }));
        tokio::time::sleep(Duration::from_millis(7)).await;
    }
    for caller in callers {
        let (accepted, waited) = caller.await.unwrap();
        // The timer of the runtime counts whole milliseconds.
        assert!(accepted && waited <= budget + Duration::from_millis(2), "{waited:?}");
    }
}

#[tokio::test]
async fn who_goes_away_hurts_nobody_and_leaves_his_place() {
    let gate = Gate::new(0, MANY);
    let (inventory, store) = start(gate.clone(), 100).await;
    let mut callers = ask(&inventory, 3).await;
    callers.extend(ask(&inventory, 3).await);
    let (in_call, waiting) = (callers.remove(1), callers.remove(4));
    in_call.1.abort();
    waiting.1.abort();
    settle().await;
    gate.let_admit(2).await;
    assert_eq!(accepted(callers).await, 4);
    assert_eq!((gate.told(in_call.0), gate.told(waiting.0)), (vec!["release"], vec!["release"]));

    // Later he has a claim, and the gate hears of it all the same.
    store.hold_requests();
    gate.let_admit(1).await;
    let (id, caller) = ask(&inventory, 1).await.remove(0);
    caller.abort();
    settle().await;
    assert_eq!(gate.told(id), [] as [&str; 0]);
    store.set_open(true);
    settle().await;
    assert_eq!((gate.told(id), stock(&inventory, "HOT").await), (vec!["settle"], (100, 5)));
}

#[tokio::test]
async fn what_comes_back_is_told_after_it_was_sold() {
    let gate = Gate::new(MANY, 0);
    let (inventory, _) = start(gate.clone(), 100).await;
    let mut callers = ask(&inventory, 1).await;
    callers.extend(ask(&inventory, 2).await);
    let (id, other) = (callers[1].0, callers[2].0);
    let release = tokio::spawn({
        let inventory = inventory.clone();
        async move { inventory.release(id, Parts::All).await }
    });
    settle().await;
    assert_eq!(gate.sizes("settle"), [1], "the rest waits for the first to be told");
    gate.let_tell(1).await;
    assert_eq!(gate.told(id), ["settle"], "its sale and its return are in one batch, and the sale is told first");
    gate.let_tell(10).await;
    assert_eq!((gate.told(id), gate.told(other)), (vec!["settle", "release"], vec!["settle"]));
    assert_eq!((gate.sizes("settle"), gate.sizes("release")), (vec![1, 2], vec![1]));
    assert!(release.await.unwrap().unwrap().is_accepted());
    assert_eq!(accepted(callers).await, 3);
}

#[tokio::test]
async fn closing_waits_until_everything_was_told() {
    let gate = Gate::new(MANY, 0);
    let (inventory, store) = start(gate.clone(), 100).await;
    store.hold_requests();
    let mut callers = ask(&inventory, 20).await;
    callers[7].1.abort();
    let ids: Vec<ReservationId> = callers.iter().map(|(id, _)| *id).collect();
    let closing = tokio::spawn({
        let inventory = inventory.clone();
        async move { inventory.close().await }
    });
    store.set_open(true);
    settle().await;
    assert!(!closing.is_finished(), "nothing is told yet");
    gate.let_tell(10).await;
    closing.await.unwrap();
    assert!(ids.iter().all(|id| gate.told(*id) == ["settle"]));
    callers.remove(7);
    assert_eq!(accepted(callers).await, 19);

    // Who comes now is not let in, and gives his place back.
    let (late, caller) = ask(&inventory, 1).await.remove(0);
    assert_eq!(caller.await.unwrap().unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(gate.told(late), ["release"]);
}

#[tokio::test]
async fn a_refusal_is_repeated_to_newcomers_without_asking_until_its_time_is_over() {
    let (time, clock) = clock();
    let memory = MemoryGate::new(Arc::clone(&clock));
    memory.reconcile(&[GateLevel { key: key("HOT"), sellable: 0.into(), version: 1 }]).await.unwrap();
    let calls = Calls::default();
    let store = MemoryInventoryStore::new(Arc::clone(&clock));
    let inventory = Inventory::builder(Arc::new(store))
        .with_clock(clock)
        .with_gate(Arc::new(Layered::new(memory.clone(), calls.clone())))
        .with_negative_ttl(Duration::from_millis(10))
        .start();
    inventory.receive(sku("HOT"), 1).await.unwrap();
    let request = || Reserve::new(inventory.new_reservation_id()).with_line(sku("HOT"), 1);
    for _ in 0..100 {
        assert!(matches!(inventory.reserve(request()).await.unwrap(), Decision::Refused(_)));
    }
    assert_eq!(calls.admits(), 1);
    memory.reconcile(&[GateLevel { key: key("HOT"), sellable: 1.into(), version: 2 }]).await.unwrap();
    let command = inventory.command(StockAction::Reserve(request()));
    time.advance(Duration::from_millis(9));
    assert!(matches!(inventory.reserve(request()).await.unwrap(), Decision::Refused(_)));
    let outcome = inventory.execute(command.clone()).await.unwrap();
    assert!(matches!(outcome, StockOutcome::Reserved(_)), "who may have asked before is not kept from asking");
    inventory.release(command.action.reservation().unwrap(), Parts::All).await.unwrap();
    time.advance(Duration::from_millis(1));
    assert!(matches!(inventory.reserve(request()).await.unwrap(), Decision::Accepted(_)));
}

/// Counts the calls that admit.
#[derive(Clone, Debug, Default)]
struct Calls(Arc<AtomicUsize>);

impl Calls {
    fn admits(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Layer for Calls {
    const REPEATS: bool = false;

    async fn around<T: Send>(&self, mut call: Call<'_, T>) -> Result<T> {
        if call.operation() == "gate.admit" {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
        call.make().await
    }
}
