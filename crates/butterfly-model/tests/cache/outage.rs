//! Files that are no cache, or stop being one.

use std::fs;
use std::path::Path;
use std::time::Duration;

use butterfly_model::cache::{Cache, CacheError, Disk, Keep};

const MINUTE: Duration = Duration::from_secs(60);

fn refused(path: &Path) -> String {
    match Disk::at(path).open() {
        Err(CacheError::Foreign(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_no_cache_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    fs::write(&text, "not a database, but long enough to look like a header ".repeat(40)).unwrap();
    let before = fs::read(&text).unwrap();
    assert!(refused(&text).contains("notes.txt"));
    assert_eq!(fs::read(&text).unwrap(), before);

    let other = folder.path().join("other.db");
    let db = rusqlite::Connection::open(&other).unwrap();
    db.execute_batch("CREATE TABLE entry (key TEXT); INSERT INTO entry VALUES ('precious')").unwrap();
    assert!(refused(&other).contains("something else"));
    let kept: String = db.query_row("SELECT key FROM entry", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, "precious");

    let newer = folder.path().join("newer.db");
    drop(Disk::at(&newer).open().unwrap());
    rusqlite::Connection::open(&newer).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(refused(&newer).contains("newer"));
}

#[test]
fn a_place_that_cannot_be_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let error = Disk::at(folder.path().join("file/cache.db")).open().unwrap_err();
    assert!(matches!(&error, CacheError::Unavailable(why) if why.contains("file")), "{error}");
    let error = Disk::at(folder.path()).open().unwrap_err();
    assert!(error.to_string().contains(&folder.path().display().to_string()), "{error}");
}

#[tokio::test]
async fn a_damaged_file_is_an_error_and_loads_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.db");
    {
        let cache = Cache::disk(&path).unwrap();
        for number in 0..500_u32 {
            cache.set_bytes(&number.to_string(), vec![7; 1000], Keep::FOREVER).await.unwrap();
        }
    }
    // The header stays, all else is garbage.
    let mut bytes = fs::read(&path).unwrap();
    bytes[4096..].fill(0xa5);
    let told = |error: CacheError| {
        assert!(
            matches!(&error, CacheError::Foreign(why) if why.contains("c.db") && why.contains("delete")),
            "{error}"
        );
    };
    // Damaged under an open cache.
    let cache = Cache::disk(&path).unwrap();
    fs::write(&path, bytes).unwrap();
    told(cache.get_bytes("7").await.unwrap_err());
    told(cache.set("7", &7, Keep::FOREVER.tags(&["t"])).await.unwrap_err());
    for key in ["7", "8", "9"] {
        let value: u32 = cache.get_or_load(key, MINUTE, || async { Ok(7) }).await.unwrap();
        assert_eq!(value, 7);
    }
    assert!(cache.counters().error >= 3);
    // And before it is opened.
    told(Disk::at(&path).open().unwrap_err());
}

#[tokio::test]
async fn a_writer_that_never_ends_makes_others_fail_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.db");
    let cache = Cache::of(Disk::at(&path).lock_timeout(Duration::from_millis(50)).open().unwrap());
    cache.set("k", &1, MINUTE).await.unwrap();
    cache.set("noted", &1, MINUTE).await.unwrap();
    let busy = |error: CacheError| {
        assert!(matches!(&error, CacheError::Busy(why) if why.contains("c.db")), "{error}");
    };
    // The turn to write is taken.
    let turn = fs::File::open(folder.path().join("c.db-sets")).unwrap();
    turn.lock().unwrap();
    busy(cache.set("k", &2, MINUTE).await.unwrap_err());
    busy(cache.incr("k", 1, MINUTE).await.unwrap_err());
    assert_eq!(cache.get("k").await, Ok(Some(1)));
    assert_eq!(cache.get("noted").await, Ok(Some(1)));
    let value: u32 = cache.get_or_load("new", MINUTE, || async { Ok(3) }).await.unwrap();
    assert_eq!(value, 3);
    turn.unlock().unwrap();
    // The tables are taken, by a program that is not ours: what is but noted needs none.
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    busy(cache.incr("k", 1, MINUTE).await.unwrap_err());
    cache.set("noted", &2, MINUTE).await.unwrap();
    assert_eq!(cache.get("noted").await, Ok(Some(2)));
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(cache.incr("k", 1, MINUTE).await, Ok(2));
    assert_eq!(cache.incr("noted", 1, MINUTE).await, Ok(3));
}
