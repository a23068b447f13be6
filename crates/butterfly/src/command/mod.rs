//! The program's command line: the door for people and scripts.

mod arguments;
mod background;
mod call;
mod desk;
mod given;
#[cfg(feature = "sql")]
mod migrate;
mod queue;
mod reqid;
mod routes;
mod shown;
mod table;
mod trace;

use std::process::ExitCode;

use clap::Parser;

use crate::Butterfly;
use crate::config::{Loaded, Loader};
use crate::say::say;
use crate::serve::serve;
use arguments::{Arguments, Command, Settings};

/// Wrong words on the command line or in the configuration.
pub(crate) const USAGE: u8 = 2;

pub(crate) fn run(program: Butterfly) -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // The help text goes to stdout, mistakes to stderr; neither write is worth failing for.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(USAGE));
        }
    };
    let command = arguments.command.unwrap_or_default();
    if let Command::Reqid { id } = &command {
        return reqid::show(id);
    }
    match load(program.name, &arguments.settings, &command) {
        Ok(loaded) => dispatch(program, command, &arguments.settings, &loaded),
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(USAGE)
        }
    }
}

fn dispatch(program: Butterfly, command: Command, settings: &Settings, loaded: &Loaded) -> ExitCode {
    match command {
        Command::Serve { detached, .. } => {
            if detached {
                background::detach();
            }
            serve(program, loaded)
        }
        Command::Start => background::start(&program, loaded, settings),
        Command::Stop => background::stop(loaded),
        Command::Restart => match background::stop(loaded) {
            ExitCode::SUCCESS => background::start(&program, loaded, settings),
            failed => failed,
        },
        Command::Status => background::status(loaded),
        Command::Routes { json } => routes::show(&program, json),
        Command::Call(words) => call::run(program, loaded, words),
        Command::Config { json, reference } => {
            config(loaded, json, reference);
            ExitCode::SUCCESS
        }
        Command::Queue(words) => desk::exit(queue::run(program, loaded, words)),
        #[cfg(feature = "sql")]
        Command::Migrate(words) => desk::exit(migrate::run(loaded, words)),
        Command::Trace(words) => desk::exit(trace::run(program, loaded, &words)),
        Command::Reqid { id } => reqid::show(&id),
    }
}

fn config(loaded: &Loaded, json: bool, reference: bool) {
    if reference {
        say!("{}", crate::config::reference().trim_end());
    } else if json {
        say!("{:#}", loaded.report_json());
    } else {
        say!("{}", loaded.report().trim_end());
    }
}

fn load(name: &str, settings: &Settings, command: &Command) -> Result<Loaded, String> {
    let mut flags = settings.pairs()?;
    if let Command::Serve { roles: Some(roles), .. } = command {
        flags.push(("roles".into(), roles.clone()));
    }
    let loader = Loader::new(name).file(settings.config.clone()).env(std::env::vars()).flags(flags);
    loader.load().map_err(|error| error.to_string())
}
