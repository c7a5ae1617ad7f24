//! Replaces a file, so that a crash leaves the old one or the new one.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::options::Durability;

/// Where the next content of a file is written.
pub(crate) fn beside(path: &Path) -> PathBuf {
    path.with_added_extension("tmp")
}

/// Writes the next content of `path` beside it. The file itself is as it was.
pub(crate) fn write_beside(path: &Path, content: &[u8], durability: Durability) -> io::Result<()> {
    let mut file = File::create(beside(path))?;
    file.write_all(content)?;
    match durability {
        // Before the rename: a disk may do the rename first, and the name would stand for half a file.
        Durability::Synced => file.sync_all(),
        Durability::Unsynced => Ok(()),
    }
}

/// Puts what was written beside `path` in its place, in one step.
pub(crate) fn put_in_place(path: &Path) -> io::Result<()> {
    fs::rename(beside(path), path)
}

/// Waits until the disk has the folder's new entry.
pub(crate) fn sync_folder(path: &Path, durability: Durability) -> io::Result<()> {
    // Elsewhere than on Unix a folder cannot be opened as a file.
    if durability == Durability::Unsynced || cfg!(not(unix)) {
        return Ok(());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
