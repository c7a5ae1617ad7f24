//! That the suite notices what is broken.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use stockpulse_core::Result;
use stockpulse_core::conformance::{Harness, Rule};
use stockpulse_core::model::Timestamp;

/// A harness for backends that are broken: what has to come is waited for less long, and a restart may lose everything.
pub(crate) struct Hasty<H> {
    pub(crate) harness: H,
    pub(crate) forgets: bool,
    pub(crate) deadline: Duration,
}

/// How long a rule may take on a backend that is broken, or on one that is whole.
pub(crate) const fn deadline(broken: bool) -> Duration {
    Duration::from_secs(if broken { 3 } else { 30 })
}

#[async_trait]
impl<B: Clone + Send + Sync + 'static, H: Harness<B>> Harness<B> for Hasty<H> {
    async fn open(&self) -> Result<B> {
        self.harness.open().await
    }

    async fn reopen(&self, backend: B) -> Result<B> {
        if self.forgets { self.harness.open().await } else { self.harness.reopen(backend).await }
    }

    async fn pass(&self, time: Duration) {
        self.harness.pass(time).await;
    }

    fn now(&self) -> Timestamp {
        self.harness.now()
    }

    fn deadline(&self) -> Duration {
        self.deadline
    }
}

/// Each of these faults breaks the rules beside it, and each rule is beside some fault.
pub(crate) async fn each_fault_is_noticed<B, F, H>(
    rules: &'static [Rule<B>],
    faults: &[(F, &[&'static str])],
    harness: impl Fn(F) -> H,
) where
    B: Clone + Send + Sync + 'static,
    F: Copy + Debug,
    H: Harness<B>,
{
    let pairs = faults.iter().flat_map(|(fault, names)| names.iter().map(move |name| (*fault, *name)));
    let checks = pairs.map(|(fault, name)| {
        let rule = rules.iter().find(|rule| rule.name == name).unwrap();
        let harness = harness(fault);
        async move { (fault, name, rule.check(&harness).await) }
    });
    let held = join_all(checks).await.into_iter().filter(|(_, _, result)| result.is_ok());
    let held: Vec<String> = held.map(|(fault, name, _)| format!("{fault:?}: {name}")).collect();
    assert_eq!(held, Vec::<String>::new(), "rules that did not notice a fault");
    let named: BTreeSet<&str> = faults.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    let all: BTreeSet<&str> = rules.iter().map(|rule| rule.name).collect();
    assert_eq!(named, all, "rules that notice some fault, and all rules");
}

/// Without a fault the same backend keeps every rule.
pub(crate) async fn nothing_is_noticed_without_a_fault<B, H: Harness<B>>(
    rules: &'static [Rule<B>],
    harness: impl Fn() -> H,
) where
    B: Clone + Send + Sync + 'static,
{
    let broken = join_all(rules.iter().map(|rule| {
        let harness = harness();
        async move { (rule.name, rule.check(&harness).await) }
    }));
    let broken: Vec<_> = broken.await.into_iter().filter(|(_, result)| result.is_err()).collect();
    assert!(broken.is_empty(), "{broken:?}");
}
