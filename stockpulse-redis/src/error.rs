//! What a failure of Redis means to a caller.

use redis::{ErrorKind as RedisKind, RedisError, ServerErrorKind};
use stockpulse_core::{Error, ErrorKind};

/// A failure, with what a caller can do about it.
#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
pub(crate) fn failure(error: RedisError) -> Error {
    let message = match error.kind() {
        // The parser of URLs would repeat one, with its password.
        RedisKind::InvalidClientConfig => error.category().to_owned(),
        _ => error.to_string(),
    };
    Error::new(kind(&error), message)
}

fn kind(error: &RedisError) -> ErrorKind {
    match error.kind() {
        RedisKind::Extension if matches!(error.code(), Some("WRONGPASS" | "NOAUTH")) => ErrorKind::Config,
        // Full, without a disk or without replicas, or still with somebody else's script: it may be otherwise later.
        RedisKind::Extension if matches!(error.code(), Some("OOM" | "MISCONF" | "NOREPLICAS" | "BUSY")) => {
            ErrorKind::Unavailable
        }
        RedisKind::AuthenticationFailed
        | RedisKind::InvalidClientConfig
        | RedisKind::EmptySentinelList
        | RedisKind::RESP3NotSupported
        | RedisKind::Server(ServerErrorKind::NoPerm) => ErrorKind::Config,
        RedisKind::Io if error.is_timeout() => ErrorKind::Timeout,
        RedisKind::Parse | RedisKind::UnexpectedReturnType => ErrorKind::Corrupt,
        RedisKind::Server(ServerErrorKind::CrossSlot) => ErrorKind::Unsupported,
        RedisKind::Server(ServerErrorKind::ResponseError) | RedisKind::Extension | RedisKind::Client => {
            ErrorKind::Unexpected
        }
        _ => ErrorKind::Unavailable,
    }
}

/// Whether the connection is to be replaced: it is broken, nobody answers, or the server may not be written to any more
/// since another one is the primary.
pub(crate) fn is_lost(error: &RedisError) -> bool {
    error.is_unrecoverable_error()
        || error.is_io_error()
        || matches!(
            error.kind(),
            RedisKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown) | RedisKind::Parse
        )
}

#[cfg(test)]
mod tests {
    use std::io;

    use stockpulse_core::Retry;

    use super::*;
    use crate::{RedisConnection, RedisOptions};

    fn server(kind: ServerErrorKind) -> RedisError {
        (RedisKind::Server(kind), "said the server").into()
    }

    #[test]
    fn an_error_says_whether_to_ask_again() {
        for error in [io::ErrorKind::ConnectionReset, io::ErrorKind::TimedOut].map(|kind| io::Error::from(kind).into())
        {
            assert_eq!(failure(error).retry(), Retry::Safe);
        }
        for kind in [ServerErrorKind::BusyLoading, ServerErrorKind::ReadOnly, ServerErrorKind::ClusterDown] {
            assert_eq!(failure(server(kind)).kind(), ErrorKind::Unavailable, "{kind:?}");
        }
        for code in ["OOM", "MISCONF", "NOREPLICAS", "BUSY"] {
            let error = redis::make_extension_error(code.to_owned(), None);
            assert_eq!(failure(error).kind(), ErrorKind::Unavailable, "{code}");
        }
        assert_eq!(failure(server(ServerErrorKind::NoPerm)).kind(), ErrorKind::Config);
        assert_eq!(failure(server(ServerErrorKind::ResponseError)).retry(), Retry::Never);
    }

    #[test]
    fn a_connection_is_replaced_when_it_is_broken_or_leads_to_a_replica() {
        assert!(is_lost(&io::Error::from(io::ErrorKind::BrokenPipe).into()));
        assert!(is_lost(&io::Error::from(io::ErrorKind::TimedOut).into()));
        assert!(is_lost(&server(ServerErrorKind::ReadOnly)));
        assert!(!is_lost(&server(ServerErrorKind::ResponseError)));
        assert!(!is_lost(&server(ServerErrorKind::BusyLoading)));
    }

    #[test]
    fn an_error_about_a_url_does_not_repeat_it() {
        for url in ["redis://app:hunter2@host:not-a-port", "http://app:hunter2@host"] {
            let error = RedisConnection::new(RedisOptions::new(url)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
    }
}
