//! Log files under load.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use butterfly_log::{LogFile, Rotation};

const THREADS: usize = 8;
const LINES: usize = 10_000;

/// Writes `THREADS * LINES` lines that can be checked one by one.
fn write_all(log: &LogFile) {
    thread::scope(|scope| {
        for id in 0..THREADS {
            scope.spawn(move || {
                for number in 0..LINES {
                    let filling = "x".repeat((id * 31 + number) % 97);
                    log.line(format!("{id} {number} {filling} {}", filling.len()).as_bytes());
                }
            });
        }
    });
}

/// Checks that each line is whole, there once, and in the order of its thread.
fn check_all<'a>(lines: impl Iterator<Item = &'a str>) {
    let mut next = [0; THREADS];
    for line in lines {
        let parts: Vec<&str> = line.split(' ').collect();
        let [id, number, filling, length] = parts[..] else { panic!("torn: {line:?}") };
        let id: usize = id.parse().unwrap();
        assert_eq!(number, next[id].to_string(), "thread {id}");
        assert_eq!(filling.len().to_string(), length, "torn: {line:?}");
        next[id] += 1;
    }
    assert_eq!(next, [LINES; THREADS]);
}

/// The files put aside, oldest first, then the present one.
fn files(path: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(path.parent().unwrap()).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort_by_key(|path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let mut parts = name.split('.').skip(2);
        let stamp = parts.next().unwrap_or("later").to_owned();
        (stamp, parts.next().map_or(0, |number| number.parse::<u32>().unwrap()))
    });
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    paths.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn eight_threads_lose_tear_and_reorder_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let log = LogFile::open(folder.path().join("acc.log"), Rotation::NEVER).unwrap();
    write_all(&log);
    log.flush();
    check_all(fs::read_to_string(log.path()).unwrap().lines());
    assert_eq!(log.lost_lines(), 0);
}

#[test]
fn rotation_under_load_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let rotation = Rotation { max_bytes: 100_000, ..Rotation::NEVER };
    let log = LogFile::open(folder.path().join("acc.log"), rotation).unwrap();
    write_all(&log);
    log.flush();
    let files = files(log.path());
    assert!(files.len() > 20, "only {} files", files.len());
    assert_eq!(files.last().unwrap().0, "acc.log");
    for (name, content) in &files {
        assert!(content.len() <= 100_000 && content.ends_with('\n'), "{name}: {}", content.len());
    }
    check_all(files.iter().flat_map(|(_, content)| content.lines()));
}

#[test]
fn only_so_many_files_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let rotation = Rotation { max_bytes: 10_000, keep: 3, ..Rotation::default() };
    let log = LogFile::open(folder.path().join("acc.log"), rotation).unwrap();
    (0..10_000).for_each(|number| log.line(format!("{number:09}").as_bytes()));
    log.flush();
    let files = files(log.path());
    assert_eq!(files.len(), 4);
    let lines: String = files.into_iter().map(|(_, content)| content).collect();
    assert!(lines.starts_with("000006000\n") && lines.ends_with("000009999\n"));
}

#[test]
fn a_flush_sees_what_other_threads_logged_before() {
    let folder = tempfile::tempdir().unwrap();
    let log = LogFile::open(folder.path().join("acc.log"), Rotation::NEVER).unwrap();
    for round in 1..=200 {
        thread::scope(|scope| {
            (0..4).for_each(|_| drop(scope.spawn(|| log.line(b"line"))));
        });
        log.flush();
        assert_eq!(fs::read_to_string(log.path()).unwrap().lines().count(), 4 * round);
    }
}

#[test]
fn dropping_the_last_handle_flushes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/acc.log");
    let log = LogFile::open(&path, Rotation::default()).unwrap();
    let other = log.clone();
    drop(log);
    other.line(b"last words");
    drop(other);
    assert_eq!(fs::read_to_string(path).unwrap(), "last words\n");
}

#[test]
fn a_file_moved_away_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let log = LogFile::open(folder.path().join("acc.log"), Rotation::default()).unwrap();
    log.line(b"before");
    log.flush();
    fs::rename(log.path(), folder.path().join("moved")).unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut after = 0;
    while !log.path().exists() {
        assert!(Instant::now() < deadline, "not made again");
        log.line(b"after");
        log.flush();
        after += 1;
    }
    let lines = |path: &Path| fs::read_to_string(path).unwrap().lines().count();
    assert_eq!(lines(&folder.path().join("moved")) + lines(log.path()), 1 + after);
}

#[cfg(target_os = "linux")]
#[test]
fn lines_the_disk_refuses_are_counted() {
    let log = LogFile::open("/dev/full", Rotation::default()).unwrap();
    (0..10).for_each(|_| log.line(b"line"));
    log.flush();
    assert_eq!(log.lost_lines(), 10);
}
