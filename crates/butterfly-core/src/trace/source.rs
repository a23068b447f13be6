//! The text of source lines, for those that have the sources at hand.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Files that were asked for, with their lines; an empty one was not found.
#[derive(Debug, Default)]
pub(super) struct Sources(HashMap<&'static str, Vec<String>>);

impl Sources {
    /// A line of a file, counted from 1. `root` is the folder of the crate the file belongs to.
    pub(super) fn line(&mut self, file: &'static str, root: Option<&str>, line: u32) -> Option<&str> {
        let lines = self.0.entry(file).or_insert_with(|| read(file, root));
        let at = (line as usize).checked_sub(1)?;
        lines.get(at).map(String::as_str)
    }
}

fn read(file: &str, root: Option<&str>) -> Vec<String> {
    let text = candidates(file, root).find_map(|path| std::fs::read_to_string(path).ok());
    text.map(|text| text.lines().map(str::to_owned).collect()).unwrap_or_default()
}

/// Where the file may be. The compiler names it as it was told: absolute, or relative to the folder the compiler ran
/// in, which is the workspace's root: an ancestor of the crate's folder and often of the current one.
fn candidates<'a>(file: &'a str, root: Option<&'a str>) -> impl Iterator<Item = PathBuf> + 'a {
    let here = std::env::current_dir().unwrap_or_default();
    let near: Vec<PathBuf> = here.ancestors().map(|folder| folder.join(file)).collect();
    let home =
        root.into_iter().flat_map(|root| Path::new(root).ancestors()).map(move |folder| folder.join(file));
    near.into_iter().chain(home)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_by_the_name_the_compiler_gave_it() {
        let mut sources = Sources::default();
        let first = sources.line(file!(), Some(env!("CARGO_MANIFEST_DIR")), 1);
        assert_eq!(first, Some("//! The text of source lines, for those that have the sources at hand."));
        assert_eq!(sources.line(file!(), None, 0), None);
        assert_eq!(sources.line(file!(), None, u32::MAX), None);
    }

    #[test]
    fn a_file_is_found_from_the_crates_folder() {
        let folder = tempfile_dir();
        let inner = folder.join("crates/app");
        std::fs::create_dir_all(&inner).unwrap();
        std::fs::write(folder.join("only_here.rs"), "one\ntwo").unwrap();
        let mut sources = Sources::default();
        assert_eq!(sources.line("only_here.rs", inner.to_str(), 2), Some("two"));
        assert_eq!(sources.line("nowhere.rs", inner.to_str(), 1), None);
        std::fs::remove_dir_all(folder).unwrap();
    }

    fn tempfile_dir() -> PathBuf {
        std::env::temp_dir().join(format!("butterfly-trace-{}", std::process::id()))
    }
}
