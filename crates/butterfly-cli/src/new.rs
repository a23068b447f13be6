//! `butterfly new`: a project that builds, tests and runs as it is.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::framework::Framework;
use crate::template::{fill, write};

/// The files of a project, by their path in it.
const FILES: &[(&str, &str)] = &[
    (".gitignore", include_str!("../templates/gitignore.in")),
    ("Cargo.toml", include_str!("../templates/Cargo.toml.in")),
    ("README.md", include_str!("../templates/README.md.in")),
    ("build.rs", include_str!("../templates/build.rs.in")),
    ("butterfly.toml", include_str!("../templates/butterfly.toml.in")),
    ("src/handlers/hello.rs", include_str!("../templates/hello.rs.in")),
    ("src/main.rs", include_str!("../templates/main.rs.in")),
];

/// Names that mean something else to cargo, to the compiler or to Windows.
const TAKEN: &[&str] = &[
    "alloc",
    "build",
    "core",
    "deps",
    "examples",
    "incremental",
    "proc-macro",
    "proc_macro",
    "std",
    "test",
    "aux",
    "con",
    "nul",
    "prn",
];

const LONGEST: usize = 64;

/// Makes the project and returns what to do next.
pub(crate) fn project(
    name: &str,
    path: Option<PathBuf>,
    butterfly: Option<&Path>,
) -> Result<String, Failure> {
    check_name(name)?;
    let framework = Framework::find(butterfly)?;
    let folder = path.unwrap_or_else(|| PathBuf::from(name));
    check_folder(&folder)?;
    let values = [
        ("name", name),
        ("crate", &name.replace('-', "_")),
        ("rust", env!("CARGO_PKG_RUST_VERSION")),
        ("butterfly", &framework.butterfly),
        ("butterfly-build", &framework.build),
    ];
    for (file, text) in FILES {
        write(&folder.join(file), &fill(text, &values))?;
    }
    Ok(next_steps(name, &folder))
}

fn check_name(name: &str) -> Result<(), Failure> {
    match refusal(name) {
        Some(why) => Err(Failure::usage(format_args!("a project cannot be called `{name}`: {why}"))),
        None => Ok(()),
    }
}

fn refusal(name: &str) -> Option<&'static str> {
    let is_part =
        |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || matches!(char, '-' | '_');
    if !name.starts_with(|char: char| char.is_ascii_lowercase()) {
        Some("it must begin with a small letter (a to z)")
    } else if !name.chars().all(is_part) {
        Some("use small letters (a to z), digits, `-` and `_` only")
    } else if name.len() > LONGEST {
        Some("it has more than 64 characters")
    } else if name == "butterfly" || name.starts_with("butterfly-") || name.starts_with("butterfly_") {
        Some("that is Butterfly's own; choose another")
    } else if TAKEN.contains(&name) {
        Some(
            "the word is taken by cargo, the compiler or the system; choose another, such as one with `-app` behind it",
        )
    } else if is_keyword(name) {
        Some("it is a Rust keyword; choose another, such as one with `-app` behind it")
    } else {
        None
    }
}

fn is_keyword(name: &str) -> bool {
    let word = name.replace('-', "_");
    butterfly_build::module_name(&word).as_deref() != Ok(&word)
}

/// Nobody's files are touched: the folder is new or empty.
fn check_folder(folder: &Path) -> Result<(), Failure> {
    let shown = folder.display();
    match fs::read_dir(folder).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::refused(format_args!(
            "the folder {shown} is not empty; name another with `--path DIR`, or empty it"
        ))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotADirectory => {
            Err(Failure::refused(format_args!("{shown} is a file; name a folder with `--path DIR`")))
        }
        Err(error) => Err(Failure::io("look into", folder, &error)),
    }
}

fn next_steps(name: &str, folder: &Path) -> String {
    let folder = quoted(&folder.display().to_string());
    format!(
        "Made the project `{name}`. Next:\n\n    cd {folder}\n    cargo run\n\nand, while it runs:\n\n    \
         curl \"http://127.0.0.1:8585/hello/greet?name=you\"\n\nIts README.md says where to go on.\n"
    )
}

/// As a shell wants it.
fn quoted(path: &str) -> String {
    let is_plain = |char: char| char.is_alphanumeric() || "/\\.:_-+".contains(char);
    if path.chars().all(is_plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_crate_names() {
        for good in ["shop", "my-shop", "my_shop2", "typed", "tests"] {
            assert_eq!(refusal(good), None, "{good}");
        }
        for bad in ["", "2fa", "Shop", "my shop", "a/b", "..", "-x", "--", "é", "shop\n", &"a".repeat(65)] {
            assert!(refusal(bad).is_some(), "{bad}");
        }
        for taken in
            ["test", "core", "butterfly", "butterfly-http", "butterfly_x", "type", "self", "gen", "build"]
        {
            assert!(refusal(taken).is_some(), "{taken}");
        }
    }

    #[test]
    fn the_step_can_be_pasted() {
        assert_eq!(quoted("a/b-c.d"), "a/b-c.d");
        assert_eq!(quoted("it's here"), r"'it'\''s here'");
    }
}
