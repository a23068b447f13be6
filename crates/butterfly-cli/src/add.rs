//! `butterfly add app`: one more file below `src/handlers`.

use std::env;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::template::{fill, write};

const APP: &str = include_str!("../templates/app.rs.in");

/// Adds the app to the project of the working folder, and returns what to do next.
pub(crate) fn app(name: &str) -> Result<String, Failure> {
    check_name(name)?;
    let here =
        env::current_dir().map_err(|error| Failure::refused(format_args!("no working folder: {error}")))?;
    let project = project_around(&here).ok_or_else(|| {
        Failure::refused(
            "this folder is in no Butterfly project; go into one, or make one with `butterfly new NAME`",
        )
    })?;
    let handlers = project.join("src/handlers");
    check_free(&handlers, name)?;
    let (file, route) = (handlers.join(format!("{name}.rs")), format!("/{}", name.to_ascii_lowercase()));
    write(&file, &fill(APP, &[("app", name), ("route", &route)]))?;
    Ok(format!(
        "Made src/handlers/{name}.rs. Start the service again, then:\n\n    \
         curl \"http://127.0.0.1:8585{route}/echo?text=hi\"\n"
    ))
}

/// Each part has to be a name that the build script takes.
fn check_name(name: &str) -> Result<(), Failure> {
    for part in name.split('/') {
        butterfly_build::module_name(part)
            .map_err(|bad| Failure::usage(format_args!("no app can be called `{name}`: {bad}")))?;
        if part == "mod" {
            return Err(Failure::usage(
                "`mod.rs` is the file of the folder that it lies in; choose another name",
            ));
        }
    }
    Ok(())
}

/// The nearest folder, from here upwards, that is a package with a build script for handlers.
fn project_around(here: &Path) -> Option<PathBuf> {
    let is_project = |folder: &&Path| {
        let script = std::fs::read_to_string(folder.join("build.rs")).unwrap_or_default();
        folder.join("Cargo.toml").is_file() && script.contains("butterfly_build::handlers")
    };
    here.ancestors().find(is_project).map(Path::to_owned)
}

/// Nothing that is there is written over, and no second file of the same route is made beside it.
fn check_free(handlers: &Path, name: &str) -> Result<(), Failure> {
    let (folder, last) = match name.rsplit_once('/') {
        Some((folder, last)) => (handlers.join(folder), last),
        None => (handlers.to_owned(), name),
    };
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let taken = entries.map(|entry| entry.path()).find_map(|path| taken_by(&path, last));
    match taken {
        Some(path) => Err(Failure::refused(format_args!(
            "there is an app of that name: {}; choose another name, or add a handler to it",
            path.display()
        ))),
        None => Ok(()),
    }
}

/// The file, if any, by which what lies at `path` is the app `name`; case does not count in routes.
fn taken_by(path: &Path, name: &str) -> Option<PathBuf> {
    let is = |part: Option<&std::ffi::OsStr>| part.is_some_and(|part| part.eq_ignore_ascii_case(name));
    let own_file = path.join("mod.rs");
    if path.extension().is_some_and(|extension| extension == "rs") && is(path.file_stem()) {
        Some(path.to_owned())
    } else if is(path.file_name()) && own_file.is_file() {
        Some(own_file)
    } else {
        None
    }
}
