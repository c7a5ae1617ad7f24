//! Inventory in a process of its own, to be killed: these tests once more, told by a variable what to do.

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::SystemClock;
use stockpulse_core::worker::Supervisor;

use crate::kafka::Kafka;
use crate::kill_at::KillAt;
use crate::shop::Shop;
use crate::support::{Kind, Place};

/// The variable, and the test that reads it.
const ORDERS: &str = "STOCKPULSE_FLOW_CHILD";
const TEST: &str = "member::runs_only_as_a_child";

/// A member of the group `inventory`, which ends with its owner.
#[derive(Debug)]
pub(crate) struct Member(Child);

impl Member {
    /// Starts one that kills itself at a point of the store's, if it comes there so often.
    pub(crate) fn start((kind, place): (Kind, &Place), kafka: &Kafka, commits: Duration, kill_at: (&str, u32)) -> Self {
        let (options, (point, nth)) = (&kafka.options, kill_at);
        let at = [place.name(), place.url(), &options.brokers, &options.prefix].join("\n");
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([TEST, "--exact", "--nocapture", "--test-threads=1"]);
        command.env(ORDERS, format!("{kind:?}\n{at}\n{}\n{point}\n{nth}", commits.as_millis()));
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap())
    }

    /// Waits until it is dead, and says whether it was killed.
    pub(crate) fn died(mut self) -> bool {
        self.0.wait().unwrap().signal() == Some(9)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_only_as_a_child() {
    let Ok(orders) = std::env::var(ORDERS) else { return };
    let [kind, name, url, broker, prefix, commits, point, nth] =
        orders.split('\n').collect::<Vec<_>>().try_into().unwrap();
    KillAt::watch(point, nth.parse().unwrap());
    let kind = [Kind::Postgres, Kind::Sqlite].into_iter().find(|known| format!("{known:?}") == kind).unwrap();
    let commits = Duration::from_millis(commits.parse().unwrap());
    let mut shop = Shop::open(&Place::existing(kind, name, url), "child").await;
    shop.bus = Kafka::existing(broker, prefix, commits).bus();
    let mut workers = Supervisor::new(Arc::new(SystemClock));
    shop.reserve(&mut workers);
    // Its parent ends it, or has died.
    tokio::time::sleep(Duration::from_secs(180)).await;
}
