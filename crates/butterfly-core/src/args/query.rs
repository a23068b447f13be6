//! Query strings and URL-encoded forms.

use std::borrow::Cow;

/// The `name=value` pairs of a query string or form, still escaped. Pairs part at `&` or `;`, as in the original.
pub fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split(['&', ';'])
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// Resolves `+` and percent escapes. Without any, nothing is copied.
///
/// # Errors
///
/// A text for the caller: a broken escape, or bytes that are not UTF-8.
pub fn decode(text: &str) -> Result<Cow<'_, str>, &'static str> {
    if !text.bytes().any(|b| b == b'%' || b == b'+') {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match first {
            b'+' => out.push(b' '),
            b'%' => {
                let (byte, after) = escape(tail).ok_or("has a broken percent escape")?;
                out.push(byte);
                rest = after;
            }
            byte => out.push(*byte),
        }
    }
    String::from_utf8(out).map(Cow::Owned).map_err(|_| "is not valid UTF-8")
}

fn escape(tail: &[u8]) -> Option<(u8, &[u8])> {
    let [high, low, after @ ..] = tail else { return None };
    let digit = |b: &u8| char::from(*b).to_digit(16);
    Some(((digit(high)? * 16 + digit(low)?) as u8, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_part_at_both_separators() {
        let got: Vec<_> = pairs("a=1&b=2;c&=x&&d=e=f").collect();
        assert_eq!(got, [("a", "1"), ("b", "2"), ("c", ""), ("", "x"), ("d", "e=f")]);
    }

    #[test]
    fn escapes_are_resolved_or_refused() {
        assert_eq!(decode("a+b%20c%C3%A9").as_deref(), Ok("a b cé"));
        assert_eq!(decode("plain"), Ok(Cow::Borrowed("plain")));
        for broken in ["%", "%4", "%zz", "%ff"] {
            assert!(decode(broken).is_err(), "{broken}");
        }
    }
}
