//! Text from outside made harmless: one event is one line, whatever its values hold.

use std::fmt;

/// How many bytes the fast path looks at together; fixed, so that the compiler uses vector instructions.
const STRIDE: usize = 32;

/// Appends `text` to `out` with everything escaped that could end, overwrite or disguise a log line.
///
/// - Control characters: `\n`, `\r`, `\t`, `\0`, others `\x1b`.
/// - Control, line-separating and direction-changing characters beyond ASCII: `\u{85}`, `\u{2028}`, `\u{202e}`.
/// - Bytes that are not UTF-8: `\xff`.
/// - The backslash itself: `\\`, so the original can be told from the escaped.
///
/// Anything else, Chinese included, is copied as it is. The output is valid UTF-8 and one line.
///
/// # Example
///
/// ```
/// let mut out = Vec::new();
/// butterfly_log::escape_into(&mut out, b"name=x\n2026-11-20 forged");
/// assert_eq!(out, br"name=x\n2026-11-20 forged");
/// ```
pub fn escape_into(out: &mut Vec<u8>, text: &[u8]) {
    let mut rest = text;
    loop {
        let (clean, suspect) = rest.split_at(clean_prefix(rest));
        out.extend_from_slice(clean);
        rest = match suspect.first() {
            None => return,
            Some(byte) if byte.is_ascii() => {
                escape_ascii(out, *byte);
                &suspect[1..]
            }
            Some(_) => escape_wide(out, suspect),
        };
    }
}

/// The length of the printable ASCII at the start, without backslashes.
fn clean_prefix(text: &[u8]) -> usize {
    let strides = text.chunks_exact(STRIDE).take_while(|stride| !any_suspect(stride)).count() * STRIDE;
    let rest = &text[strides..];
    strides + rest.iter().position(|byte| suspect(*byte)).unwrap_or(rest.len())
}

fn any_suspect(stride: &[u8]) -> bool {
    // No early exit: that is what lets it compare all bytes at once.
    stride.iter().fold(false, |found, byte| found | suspect(*byte))
}

fn suspect(byte: u8) -> bool {
    !matches!(byte, b' '..=b'~') | (byte == b'\\')
}

fn escape_ascii(out: &mut Vec<u8>, byte: u8) {
    match byte {
        b'\\' => out.extend_from_slice(br"\\"),
        b'\n' => out.extend_from_slice(br"\n"),
        b'\r' => out.extend_from_slice(br"\r"),
        b'\t' => out.extend_from_slice(br"\t"),
        0 => out.extend_from_slice(br"\0"),
        other => hex(out, other),
    }
}

fn hex(out: &mut Vec<u8>, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS[usize::from(nibble & 15)];
    out.extend_from_slice(&[b'\\', b'x', digit(byte >> 4), digit(byte)]);
}

/// Escapes the bytes beyond ASCII at the start of `text` and returns what follows them.
fn escape_wide<'a>(out: &mut Vec<u8>, text: &'a [u8]) -> &'a [u8] {
    let end = text.iter().position(u8::is_ascii).unwrap_or(text.len());
    let (run, rest) = text.split_at(end);
    for chunk in run.utf8_chunks() {
        copy_unless(out, chunk.valid(), disguises, |out, c| {
            push(out, format_args!("\\u{{{:x}}}", u32::from(c)));
        });
        chunk.invalid().iter().for_each(|byte| hex(out, *byte));
    }
    rest
}

/// Copies `text`, giving each character that `escaped` names to `write` instead.
fn copy_unless(
    out: &mut Vec<u8>,
    text: &str,
    escaped: impl Fn(char) -> bool,
    write: impl Fn(&mut Vec<u8>, char),
) {
    let mut copied = 0;
    for (at, c) in text.char_indices().filter(|(_, c)| escaped(*c)) {
        out.extend_from_slice(&text.as_bytes()[copied..at]);
        write(out, c);
        copied = at + c.len_utf8();
    }
    out.extend_from_slice(&text.as_bytes()[copied..]);
}

