//! What is measured, and how it is printed.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::load::drive;
use crate::server::Redis;

/// How often each is measured, in turns; the middle one is shown.
pub(crate) const ROUNDS: usize = 3;
/// How long each figure is measured.
pub(crate) const TIME: Duration = Duration::from_secs(2);

/// What callers met with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) per_second: f64,
    /// Milliseconds that half of the calls took at most.
    pub(crate) p50: f64,
    /// Milliseconds that 99 of 100 calls took at most.
    pub(crate) p99: f64,
    /// Microseconds of the server's processor for each.
    pub(crate) redis: f64,
    /// Microseconds of processors for each in this process, callers included.
    pub(crate) here: f64,
}

/// Runs callers for a while, each of whose calls is about so many items.
#[expect(clippy::cast_precision_loss, reason = "a batch")]
pub(crate) async fn measure<C, F, Fut>(redis: &Redis, callers: Vec<C>, items: usize, call: F) -> Row
where
    C: Send + 'static,
    F: Fn(C) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = C> + Send,
{
    let spent = Spent::begin(redis).await;
    let measured = drive(callers, TIME, call).await;
    let (by_redis, here) = spent.per_second(redis).await;
    let per_second = measured.per_second * items as f64;
    Row {
        per_second,
        p50: measured.p50,
        p99: measured.p99,
        redis: by_redis * 1e6 / per_second,
        here: here * 1e6 / per_second,
    }
}

/// The time of processors that is spent meanwhile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spent {
    begun: Instant,
    redis: f64,
    here: Duration,
}

impl Spent {
    pub(crate) async fn begin(redis: &Redis) -> Self {
        Self { redis: redis.processor().await, begun: now(), here: processor() }
    }

    /// How many processors the server and this process kept busy.
    pub(crate) async fn per_second(self, redis: &Redis) -> (f64, f64) {
        let (time, here) = (self.begun.elapsed().as_secs_f64(), processor().saturating_sub(self.here));
        ((redis.processor().await - self.redis) / time, here.as_secs_f64() / time)
    }
}

/// The processors' time that this process has taken.
fn processor() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The lines of a table, each measured several times.
#[derive(Debug, Default)]
pub(crate) struct Table(Vec<(String, Vec<Row>)>);

impl Table {
    /// Adds what was measured to the line of this name.
    pub(crate) fn add(&mut self, name: impl Into<String>, row: Row) {
        let name = name.into();
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, rows)) => rows.push(row),
            None => self.0.push((name, vec![row])),
        }
    }

    /// Prints the middle one of each, as a share of the line that is named.
    pub(crate) fn print(self, title: &str, share_of: &str) {
        println!(
            "\n| {title} | each second | p50 ms | p99 ms | µs of Redis | µs here | × |\n|---|--:|--:|--:|--:|--:|--:|"
        );
        let middle = |rows: &[Row]| {
            let mut rows = rows.to_vec();
            rows.sort_unstable_by(|one, other| one.per_second.total_cmp(&other.per_second));
            rows[rows.len() / 2]
        };
        let whole = self.0.iter().find(|(name, _)| name == share_of).map(|(_, rows)| middle(rows).per_second);
        for (name, rows) in &self.0 {
            let Row { per_second, p50, p99, redis, here } = middle(rows);
            let share = whole.map_or(f64::NAN, |whole| per_second / whole);
            println!("| {name} | {per_second:.0} | {p50:.2} | {p99:.2} | {redis:.2} | {here:.2} | {share:.2} |");
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
