//! What a failure of Kafka means to a caller.

use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::types::RDKafkaConfRes;
use stockpulse_core::{Error, ErrorKind};

/// A failure, with what a caller can do about it. librdkafka's messages name hosts and topics; one about a setting would
/// repeat its value, which may be a secret.
pub(crate) fn failure(error: &KafkaError) -> Error {
    let message = match error {
        KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, _, key, _) => {
            format!("librdkafka has no setting '{key}', or was built without what it needs")
        }
        KafkaError::ClientConfig(_, _, key, _) => format!("setting '{key}' has a value that it cannot have"),
        error => error.to_string(),
    };
    Error::new(kind(error), message)
}

/// A failure with what librdkafka said of the reason, if it is no more than that no broker answered.
pub(crate) fn explained(error: &KafkaError, said: Option<(Code, String)>) -> Error {
    match said.filter(|_| is_silence(error)) {
        Some((_, reason)) => Error::new(kind(error), format!("{error}: {reason}")),
        None => failure(error),
    }
}

/// The same where it is asked whether brokers can be reached at all. Who is not let in, or finds a stranger there, need not
/// try again.
pub(crate) fn unreachable(error: &KafkaError, said: Option<(Code, String)>) -> Error {
    match said {
        Some((code, reason)) if is_silence(error) && code_kind(code) == ErrorKind::Config => {
            Error::new(ErrorKind::Config, format!("{error}: {reason}"))
        }
        said => explained(error, said),
    }
}

/// Whether a failure says no more than that no broker answered.
fn is_silence(error: &KafkaError) -> bool {
    let silent = [
        Code::BrokerTransportFailure,
        Code::AllBrokersDown,
        Code::OperationTimedOut,
        Code::TimedOutQueue,
        Code::MessageTimedOut,
    ];
    error.rdkafka_error_code().is_some_and(|code| silent.contains(&code))
}

/// What kind of failure it is.
fn kind(error: &KafkaError) -> ErrorKind {
    match error {
        KafkaError::ClientConfig(..) | KafkaError::ClientCreation(_) | KafkaError::Nul(_) => ErrorKind::Config,
        KafkaError::AdminOp(code) => code_kind(*code),
        KafkaError::Canceled => ErrorKind::Unavailable,
        error => error.rdkafka_error_code().map_or(ErrorKind::Unexpected, code_kind),
    }
}

/// What kind of failure a code stands for.
pub(crate) fn code_kind(code: Code) -> ErrorKind {
    match code {
        Code::OperationTimedOut | Code::RequestTimedOut | Code::TimedOutQueue | Code::MessageTimedOut => {
            ErrorKind::Timeout
        }
        Code::QueueFull | Code::ThrottlingQuotaExceeded => ErrorKind::Contention,
        Code::UnknownTopic | Code::UnknownTopicOrPartition | Code::UnknownPartition => ErrorKind::Config,
        Code::Authentication
        | Code::SSL
        | Code::SaslAuthenticationFailed
        | Code::TopicAuthorizationFailed
        | Code::GroupAuthorizationFailed
        | Code::ClusterAuthorizationFailed
        | Code::InvalidArgument
        | Code::InvalidTopic
        | Code::InvalidReplicationFactor
        | Code::InvalidPartitions
        | Code::InvalidConfig
        | Code::PolicyViolation
        | Code::UnsupportedSASLMechanism
        | Code::FencedInstanceId => ErrorKind::Config,
        Code::MessageSizeTooLarge | Code::InvalidMessage | Code::InvalidRecord => ErrorKind::InvalidInput,
        Code::UnsupportedFeature | Code::NotImplemented | Code::UnsupportedVersion => ErrorKind::Unsupported,
        _ => ErrorKind::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use stockpulse_core::Retry;

    use super::*;
    use crate::{KafkaBus, KafkaOptions};

    #[test]
    fn an_error_about_a_setting_names_it_and_not_its_value() {
        for key in ["sasl.pasword", "acks"] {
            let options = KafkaOptions::new("host:9092").with_setting(key, "hunter2");
            let error = KafkaBus::new(options).map(|_| ()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            let shown = format!("{error} {error:?}");
            assert!(shown.contains(key) && !shown.contains("hunter2"), "{shown}");
        }
    }

    #[test]
    fn silence_is_explained_and_what_says_more_is_not() {
        let said = |code| Some((code, "the reason".to_owned()));
        let shown = |error: Error| (error.kind(), error.to_string().contains("the reason"));
        let silence = KafkaError::MetadataFetch(Code::BrokerTransportFailure);
        let large = KafkaError::MessageProduction(Code::MessageSizeTooLarge);
        for code in [Code::Authentication, Code::SSL] {
            assert_eq!(shown(unreachable(&silence, said(code))), (ErrorKind::Config, true));
            // A process that was let in before goes on trying.
            assert_eq!(shown(explained(&silence, said(code))), (ErrorKind::Unavailable, true));
            assert_eq!(shown(unreachable(&large, said(code))), (ErrorKind::InvalidInput, false));
        }
        assert_eq!(shown(unreachable(&silence, said(Code::Resolve))), (ErrorKind::Unavailable, true));
        assert_eq!(shown(unreachable(&silence, None)), (ErrorKind::Unavailable, false));
    }

    #[test]
    fn codes_say_whether_to_try_again() {
        let error = |code| failure(&KafkaError::MessageProduction(code));
        for code in [Code::AllBrokersDown, Code::MessageTimedOut, Code::NotEnoughReplicas, Code::LeaderNotAvailable] {
            assert_eq!(error(code).retry(), Retry::Safe, "{code}");
        }
        for code in [Code::MessageSizeTooLarge, Code::TopicAuthorizationFailed, Code::UnknownTopicOrPartition] {
            assert_eq!(error(code).retry(), Retry::Never, "{code}");
        }
    }
}
