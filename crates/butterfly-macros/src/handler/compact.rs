//! Tokens as a person would write them: types and ranges are shown to callers.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens;

/// The tokens as text, with spaces only where a person would put them.
pub(crate) fn compact(tokens: impl ToTokens) -> String {
    let mut out = String::new();
    write(tokens.to_token_stream(), &mut out);
    out
}

fn write(tokens: TokenStream, out: &mut String) {
    let start = out.len();
    for token in tokens {
        if out.len() > start && apart(&out[start..], &token) {
            out.push(' ');
        }
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::None => ("", ""),
                };
                out.push_str(open);
                write(group.stream(), out);
                out.push_str(close);
            }
            other => out.push_str(&other.to_string()),
        }
    }
}

/// True when a space stands between what is written already and the next token.
fn apart(before: &str, next: &TokenTree) -> bool {
    let ends = |end: &str| before.ends_with(end);
    if ends(",") || ends(";") || ends("+") || ends("->") || (ends("=") && !ends("..=")) {
        return true;
    }
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    match next {
        TokenTree::Ident(_) | TokenTree::Literal(_) => {
            ends(">") || (ends(":") && !ends("::")) || before.ends_with(is_word)
        }
        TokenTree::Punct(sign) => match sign.as_char() {
            '+' => true,
            '-' => sign.spacing() == Spacing::Joint,
            '=' => !ends(".."),
            _ => false,
        },
        // `&'static [u8]`, but `Fn(u8)`.
        TokenTree::Group(_) => {
            before.trim_end_matches(is_word).ends_with('\'') || ends("mut") || ends("const")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let tokens: TokenStream = text.parse().unwrap();
        compact(tokens)
    }

    #[test]
    fn types_are_written_as_a_person_would() {
        for ty in [
            "Vec<u8>",
            "Option<std::vec::Vec<String>>",
            "HashMap<String, Vec<u8>>",
            "(u8, bool)",
            "(u8,)",
            "[u8; 4]",
            "&'static str",
            "Cow<'static, str>",
            "&'static [u8]",
            "Box<dyn Fn(u8) -> u8 + Send>",
            "Vec<(u8, [u8; 2])>",
            "fn(&str, &u8) -> bool",
            "r#type",
            "<Vec<u8> as IntoIterator>::Item",
            "*const u8",
            "()",
            "impl Iterator<Item = u8>",
            "dyn Any + Send + 'static",
            "&mut [u8]",
        ] {
            assert_eq!(written(ty), ty);
        }
    }

    #[test]
    fn ranges_and_paths_are_written_as_a_person_would() {
        for code in
            ["1..=100", "..=2", "1..", "-1..=1", "0.5..1.5", "..LIMIT", "self::check", "super::LIMIT..9"]
        {
            assert_eq!(written(code), code);
        }
    }

    #[test]
    fn spaces_of_the_source_do_not_matter() {
        assert_eq!(written("Vec < u8 >"), "Vec<u8>");
        assert_eq!(written("1 ..= 100"), "1..=100");
        assert_eq!(written("HashMap<String,u8>"), "HashMap<String, u8>");
    }
}
