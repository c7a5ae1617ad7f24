//! Files for a test to read, and a way to say that a test could not run.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use lzma_rust2::{XzOptions, XzWriter};
use stockpulse_replay::{Invoices, ReplayError};

pub(crate) const HEADER: &str = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";

/// A folder of its own, gone when the test is over.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("replay-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file and says where it is.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What the parser makes of one file with this content.
pub(crate) fn load(content: impl AsRef<[u8]>) -> Result<Invoices, ReplayError> {
    let folder = Folder::new();
    let file = folder.write("sales.csv", content);
    Invoices::load(&[file])
}

/// What the parser makes of one file with the right header and these lines below it.
pub(crate) fn load_rows(rows: &str) -> Invoices {
    load(format!("{HEADER}{rows}")).unwrap()
}

/// The documents as `invoice: sku×quantity@pence …`, to compare at a glance.
pub(crate) fn outline(invoices: &Invoices) -> Vec<String> {
    let skus = invoices.skus();
    let rows = |document: &stockpulse_replay::invoice::Document| {
        let rows = document.rows().iter();
        rows.map(|r| format!(" {}×{}@{}", skus.name(r.sku), r.quantity, r.unit_price_minor)).collect::<String>()
    };
    let documents = invoices.documents().iter();
    documents.map(|d| format!("{}:{}", d.invoice(), rows(d))).collect()
}

pub(crate) fn compress(content: &[u8]) -> Vec<u8> {
    let mut writer = XzWriter::new(Vec::new(), XzOptions::with_preset(6)).unwrap();
    writer.write_all(content).unwrap();
    writer.finish().unwrap()
}

/// A file of the sample that ships beside this crate.
pub(crate) fn sample(name: impl AsRef<OsStr>) -> PathBuf {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    data.join(Path::new(name.as_ref()))
}

pub(crate) fn december() -> PathBuf {
    sample("online-retail-2010-12-01_2010-12-03.csv.xz")
}

pub(crate) fn january() -> PathBuf {
    sample("online-retail-2011-01-27_2011-01-28.csv.xz")
}

/// Says past the test harness, which hides what passing tests print, that a test did not run.
/// With `STOCKPULSE_REQUIRE=all` that is a failure.
pub(crate) fn skip(test: &str, reason: &str) {
    assert!(
        std::env::var_os("STOCKPULSE_REQUIRE").is_none_or(|value| value != "all"),
        "{test} is required but cannot run: {reason}"
    );
    let mut past_the_harness = io::stderr();
    writeln!(past_the_harness, "SKIP {test}: {reason}").unwrap();
}
