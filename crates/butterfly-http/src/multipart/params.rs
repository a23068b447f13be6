//! Header values with parameters: `form-data; name="a"; filename="b.txt"`.

use butterfly_core::Fault;

use crate::static_files::decoded;

/// The longest boundary taken; the RFC allows 70 bytes.
const BOUNDARY: usize = 200;

/// The boundary that a request's `content-type` names.
pub(super) fn boundary(content_type: &str) -> Result<String, Fault> {
    let (essence, params) = content_type.split_once(';').unwrap_or((content_type, ""));
    if !essence.trim().eq_ignore_ascii_case("multipart/form-data") {
        let sent = if essence.trim().is_empty() { "nothing" } else { essence.trim() };
        return Err(Fault::BadBody(format!("send the form as multipart/form-data, not as {sent}")));
    }
    let boundary = Params(params).find(|(name, _)| name.eq_ignore_ascii_case("boundary"));
    let usable = |value: &String| (1..=BOUNDARY).contains(&value.len());
    boundary.map(|(_, value)| value).filter(usable).ok_or_else(|| {
        let fix = "the content-type has no boundary: let the HTTP client set that header itself";
        Fault::BadBody(fix.into())
    })
}

/// The field's name and the file's, as a part's `content-disposition` has them.
pub(super) fn disposition(value: &str) -> (Option<String>, Option<String>) {
    let params = value.split_once(';').map_or("", |(_, params)| params);
    let find = |wanted: &str| {
        Params(params).find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
    };
    let file_name = find("filename*").and_then(|value| extended(&value)).or_else(|| find("filename"));
    (find("name"), file_name)
}

/// `UTF-8''na%C3%AFve.txt` (RFC 5987).
fn extended(value: &str) -> Option<String> {
    let (charset, rest) = value.split_once('\'')?;
    let (_language, text) = rest.split_once('\'')?;
    charset.eq_ignore_ascii_case("utf-8").then(|| decoded(text)).flatten()
}

/// The parameters that are left: names and unquoted values.
///
/// A quoted value is skipped as one, so that no file name can pass for a parameter.
struct Params<'a>(&'a str);

impl<'a> Iterator for Params<'a> {
    type Item = (&'a str, String);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.0.trim_start_matches(|letter: char| letter == ';' || letter.is_ascii_whitespace());
        let end = rest.find(['=', ';'])?;
        let (name, rest) = rest.split_at(end);
        let Some(rest) = rest.strip_prefix('=') else {
            self.0 = rest;
            return Some((name.trim(), String::new()));
        };
        let rest = rest.trim_ascii_start();
        let (value, rest) = match rest.strip_prefix('"') {
            Some(quoted) => unquoted(quoted)?,
            None => plain(rest),
        };
        self.0 = rest;
        Some((name.trim(), value))
    }
}

fn plain(text: &str) -> (String, &str) {
    let (value, rest) = text.split_at(text.find(';').unwrap_or(text.len()));
    (value.trim_ascii_end().to_owned(), rest)
}

/// The value up to the closing quote, and what follows it. Only `\"` is an escape: a backslash elsewhere belongs
/// to a Windows path.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let quote = rest.find('"')?;
        let (before, after) = (&rest[..quote], &rest[quote + 1..]);
        rest = after;
        let Some(escaped) = before.strip_suffix('\\') else {
            value.push_str(before);
            return Some((value, rest));
        };
        value.push_str(escaped);
        value.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_table_of_content_types() {
        let rows = [
            ("multipart/form-data; boundary=abc", Some("abc")),
            ("Multipart/Form-Data;BOUNDARY=abc", Some("abc")),
            ("multipart/form-data; charset=utf-8; boundary=\"a b;c\"", Some("a b;c")),
            ("multipart/form-data; boundary=----=_Part_1.2", Some("----=_Part_1.2")),
            ("multipart/form-data; boundary=abc ; x=1", Some("abc")),
            ("multipart/form-data", None),
            ("multipart/form-data; boundary=", None),
            ("multipart/form-data; boundary=\"abc", None),
            ("multipart/mixed; boundary=abc", None),
            ("application/json", None),
            ("", None),
        ];
        for (header, wanted) in rows {
            assert_eq!(boundary(header).ok().as_deref(), wanted, "{header}");
        }
        assert!(boundary(&format!("multipart/form-data; boundary={}", "x".repeat(201))).is_err());
    }

    #[test]
    fn a_table_of_dispositions() {
        let rows = [
            (r#"form-data; name="a""#, Some("a"), None),
            ("form-data; name=a; filename=b.txt", Some("a"), Some("b.txt")),
            (r#"form-data; FileName="b.txt"; NAME="a""#, Some("a"), Some("b.txt")),
            (r#"form-data; filename="x; name=evil"; name="good""#, Some("good"), Some("x; name=evil")),
            (r#"form-data; name="a\"b""#, Some("a\"b"), None),
            (r#"form-data; name="a"; filename="C:\dir\b.txt""#, Some("a"), Some(r"C:\dir\b.txt")),
            ("form-data; name=a; filename*=UTF-8''na%C3%AFve.txt", Some("a"), Some("naïve.txt")),
            (r#"form-data; name=a; filename="n.txt"; filename*=utf-8'en'%E4%B8%AD"#, Some("a"), Some("中")),
            (r#"form-data; name=a; filename="n.txt"; filename*=utf-8''%ff"#, Some("a"), Some("n.txt")),
            (r#"form-data; name="a"; filename="""#, Some("a"), Some("")),
            (r#"form-data; name="""#, Some(""), None),
            (r#"form-data; flag; name="a""#, Some("a"), None),
            (r#"form-data; name = "a" "#, Some("a"), None),
            (r#"form-data; name="a"#, None, None),
            ("form-data; filename=b", None, Some("b")),
            ("form-data", None, None),
            ("", None, None),
        ];
        for (header, name, file_name) in rows {
            let found = disposition(header);
            assert_eq!((found.0.as_deref(), found.1.as_deref()), (name, file_name), "{header}");
        }
    }

    proptest! {
        #[test]
        fn garbage_ends(text in "[ ;=\"\\\\a'%*é]{0,40}") {
            prop_assert!(Params(&text).count() <= text.len());
        }
    }
}
