//! Callers who read a cache at the same time share a call of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use tokio::sync::Semaphore;

use crate::port::{Cache, CacheKey, Cached};

/// How many calls are under way before callers share the next: one that is answered and one that is on its way.
const CALLS: usize = 2;
/// How many keys a call is about at most.
const KEYS: usize = 256;
/// How long a call waits for another one to end: a cache that hangs costs nobody the wait for somebody else's call.
const PATIENCE: Duration = Duration::from_millis(1);

/// What a call found, in the order of its keys; nothing at all if it failed.
type Found = Arc<Vec<Option<Cached>>>;
type Call = BoxFuture<'static, Found>;

/// A cache whose readers share calls. While few are under way each makes its own. Clones share theirs.
#[derive(Clone, Debug)]
pub(super) struct Gather {
    cache: Arc<dyn Cache>,
    calls: Arc<Semaphore>,
    next: Arc<Mutex<Option<Next>>>,
}

/// The call that is made next.
#[derive(Debug)]
struct Next {
    call: WeakShared<Call>,
    keys: Keys,
}

/// What a call is about; `None` once it is being made.
type Keys = Arc<Mutex<Option<Vec<CacheKey>>>>;

impl Gather {
    pub(super) fn new(cache: Arc<dyn Cache>) -> Self {
        Self { cache, calls: Arc::new(Semaphore::new(CALLS)), next: Arc::default() }
    }

    /// What there is, aligned with `keys`; nothing at all if the cache fails. A call goes on as long as somebody waits
    /// for it.
    pub(super) async fn get(&self, keys: Vec<CacheKey>) -> Vec<Option<Cached>> {
        if let Ok(_call) = self.calls.try_acquire() {
            return read(&self.cache, &keys).await;
        }
        let count = keys.len();
        let (call, first) = self.join(keys);
        let found = call.await;
        found.iter().skip(first).take(count).cloned().collect()
    }

    /// The call that will read these keys, and where in it they are.
    fn join(&self, keys: Vec<CacheKey>) -> (Shared<Call>, usize) {
        let mut next = lock(&self.next);
        if let Some(Next { call, keys: there }) = &*next
            && let Some(call) = call.upgrade()
            && let Some(there) = &mut *lock(there)
            && there.len() + keys.len() <= KEYS
        {
            let first = there.len();
            there.extend(keys);
            return (call, first);
        }
        let keys: Keys = Arc::new(Mutex::new(Some(keys)));
        let (this, about) = (self.clone(), Arc::clone(&keys));
        let call = async move {
            let _call = tokio::time::timeout(PATIENCE, this.calls.acquire()).await;
            let keys = lock(&about).take().unwrap_or_default();
            Arc::new(read(&this.cache, &keys).await)
        };
        let call: Shared<Call> = call.boxed().shared();
        *next = call.downgrade().map(|call| Next { call, keys });
        (call, 0)
    }
}

async fn read(cache: &Arc<dyn Cache>, keys: &[CacheKey]) -> Vec<Option<Cached>> {
    cache.get(keys).await.unwrap_or_else(|error| {
        tracing::warn!(%error, keys = keys.len(), "cache failed; reading from the store");
        Vec::new()
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
