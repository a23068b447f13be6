//! The way back: from a handler and its path values to a URL.

use std::fmt::{self, Write as _};
use std::path::Path;

/// Why a path cannot be filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlError(String);

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UrlError {}

/// Fills the `{name}` segments of a path; values left over become the query string.
///
/// # Errors
///
/// When a segment has no value, or an empty one.
///
/// # Example
///
/// ```
/// use butterfly_core::url_for;
///
/// let url = url_for("/users/{id}", &[("id", &"a b"), ("page", &2)])?;
/// assert_eq!(url, "/users/a%20b?page=2");
/// # Ok::<(), butterfly_core::UrlError>(())
/// ```
pub fn url_for(path: &str, values: &[(&str, &dyn fmt::Display)]) -> Result<String, UrlError> {
    let mut url = String::with_capacity(path.len() + 16);
    let mut used = Vec::new();
    for part in path.split('/').skip(1) {
        url.push('/');
        let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) else {
            url.push_str(part);
            continue;
        };
        let rest = name.starts_with('*');
        let name = name.trim_start_matches('*');
        let value = values.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string());
        let value = value.filter(|value| !value.is_empty());
        let value = value.ok_or_else(|| UrlError(format!("{path} wants a value for {name}")))?;
        escape(&mut url, value.as_bytes(), rest);
        used.push(name);
    }
    let left = values.iter().filter(|(name, _)| !used.contains(name));
    for (index, (name, value)) in left.enumerate() {
        url.push(if index == 0 { '?' } else { '&' });
        escape(&mut url, name.as_bytes(), false);
        url.push('=');
        escape(&mut url, value.to_string().as_bytes(), false);
    }
    Ok(url)
}

/// A file's path as part of an address (RFC 3986), whatever its name is made of: letters, digits, `-._~` and slashes stay.
///
/// # Example
///
/// ```
/// assert_eq!(butterfly_core::escape_path("my data/ä".as_ref()), "my%20data/%C3%A4");
/// ```
#[must_use]
pub fn escape_path(path: &Path) -> String {
    let mut out = String::new();
    escape(&mut out, path.as_os_str().as_encoded_bytes(), true);
    out
}

pub(crate) fn escape(url: &mut String, text: &[u8], slashes: bool) {
    for &byte in text {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || (slashes && byte == b'/') {
            url.push(char::from(byte));
        } else {
            // Writing to a String never fails.
            let _ = write!(url, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_value_is_named() {
        assert_eq!(url_for("/a/{b}", &[]).unwrap_err().to_string(), "/a/{b} wants a value for b");
        assert_eq!(url_for("/f/{*rest}", &[("rest", &"x/y z")]).unwrap(), "/f/x/y%20z");
    }
}
