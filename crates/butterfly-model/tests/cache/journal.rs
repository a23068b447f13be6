//! What was set and is not in the tables yet: it is there for everybody, whatever becomes of the process that set it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use butterfly_model::cache::{Cache, Keep};

const FILE: &str = "BUTTERFLY_TEST_CACHE_JOURNAL";
const COUNT: u32 = 5000;

fn journal(path: &Path) -> PathBuf {
    path.with_extension("db-sets")
}

/// A cache that has written once: what is set now is but noted.
async fn warm(path: &Path) -> Cache {
    let cache = Cache::disk(path).unwrap();
    cache.incr("warm", 1, Keep::FOREVER).await.unwrap();
    cache
}

/// Not a test of its own: sets what it is told to, and says when it is done, until it is killed.
#[tokio::test]
async fn child() {
    let Some(path) = std::env::var_os(FILE) else { return };
    let cache = warm(Path::new(&path)).await;
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        for number in 0..COUNT {
            cache.set(&format!("k{number}"), &format!("{line} {number}"), Keep::FOREVER).await.unwrap();
        }
        // The harness keeps what is printed: this goes past it.
        writeln!(std::io::stderr(), "set {line}").unwrap();
    }
}

#[tokio::test]
async fn what_a_killed_process_set_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache.db");
    let reader = warm(&path).await;
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "journal::child", "--nocapture"])
        .env(FILE, &path)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut input = child.stdin.take().unwrap();
    for round in ["one", "two", "three"] {
        writeln!(input, "{round}").unwrap();
        let done = format!("set {round}");
        assert!(told.any(|line| line.unwrap() == done), "the child ended");
        // What it said it set is read here at once.
        for number in (0..COUNT).rev() {
            let found = reader.get::<String>(&format!("k{number}")).await.unwrap();
            assert_eq!(found, Some(format!("{round} {number}")));
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    drop(reader);
    let after = Cache::disk(&path).unwrap();
    assert_eq!(after.count().await, Ok(u64::from(COUNT) + 1));
    for number in 0..COUNT {
        assert_eq!(after.get(&format!("k{number}")).await, Ok(Some(format!("three {number}"))));
    }
}

#[tokio::test]
async fn what_follows_a_set_counts_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache.db");
    let (one, two) = (warm(&path).await, warm(&path).await);
    for number in 0..100 {
        one.set("k", &number, Keep::FOREVER.tags(&["t"])).await.unwrap();
        one.set("k", &number, Keep::FOREVER).await.unwrap();
        // It has no tag any more.
        two.invalidate_tag("t").await.unwrap();
        assert_eq!(two.incr("k", 1, Keep::FOREVER).await, Ok(number + 1));
        assert_eq!(one.get("k").await, Ok(Some(number + 1)));
        two.set("k", &-1, Keep::FOREVER).await.unwrap();
        assert_eq!(one.add("k", &0, Keep::FOREVER).await, Ok(false));
        two.set("k", &-2, Keep::FOREVER).await.unwrap();
        assert_eq!(one.pop("k").await, Ok(Some(-2)));
        assert_eq!(two.get::<i64>("k").await, Ok(None));
        two.set("k", &-3, Keep::FOREVER).await.unwrap();
        one.clear().await.unwrap();
        assert_eq!((two.get::<i64>("k").await, two.count().await), (Ok(None), Ok(0)));
    }
}

/// As if a process were killed after it had brought the journal into the tables, and before it said so there.
#[tokio::test]
async fn what_is_settled_does_not_count_twice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache.db");
    let cache = warm(&path).await;
    cache.set("k", &1, Keep::FOREVER).await.unwrap();
    let before = fs::read(journal(&path)).unwrap();
    assert_eq!(cache.incr("k", 1, Keep::FOREVER).await, Ok(2));
    drop(cache);
    fs::write(journal(&path), &before).unwrap();
    let cache = Cache::disk(&path).unwrap();
    assert_eq!(cache.get("k").await, Ok(Some(2)));
    cache.set("other", &1, Keep::FOREVER).await.unwrap();
    cache.incr("k", 1, Keep::FOREVER).await.unwrap();
    assert_eq!(cache.get("k").await, Ok(Some(3)));
}

