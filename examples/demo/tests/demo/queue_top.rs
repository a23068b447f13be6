//! `queue top`: on a terminal, and without one.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use serde_json::Value;

use crate::folder::Folder;
use crate::queue_command::enqueue;
use crate::service::PATIENCE;

#[test]
fn top_shows_what_happens_between_two_looks() {
    let folder = Folder::new();
    enqueue(&folder, &["/demo_api/hello", "hi"]);
    let top = folder.run(&["queue", "top", "--every", "100ms"]).ok();
    let row: Vec<&str> =
        top.lines().find(|line| line.starts_with("/demo_api/hello")).unwrap().split_whitespace().collect();
    assert_eq!(row[1..4], ["1", "0", "0"], "{top}");
    assert!(top.contains("no worker is here") && !top.contains('\u{1b}'), "{top}");
    let mut looking = folder.command(&["queue", "top", "--json", "--every", "3s"]);
    let looking = looking.stdout(std::process::Stdio::piped()).spawn().unwrap();
    // Its first look comes at once: what is sent until the second is seen.
    let until = Instant::now() + Duration::from_secs(2);
    while Instant::now() < until {
        enqueue(&folder, &["/demo_api/add", "1", "2"]);
    }
    let output = looking.wait_with_output().unwrap();
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    let add =
        seen["topics"].as_array().unwrap().iter().find(|topic| topic["topic"] == "/demo_api/add").unwrap();
    assert!(add["rates"]["enqueued"].as_f64().unwrap() > 0.0, "{add}");
}

/// A terminal, and the end at which a person would sit.
fn terminal() -> (File, File) {
    let seat = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&seat).unwrap();
    unlockpt(&seat).unwrap();
    let name = ptsname(&seat, Vec::new()).unwrap().into_string().unwrap();
    let terminal = OpenOptions::new().read(true).write(true).open(name).unwrap();
    (seat.into(), terminal)
}

/// What is seen, piece by piece.
fn pieces(mut seat: File) -> Receiver<String> {
    let (tell, pieces) = channel();
    std::thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(length) = seat.read(&mut piece) {
            if tell.send(String::from_utf8_lossy(&piece[..length]).into_owned()).is_err() {
                return;
            }
        }
    });
    pieces
}

/// What is seen until it is as it should be.
#[track_caller]
fn seen(pieces: &Receiver<String>, is: impl Fn(&str) -> bool) -> String {
    let mut all = String::new();
    while !is(&all) {
        let piece = pieces.recv_timeout(PATIENCE);
        all.push_str(&piece.unwrap_or_else(|_| panic!("nothing more is seen after {all:?}")));
    }
    all
}

#[test]
fn on_a_terminal_it_draws_in_place_until_q_and_leaves_it_as_it_was() {
    let folder = Folder::new();
    enqueue(&folder, &["/demo_api/hello", "hi"]);
    let (mut seat, terminal) = terminal();
    let pieces = pieces(seat.try_clone().unwrap());
    let before = tcgetattr(&terminal).unwrap();
    let mut command = folder.command(&["queue", "top", "--every", "100ms"]);
    command.stdin(terminal.try_clone().unwrap()).stdout(terminal.try_clone().unwrap());
    let mut child = command.spawn().unwrap();
    let frames = seen(&pieces, |all| all.matches("\x1b[H").count() > 2);
    assert!(frames.starts_with("\x1b[?1049h") && frames.contains("/demo_api/hello"), "{frames:?}");
    assert!(!tcgetattr(&terminal).unwrap().local_modes.intersects(LocalModes::ECHO | LocalModes::ICANON));
    seat.write_all(b"xq").unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(tcgetattr(&terminal).unwrap().local_modes, before.local_modes);
    // The end of what was drawn: a mark of ours shows that nothing follows it.
    (&terminal).write_all(b"end").unwrap();
    let rest = seen(&pieces, |all| all.ends_with("end"));
    assert!(rest.ends_with("\x1b[?25h\x1b[?1049lend"), "{rest:?}");
}
