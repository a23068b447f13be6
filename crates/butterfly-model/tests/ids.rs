//! Ids made by real processes that share a folder, and that are killed.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use butterfly_model::ids::{FileWorkers, Snowflake, Snowflakes};

/// Says to a process of this test which folder it works in.
const FOLDER: &str = "IDS_TEST_FOLDER";

/// What the other tests start in processes of its own: it makes ids until it is killed.
#[test]
fn role_maker() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let ids = Snowflakes::start(FileWorkers::new(folder)).unwrap();
    let mut out = std::io::stdout().lock();
    let mut lines = String::new();
    loop {
        lines.clear();
        for _ in 0..100 {
            lines.push_str(&format!("id {}\n", ids.next_id().unwrap()));
        }
        // The parent hears no more.
        if out.write_all(lines.as_bytes()).and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}

struct Maker {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Maker {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "role_maker", "--nocapture", "--test-threads=1"])
            .env(FOLDER, folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    /// The next id that the process says; `None` when it has nothing more to say.
    fn id(&mut self) -> Option<Snowflake> {
        loop {
            let mut line = String::new();
            if self.out.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            // A line that the kill cut off has no end.
            if let Some(id) = line.strip_suffix('\n').and_then(|line| line.strip_prefix("id ")) {
                return Some(id.parse().unwrap());
            }
        }
    }

    /// Kills it as nothing can be caught, and reads what it still said.
    fn kill(mut self) -> Vec<Snowflake> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::iter::from_fn(|| self.id()).collect()
    }
}

#[test]
fn processes_that_are_killed_all_the_time_make_no_id_twice() {
    const PROCESSES: usize = 4;
    // More starts than there are numbers: those of killed processes have to come back.
    const LIVES: usize = 20;
    let folder = tempfile::tempdir().unwrap();
    let mut makers: Vec<Maker> = (0..PROCESSES).map(|_| Maker::start(folder.path())).collect();
    let mut all = HashSet::new();
    let mut made = 0;
    for life in 0..LIVES {
        let mut numbers = HashMap::new();
        for (which, maker) in makers.iter_mut().enumerate() {
            for _ in 0..2000 {
                let id = maker.id().expect("the process died by itself");
                assert!(all.insert(id), "{id} came twice, in life {life}");
                made += 1;
                let holder = numbers.entry(id.worker()).or_insert(which);
                assert_eq!(*holder, which, "two living processes share a number");
            }
        }
        for _ in 0..PROCESSES / 2 {
            for id in makers.remove(0).kill() {
                assert!(all.insert(id), "{id} came twice, at the end of life {life}");
                made += 1;
            }
            makers.push(Maker::start(folder.path()));
        }
    }
    for id in makers.into_iter().flat_map(Maker::kill) {
        assert!(all.insert(id), "{id} came twice");
        made += 1;
    }
    assert!(made >= LIVES * PROCESSES * 2000 && all.len() == made);
}
