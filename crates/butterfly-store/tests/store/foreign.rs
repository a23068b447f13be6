//! Files that are not for us.

use butterfly_store::rusqlite::Connection;
use butterfly_store::{Options, Schema, Store, StoreError};

use super::{NOTES, add, open};

/// The version after [`NOTES`].
const TWO: Schema = Schema {
    name: "notes",
    steps: &[NOTES.steps[0], "ALTER TABLE note ADD COLUMN stars INTEGER NOT NULL DEFAULT 3"],
    own: "",
};

fn refused(file: &std::path::Path, schemas: &[Schema]) -> String {
    match Store::open(file, schemas, Options::default()) {
        Err(StoreError::Foreign(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn no_database_another_one_and_a_newer_one_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text");
    std::fs::write(&text, "not a database at all, but long enough to be looked at as one: ".repeat(100))
        .unwrap();
    assert!(refused(&text, &[NOTES]).contains("text"));

    let other = folder.path().join("other.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    assert!(refused(&other, &[NOTES]).contains("something else"));

    let file = folder.path().join("store.db");
    let newer = Store::open(&file, &[TWO], Options::default()).unwrap();
    let why = refused(&file, &[NOTES]);
    assert!(why.contains("store.db") && why.contains("version 2") && why.contains("up to 1"), "{why}");
    add(&newer, "goes on").await.unwrap();
}

#[tokio::test]
async fn an_older_file_is_brought_up_to_date_with_what_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    add(&open(folder.path()), "old").await.unwrap();
    let file = folder.path().join("store.db");
    let store = Store::open(file, &[TWO], Options::default()).unwrap();
    let stars: i64 = store
        .read(|db| Ok(db.query_row("SELECT sum(stars) FROM note", [], |row| row.get(0))?))
        .await
        .unwrap();
    assert_eq!(stars, 3);
}

#[tokio::test]
async fn a_lock_that_is_not_given_back_is_a_clear_error_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.db");
    let options = Options { lock_timeout: std::time::Duration::from_millis(50), ..Options::default() };
    let store = Store::open(&file, &[NOTES], options).unwrap();
    let other = Connection::open(&file).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(matches!(add(&store, "late").await, Err(StoreError::Busy(_))));
    other.execute_batch("COMMIT").unwrap();
    add(&store, "later").await.unwrap();
}

#[tokio::test]
async fn a_new_file_and_what_lies_beside_it_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    add(&store, "a secret").await.unwrap();
    for name in ["store.db", "store.db-wal", "store.db-shm"] {
        let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}
