//! How much memory a process takes while its broker is away and it goes on accepting orders.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::broker::Broker;
use crate::place::{Schema, topics};
use crate::shop::Shop;

/// How long the broker is stopped, and then how long it is dead.
const AWAY: Duration = Duration::from_secs(5);
/// How many orders are placed at a time.
const CALLERS: usize = 256;

/// Prints it.
pub(crate) async fn run(postgres: &str) {
    let broker = tokio::task::spawn_blocking(|| Broker::new("memory while the broker is away")).await;
    let Some(mut broker) = broker.expect("a broker that starts") else { return };
    let schema = Schema::new(postgres).await;
    let shop = Arc::new(Shop::open(&topics(&broker.address()).await, &schema).await);
    shop.confirm().await;
    let (accepted, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let caller = || {
        let (shop, accepted, stop) = (Arc::clone(&shop), Arc::clone(&accepted), Arc::clone(&stop));
        tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                shop.accept().await;
                accepted.fetch_add(1, Ordering::Relaxed);
            }
        })
    };
    let callers: Vec<_> = std::iter::repeat_with(caller).take(CALLERS).collect();
    tokio::time::sleep(Duration::from_secs(2)).await;

    println!("| the broker | orders accepted | MiB resident |\n|---|--:|--:|");
    print("answers", &accepted);
    broker.pause();
    tokio::time::sleep(AWAY).await;
    print("was stopped for 5 s", &accepted);
    broker.kill();
    tokio::time::sleep(AWAY).await;
    print("was then dead for 5 s", &accepted);
    stop.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.expect("orders are accepted without a broker");
    }
    broker.start();
    // All that waits is published before it.
    shop.confirm().await;
    print("is back, and everything is published", &accepted);
    Arc::into_inner(shop).expect("nobody places orders any more").close().await;
    schema.remove().await;
}

fn print(what: &str, accepted: &AtomicUsize) {
    println!("| {what} | {} | {} |", accepted.load(Ordering::Relaxed), resident() >> 20);
}

/// The resident memory of this process in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a figure");
    line.trim().trim_end_matches("kB").trim().parse::<usize>().expect("a number") * 1_024
}
