//! Processes that notice each other.

use std::path::Path;
use std::time::Duration;

use butterfly_store::{PeerEvent, PeerName, Peers};
use tokio::sync::mpsc::UnboundedReceiver;

use super::child::{Role, folder};

async fn next(events: &mut UnboundedReceiver<PeerEvent>) -> PeerEvent {
    tokio::time::timeout(Duration::from_secs(20), events.recv()).await.expect("nothing happened").unwrap()
}

/// A role: joins, says who it is, repeats what it is told, until it is killed or told to go.
#[tokio::test]
async fn role_peer() {
    let Some(folder) = folder() else { return };
    let (peers, mut events) = Peers::join(&folder).unwrap();
    println!("name {}", peers.name());
    loop {
        match next(&mut events).await {
            PeerEvent::Told(_, text) if text == "go" => return,
            PeerEvent::Told(from, text) => peers.tell(&from, &format!("you said {text}")),
            _ => {}
        }
    }
}

fn name_of(role: &mut Role) -> PeerName {
    role.says("name ").split_once("name ").unwrap().1.into()
}

async fn talk(folder: &Path) {
    let (peers, mut events) = Peers::join(folder).unwrap();
    let mut role = Role::start("peers::role_peer", folder);
    let name = name_of(&mut role);
    assert_eq!(next(&mut events).await, PeerEvent::Joined(name.clone()));
    peers.tell_all("hello");
    assert_eq!(next(&mut events).await, PeerEvent::Told(name.clone(), "you said hello".into()));
    role.kill();
    assert_eq!(next(&mut events).await, PeerEvent::Gone(name.clone()));
    assert!(!peers.lives(&name) && peers.connected().is_empty());
    drop(peers);
    let left: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left, Vec::<std::path::PathBuf>::new(), "files are left");
}

#[tokio::test]
async fn words_go_both_ways_and_a_kill_is_noticed_at_once() {
    let folder = tempfile::tempdir().unwrap();
    talk(folder.path()).await;
}

#[tokio::test]
async fn a_folder_may_have_a_long_path() {
    let folder = tempfile::tempdir().unwrap();
    talk(&folder.path().join("a-long-name-of-a-folder".repeat(8)).join("peers")).await;
}

#[tokio::test]
async fn who_comes_later_hears_of_the_dead_and_of_the_living() {
    let folder = tempfile::tempdir().unwrap();
    let mut dead = Role::start("peers::role_peer", folder.path());
    let mut lives = Role::start("peers::role_peer", folder.path());
    let (dead_name, lives_name) = (name_of(&mut dead), name_of(&mut lives));
    // Both die so that nobody is there to clean up.
    dead.kill();
    lives.kill();
    let mut lives = Role::start("peers::role_peer", folder.path());
    let new_name = name_of(&mut lives);
    let (_peers, mut events) = Peers::join(folder.path()).unwrap();
    let mut joined = false;
    while !joined {
        match next(&mut events).await {
            PeerEvent::Joined(name) => {
                assert_eq!(name, new_name);
                joined = true;
            }
            PeerEvent::Gone(name) => assert!(name == dead_name || name == lives_name),
            PeerEvent::Told(..) => panic!("nobody spoke"),
        }
    }
}

#[tokio::test]
async fn one_that_leaves_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let (peers, mut events) = Peers::join(folder.path()).unwrap();
    let mut role = Role::start("peers::role_peer", folder.path());
    let name = name_of(&mut role);
    assert_eq!(next(&mut events).await, PeerEvent::Joined(name.clone()));
    peers.tell(&name, "go");
    assert_eq!(next(&mut events).await, PeerEvent::Gone(name));
    role.ends_well();
}

/// A role: joins and does nothing.
#[tokio::test]
async fn role_idles() {
    let Some(folder) = folder() else { return };
    let (peers, mut events) = Peers::join(&folder).unwrap();
    println!("name {}", peers.name());
    loop {
        events.recv().await;
    }
}

#[tokio::test]
async fn an_idle_process_takes_no_time_of_the_processor() {
    let folder = tempfile::tempdir().unwrap();
    let mut one = Role::start("peers::role_idles", folder.path());
    one.says("name ");
    let mut other = Role::start("peers::role_idles", folder.path());
    other.says("name ");
    // Linux says how often a process gave up the processor of its own will: one that polls does so again and again.
    let waits = |pid: u32| -> u64 {
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        let status = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("status")).unwrap();
        let count = |status: String| -> u64 {
            let line = status.lines().find(|line| line.starts_with("voluntary_ctxt_switches")).unwrap();
            line.split_whitespace().last().unwrap().parse().unwrap()
        };
        tasks.map(|task| count(status(task.unwrap()))).sum()
    };
    let settled = async {
        // Nothing to wait for can be named here: that nothing happens is what is measured.
        let before = waits(one.pid());
        tokio::time::sleep(Duration::from_millis(300)).await;
        waits(one.pid()) - before
    };
    assert!(settled.await < 10);
}
