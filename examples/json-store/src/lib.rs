//! A complete example of a backend: an inventory store and an order store with their outboxes, each pair in one JSON
//! file.
//!
//! It was written from the guide "Write a backend" and passes the conformance suite. It shows the shape of a backend
//! and is not fast: every commit copies the whole content in memory, and writes the whole file anew.
//!
//! # What is where
//! Of a store at `stock.json` there are three files in one folder:
//! - `stock.json`: everything, as of the last commit;
//! - `stock.json.tmp`: the next content while it is written; what a crash leaves there is ignored, and written over;
//! - `stock.json.lock`: empty. Whoever has the store open holds an exclusive advisory lock on it
//!   ([`std::fs::File::try_lock`]). The lock is not on `stock.json`, which is another file after each commit.
//!
//! # What is promised
//! - A commit is a rename: a crash at any point leaves the old content or the new one.
//! - One opening at a time, be it in another process or in the same one: the second gets `Contention`. Handles share
//!   an opening by being cloned. The lock is advisory: programs that do not ask for it are not kept out.
//! - A file that cannot be understood is never written over.
//!
//! ```
//! # fn main() -> stockpulse_core::Result<()> {
//! # let folder = tempfile::tempdir().map_err(|_| stockpulse_core::Error::invalid("no folder"))?;
//! # let path = folder.path().join("stock.json");
//! use stockpulse_json_store::{JsonInventoryStore, StoreOptions};
//!
//! let store = JsonInventoryStore::open(path, StoreOptions::default())?;
//! let outbox = store.outbox(); // for the relay; the store itself is for the `Inventory` service
//! # let _ = (store, outbox);
//! # Ok(())
//! # }
//! ```

mod document;
mod file;
mod inventory;
mod options;
mod orders;
mod outbox;
mod replace;
mod table;

pub use inventory::JsonInventoryStore;
pub use options::{Durability, StoreOptions};
pub use orders::JsonOrderStore;
