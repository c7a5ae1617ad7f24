//! What a failure of Redis means to a caller.

use redis::{ErrorKind as RedisKind, RedisError, ServerErrorKind};
use stockpulse_core::{Error, ErrorKind};

/// A failure, with what a caller can do about it.
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
