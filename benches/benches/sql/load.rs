//! Callers that each ask again as soon as they are answered, and how long they waited.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long callers run before anything is counted.
const WARM_UP: Duration = Duration::from_millis(700);

/// What callers met with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) per_second: f64,
    /// Milliseconds that half of the answers took at most.
    pub(crate) p50: f64,
    /// Milliseconds that 99 of 100 answers took at most.
    pub(crate) p99: f64,
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
fn now() -> Instant {
    Instant::now()
}

/// Runs callers for a while. `call` makes the next call of a caller.
pub(crate) async fn drive<C, F, Fut>(callers: Vec<C>, time: Duration, call: F) -> Measured
where
    C: Send + 'static,
    F: Fn(C) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = C> + Send,
{
    let (counting, stop) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let tasks: Vec<_> = callers
        .into_iter()
        .map(|mut caller| {
            let (counting, stop, call) = (Arc::clone(&counting), Arc::clone(&stop), call.clone());
            tokio::spawn(async move {
                let mut waits: Vec<u32> = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let (begun, counted) = (now(), counting.load(Ordering::Relaxed));
                    caller = call(caller).await;
                    if counted && counting.load(Ordering::Relaxed) {
                        waits.push(u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX));
                    }
                }
                waits
            })
        })
        .collect();
    tokio::time::sleep(WARM_UP).await;
    counting.store(true, Ordering::Relaxed);
    let begun = now();
    tokio::time::sleep(time).await;
    counting.store(false, Ordering::Relaxed);
    let time = begun.elapsed();
    stop.store(true, Ordering::Relaxed);
    let mut waits = Vec::new();
    for task in tasks {
        waits.extend(task.await.expect("no caller panics"));
    }
    waits.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "counts of a few seconds")]
    let per_second = waits.len() as f64 / time.as_secs_f64();
    let at =
        |hundredths: usize| waits.get(waits.len() * hundredths / 100).map_or(0.0, |wait| f64::from(*wait) / 1_000.0);
    Measured { per_second, p50: at(50), p99: at(99) }
}
