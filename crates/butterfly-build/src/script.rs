//! The talk with cargo: what a build script reads, prints and writes.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::{Problem, generate};

const OUTPUT: &str = "butterfly_handlers.rs";

/// Finds the handlers and writes their modules for `butterfly::handlers!()`: all that a service's `build.rs` does.
///
/// Cargo runs it again when something below `src` changes. What is wrong is told to cargo, which stops the build.
///
/// # Example
///
/// ```no_run
/// // build.rs
/// fn main() {
///     butterfly_build::handlers();
/// }
/// ```
pub fn handlers() {
    for problem in run().err().unwrap_or_default() {
        println!("cargo::error={problem}");
    }
}

fn run() -> Result<(), Vec<Problem>> {
    let (root, out) = (variable("CARGO_MANIFEST_DIR")?, variable("OUT_DIR")?);
    // Not `src/handlers`: it may come later, and so may `src/handlers.rs`; cargo can watch only what is there.
    println!("cargo::rerun-if-changed=src");
    if !root.join("src/handlers").is_dir() && !root.join("src/handlers.rs").is_file() {
        println!("cargo::warning=no folder src/handlers: the service has no handlers of its own yet");
    }
    write(&out.join(OUTPUT), &generate(&root)?).map_err(|problem| vec![problem])
}

fn variable(name: &str) -> Result<PathBuf, Vec<Problem>> {
    let missing = || vec![Problem::new("build.rs", format_args!("{name} is not set; cargo has to run it"))];
    env::var_os(name).map(PathBuf::from).ok_or_else(missing)
}

/// An unchanged file keeps its time, so that nothing is compiled for its sake.
fn write(path: &Path, source: &str) -> Result<(), Problem> {
    if fs::read(path).is_ok_and(|old| old == source.as_bytes()) {
        return Ok(());
    }
    fs::write(path, source).map_err(|error| Problem::new(path, format_args!("cannot be written: {error}")))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn only_a_change_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(OUTPUT);
        write(&path, "one").unwrap();
        fs::File::options().write(true).open(&path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();

        write(&path, "one").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), SystemTime::UNIX_EPOCH);
        write(&path, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
    }

    #[test]
    fn a_folder_that_is_not_there_is_a_problem() {
        let folder = tempfile::tempdir().unwrap();
        let problem = write(&folder.path().join("no/such").join(OUTPUT), "one").unwrap_err();
        assert!(problem.to_string().contains("cannot be written"), "{problem}");
    }
}
