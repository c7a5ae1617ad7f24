//! The only room that writes to the terminal: the report to standard output, all else to standard
//! error.

use std::io::{self, BufWriter, ErrorKind, Write};

use crate::error::ReplayError;
use crate::invoice::RowRejection;
use crate::report::Report;

/// One line on standard error: `stockpulse-replay: ` and the error.
pub fn error(error: &ReplayError) {
    // Nothing is left to tell it to if standard error is gone.
    let _ = writeln!(io::stderr().lock(), "stockpulse-replay: {error}");
}

/// One line on standard error per rejected row: `FILE:LINE: REASON`.
///
/// # Errors
/// [`ReplayError::Output`] if standard error cannot be written to.
pub fn rejections(rejections: &[RowRejection]) -> Result<(), ReplayError> {
    let mut err = BufWriter::new(io::stderr().lock());
    settle((|| {
        for rejection in rejections {
            writeln!(err, "{rejection}")?;
        }
        err.flush()
    })())
}

/// The report on standard output, as one line of JSON or as a table.
///
/// # Errors
/// [`ReplayError::Output`] if standard output cannot be written to.
pub fn report(report: &Report, json: bool) -> Result<(), ReplayError> {
    let mut out = BufWriter::new(io::stdout().lock());
    settle((|| {
        if json {
            serde_json::to_writer(&mut out, report)?;
            writeln!(out)?;
        } else {
            write!(out, "{report}")?;
        }
        out.flush()
    })())
}

/// A reader that has seen enough (`| head`) is no failure.
fn settle(written: io::Result<()>) -> Result<(), ReplayError> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(ReplayError::Output),
    }
}
