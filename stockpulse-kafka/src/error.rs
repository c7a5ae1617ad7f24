//! What a failure of Kafka means to a caller.

use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use stockpulse_core::{Error, ErrorKind};

/// A failure, with what a caller can do about it. librdkafka's messages name hosts and topics, and no secrets.
pub(crate) fn failure(error: &KafkaError) -> Error {
    Error::new(kind(error), error.to_string())
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
