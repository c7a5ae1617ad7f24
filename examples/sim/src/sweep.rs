//! Seeds on all cores.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;

use stockpulse_core::Result;
use stockpulse_core::sim::Report;

use crate::args::Args;

/// Runs every seed, and hands over its report as soon as it is there.
pub(crate) fn run(args: &Args, mut seen: impl FnMut(Report)) -> Result<()> {
    let threads = args.threads.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
    let (next, end) = (AtomicU64::new(args.first), args.first.saturating_add(args.seeds));
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..threads {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end || sender.send(args.simulation(seed).run()).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for report in receiver {
            seen(report?);
        }
        Ok(())
    })
}
