mod batches;
mod failures;
mod shutdown;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::*;

/// What the store does with a batch.
#[derive(Clone, Copy, Debug)]
enum Answer {
    TenTimes,
    Unavailable,
    TooFew,
    TooMany,
    Panic,
}

/// A store that answers each number with ten times the number, when it is let.
#[derive(Debug)]
struct Store {
    batches: Mutex<Vec<Vec<u32>>>,
    answers: Mutex<VecDeque<Answer>>,
    permits: Semaphore,
    fails_as_one: bool,
}

#[async_trait]
impl Commit<u32, u32> for Store {
    async fn commit(&self, batch: Vec<u32>) -> Result<Vec<u32>> {
        self.batches.lock().unwrap().push(batch.clone());
        self.permits.acquire().await.unwrap().forget();
        let answer = self.answers.lock().unwrap().pop_front();
        let mut outcomes: Vec<u32> = batch.iter().map(|number| number * 10).collect();
        match answer.unwrap_or(Answer::TenTimes) {
            Answer::TenTimes => {}
            Answer::Unavailable => return Err(Error::new(ErrorKind::Unavailable, "made to fail")),
            Answer::TooFew => drop(outcomes.pop()),
            Answer::TooMany => outcomes.push(0),
            Answer::Panic => panic!("made to panic"),
        }
        Ok(outcomes)
    }

    fn commutes(&self, number: &u32) -> bool {
        *number >= COMMUTING
    }

    fn fails_as_one(&self) -> bool {
        self.fails_as_one
    }
}

/// From here on numbers commute.
const COMMUTING: u32 = 1_000;

type Group = Arc<GroupCommit<u32, u32, Arc<()>>>;

/// A group commit before a store that answers nothing until it is let.
fn start(options: GroupCommitOptions) -> (Group, Arc<Store>) {
    start_before(Store::default(), options)
}

fn start_before(store: Store, options: GroupCommitOptions) -> (Group, Arc<Store>) {
    let store = Arc::new(store);
    (Arc::new(GroupCommit::start(Arc::clone(&store) as _, &options)), store)
}

fn some(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).unwrap()
}

impl Default for Store {
    fn default() -> Self {
        let permits = Semaphore::new(0);
        Self { batches: Mutex::default(), answers: Mutex::default(), permits, fails_as_one: false }
    }
}

impl Store {
    fn batches(&self) -> Vec<Vec<u32>> {
        self.batches.lock().unwrap().clone()
    }

    fn will(&self, answers: &[Answer]) {
        self.answers.lock().unwrap().extend(answers);
    }

    /// Lets this many batches through, and those they make way for get under way.
    async fn let_through(&self, batches: usize) {
        self.permits.add_permits(batches);
        settle().await;
    }
}

/// Lets every task go as far as it can; the runtime of these tests has one thread.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

/// A caller with a command, that has got as far as it can.
async fn ask(group: &Group, number: u32) -> JoinHandle<Result<u32>> {
    let group = Arc::clone(group);
    let caller = tokio::spawn(async move { group.one(0, number, Arc::default()).await });
    settle().await;
    caller
}

async fn ask_many(group: &Group, numbers: &[u32]) -> JoinHandle<Result<Vec<u32>>> {
    let (group, numbers) = (Arc::clone(group), numbers.to_vec());
    let caller = tokio::spawn(async move { group.many(0, numbers, Arc::default()).await });
    settle().await;
    caller
}

fn kind<T>(result: Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}
