//! Reads all files, gathers the rows into documents, and keeps the reasons of the rejected rows.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use csv::{ByteRecord, ReaderBuilder};

use super::document::{Document, Row};
use super::row::{self, COLUMNS, Excerpt, Fields, Reason};
use super::sku::SkuTable;
use crate::error::{ReplayError, one_line};
use crate::source;

/// Everything the input files say, in their order.
#[derive(Debug, Clone, Default)]
pub struct Invoices {
    documents: Vec<Document>,
    skus: SkuTable,
    rows: u64,
    rejections: Vec<RowRejection>,
}

/// A row that was left out, where it stands, and why. Displays as `FILE:LINE: REASON`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowRejection {
    /// The file as it was named on the command line.
    pub file: Arc<Path>,
    /// The line on which the row begins, counted from 1.
    pub line: u64,
    /// What is wrong with the row.
    pub reason: Reason,
}

impl fmt::Display for RowRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = one_line(&self.file.display().to_string());
        write!(f, "{file}:{}: {}", self.line, self.reason)
    }
}

impl Invoices {
    /// Reads `files` wholly, in order.
    ///
    /// # Errors
    /// [`ReplayError::Input`] for the first file that cannot be read, is a truncated or damaged
    /// `.xz`, or does not begin with the right header.
    pub fn load(files: &[PathBuf]) -> Result<Self, ReplayError> {
        let mut loader = Loader::default();
        for file in files {
            loader.file(file, &source::read(file)?)?;
        }
        Ok(loader.invoices)
    }

    /// The documents, in order of the first accepted row of each.
    #[must_use]
    pub fn documents(&self) -> &[Document] {
        &self.documents
    }

    /// Every SKU that an accepted row names.
    #[must_use]
    pub fn skus(&self) -> &SkuTable {
        &self.skus
    }

    /// How many rows there are below the headers, the rejected ones included.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The rejected rows, in order.
    #[must_use]
    pub fn rejections(&self) -> &[RowRejection] {
        &self.rejections
    }
}

/// The invoices so far, and where each document stands among them.
#[derive(Debug, Default)]
struct Loader {
    invoices: Invoices,
    places: HashMap<Arc<str>, usize>,
    /// The document of the row before: the rows of one invoice mostly stand together.
    recent: usize,
}

impl Loader {
    fn file(&mut self, file: &Path, content: &[u8]) -> Result<(), ReplayError> {
        // The reader skips a byte order mark and empty lines, and takes LF, CRLF and CR alike.
        let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(content);
        let mut record = ByteRecord::new();
        let mut read = |record: &mut ByteRecord| {
            let more = reader.read_byte_record(record);
            more.map_err(|error| ReplayError::input(file, format!("cannot be read: {error}")))
        };

        if !read(&mut record)? {
            let reason = format!("empty, without the header {}", COLUMNS.join(","));
            return Err(ReplayError::input(file, reason));
        }
        if !record.iter().eq(COLUMNS.iter().map(|name| name.as_bytes())) {
            let found = Excerpt::new(&record.iter().collect::<Vec<_>>().join(&b','));
            let reason = format!("wrong header {found}, not {}", COLUMNS.join(","));
            return Err(ReplayError::input(file, reason));
        }

        let mut lines = Lines::new(content);
        let file: Arc<Path> = file.into();
        while read(&mut record)? {
            self.invoices.rows += 1;
            let line = lines.line_at(record.position().map_or(0, csv::Position::byte));
            if let Err(reason) = row::parse(&record).and_then(|fields| self.row(fields)) {
                self.invoices.rejections.push(RowRejection { file: Arc::clone(&file), line, reason });
            }
        }
        Ok(())
    }

    /// Puts a row into its document. Nothing changes if it is rejected.
    fn row(&mut self, fields: Fields<'_>) -> Result<(), Reason> {
        let Invoices { documents, skus, .. } = &mut self.invoices;
        let known = documents.get(self.recent);
        let place = if known.is_some_and(|document| document.invoice() == fields.invoice) {
            Some(self.recent)
        } else {
            self.places.get(fields.invoice).copied()
        };

        let units = match place.and_then(|place| documents.get(place)) {
            Some(document) => document.units_with(fields.quantity),
            None => fields.quantity.checked_abs(),
        };
        let units = units.ok_or_else(|| Reason::DocumentTooLarge(Excerpt::new(fields.invoice.as_bytes())))?;
        let sku = skus.intern(fields.sku).ok_or(Reason::TooManySkus)?;

        self.recent = place.unwrap_or_else(|| {
            let invoice: Arc<str> = fields.invoice.into();
            self.places.insert(Arc::clone(&invoice), documents.len());
            documents.push(Document::new(invoice, fields.customer, fields.country));
            documents.len() - 1
        });
        documents[self.recent]
            .push(Row { sku, quantity: fields.quantity, unit_price_minor: fields.unit_price_minor }, units);
        Ok(())
    }
}

/// Counts lines while the reader moves on. The reader's own count lags behind after CRLF and empty
/// lines, which it skips only when it reads the next record.
struct Lines<'a> {
    rest: &'a [u8],
    offset: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    fn new(content: &'a [u8]) -> Self {
        Self { rest: content, offset: 0, line: 1 }
    }

    /// The line of the first byte at or after `offset` that ends no line. Offsets must not fall.
    fn line_at(&mut self, offset: u64) -> u64 {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        self.advance(offset.saturating_sub(self.offset));
        let ends = self.rest.iter().take_while(|b| matches!(b, b'\r' | b'\n'));
        self.advance(ends.count());
        self.line
    }

    fn advance(&mut self, bytes: usize) {
        let (passed, rest) = self.rest.split_at(bytes.min(self.rest.len()));
        let ends = passed.iter().filter(|b| **b == b'\n').count();
        self.line += ends as u64;
        self.offset += passed.len();
        self.rest = rest;
    }
}
