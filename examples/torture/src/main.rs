//! Proof against faults: messages are sent and run by processes that are killed at random instants, and in the end what
//! the senders were told, what the handlers saw and what the engine keeps must be one story.
//!
//! The program is three: the torture itself, `torture send` a process that sends, `torture serve` a worker.
//!
//! `torture outbox` does the same to messages that are sent within transactions of a database.

mod books;
mod chance;
mod clock;
mod course;
mod disk;
mod faults;
mod fleet;
mod ledger;
mod line;
mod options;
mod outbox;
mod place;
mod report;
mod runs;
mod sender;
mod server;
mod stand;

butterfly::handlers!();

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use options::Options;
use runs::Runs;

/// The variable that tells a worker in which file its handlers note their runs.
const RUNS: &str = "TORTURE_RUNS";

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("send") => sender::main(),
        Some("serve") => serve(),
        Some("commit") => outbox::commit(),
        Some("outbox") => match outbox::run() {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => failed(error),
        },
        _ => match course::run(&Options::parse()) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => failed(error),
        },
    }
}

fn serve() -> ExitCode {
    let Some(file) = std::env::var_os(RUNS) else {
        return failed(format_args!("{RUNS} is not set: it names the file in which runs are noted"));
    };
    match Runs::open(Path::new(&file)) {
        Ok(runs) => butterfly::app!().state(runs).run(),
        Err(error) => failed(format_args!("{}: {error}", file.display())),
    }
}

fn failed(why: impl std::fmt::Display) -> ExitCode {
    eprintln!("error: {why}");
    ExitCode::FAILURE
}
