//! Reads one input file wholly, plain or `.xz`.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::Path;

use lzma_rust2::XzReader;

use crate::error::ReplayError;

/// The first bytes of every `.xz` stream
/// (<https://tukaani.org/xz/xz-file-format.txt>, section 2.1.1.1).
const XZ_MAGIC: &[u8] = b"\xFD7zXZ\0";

/// The largest decoder that a `.xz` file may ask for. `xz -9` needs 65 MiB; a damaged or hostile
/// header may ask for 4 GiB and gets an error instead.
const XZ_MEMORY_LIMIT_KIB: u32 = 1 << 20;

/// The whole content of `file`, decompressed if its name ends in `.xz` or its first bytes say so.
/// Several `.xz` streams after one another are read as one, as `xz -d` does.
///
/// # Errors
/// [`ReplayError::Input`] if the file is missing, a directory or unreadable, or is a truncated or
/// damaged `.xz`.
pub fn read(file: &Path) -> Result<Vec<u8>, ReplayError> {
    let failed = |error: &io::Error| ReplayError::input(file, describe(error));
    let metadata = fs::metadata(file).map_err(|e| failed(&e))?;
    if metadata.is_dir() {
        return Err(failed(&io::ErrorKind::IsADirectory.into()));
    }
    let mut input = File::open(file).map_err(|e| failed(&e))?;

    // Through `chain` rather than `seek`, so that a pipe will do.
    let mut head = Vec::with_capacity(XZ_MAGIC.len());
    (&mut input).take(XZ_MAGIC.len() as u64).read_to_end(&mut head).map_err(|e| failed(&e))?;
    let compressed = head == XZ_MAGIC || has_xz_name(file);
    let input = head.as_slice().chain(input);

    let mut content = Vec::new();
    if compressed {
        let input = BufReader::with_capacity(1 << 16, input);
        XzReader::new_mem_limit(input, true, XZ_MEMORY_LIMIT_KIB)
            .read_to_end(&mut content)
            .map_err(|e| ReplayError::input(file, describe_xz(&e)))?;
    } else {
        let mut input = input;
        input.read_to_end(&mut content).map_err(|e| failed(&e))?;
    }
    Ok(content)
}

fn has_xz_name(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("xz"))
}

fn describe(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "is a directory, not a file".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

fn describe_xz(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "truncated .xz: it ends in the middle".to_owned(),
        _ => format!("no usable .xz: {error}"),
    }
}
