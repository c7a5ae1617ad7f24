//! A connection that can be cut: a proxy on loopback before a server.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// Forwards connections. Dropped it takes no more; those that are open end with the runtime.
#[derive(Debug)]
pub(crate) struct Proxy {
    port: u16,
    orders: Arc<Mutex<Orders>>,
    accepting: AbortHandle,
}

#[derive(Debug, Default)]
struct Orders {
    /// What a client says before its answer is lost and its connection cut. This happens once.
    cut: Option<Vec<u8>>,
    /// How long every answer takes on its way.
    delay: Duration,
    /// How often a connection was cut.
    cuts: u32,
}

impl Proxy {
    /// Before the server that this URL names.
    pub(crate) async fn before(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, orders) = (listener.local_addr().unwrap().port(), Arc::<Mutex<Orders>>::default());
        let (server, shared) = (authority(url).to_owned(), Arc::clone(&orders));
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(forward(client, TcpStream::connect(&server).await.unwrap(), Arc::clone(&shared)));
            }
        });
        Self { port, orders, accepting: accepting.abort_handle() }
    }

    /// The URL through the proxy.
    pub(crate) fn url(&self, url: &str) -> String {
        url.replacen(authority(url), &format!("127.0.0.1:{}", self.port), 1)
    }

    /// Loses the answer to whatever contains this, once.
    pub(crate) fn cut(&self, what: &[u8]) {
        self.orders.lock().unwrap().cut = Some(what.to_vec());
    }

    /// How often a connection was cut.
    pub(crate) fn cuts(&self) -> u32 {
        self.orders.lock().unwrap().cuts
    }

    /// Lets every answer take so long.
    pub(crate) fn delay(&self, delay: Duration) {
        self.orders.lock().unwrap().delay = delay;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// The host and port of a URL.
fn authority(url: &str) -> &str {
    let (_, rest) = url.split_once("://").unwrap();
    let (authority, _) = rest.split_once('/').unwrap_or((rest, ""));
    authority.rsplit_once('@').map_or(authority, |(_, authority)| authority)
}

async fn forward(client: TcpStream, server: TcpStream, orders: Arc<Mutex<Orders>>) {
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let (mute, muted) = watch::channel(false);
    // Whichever ends first takes both with it.
    tokio::select! {
        () = requests(from_client, to_server, &orders, mute) => {}
        () = answers(from_server, to_client, &orders, muted) => {}
    }
}

async fn requests(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, orders: &Mutex<Orders>, mute: watch::Sender<bool>) {
    let mut buffer = vec![0; 64 << 10];
    let mut said = Vec::new();
    while let Ok(read) = from.read(&mut buffer).await {
        if read == 0 {
            return;
        }
        said.extend_from_slice(&buffer[..read]);
        {
            let mut orders = orders.lock().unwrap();
            let found = |what: &Vec<u8>| said.windows(what.len()).any(|part| part == what);
            if orders.cut.as_ref().is_some_and(found) {
                orders.cut = None;
                orders.cuts += 1;
                mute.send_replace(true);
            }
            if orders.cut.is_none() {
                said.clear();
            }
        }
        // What is looked for may lie across two reads.
        said.drain(..said.len().saturating_sub(64));
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

async fn answers(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    orders: &Mutex<Orders>,
    muted: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read) = from.read(&mut buffer).await {
        if *muted.borrow() {
            // The server has answered. Give it the time to say all of it, and end without a word of it.
            tokio::time::sleep(Duration::from_millis(50)).await;
            return;
        }
        let delay = orders.lock().unwrap().delay;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        if read == 0 || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
