//! Where a new project takes Butterfly from.

use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// What a manifest says of the two crates that a project needs.
#[derive(Debug, PartialEq)]
pub(crate) struct Framework {
    pub(crate) butterfly: String,
    pub(crate) build: String,
}

impl Framework {
    /// The checkout that is named; else the one that this command was built from, if it is still there; else the
    /// published version of this command.
    pub(crate) fn find(named: Option<&Path>) -> Result<Self, Failure> {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../butterfly");
        match (named, checkout(&own)) {
            (Some(named), _) => match checkout(named) {
                Some(folder) => Self::of_folder(&folder),
                None => Err(no_checkout(named)),
            },
            (None, Some(folder)) => Self::of_folder(&folder),
            (None, None) => Ok(Self::published()),
        }
    }

    fn published() -> Self {
        let version =
            concat!("\"", env!("CARGO_PKG_VERSION_MAJOR"), ".", env!("CARGO_PKG_VERSION_MINOR"), "\"");
        Self { butterfly: version.to_owned(), build: version.to_owned() }
    }

    fn of_folder(butterfly: &Path) -> Result<Self, Failure> {
        Ok(Self {
            butterfly: dependency(butterfly)?,
            build: dependency(&butterfly.with_file_name("butterfly-build"))?,
        })
    }
}

/// The folder of the crate `butterfly`: the one given, or the one in the checkout given.
fn checkout(folder: &Path) -> Option<PathBuf> {
    let candidates = [folder.join("crates/butterfly"), folder.to_owned()];
    let found =
        candidates.into_iter().filter_map(|candidate| candidate.canonicalize().ok()).find(|candidate| {
            candidate.ends_with("butterfly")
                && candidate.join("Cargo.toml").is_file()
                && candidate.with_file_name("butterfly-build").join("Cargo.toml").is_file()
        });
    found.map(plain)
}

/// Without the prefix that Windows puts before canonical paths and cargo does not like.
fn plain(path: PathBuf) -> PathBuf {
    match path.to_str().and_then(|text| text.strip_prefix(r"\\?\")) {
        Some(text) => PathBuf::from(text),
        None => path,
    }
}

fn no_checkout(folder: &Path) -> Failure {
    Failure::usage(format_args!(
        "{} is no checkout of Butterfly; give `--butterfly` the folder that has crates/butterfly in it",
        folder.display()
    ))
}

fn dependency(folder: &Path) -> Result<String, Failure> {
    let text = folder.to_str().ok_or_else(|| {
        let folder = folder.display();
        Failure::refused(format_args!(
            "the path {folder} is no UTF-8, which a manifest has to be; move the checkout"
        ))
    })?;
    Ok(format!("{{ path = \"{}\" }}", toml_escaped(text)))
}

/// The inside of a TOML text.
fn toml_escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, char| {
        match char {
            '"' | '\\' => escaped.extend(['\\', char]),
            char if char.is_control() => escaped.push_str(&format!("\\u{:04x}", u32::from(char))),
            char => escaped.push(char),
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_escaped() {
        assert_eq!(toml_escaped("C:\\a \"b\"\n"), "C:\\\\a \\\"b\\\"\\u000a");
    }

    #[test]
    fn the_published_version_has_no_patch_number() {
        assert_eq!(Framework::published().butterfly.matches('.').count(), 1);
    }
}
