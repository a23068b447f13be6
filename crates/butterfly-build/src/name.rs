//! Which names can be modules, and how they are written.

use std::fmt;

/// The module of an app's own file, when the app also has a folder; routes leave it out.
pub(crate) const OWN_FILE: &str = "this_file";

/// Keywords of all editions, those set aside for later included. Each of them can be written as `r#…`.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro",
    "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait",
    "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Words of the path language, which have no raw form.
const PATH_WORDS: &[&str] = &["self", "Self", "super", "crate"];

/// A name that no handler file can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadName {
    name: String,
    why: &'static str,
}

impl BadName {
    /// A name like it that a handler file can have.
    pub fn suggestion(&self) -> String {
        let kept: String = self.name.chars().map(|char| if is_part(char) { char } else { '_' }).collect();
        match kept.trim_matches('_') {
            "" => "app".to_owned(),
            kept if kept.starts_with(|char: char| char.is_ascii_digit()) => format!("app_{kept}"),
            kept if refusal(kept).is_some() => format!("{kept}_app").to_ascii_lowercase(),
            kept => kept.to_owned(),
        }
    }
}

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}; rename it, for example to `{}`", self.name, self.why, self.suggestion())
    }
}

impl std::error::Error for BadName {}

/// How the module of a handler file or folder of this name is written in Rust; `name` is without `.rs`.
///
/// # Errors
///
/// When no app can have the name.
///
/// # Example
///
/// ```
/// use butterfly_build::module_name;
///
/// assert_eq!(module_name("orders").unwrap(), "orders");
/// assert_eq!(module_name("type").unwrap(), "r#type");
/// assert_eq!(module_name("my-app").unwrap_err().suggestion(), "my_app");
/// ```
pub fn module_name(name: &str) -> Result<String, BadName> {
    match refusal(name) {
        Some(why) => Err(BadName { name: name.to_owned(), why }),
        None if KEYWORDS.contains(&name) => Ok(format!("r#{name}")),
        None => Ok(name.to_owned()),
    }
}

fn refusal(name: &str) -> Option<&'static str> {
    match name.chars().next() {
        None => Some("is empty"),
        Some('_' | '.') => Some("begins with the mark of files that are no apps"),
        Some(first) if first.is_ascii_digit() => Some("begins with a digit, which no Rust module can"),
        _ if !name.chars().all(is_part) => Some("is no Rust name (ASCII letters, digits and `_`)"),
        _ if PATH_WORDS.contains(&name) => Some("means something else in a Rust path"),
        _ if name == OWN_FILE => Some("is taken: it holds the app's own file when the app has a folder"),
        _ => None,
    }
}

fn is_part(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suggestion_is_a_name() {
        let odd =
            ["", "-", "...", "2fa", "my-app", "a b", "self", "Self", "crate", "this_file", "_x", "é", "__"];
        for name in odd {
            let bad = module_name(name).unwrap_err();
            assert_eq!(module_name(&bad.suggestion()), Ok(bad.suggestion()), "{bad}");
        }
    }

    #[test]
    fn suggestions_keep_what_can_be_kept() {
        let suggestion = |name| module_name(name).unwrap_err().suggestion();
        assert_eq!(suggestion("my-app"), "my_app");
        assert_eq!(suggestion("2fa"), "app_2fa");
        assert_eq!(suggestion("self"), "self_app");
    }

    #[test]
    fn keywords_become_raw_and_lookalikes_do_not() {
        assert_eq!(module_name("mod").unwrap(), "r#mod");
        assert_eq!(module_name("gen").unwrap(), "r#gen");
        assert_eq!(module_name("Type").unwrap(), "Type");
        assert_eq!(module_name("union").unwrap(), "union");
    }
}
