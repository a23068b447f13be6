//! Transactions that are shared.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use butterfly_store::{Durability, Options, Store, StoreError};

use super::{NOTES, add, count, open};

/// Keeps the writer busy until the sender is dropped, so that what is handed in meanwhile shares one transaction.
fn hold(store: &Store) -> (std::sync::mpsc::Sender<()>, tokio::task::JoinHandle<Result<(), StoreError>>) {
    let (free, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let store = store.clone();
    let task = tokio::spawn(async move {
        store
            .write(move |_| {
                let _ = held.lock().unwrap().recv();
                Ok(())
            })
            .await
    });
    (free, task)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_fails_after_it_wrote_takes_nobody_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let runs = Arc::new(AtomicUsize::new(0));
    let (free, held) = hold(&store);
    let good = |text: &'static str| {
        let (store, runs) = (store.clone(), Arc::clone(&runs));
        async move {
            let change = move |tx: &butterfly_store::Tx<'_>| {
                runs.fetch_add(1, Ordering::Relaxed);
                Ok(tx.execute("INSERT INTO note (text) VALUES (?1)", [text]).map(drop)?)
            };
            store.write(change).await
        }
    };
    let bad = store.write(|tx| {
        tx.execute("INSERT INTO note (text) VALUES ('bad')", [])?;
        Err::<(), _>(StoreError::Refused("changed my mind".into()))
    });
    let panics = store.write(|tx| -> Result<(), StoreError> {
        tx.execute("INSERT INTO note (text) VALUES ('worse')", [])?;
        panic!("on purpose")
    });
    let all = async { tokio::join!(good("one"), bad, panics, good("two"), async { drop(free) }) };
    let (one, bad, panics, two, ()) = all.await;
    held.await.unwrap().unwrap();
    assert_eq!((one, two), (Ok(()), Ok(())));
    assert_eq!(bad, Err(StoreError::Refused("changed my mind".into())));
    assert_eq!(panics, Err(StoreError::Refused("a closure panicked".into())));
    assert_eq!(count(&store).await, 2);
    assert!(runs.load(Ordering::Relaxed) >= 3, "those that shared its transaction were run again");
}

#[tokio::test]
async fn what_was_answered_is_there_after_it_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    for durability in [Durability::Full, Durability::Normal] {
        let options = Options { durability, ..Options::default() };
        let store = Store::open(folder.path().join("store.db"), &[NOTES], options).unwrap();
        add(&store, format!("{durability:?}")).await.unwrap();
    }
    assert_eq!(count(&open(folder.path())).await, 2);
}

#[tokio::test]
async fn hooks_run_once_it_is_true_and_never_if_it_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let told = Arc::new(AtomicUsize::new(0));
    let hooked = |fails: bool| {
        let told = Arc::clone(&told);
        store.write(move |tx| {
            tx.execute("INSERT INTO note (text) VALUES ('x')", [])?;
            let (one, other) = (Arc::clone(&told), Arc::clone(&told));
            tx.when_visible(move || {
                one.fetch_add(1, Ordering::Relaxed);
            });
            tx.when_durable(move || {
                other.fetch_add(10, Ordering::Relaxed);
            });
            if fails { Err(StoreError::Refused("no".into())) } else { Ok(()) }
        })
    };
    assert!(hooked(true).await.is_err());
    assert_eq!(told.load(Ordering::Relaxed), 0);
    hooked(false).await.unwrap();
    assert_eq!(told.load(Ordering::Relaxed), 11);
}

#[tokio::test]
async fn a_full_disk_is_said_and_nothing_is_half_done() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { max_bytes: Some(200_000), ..Options::default() };
    let store = Store::open(folder.path().join("store.db"), &[NOTES], options).unwrap();
    add(&store, "small").await.unwrap();
    let two = store.write(|tx| {
        tx.execute("INSERT INTO note (text) VALUES ('before')", [])?;
        Ok(tx.execute("INSERT INTO note (text) VALUES (?1)", ["x".repeat(400_000)])?)
    });
    assert!(matches!(two.await, Err(StoreError::NoRoom(_))));
    assert_eq!(count(&store).await, 1);
    add(&store, "small again").await.unwrap();
    assert_eq!(count(&store).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_does_not_grow_without_end() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let log = folder.path().join("store.db-wal");
    for round in 0..60 {
        store
            .write(move |tx| {
                let mut add = tx.prepare_cached("INSERT OR REPLACE INTO note VALUES (?1, ?2)")?;
                for id in 0..500 {
                    add.execute((id, format!("{round}-{id}-{}", "x".repeat(3000))))?;
                }
                Ok(())
            })
            .await
            .unwrap();
    }
    let size = std::fs::metadata(log).unwrap().len();
    // All that was written is more than 90 MB.
    assert!(size < 60_000_000, "the log has {size} bytes");
    assert_eq!(count(&store).await, 500);
}
