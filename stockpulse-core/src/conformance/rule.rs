//! A rule, and what comes of trying it.

use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::harness::Harness;
use crate::error::Error;
use crate::service::panic_message;

/// What a backend has to do, and how to find out whether it does.
pub struct Rule<B: 'static> {
    /// Its name, which is the name of its test.
    pub name: &'static str,
    /// What it means.
    pub meaning: &'static str,
    pub(super) check: Check<B>,
}

pub(super) type Check<B> = for<'a> fn(&'a dyn Harness<B>) -> BoxFuture<'a, Result<(), Violation>>;

impl<B> fmt::Debug for Rule<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule").field("name", &self.name).field("meaning", &self.meaning).finish()
    }
}

impl<B: Clone + Send + Sync + 'static> Rule<B> {
    /// Tries the rule on a backend that is opened for it.
    ///
    /// # Errors
    /// How it was broken. That it did not end before the harness's deadline, or that the backend panicked, is a
    /// violation as well.
    pub async fn check(&self, harness: &dyn Harness<B>) -> Result<(), Violation> {
        let deadline = harness.deadline();
        let check = AssertUnwindSafe((self.check)(harness)).catch_unwind();
        match tokio::time::timeout(deadline, check).await {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => Err(Violation::new(format!("a panic: {}", panic_message(&*panic)))),
            Err(_) => Err(Violation::new(format!("not at an end after {deadline:?}"))),
        }
    }
}

/// How a rule was broken.
pub struct Violation(String);

impl Violation {
    /// A violation in these words.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// Two things that should be equal are not.
    pub(super) fn unequal(what: &str, found: &dyn fmt::Debug, expected: &dyn fmt::Debug) -> Self {
        Self(format!("{what}\n   found: {}\nexpected: {}", shortened(found), shortened(expected)))
    }

    /// Says where it happened, in front of the rest.
    #[must_use]
    pub fn during(self, place: impl fmt::Display) -> Self {
        Self(format!("{place}: {}", self.0))
    }
}

/// The text of a value, cut where nobody reads on.
fn shortened(value: &dyn fmt::Debug) -> String {
    const MAX: usize = 2_000;
    let text = format!("{value:?}");
    match text.char_indices().nth(MAX) {
        None => text,
        Some((end, _)) => format!("{} …", &text[..end]),
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Violation {
    /// The message as it is: a failed test prints this.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Violation {}

impl From<Error> for Violation {
    fn from(error: Error) -> Self {
        Self(format!("failed with {:?}: {error}", error.kind()))
    }
}

/// What came of trying a list of rules.
#[derive(Debug, Default)]
pub struct Report {
    /// The rules that held.
    pub held: Vec<&'static str>,
    /// The rules that were broken, and how.
    pub broken: Vec<(&'static str, Violation)>,
    /// Why none was tried, if so.
    pub skipped: Option<String>,
}

impl Report {
    /// The names of the rules that were broken.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        self.broken.iter().map(|(name, _)| *name).collect()
    }
}

/// Tries rules, one after the other, each on a fresh backend.
pub async fn run<B: Clone + Send + Sync + 'static>(rules: &[Rule<B>], harness: &dyn Harness<B>) -> Report {
    let mut report = Report { skipped: harness.skip(), ..Report::default() };
    if report.skipped.is_some() {
        return report;
    }
    for rule in rules {
        match rule.check(harness).await {
            Ok(()) => report.held.push(rule.name),
            Err(violation) => report.broken.push((rule.name, violation)),
        }
    }
    report
}

/// What the test of one rule does: tries it on a runtime of its own with several threads.
///
/// If the harness says that it cannot run here, it prints `SKIP` with the reason; with `STOCKPULSE_REQUIRE=all` in the
/// environment that is a violation.
///
/// # Errors
/// How the rule was broken.
pub fn test<B, H>(rules: &[Rule<B>], name: &str, harness: impl Future<Output = H>) -> Result<(), Violation>
where
    B: Clone + Send + Sync + 'static,
    H: Harness<B>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(|error| Violation::new(format!("no runtime: {error}")))?;
    runtime.block_on(async {
        let harness = harness.await;
        if let Some(reason) = harness.skip() {
            return skip(name, &reason);
        }
        let rule = rules.iter().find(|rule| rule.name == name);
        rule.ok_or_else(|| Violation::new(format!("no rule {name}")))?.check(&harness).await
    })
}

#[expect(clippy::print_stderr, reason = "who runs the tests has to see what was not tested")]
fn skip(name: &str, reason: &str) -> Result<(), Violation> {
    eprintln!("SKIP {name}: {reason}");
    match std::env::var("STOCKPULSE_REQUIRE") {
        Ok(required) if required == "all" => Err(Violation::new(format!("skipped: {reason}"))),
        _ => Ok(()),
    }
}
