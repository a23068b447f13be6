//! The text of a value: its `Debug` where there is one, else the name of its type; short, on one line, without secrets.

use std::any::type_name;
use std::borrow::Cow;
use std::fmt::{self, Debug, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use regex_lite::Regex;

/// What stands in place of a secret.
pub(super) const HIDDEN: &str = "***";

/// A text is cut after so many characters.
const LONGEST: usize = 200;

/// A value that can be shown, which is every value.
///
/// `M` chooses between the two implementations, and chooses late. The caller passes a bare `0` for it, an integer of
/// a type yet to be inferred. For a type without `Debug` only `Show<u8>` holds, so the `0` is a `u8`. For a type with
/// `Debug` both hold, so nothing is decided until the compiler, at the end of the function, lets open integers fall
/// back to `i32`. That is what makes the probes harmless: choosing by method lookup (the usual "autoref" way) has to
/// be done on the spot, where the element of `let v = Vec::new()` is not known yet, and would then demand that
/// it be `Debug`.
#[doc(hidden)]
pub trait Show<M> {
    /// The value as text.
    fn text(&self) -> String;
}

#[diagnostic::do_not_recommend]
impl<T: Debug + ?Sized> Show<i32> for T {
    fn text(&self) -> String {
        // A panic in the user's `Debug` would end a call that runs well without the trace.
        let text = catch_unwind(AssertUnwindSafe(|| Short::of(self)));
        text.map_or_else(|_| format!("<{}: Debug panicked>", short_name::<T>()), without_secrets)
    }
}

#[diagnostic::do_not_recommend]
impl<T: ?Sized> Show<u8> for T {
    fn text(&self) -> String {
        format!("<{}>", short_name::<T>())
    }
}

/// Whether a value of this name is never shown.
pub(super) fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    ["password", "secret", "token"].iter().any(|word| name.contains(word))
}

/// Collects the first characters of a text, escapes those that would disturb a terminal, and stops the writer.
struct Short {
    text: String,
    room: usize,
}

impl Short {
    fn of<T: Debug + ?Sized>(value: &T) -> String {
        let mut short = Self { text: String::new(), room: LONGEST };
        if write!(short, "{value:?}").is_err() {
            short.text.push('…');
        }
        short.text
    }
}

impl Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            self.room = self.room.checked_sub(1).ok_or(fmt::Error)?;
            if c.is_control() { self.text.extend(c.escape_default()) } else { self.text.push(c) }
        }
        Ok(())
    }
}

/// Whether a text is only the beginning, so that two equal ones may stand for different values.
pub(super) fn is_cut(text: &str) -> bool {
    text.ends_with('…')
}

/// Hides what a field with a secret's name holds: `Login { user: "ann", password: *** }`.
fn without_secrets(text: String) -> String {
    static FIELD: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let name = r#"\w*(?:password|secret|token)\w*"?: (?:\w+\()*"#;
        let value = r#""(?:[^"\\]|\\.)*"?|[^\s,(){}\[\]]+"#;
        Regex::new(&format!("(?i)({name})(?:{value})")).ok()
    });
    match FIELD.as_ref().map(|field| field.replace_all(&text, "${1}***")) {
        Some(Cow::Owned(hidden)) => hidden,
        _ => text,
    }
}

/// The name of a type without the modules it is in: `Option<Row>`.
fn short_name<T: ?Sized>() -> String {
    let mut short = String::new();
    for part in type_name::<T>().split_inclusive(|c: char| !c.is_alphanumeric() && c != '_' && c != ':') {
        short.push_str(part.rsplit("::").next().unwrap_or(part));
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text<T: Show<M> + ?Sized, M>(value: &T, _: M) -> String {
        value.text()
    }

    #[derive(Debug)]
    struct Login {
        _user: &'static str,
        _password: &'static str,
        _tokens: Vec<Option<String>>,
    }

    struct Bare<T>(std::marker::PhantomData<T>);

    struct Broken;

    impl Debug for Broken {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("no text for this")
        }
    }

    #[test]
    fn debug_where_there_is_one_else_the_type() {
        assert_eq!(text("hi", 0), "\"hi\"");
        assert_eq!(text(&Some(1), 0), "Some(1)");
        assert_eq!(text(&Bare::<Option<String>>(std::marker::PhantomData), 0), "<Bare<Option<String>>>");
        assert_eq!(text(&|x: i32| x, 0), "<{{closure}}>");
    }

    #[test]
    fn the_choice_waits_until_the_type_is_known() {
        let mut bare = Vec::new();
        let before = text(&bare, 0);
        bare.push(Bare::<u8>(std::marker::PhantomData));
        assert_eq!(before, "<Vec<Bare<u8>>>");
        let mut plain = Vec::new();
        let before = text(&plain, 0);
        plain.push(1_u64);
        assert_eq!(before, "[]");
    }

    #[test]
    fn long_texts_are_cut_and_control_characters_escaped() {
        let long = text(&vec![7; 1_000_000], 0);
        assert_eq!(long.chars().count(), LONGEST + 1);
        assert!(is_cut(&long));
        assert_eq!(text(&format_args!("a\n\u{1b}[2J"), 0), "a\\n\\u{1b}[2J");
    }

    #[test]
    fn secrets_do_not_show() {
        let login = Login { _user: "ann", _password: "a \"quoted\" one", _tokens: vec![Some("t".into())] };
        assert_eq!(text(&login, 0), "Login { _user: \"ann\", _password: ***, _tokens: [Some(\"t\")] }");
        let value = serde_json::json!({"api_token": "t", "n": 1});
        assert_eq!(text(&value, 0), "Object {\"api_token\": String(***), \"n\": Number(1)}");
        assert!(is_secret("oldPassword") && !is_secret("user"));
    }

    #[test]
    fn a_panic_in_debug_is_contained() {
        assert_eq!(text(&Broken, 0), "<Broken: Debug panicked>");
    }
}
