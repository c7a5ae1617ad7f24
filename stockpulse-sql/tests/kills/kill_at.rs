//! A process that kills itself when it comes to a point. The tests of whole flows use this file too.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tracing::field::{Field, Visit};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;

/// Kills its own process at a point.
pub(crate) struct KillAt {
    point: String,
    left: AtomicU32,
}

impl KillAt {
    /// Watches what the stores of this process say, and kills it when they say this for the n-th time: `saved`, or
    /// `inventory: saved` of one part of the crate alone.
    pub(crate) fn watch(point: &str, nth: u32) -> Arc<Self> {
        let kill = Arc::new(Self { point: point.to_owned(), left: AtomicU32::new(nth) });
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Points(Arc::clone(&kill))))
            .unwrap();
        kill
    }

    pub(crate) fn reached(&self, point: &str) {
        if point == self.point && self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            let killed = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            panic!("this process outlived {killed:?}");
        }
    }
}

struct Points(Arc<KillAt>);

impl<S: tracing::Subscriber> Layer<S> for Points {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        struct Message(String);

        impl Visit for Message {
            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                if field.name() == "message" {
                    self.0 = format!("{value:?}");
                }
            }
        }

        if event.metadata().target().starts_with("stockpulse_sql") {
            let mut message = Message(String::new());
            event.record(&mut message);
            self.0.reached(&message.0);
            // The same in one part of the crate alone.
            let part = event.metadata().target().split("::").nth(1).unwrap_or_default();
            self.0.reached(&format!("{part}: {}", message.0));
        }
    }
}

impl std::fmt::Debug for KillAt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.point)
    }
}
