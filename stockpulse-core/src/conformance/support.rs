//! What rules of several ports share: ids that nobody else uses, names, and waiting.

use std::num::NonZeroUsize;
use std::task::Poll;
use std::time::Duration;

use uuid::Uuid;

use super::harness::Harness;
use super::rule::Violation;
use crate::error::Result;
use crate::model::Sku;
use crate::port::{Clock, IdGenerator};
use crate::system::{RandomIds, SystemClock};

/// An id that no other rule and no other run uses.
pub(super) fn fresh() -> Uuid {
    RandomIds.next_id(SystemClock.now())
}

/// A SKU.
pub(super) fn sku(name: impl AsRef<str>) -> Result<Sku> {
    Sku::new(name)
}

/// A limit; zero counts as one.
pub(super) fn limit(items: usize) -> NonZeroUsize {
    NonZeroUsize::new(items).unwrap_or(NonZeroUsize::MIN)
}

/// Asks again and again until there is an answer, letting time pass in between, and gives up after about ten
/// seconds of the backend's time.
pub(super) async fn eventually<B, T, F>(
    harness: &dyn Harness<B>,
    what: &str,
    mut ask: impl FnMut() -> F,
) -> Result<T, Violation>
where
    B: Clone + Send + Sync + 'static,
    F: Future<Output = Result<Option<T>, Violation>>,
{
    for _ in 0..200 {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        harness.pass(Duration::from_millis(50)).await;
        tokio::task::yield_now().await;
    }
    Err(Violation::new(format!("{what}: not within ten seconds")))
}

/// Runs calls at once, each in a task of its own, and gathers what they answer, in their order.
pub(super) async fn together<T, F>(calls: impl IntoIterator<Item = F>) -> Result<Vec<T>, Violation>
where
    T: Send + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    let tasks: Vec<_> = calls.into_iter().map(tokio::spawn).collect();
    let mut answers = Vec::with_capacity(tasks.len());
    for task in tasks {
        let answer = task.await.map_err(|error| Violation::new(format!("one of many at once: {error}")))?;
        answers.push(answer.map_err(|error| Violation::from(error).during("one of many at once"))?);
    }
    Ok(answers)
}

/// Polls a future so many times at most, as often as it wants to be polled, and then drops it. Answers what it
/// answered, if it did.
pub(super) async fn polled<F: Future>(future: F, most: u32) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    let mut polls = 0;
    std::future::poll_fn(|context| {
        if polls == most {
            return Poll::Ready(None);
        }
        polls += 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// SKUs that some collation, normalization or column type takes for each other, or cuts.
pub(super) fn look_alikes() -> Result<Vec<Sku>> {
    let long = "x".repeat(254);
    let names = [
        "MUG".to_owned(),
        "mug".to_owned(),
        "Mug".to_owned(),
        "MUG ".to_owned(),
        " MUG".to_owned(),
        "MUG\u{a0}".to_owned(),
        // é as one character, and as e with an accent that combines.
        "caf\u{e9}".to_owned(),
        "cafe\u{301}".to_owned(),
        "cafe".to_owned(),
        "stra\u{df}e".to_owned(),
        "strasse".to_owned(),
        // Latin, Greek and Cyrillic A; Kelvin and K; the Turkish i.
        "A".to_owned(),
        "\u{391}".to_owned(),
        "\u{410}".to_owned(),
        "K".to_owned(),
        "\u{212a}".to_owned(),
        "i".to_owned(),
        "\u{131}".to_owned(),
        "\u{130}".to_owned(),
        // Outside the basic plane, alone, with a joiner, and without.
        "\u{1f375}".to_owned(),
        "\u{1f376}".to_owned(),
        "\u{1f469}\u{200d}\u{1f680}".to_owned(),
        "\u{1f469}\u{1f680}".to_owned(),
        "50%".to_owned(),
        "50_".to_owned(),
        "it's \"quoted\" \\ ; -- null".to_owned(),
        "1".to_owned(),
        "01".to_owned(),
        "1.0".to_owned(),
        format!("{long}a"),
        format!("{long}A"),
        format!("{long}b"),
        "\u{e9}".repeat(127),
    ];
    names.iter().map(Sku::new).collect()
}

/// A page of five items: after which of them, how many at most; then from which to which it holds, and after which the
/// next one begins.
pub(super) type Cut = (Option<usize>, usize, usize, usize, Option<usize>);

/// Pages of five items that a store has to cut right.
pub(super) const PAGES: [Cut; 7] = [
    (None, 1, 0, 1, Some(0)),
    (Some(0), 1, 1, 2, Some(1)),
    (Some(3), 1, 4, 5, None),
    (None, 5, 0, 5, None),
    (None, 4, 0, 4, Some(3)),
    (Some(1), 100, 2, 5, None),
    (Some(4), 1, 5, 5, None),
];
