//! Several processes on one file.

use super::child::{Role, folder};
use super::{add, count, open};

/// A role: adds notes without end, and says each that was answered.
#[tokio::test]
async fn role_adds() {
    let Some(folder) = folder() else { return };
    let store = open(&folder);
    for number in 0_u64.. {
        add(&store, format!("{}-{number}", std::process::id())).await.unwrap();
        println!("added {number}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_survives_a_kill_at_any_instant() {
    let folder = tempfile::tempdir().unwrap();
    let mut answered = 0;
    for rounds in [1, 40, 300] {
        let mut role = Role::start("processes::role_adds", folder.path());
        for _ in 0..rounds {
            role.says("added");
        }
        role.kill();
        answered += rounds;
        assert!(count(&open(folder.path())).await >= answered);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_write_at_once_take_turns() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut role = Role::start("processes::role_adds", folder.path());
    role.says("added");
    let before = theirs(&store).await;
    for number in 0..200 {
        add(&store, format!("ours-{number}")).await.unwrap();
    }
    let while_we_wrote = theirs(&store).await - before;
    assert!(while_we_wrote > 20, "the other one wrote {while_we_wrote} while we wrote 200");
}

async fn theirs(store: &butterfly_store::Store) -> i64 {
    let sql = "SELECT count(*) FROM note WHERE text NOT LIKE 'ours%'";
    store.read(move |db| Ok(db.query_row(sql, [], |row| row.get(0))?)).await.unwrap()
}
