//! How a program says that something did not turn out as it claims.

use std::error::Error;
use std::time::Duration;

use tokio::time::timeout;

/// How long a program waits for another task before it gives up.
const PATIENCE: Duration = Duration::from_secs(20);

/// Nothing if `holds`, otherwise an error that says what does not hold.
///
/// # Errors
/// If it does not hold.
pub fn check(what: &str, holds: bool) -> Result<(), Box<dyn Error>> {
    if holds { Ok(()) } else { Err(format!("does not hold: {what}").into()) }
}

/// Waits for something that other tasks do, and not for ever.
///
/// # Errors
/// What the future answers, or that it took more than 20 seconds.
pub async fn within<T, E: Into<Box<dyn Error>>>(
    what: &str,
    future: impl Future<Output = Result<T, E>>,
) -> Result<T, Box<dyn Error>> {
    match timeout(PATIENCE, future).await {
        Ok(answer) => answer.map_err(Into::into),
        Err(_) => Err(format!("{what}: nothing happened for {PATIENCE:?}").into()),
    }
}
