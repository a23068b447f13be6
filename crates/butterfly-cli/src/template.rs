//! Files to write, and how their blanks are filled.

use std::fs;
use std::path::Path;

use crate::failure::Failure;

/// The text with each `{{name}}` replaced by its value.
pub(crate) fn fill(text: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{{{name}}}}}"), value))
}

/// Writes a file that is not there yet, and the folders that it lies in.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| Failure::io("make the folder", folder, &error))?;
    }
    let created =
        fs::File::create_new(path).and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()));
    created.map_err(|error| Failure::io("write", path, &error))
}
