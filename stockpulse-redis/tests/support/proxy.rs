//! A way to the server that can be cut, held up or slowed down.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use stockpulse_core::SystemClock;
use stockpulse_core::port::Clock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What becomes of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// They pass.
    Open,
    /// They pass after a while.
    Slow(Duration),
    /// They are taken and go nowhere; connections are accepted all the same.
    HalfOpen,
}

/// A proxy on loopback.
pub(crate) struct Proxy {
    way: watch::Sender<Way>,
    sent: Arc<AtomicUsize>,
    port: u16,
}

impl Proxy {
    /// A proxy to this port, which is open.
    pub(crate) async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (way, ways) = watch::channel(Way::Open);
        let sent = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&sent);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else { continue };
                let ((from, to), (back_from, back_to)) = (client.into_split(), server.into_split());
                tokio::spawn(pass(from, back_to, ways.clone(), Some(Arc::clone(&counted))));
                tokio::spawn(pass(back_from, to, ways.clone(), None));
            }
        });
        Self { way, sent, port }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn set(&self, way: Way) {
        self.way.send_replace(way);
    }

    /// How many pieces clients have sent so far, whether they arrived or not.
    pub(crate) fn sent(&self) -> usize {
        self.sent.load(Ordering::SeqCst)
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    way: watch::Receiver<Way>,
    counted: Option<Arc<AtomicUsize>>,
) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if let Some(counted) = &counted {
            counted.fetch_add(1, Ordering::SeqCst);
        }
        let now = *way.borrow();
        match now {
            Way::Open => {}
            Way::Slow(time) => SystemClock.sleep(time).await,
            // What is swallowed once is missing for good, as when a route is gone.
            Way::HalfOpen => continue,
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
