//! From the path of a request to a file below one folder, and never to any other.

#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Component, Path, PathBuf};

use butterfly_core::Fault;

/// The one answer to every refusal: it does not tell what exists.
const NOT_FOUND: Fault = Fault::File(404, "File Not Found");

/// Finds the file that `raw`, the still percent-escaped path after the prefix, names below `dir`.
///
/// Each segment is decoded once and must then be a plain name: no `.` or `..`, nothing hidden, no separator, no
/// control character. What is found, links followed, must lie inside `dir`. A folder means its `index.html`.
pub(crate) async fn locate(dir: &Path, raw: &str) -> Result<PathBuf, Fault> {
    let (dir, raw) = (dir.to_owned(), raw.to_owned());
    let found = tokio::task::spawn_blocking(move || find(&dir, &raw)).await;
    found.ok().flatten().ok_or(NOT_FOUND)
}

fn find(dir: &Path, raw: &str) -> Option<PathBuf> {
    let asked = relative(raw)?;
    let root = fs::canonicalize(dir).ok()?;
    let found = inside(&root, &root.join(&asked))?;
    if !found.is_dir() {
        return (found.is_file() && !raw.ends_with('/')).then_some(found);
    }
    inside(&root, &found.join("index.html")).filter(|index| index.is_file())
}

/// The real place of a path, if that is inside `root`.
fn inside(root: &Path, path: &Path) -> Option<PathBuf> {
    let real = fs::canonicalize(path).ok()?;
    real.starts_with(root).then_some(real)
}

/// The relative path that an escaped one says; one slash at the end is that of a folder.
fn relative(raw: &str) -> Option<PathBuf> {
    let names = raw.strip_suffix('/').unwrap_or(raw);
    if names.is_empty() {
        return raw.is_empty().then(PathBuf::new);
    }
    names.split('/').map(|segment| decoded(segment).filter(|name| is_plain(name))).collect()
}

/// True for a name that every system takes for a name and nothing else.
fn is_plain(name: &str) -> bool {
    let drive = matches!(name.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    // A colon elsewhere names a second stream of the same file on Windows.
    let stream = cfg!(windows) && name.contains(':');
    let special = |letter: char| matches!(letter, '/' | '\\') || letter.is_control();
    !name.starts_with('.') && !drive && !stream && !name.contains(special) && is_one_component(name)
}

fn is_one_component(name: &str) -> bool {
    let mut components = Path::new(name).components();
    matches!((components.next(), components.next()), (Some(Component::Normal(one)), None) if one == name)
}

/// Removes percent escapes once; `None` where an escape is broken or the result is no UTF-8.
pub(crate) fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let [high, low, after @ ..] = rest else { return None };
        let digit = |byte: &u8| char::from(*byte).to_digit(16);
        bytes.push((digit(high)? * 16 + digit(low)?) as u8);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}
