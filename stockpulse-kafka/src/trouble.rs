//! Why brokers cannot be reached.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use crate::client;

/// Why a client does not reach the brokers. librdkafka goes on trying, so that a call answers only that it took too long,
/// and says the reason on the side: a wrong password, a certificate that nobody vouches for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trouble(Arc<Said>);

#[derive(Debug, Default)]
struct Said {
    /// Looked at for every record that was acknowledged, without a lock.
    anything: AtomicBool,
    last: Mutex<Option<(Code, String)>>,
}

impl Trouble {
    /// Passes librdkafka's log on, and listens: of a connection that was only closed it says nothing else.
    pub(crate) fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client::log(level, facility, message);
        let is_all = matches!(level, RDKafkaLogLevel::Warning | RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info);
        if is_all && facility == "FAIL" {
            // The thread's name stands in front.
            let reason = message.split_once("]: ").map_or(message, |(_, reason)| reason);
            let reason = format!("{reason}{}", hint(reason));
            self.hear(Code::BrokerTransportFailure, &reason);
        }
    }

    /// Logs a failure that concerns a client as a whole, and listens.
    pub(crate) fn failed(&self, error: &KafkaError, reason: &str) {
        client::failed(error, reason);
        match error.rdkafka_error_code() {
            // It follows from what was said before.
            None | Some(Code::AllBrokersDown) => {}
            // Sometimes it comes as a failure of transport.
            Some(_) if reason.contains("certificate verify failed") => self.hear(Code::SSL, reason),
            Some(code) => self.hear(code, reason),
        }
    }

    fn hear(&self, code: Code, reason: &str) {
        let mut last = self.last();
        *last = Some((code, reason.to_owned()));
        self.0.anything.store(true, Ordering::Release);
    }

    /// A broker answered.
    pub(crate) fn is_over(&self) {
        if self.0.anything.load(Ordering::Acquire) {
            let mut last = self.last();
            *last = None;
            self.0.anything.store(false, Ordering::Release);
        }
    }

    /// What was said last, unless it is over.
    pub(crate) fn said(&self) -> Option<(Code, String)> {
        self.last().clone()
    }

    fn last(&self) -> MutexGuard<'_, Option<(Code, String)>> {
        self.0.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What it may mean that a broker closes a connection as soon as it was made. librdkafka 2.12 means to say so and does not.
fn hint(reason: &str) -> &'static str {
    let has = |text| reason.contains(text);
    if has("in state APIVERSION_QUERY") && !has("ssl://") {
        "; the broker may expect TLS: see security.protocol"
    } else if has("in state UP") && !has("sasl_") && age(reason) < 1_000 {
        "; the broker may expect SASL: see security.protocol"
    } else {
        ""
    }
}

/// For how many milliseconds the connection was in its state.
fn age(reason: &str) -> u64 {
    let after = reason.rsplit_once("(after ").and_then(|(_, after)| after.split_once("ms"));
    after.and_then(|(millis, _)| millis.parse().ok()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_last_counts_until_a_broker_answers() {
        let trouble = Trouble::default();
        let said = || trouble.said().map(|(code, _)| code);
        trouble.failed(&KafkaError::Global(Code::Resolve), "no such host");
        trouble.failed(&KafkaError::Global(Code::Authentication), "wrong password");
        trouble.failed(&KafkaError::Global(Code::AllBrokersDown), "1/1 brokers are down");
        assert_eq!(said(), Some(Code::Authentication), "that all are down follows from it");
        trouble.is_over();
        assert_eq!(said(), None);
        trouble.failed(&KafkaError::Global(Code::BrokerTransportFailure), "error:0A000086: certificate verify failed");
        assert_eq!(said(), Some(Code::SSL));
    }

    #[test]
    fn of_the_log_only_what_is_told_nowhere_else_counts() {
        let trouble = Trouble::default();
        trouble.log(RDKafkaLogLevel::Error, "FAIL", "[thrd:a:1/1]: a:1/1: it is told as an error, too");
        trouble.log(RDKafkaLogLevel::Info, "INIT", "[thrd:app]: librdkafka is there");
        assert_eq!(trouble.said(), None);
        trouble.log(RDKafkaLogLevel::Info, "FAIL", "[thrd:a:1/1]: a:1/1: Disconnected");
        assert_eq!(trouble.said(), Some((Code::BrokerTransportFailure, "a:1/1: Disconnected".to_owned())));
    }

    #[test]
    fn a_connection_that_is_closed_at_once_has_an_explanation() {
        let state =
            |protocol, state| hint(&format!("{protocol}a:1/1: Disconnected (after {state})")).contains("expect");
        assert!(
            state("", "3ms in state APIVERSION_QUERY") && state("sasl_plaintext://", "3ms in state APIVERSION_QUERY")
        );
        assert!(state("ssl://", "2ms in state UP, 9 identical error(s) suppressed"));
        assert!(!state("ssl://", "3ms in state APIVERSION_QUERY") && !state("sasl_ssl://", "0ms in state UP"));
        assert!(!state("ssl://", "1700ms in state UP"), "a broker that went away");
    }
}
