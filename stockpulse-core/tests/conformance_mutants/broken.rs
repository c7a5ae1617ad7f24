//! A backend that does one thing wrong, and the test that the suite notices.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use stockpulse_core::Result;
use stockpulse_core::conformance::{Harness, Mapped, Rule, run};
use stockpulse_core::model::Timestamp;
use stockpulse_core::port::{Lease, OutboxId, Page};
use uuid::Uuid;

use crate::harness::Memory as Memories;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    // Batches, of whichever store.
    OutcomesReversed,
    EmptyBatchFails,
    BatchReversed,
    LargeBatchInPieces,
    EndOfLargeBatchLost,
    TwoTransactions,
    OwnEngine,
    ForgetsCommands,
    ForgetsOldCommands,
    ForgetsRefusals,
    MissesDuplicatesInBatch,
    IgnoresContents,
    ChecksBeforeItLocks,
    FailsWhenBusy,
    ForgetsOnRestart,
    // Reads, of whichever store.
    LeavesOutTheUnknown,
    InventsTheUnknown,
    ListsOneLess,
    FullPageSaysMore,
    PagesByOffset,
    IgnoresCase,
    SortsIgnoringCase,
    LosesText,
    SmallNumbers,
    BeforeIsExclusive,
    IgnoresTheLimit,
    NewestFirst,
    ListsByOldEnds,
    // Inventory.
    SortsLines,
    CursorIsInclusive,
    AuditSaysMore,
    AuditsNoClaims,
    FillsLastFirst,
    HidesWhatWaits,
    RetiresMainOnly,
    TellsOfRetries,
    Oversells,
    CreatesTwice,
    // Orders.
    ForgetsTombstones,
    CountsNoPurchases,
    IgnoresStatus,
    IgnoresCustomer,
    // Records.
    StoresTheSame,
    LastWriterWins,
    // Notifications.
    SendsTwiceInABatch,
    SendsOnce,
    SendsForever,
    EndsAgain,
    EndsWhatIsUnknown,
    LosesAttempts,
    AnyOrder,
    // Outboxes.
    LosesUpdates,
    LosesTheFirst,
    RowsReversed,
    HandsOutOnce,
    SettlesUpTo,
    SettlingTwiceFails,
    LosesEveryFiftieth,
    CountsEverything,
    OldestIsFirst,
    WaitingTakesTheLease,
    NoLeases,
    RenewalKeepsTheEnd,
    LeasesForever,
    SettlesStale,
    StaleIsSafe,
    ReleasesStale,
    QuarantinesStale,
    KeepsTheLease,
    SurrendersForAnybody,
    EpochsStandStill,
    RetriesAtOnce,
    CountsNoAttempts,
    WaitingHoldsUpNothing,
    AsideHoldsUpNothing,
    AsideHoldsUpEverything,
    HeldUpTakesRoom,
    LosesReasons,
    RequeuesNothing,
    RequeueKeepsAttempts,
    DiscardRequeues,
    RequeueCountsAll,
    DiscardsAnything,
}

/// A backend of port `P` with a fault.
#[derive(Debug)]
pub(crate) struct Broken<P: ?Sized> {
    pub(crate) inner: Arc<P>,
    pub(crate) fault: Fault,
    pub(crate) memory: Memory,
}

/// What a fault has to remember.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// Commands that were seen, in order.
    pub(crate) commands: Mutex<Vec<Uuid>>,
    /// Commands that were refused.
    pub(crate) refused: Mutex<BTreeSet<Uuid>>,
    pub(crate) busy: AtomicUsize,
    /// Where pages ended, by the text of the cursor.
    pub(crate) offsets: Mutex<BTreeMap<String, usize>>,
    /// Ends of holds and payments as they were first.
    pub(crate) ends: Mutex<Vec<(Timestamp, Uuid)>>,
    pub(crate) lease: Mutex<Option<Lease>>,
    pub(crate) durations: Mutex<BTreeMap<String, Duration>>,
    pub(crate) rows: Mutex<BTreeSet<OutboxId>>,
    pub(crate) hidden: Mutex<BTreeSet<OutboxId>>,
    pub(crate) attempts: Mutex<BTreeMap<OutboxId, u32>>,
}

impl<P: ?Sized> Broken<P> {
    pub(crate) fn new(inner: Arc<P>, fault: Fault) -> Arc<Self> {
        Arc::new(Self { inner, fault, memory: Memory::default() })
    }

    pub(crate) fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }
}

/// Every mutant is noticed by the rules beside it, and every rule notices a mutant.
pub(crate) async fn every_rule_notices<B>(
    rules: &[Rule<B>],
    mutants: &[(Fault, &[&str])],
    open: fn() -> Memories<B>,
    broken: fn(B, Fault) -> B,
) where
    B: Clone + Debug + Send + Sync + 'static,
{
    // The wrapper itself breaks nothing.
    let report = run(rules, &Mapped::new(open(), move |backend| broken(backend, Fault::None))).await;
    assert!(report.broken.is_empty(), "{:?}", report.broken);
    assert_eq!(report.held.len(), rules.len());

    let mut blind = Vec::new();
    let mut named = BTreeSet::new();
    for (fault, names) in mutants {
        for name in *names {
            named.insert(*name);
            let rule = rules.iter().find(|rule| rule.name == *name).unwrap_or_else(|| panic!("no rule {name}"));
            let checked = match fault {
                Fault::ForgetsOnRestart => rule.check(&Amnesia(open())).await,
                fault => rule.check(&Mapped::new(open(), move |backend| broken(backend, *fault))).await,
            };
            match checked {
                Ok(()) => blind.push(format!("{name} does not notice {fault:?}")),
                // A mutant that falls over shows nothing.
                Err(violation) => assert!(!violation.to_string().contains("a panic"), "{fault:?}: {violation}"),
            }
        }
    }
    for rule in rules.iter().filter(|rule| !named.contains(rule.name)) {
        blind.push(format!("{} notices no mutant", rule.name));
    }
    assert!(blind.is_empty(), "{}", blind.join("\n"));
}

/// A backend that has lost everything when it comes back.
struct Amnesia<H>(H);

#[async_trait]
impl<B: Clone + Send + Sync + 'static, H: Harness<B>> Harness<B> for Amnesia<H> {
    async fn open(&self) -> Result<B> {
        self.0.open().await
    }

    async fn reopen(&self, _: B) -> Result<B> {
        self.0.open().await
    }

    async fn pass(&self, time: Duration) {
        self.0.pass(time).await;
    }

    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

/// A page cut out of everything by how many items came before, not by the cursor.
pub(crate) fn by_offset<T: Clone, C>(
    memory: &Memory,
    all: Vec<T>,
    after: Option<String>,
    limit: usize,
    cursor: impl Fn(&T) -> C,
    text: impl Fn(&C) -> String,
) -> Page<T, C> {
    let mut offsets = memory.offsets.lock().unwrap();
    let begin = after.and_then(|after| offsets.get(&after).copied()).unwrap_or(0);
    let page = Page::collect(all.into_iter().skip(begin), limit, cursor);
    if let Some(next) = &page.next {
        offsets.insert(text(next), begin + page.items.len());
    }
    page
}
