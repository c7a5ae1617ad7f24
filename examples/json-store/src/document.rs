//! What stands in a file, and how it is read and written.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use stockpulse_core::engine::Decided;
use stockpulse_core::model::CommandId;
use stockpulse_core::{Error, ErrorKind, Result};

use crate::outbox::OutboxTables;
use crate::table::Row;

const FORMAT: &str = "stockpulse-json-store";
const VERSION: u32 = 1;

/// The tables of one kind of store.
pub(crate) trait Tables:
    std::fmt::Debug + Clone + Default + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// What the header of its files says.
    const STORE: &'static str;
}

/// Tells whose file it is. It stays as it is in all versions, so that every version can refuse the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    format: String,
    store: String,
    version: u32,
}

/// All that is read before the version is known.
#[derive(Deserialize)]
struct Beginning {
    header: Header,
}

/// The content of a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(bound = "T: Tables")]
pub(crate) struct Document<T> {
    header: Header,
    pub(crate) tables: T,
    pub(crate) outbox: OutboxTables,
}

impl<T: Tables> Document<T> {
    /// The content of a new file.
    pub(crate) fn empty() -> Self {
        let header = Header { format: FORMAT.to_owned(), store: T::STORE.to_owned(), version: VERSION };
        Self { header, tables: T::default(), outbox: OutboxTables::default() }
    }

    /// Reads the content of a file; `path` is for the messages.
    pub(crate) fn from_json(json: &[u8], path: &Path) -> Result<Self> {
        let path = path.display();
        let Beginning { header } = serde_json::from_slice(json)
            .map_err(|cause| Error::corrupt(format!("{path} is not a file of {FORMAT}, or is damaged: {cause}")))?;
        if header.format != FORMAT {
            return Err(Error::corrupt(format!("{path} is a file of {:?}, not of {FORMAT}", header.format)));
        }
        if header.store != T::STORE {
            let message = format!("{path} is a store of {:?}, and was opened as one of {:?}", header.store, T::STORE);
            return Err(Error::new(ErrorKind::Config, message));
        }
        if header.version != VERSION {
            let message = format!("{path} has version {} of the format; this program knows {VERSION}", header.version);
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        serde_json::from_slice(json).map_err(|cause| Error::corrupt(format!("{path} is damaged: {cause}")))
    }

    /// Writes the content of a file.
    pub(crate) fn to_json(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self)
            .map_err(|cause| Error::new(ErrorKind::Unexpected, "the rows cannot be written as JSON").with_source(cause))
    }
}

/// What was decided about a command.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutcomeRow<O> {
    pub(crate) command: CommandId,
    pub(crate) decided: Decided<O>,
}

impl<O> Row for OutcomeRow<O> {
    type Key = CommandId;

    fn key(&self) -> CommandId {
        self.command
    }
}
