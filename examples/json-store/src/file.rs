//! An open file: its content, its lock, and how it changes.

use std::fmt::Display;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stockpulse_core::port::Clock;
use stockpulse_core::{Error, ErrorKind, Result, Retry};
use tokio::sync::Notify;

use crate::document::{Document, Tables};
use crate::options::{Durability, StoreOptions};
use crate::replace;

/// A handle on an open file. Clones share it; the last one to go closes it.
#[derive(Debug, Clone)]
pub(crate) struct JsonFile<T>(Arc<Opened<T>>);

#[derive(Debug)]
struct Opened<T> {
    path: PathBuf,
    durability: Durability,
    clock: Arc<dyn Clock>,
    /// Held by whoever changes the content, until the file is replaced.
    writer: Mutex<()>,
    /// What stands in the file. Readers take the `Arc`, and so a snapshot; they never wait for a disk.
    current: Mutex<Arc<Document<T>>>,
    /// Woken when events were written.
    appended: Notify,
    /// Keeps others out until it is dropped. The last field: nothing is at work any more when it goes.
    _lock: File,
}

impl<T: Tables> JsonFile<T> {
    /// Opens a file, and makes it if it does not exist.
    pub(crate) fn open(path: PathBuf, options: StoreOptions) -> Result<Self> {
        let lock = lock(&path.with_added_extension("lock"))?;
        let StoreOptions { durability, clock } = options;
        let document = match fs::read(&path) {
            Ok(json) => Document::from_json(&json, &path)?,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
                let document = Document::<T>::empty();
                let json = document.to_json()?;
                replace::write_beside(&path, &json, durability)
                    .and_then(|()| replace::put_in_place(&path))
                    .and_then(|()| replace::sync_folder(&path, durability))
                    .map_err(|cause| unavailable(format_args!("{} cannot be made", path.display()), cause))?;
                document
            }
            Err(cause) => return Err(unavailable(format_args!("{} cannot be read", path.display()), cause)),
        };
        Ok(Self(Arc::new(Opened {
            path,
            durability,
            clock,
            writer: Mutex::default(),
            current: Mutex::new(Arc::new(document)),
            appended: Notify::new(),
            _lock: lock,
        })))
    }

    /// What stands in the file, as one snapshot.
    pub(crate) fn read(&self) -> Arc<Document<T>> {
        self.0.read()
    }

    /// The clock of leases and pauses.
    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.0.clock)
    }

    /// Waits until events were written. No wake-up is lost: one that nobody waits for is kept for the next to ask.
    pub(crate) async fn appended(&self) {
        self.0.appended.notified().await;
    }

    /// Changes the content: all of `change` is in the file when it answers, or nothing if it failed.
    ///
    /// It runs in a task of its own, which nobody can stop half-way.
    pub(crate) async fn change<A: Send + 'static>(
        &self,
        operation: &'static str,
        change: impl FnOnce(&mut Document<T>) -> Result<A> + Send + 'static,
    ) -> Result<A> {
        let opened = Arc::clone(&self.0);
        let task = tokio::task::spawn_blocking(move || opened.change(change));
        let answer = task.await.unwrap_or_else(|cause| {
            Err(Error::new(ErrorKind::Indeterminate, "the task that commits was lost").with_source(cause))
        });
        answer.map_err(|error| error.during(operation))
    }
}

impl<T: Tables> Opened<T> {
    fn read(&self) -> Arc<Document<T>> {
        Arc::clone(&guard(&self.current))
    }

    fn change<A>(&self, change: impl FnOnce(&mut Document<T>) -> Result<A>) -> Result<A> {
        let _writer = guard(&self.writer);
        // A copy is changed: until the file is replaced nobody sees it, and if that fails it is dropped.
        let mut next = Document::clone(&self.read());
        let events = next.outbox.last_row();
        let answer = change(&mut next)?;
        let json = next.to_json()?;
        replace::write_beside(&self.path, &json, self.durability)
            .and_then(|()| replace::put_in_place(&self.path))
            .map_err(|cause| unavailable(format_args!("{} cannot be replaced", self.path.display()), cause))?;
        let appended = next.outbox.last_row() > events;
        *guard(&self.current) = Arc::new(next);
        if appended {
            self.appended.notify_waiters();
            self.appended.notify_one();
        }
        // The new content stands, but may go with the power: only asking again can tell.
        replace::sync_folder(&self.path, self.durability).map_err(|cause| {
            let message = format!("the folder of {} cannot be synced", self.path.display());
            Error::new(ErrorKind::Indeterminate, message).with_source(cause)
        })?;
        Ok(answer)
    }
}

/// What a panic interrupts is a copy: what the mutex guards is whole all the same.
fn guard<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn lock(path: &Path) -> Result<File> {
    let named = path.display();
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(|cause| unavailable(format_args!("{named} cannot be opened"), cause))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let message = format!("{named} is locked: the store is open already, here or in another process");
            Err(Error::new(ErrorKind::Contention, message).with_retry(Retry::Safe))
        }
        Err(TryLockError::Error(cause)) => Err(unavailable(format_args!("{named} cannot be locked"), cause)),
    }
}

fn unavailable(message: impl Display, cause: io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, message.to_string()).with_source(cause)
}
