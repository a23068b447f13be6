//! The durable ground of queue, schedule and workflow: one embedded file, one group-commit writer.
//!
//! A [`Store`] is one SQLite file that several processes on one machine share. Whoever has something to change hands
//! the store a closure; one thread per process runs all closures that wait in one transaction, and each is answered
//! only after its transaction is on disk. One write to the disk so serves everybody who waits for one.
//!
//! ```
//! use butterfly_store::{Options, Schema, Store};
//!
//! const SCHEMA: Schema = Schema {
//!     name: "notes",
//!     steps: &["CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL)"],
//!     own: "",
//! };
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! # let folder = tempfile::tempdir().unwrap();
//! let store = Store::open(folder.path().join("notes.db"), &[SCHEMA], Options::default())?;
//! store.write(|tx| Ok(tx.execute("INSERT INTO note (text) VALUES ('kept')", [])?)).await?;
//! let text: String = store.read(|db| Ok(db.query_row("SELECT text FROM note", [], |row| row.get(0))?)).await?;
//! assert_eq!(text, "kept");
//! # Ok::<(), butterfly_store::StoreError>(())
//! # }).unwrap();
//! ```
//!
//! # What is promised
//!
//! - *All or nothing, and alone.* A closure that fails changes nothing, and those that share its transaction do not
//!   feel it: they are run again without it. So a closure may run more than once, and must do nothing but read and
//!   write the database.
//! - *Durable.* With [`Durability::Full`] an answer means that the change survives a power cut.
//! - *No stall.* The write-ahead log is folded back into the file beside the writer, not by it.
//! - *Fair.* Processes that write at once take turns.
//!
//! [`Peers`] is how the processes that share a file notice each other: words go between them without polling, and the
//! death of one is known to the others at once.

mod checkpoint;
mod error;
mod file;
mod peers;
mod read;
mod schema;
mod store;
mod sync;
mod turn;
mod tx;
mod writer;

pub use error::StoreError;
pub use peers::{PeerEvent, PeerName, Peers};
pub use rusqlite;
pub use schema::Schema;
pub use store::{Durability, Options, Store};
pub use tx::Tx;