/// As after a power cut: what was noted last never reached the disk.
#[tokio::test]
async fn of_a_damaged_journal_the_good_part_counts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache.db");
    let saved = folder.path().join("saved");
    let cache = warm(&path).await;
    for key in ["a", "b", "c"] {
        cache.set(key, key, Keep::FOREVER).await.unwrap();
    }
    // Dropping the cache would settle it.
    fs::copy(journal(&path), &saved).unwrap();
    let tables = fs::read(&path).unwrap();
    let log = fs::read(folder.path().join("cache.db-wal")).unwrap();
    drop(cache);
    for cut in [40, 100, 1, 0] {
        let mut bytes = fs::read(&saved).unwrap();
        let whole = bytes.len() - cut;
        bytes[whole..].fill(0);
        fs::write(&path, &tables).unwrap();
        fs::write(folder.path().join("cache.db-wal"), &log).unwrap();
        fs::write(journal(&path), bytes).unwrap();
        let (one, two) = (Cache::disk(&path).unwrap(), Cache::disk(&path).unwrap());
        let left = ["a", "b", "c"].len() - cut.div_ceil(36);
        for (place, key) in ["a", "b", "c"].into_iter().enumerate() {
            let expected = (place < left).then(|| key.to_owned());
            assert_eq!(one.get::<String>(key).await.unwrap(), expected, "{cut} {key}");
        }
        // And what is set now is seen by others.
        for key in ["c", "d"] {
            one.set(key, "new", Keep::FOREVER).await.unwrap();
            assert_eq!(two.get::<String>(key).await.unwrap().as_deref(), Some("new"), "{cut}");
            assert_eq!(Cache::disk(&path).unwrap().get::<String>(key).await.unwrap().as_deref(), Some("new"));
        }
    }
}

#[tokio::test]
async fn a_journal_of_other_tables_counts_for_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache.db");
    let cache = warm(&path).await;
    cache.set("k", &1, Keep::FOREVER).await.unwrap();
    let left = fs::read(journal(&path)).unwrap();
    drop(cache);
    // As who follows the advice to delete a cache.
    fs::remove_file(&path).unwrap();
    for bytes in [&left[..], b"", b"something else altogether, and longer than a head is"] {
        fs::write(journal(&path), bytes).unwrap();
        let cache = Cache::disk(&path).unwrap();
        assert_eq!(cache.get::<u32>("k").await, Ok(None));
        cache.incr("warm", 1, Keep::FOREVER).await.unwrap();
        cache.set("new", &2, Keep::FOREVER).await.unwrap();
        assert_eq!(Cache::disk(&path).unwrap().get("new").await, Ok(Some(2)));
    }
}

#[tokio::test]
async fn a_file_without_a_journal_gets_one_and_keeps_its_values() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache.db");
    let cache = warm(&path).await;
    cache.set("k", &1, Keep::FOREVER.tags(&["t"])).await.unwrap();
    drop(cache);
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch("DROP TABLE journal; PRAGMA user_version = 1").unwrap();
    drop(db);
    fs::remove_file(journal(&path)).unwrap();
    let cache = Cache::disk(&path).unwrap();
    assert_eq!(cache.get("k").await, Ok(Some(1)));
    cache.set("noted", &2, Keep::FOREVER).await.unwrap();
    cache.set("noted", &3, Keep::FOREVER).await.unwrap();
    assert_eq!(Cache::disk(&path).unwrap().get("noted").await, Ok(Some(3)));
    cache.invalidate_tag("t").await.unwrap();
    assert_eq!(cache.get::<u32>("k").await, Ok(None));
}
