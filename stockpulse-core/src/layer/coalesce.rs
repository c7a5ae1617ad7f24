//! Callers who share calls.

use std::fmt::Debug;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use tokio::sync::Semaphore;

use crate::error::{Error, Result};
use crate::model::ReservationId;
use crate::port::{Admission, AdmissionGate, AdmitRequest, Cache, CacheKey, CachePut, Cached, GateLevel};

/// How many calls are under way before callers share the next. Fewer would share more, and leave the server without work
/// while answers are handed out.
const CALLS: usize = 8;
/// What a call is about at most.
const ITEMS: usize = 256;
/// How long a call waits for another one to end: a server that hangs costs nobody the wait for somebody else's call.
const PATIENCE: Duration = Duration::from_millis(1);

/// A cache whose readers share calls. Clones share theirs.
///
/// While fewer than eight calls are under way, each reader makes its own. Who comes then shares the next with everybody else
/// who does, up to 256 keys: it is made when one of the eight has ended, or after a millisecond. Writes go straight through.
///
/// `Inventory`, `Catalog` and `Orders` do this with the cache that they are given.
#[derive(Clone, Debug)]
pub struct CoalescedCache {
    cache: Arc<dyn Cache>,
    reads: Coalesce<Reads>,
}

impl CoalescedCache {
    /// Lets the readers of a cache share calls.
    #[must_use]
    pub fn new(cache: Arc<dyn Cache>) -> Self {
        Self { reads: Coalesce::new(Reads(Arc::clone(&cache))), cache }
    }
}

/// An admission gate whose callers share calls, as the readers of a [`CoalescedCache`] do, up to 256 requests. Outcomes and
/// figures go straight through. Clones share their calls.
///
/// For a process that asks a gate and has no `Inventory`, which does as much and gives back the places of callers who have
/// gone away. Those that are let through here keep theirs until somebody releases them, or their time is over.
#[derive(Clone, Debug)]
pub struct CoalescedGate {
    gate: Arc<dyn AdmissionGate>,
    admits: Coalesce<Admits>,
}

impl CoalescedGate {
    /// Lets the callers of a gate share calls.
    #[must_use]
    pub fn new(gate: Arc<dyn AdmissionGate>) -> Self {
        Self { admits: Coalesce::new(Admits(Arc::clone(&gate))), gate }
    }
}

#[async_trait]
impl Cache for CoalescedCache {
    async fn get(&self, keys: &[CacheKey]) -> Result<Vec<Option<Cached>>> {
        self.reads.call(keys).await
    }

    async fn put(&self, batch: Vec<CachePut>) -> Result<()> {
        self.cache.put(batch).await
    }

    async fn invalidate(&self, floors: &[(CacheKey, u64)], ttl: Duration) -> Result<()> {
        self.cache.invalidate(floors, ttl).await
    }
}

#[async_trait]
impl AdmissionGate for CoalescedGate {
    async fn admit(&self, batch: &[AdmitRequest]) -> Result<Vec<Admission>> {
        self.admits.call(batch).await
    }

    async fn settle(&self, reservations: &[ReservationId]) -> Result<()> {
        self.gate.settle(reservations).await
    }

    async fn release(&self, reservations: &[ReservationId]) -> Result<()> {
        self.gate.release(reservations).await
    }

    async fn reconcile(&self, levels: &[GateLevel]) -> Result<()> {
        self.gate.reconcile(levels).await
    }
}

/// A call that takes any number of items, and answers each by itself.
#[async_trait]
trait Batched: Debug + Send + Sync + 'static {
    type Item: Clone + Debug + Send + Sync + 'static;
    type Answer: Clone + Debug + Send + Sync + 'static;

    async fn make(&self, items: &[Self::Item]) -> Result<Vec<Self::Answer>>;
}

#[derive(Debug)]
struct Reads(Arc<dyn Cache>);

#[async_trait]
impl Batched for Reads {
    type Item = CacheKey;
    type Answer = Option<Cached>;

    async fn make(&self, keys: &[CacheKey]) -> Result<Vec<Option<Cached>>> {
        self.0.get(keys).await
    }
}

#[derive(Debug)]
struct Admits(Arc<dyn AdmissionGate>);

#[async_trait]
impl Batched for Admits {
    type Item = AdmitRequest;
    type Answer = Admission;

    async fn make(&self, batch: &[AdmitRequest]) -> Result<Vec<Admission>> {
        self.0.admit(batch).await
    }
}

type Answers<B> = Result<Arc<Vec<<B as Batched>::Answer>>, Arc<Error>>;
type Calling<B> = BoxFuture<'static, Answers<B>>;
/// What a call is about; `None` once it is being made.
type Items<B> = Arc<Mutex<Option<Vec<<B as Batched>::Item>>>>;

/// Calls that are shared. Clones share them.
#[derive(Debug)]
struct Coalesce<B: Batched> {
    batched: Arc<B>,
    calls: Arc<Semaphore>,
    next: Arc<Mutex<Option<Next<B>>>>,
}

// Derived, it would ask for calls that can be cloned.
impl<B: Batched> Clone for Coalesce<B> {
    fn clone(&self) -> Self {
        Self { batched: Arc::clone(&self.batched), calls: Arc::clone(&self.calls), next: Arc::clone(&self.next) }
    }
}

/// The call that is made next.
#[derive(Debug)]
struct Next<B: Batched> {
    call: WeakShared<Calling<B>>,
    items: Items<B>,
}

impl<B: Batched> Coalesce<B> {
    fn new(batched: B) -> Self {
        Self { batched: Arc::new(batched), calls: Arc::new(Semaphore::new(CALLS)), next: Arc::default() }
    }

    /// Answers, aligned with `items`. A shared call goes on as long as somebody waits for it.
    async fn call(&self, items: &[B::Item]) -> Result<Vec<B::Answer>> {
        if let Ok(_call) = self.calls.try_acquire() {
            return self.batched.make(items).await;
        }
        let (call, place) = self.join(items);
        let answers = call.await.map_err(|error| error.duplicate())?;
        let answers =
            answers.get(place).ok_or_else(|| Error::corrupt("a call answered fewer items than were asked"))?;
        Ok(answers.to_vec())
    }

    /// The call that will be about these items, and where in it they are.
    fn join(&self, items: &[B::Item]) -> (Shared<Calling<B>>, Range<usize>) {
        let mut next = lock(&self.next);
        if let Some(Next { call, items: there }) = &*next
            && let Some(call) = call.upgrade()
            && let Some(there) = &mut *lock(there)
            && there.len() + items.len() <= ITEMS
        {
            let first = there.len();
            there.extend_from_slice(items);
            return (call, first..there.len());
        }
        let place = 0..items.len();
        let items: Items<B> = Arc::new(Mutex::new(Some(items.to_vec())));
        let (this, about) = (self.clone(), Arc::clone(&items));
        let call = async move {
            let _call = tokio::time::timeout(PATIENCE, this.calls.acquire()).await;
            let items = lock(&about).take().unwrap_or_default();
            this.batched.make(&items).await.map(Arc::new).map_err(Arc::new)
        };
        let call: Shared<Calling<B>> = call.boxed().shared();
        *next = call.downgrade().map(|call| Next { call, items });
        (call, place)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
