//! The command `butterfly`: makes a new project, and new apps in it. Everything else is in the project's own binary.

mod add;
mod failure;
mod framework;
mod new;
mod template;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use failure::Failure;

/// Makes Butterfly projects. What a project can do is in its own binary: `cargo run -- --help`.
#[derive(Parser)]
#[command(name = "butterfly", version)]
struct Command {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make a new project that builds, tests and runs as it is.
    New(New),
    /// Add something to the project of this folder.
    #[command(subcommand)]
    Add(Add),
}

#[derive(Args)]
struct New {
    /// The project's name: small letters, digits, `-` and `_`.
    name: String,
    /// The project's folder, new or empty; by default a new one with the project's name.
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
    /// A checkout of Butterfly to build with, instead of the published version.
    #[arg(long, value_name = "PATH")]
    butterfly: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Add {
    /// Add an app: a file below `src/handlers`.
    App {
        /// The app's name, with `/` where the route has one: `orders` or `shop/orders`.
        name: String,
    },
}

fn main() -> ExitCode {
    match run(Command::parse().action) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("error: {failure}");
            failure.code()
        }
    }
}

/// Does it, and returns what there is to say about it.
fn run(action: Action) -> Result<String, Failure> {
    match action {
        Action::New(new) => new::project(&new.name, new.path, new.butterfly.as_deref()),
        Action::Add(Add::App { name }) => add::app(&name),
    }
}