/// C1 controls, line and paragraph separators, and the marks that change the direction of what a terminal shows.
fn disguises(c: char) -> bool {
    matches!(c, '\u{80}'..='\u{9f}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Appends the inside of a JSON string, with the same characters escaped as in text.
pub(crate) fn json_into(out: &mut Vec<u8>, text: &str) {
    let escaped = |c: char| c.is_ascii_control() || c == '"' || c == '\\' || disguises(c);
    copy_unless(out, text, escaped, |out, c| match c {
        '"' => out.extend_from_slice(br#"\""#),
        '\\' => out.extend_from_slice(br"\\"),
        '\n' => out.extend_from_slice(br"\n"),
        '\r' => out.extend_from_slice(br"\r"),
        '\t' => out.extend_from_slice(br"\t"),
        other => push(out, format_args!("\\u{:04x}", u32::from(other))),
    });
}

/// Appends formatted text; writing to memory cannot fail.
pub(crate) fn push(out: &mut Vec<u8>, text: fmt::Arguments<'_>) {
    let _ = std::io::Write::write_fmt(out, text);
}

/// What is formatted into it arrives escaped as text.
pub(crate) struct Escaping<'a>(pub(crate) &'a mut Vec<u8>);

impl fmt::Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escape_into(self.0, text.as_bytes());
        Ok(())
    }
}

/// What is formatted into it arrives escaped as the inside of a JSON string.
pub(crate) struct JsonEscaping<'a>(pub(crate) &'a mut Vec<u8>);

impl fmt::Write for JsonEscaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        json_into(self.0, text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn escaped(text: &[u8]) -> String {
        let mut out = Vec::new();
        escape_into(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    /// The inverse, written independently of the escaper.
    fn unescaped(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find('\\') {
            out.extend_from_slice(&rest.as_bytes()[..at]);
            let code = &rest[at + 1..];
            let (bytes, used) = match code.as_bytes()[0] {
                b'n' => (vec![b'\n'], 1),
                b'r' => (vec![b'\r'], 1),
                b't' => (vec![b'\t'], 1),
                b'0' => (vec![0], 1),
                b'\\' => (vec![b'\\'], 1),
                b'x' => (vec![u8::from_str_radix(&code[1..3], 16).unwrap()], 3),
                b'u' => {
                    let end = code.find('}').unwrap();
                    let c = char::from_u32(u32::from_str_radix(&code[2..end], 16).unwrap()).unwrap();
                    (c.to_string().into_bytes(), end + 1)
                }
                other => panic!("unknown escape {other}"),
            };
            out.extend(bytes);
            rest = &code[used..];
        }
        out.extend_from_slice(rest.as_bytes());
        out
    }

    #[test]
    fn each_kind_has_its_form() {
        assert_eq!(escaped(b"a\n\r\t\0\x1b[31m\x7f\\z"), r"a\n\r\t\0\x1b[31m\x7f\\z");
        assert_eq!(escaped("\u{85}\u{2028}\u{2029}\u{202e}".as_bytes()), r"\u{85}\u{2028}\u{2029}\u{202e}");
        assert_eq!(escaped(b"\xff\xe4\xb8"), r"\xff\xe4\xb8");
        assert_eq!(escaped("蝴蝶 é 🦋".as_bytes()), "蝴蝶 é 🦋");
    }

    #[test]
    fn the_fast_path_stops_at_every_position() {
        for at in 0..3 * STRIDE {
            let mut text = vec![b'a'; 3 * STRIDE];
            text[at] = b'\n';
            assert_eq!(escaped(&text).find('\\'), Some(at));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_become_one_harmless_line(text: Vec<u8>) {
            let line = escaped(&text);
            prop_assert!(!line.chars().any(|c| c.is_control() || disguises(c)), "{line:?}");
        }

        #[test]
        fn nothing_is_lost(text: Vec<u8>) {
            prop_assert_eq!(unescaped(&escaped(&text)), text);
        }

        #[test]
        fn any_text_comes_back(text in "\\PC*|[\\x00-\\x1f\\\\a\u{80}-\u{9f}\u{2020}-\u{2070}]*") {
            prop_assert_eq!(unescaped(&escaped(text.as_bytes())), text.as_bytes());
        }

        #[test]
        fn printable_text_is_untouched(text in "[ -\\[\\]-~蝴é]*") {
            prop_assert_eq!(escaped(text.as_bytes()), text);
        }

        #[test]
        fn json_strings_come_back(text: String) {
            let mut out = vec![b'"'];
            json_into(&mut out, &text);
            out.push(b'"');
            prop_assert!(!String::from_utf8_lossy(&out).chars().any(char::is_control));
            prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }
}
