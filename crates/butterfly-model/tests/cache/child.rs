//! Several processes on one file: this test program starts itself again.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use butterfly_model::cache::{Cache, Disk, Evict, Keep};

const FILE: &str = "BUTTERFLY_TEST_CACHE_FILE";
const HOUR: Duration = Duration::from_secs(3600);
const PROCESSES: u32 = 4;
const ROUNDS: u32 = 300;

/// A busy disk is to make them slow, not to fail them.
const PATIENCE: Duration = Duration::from_secs(60);

fn open(path: &Path) -> Cache {
    let disk = Disk::at(path).size_limit(4 << 20).evict(Evict::LeastRecentlyUsed).lock_timeout(PATIENCE);
    Cache::of(disk.open().unwrap())
}

/// Not a test of its own: what the other processes do.
#[tokio::test]
async fn child() {
    let Some(path) = std::env::var_os(FILE) else { return };
    let cache = open(Path::new(&path));
    for round in 0..ROUNDS {
        cache.incr("count", 1, Keep::FOREVER).await.unwrap();
        if cache.add(&format!("once{round}"), &1, Keep::FOREVER).await.unwrap() {
            cache.incr("won", 1, Keep::FOREVER).await.unwrap();
        }
        cache.set_bytes(&format!("fill{round}"), vec![7; 2000], HOUR).await.unwrap();
        cache.get_bytes("count").await.unwrap();
    }
}

#[tokio::test]
async fn processes_share_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache.db");
    let children: Vec<_> = (0..PROCESSES)
        .map(|_| {
            let mut child = Command::new(std::env::current_exe().unwrap());
            child.args(["--exact", "child::child"]).env(FILE, &path).stdout(Stdio::null());
            child.spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let cache = open(&path);
    assert_eq!(cache.get("count").await, Ok(Some(PROCESSES * ROUNDS)));
    assert_eq!(cache.get("won").await, Ok(Some(ROUNDS)));
}
