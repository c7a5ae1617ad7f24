//! The connection over which the cluster is asked how it is.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::metadata::Metadata;
use rdkafka::producer::{Producer, ProducerContext, ThreadedProducer};
use rdkafka::statistics::Statistics;
use stockpulse_core::{Error, ErrorKind, Result};

use crate::error::{failure, unreachable};
use crate::trouble::Trouble;

/// Asks for metadata, and knows why there is none.
///
/// It is a producer that produces nothing. Of an `AdminClient` nobody hears what librdkafka says, which is kept for ever
/// instead: such a client may not live long.
pub(super) struct Probe {
    client: Arc<ThreadedProducer<Listener>>,
    trouble: Trouble,
}

impl Probe {
    /// It connects by itself.
    pub(super) fn new(config: &ClientConfig) -> Result<Self> {
        let trouble = Trouble::default();
        let client = ThreadedProducer::from_config_and_context(config, Listener(trouble.clone()));
        Ok(Self { client: Arc::new(client.map_err(|error| failure(&error))?), trouble })
    }

    /// The brokers and all topics.
    pub(super) async fn metadata(&self, timeout: Duration) -> Result<Metadata> {
        let client = Arc::clone(&self.client);
        // Of all topics: asking for one by name makes it, where brokers are set up to do so.
        let fetched = tokio::task::spawn_blocking(move || client.client().fetch_metadata(None, timeout)).await;
        let fetched = fetched.map_err(|error| Error::new(ErrorKind::Unexpected, "no metadata").with_source(error))?;
        if fetched.is_ok() {
            self.trouble.is_over();
        }
        fetched.map_err(|error| unreachable(&error, self.trouble.said()))
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").field("trouble", &self.trouble).finish_non_exhaustive()
    }
}

/// Hears what librdkafka says.
struct Listener(Trouble);

impl ClientContext for Listener {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.0.log(level, facility, message);
    }

    fn stats(&self, _: Statistics) {}

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.failed(&error, reason);
    }
}

impl ProducerContext for Listener {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}
