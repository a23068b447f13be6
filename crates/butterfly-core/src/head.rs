//! The head of a request: method, target and headers, kept as the bytes that arrived.
//!
//! Two buffers and a list of ranges into them: a head costs no allocation per header, and the buffers are used again
//! for the next request of the connection.

use std::borrow::Cow;
use std::ops::Range;

use http::Method;
use smallvec::SmallVec;

/// Where a piece of the head lies in its buffer.
type Span = Range<u32>;

/// Method, path, query and headers of one request.
///
/// # Example
///
/// ```
/// use butterfly_core::head::Head;
///
/// let mut head = Head::new("GET".parse()?, "/demo_api/hello?str_info=hi");
/// head.push("Cookie", b"a=1; b=2");
/// assert_eq!(head.path(), "/demo_api/hello");
/// assert_eq!(head.query(), Some("str_info=hi"));
/// assert_eq!(head.text("cookie").as_deref(), Some("a=1; b=2"));
/// # Ok::<(), http::method::InvalidMethod>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Head {
    /// Target and header names.
    text: String,
    /// Header values, which need not be text.
    values: Vec<u8>,
    method: Method,
    path: Span,
    query: Option<Span>,
    headers: SmallVec<[(Span, Span); 16]>,
}

impl Head {
    /// A head without headers. The target is a path, optionally with `?query`.
    #[must_use]
    pub fn new(method: Method, target: &str) -> Self {
        let mut head = Self::default();
        head.restart(method, target);
        head
    }

    /// Starts over with another request line, keeping the buffer's memory.
    pub fn restart(&mut self, method: Method, target: &str) {
        self.text.clear();
        self.values.clear();
        self.headers.clear();
        self.method = method;
        self.text.push_str(target);
        let end = self.text.len() as u32;
        let mark = target.bytes().position(|b| b == b'?').map(|at| at as u32);
        self.path = 0..mark.unwrap_or(end);
        self.query = mark.map(|at| at + 1..end);
    }

    /// Adds a header; the same name may come several times.
    pub fn push(&mut self, name: &str, value: &[u8]) {
        let (name_from, value_from) = (self.text.len() as u32, self.values.len() as u32);
        self.text.push_str(name);
        self.values.extend_from_slice(value);
        self.headers.push((name_from..self.text.len() as u32, value_from..self.values.len() as u32));
    }

    fn value(&self, span: &Span) -> &[u8] {
        &self.values[span.start as usize..span.end as usize]
    }

    fn str(&self, span: &Span) -> &str {
        &self.text[span.start as usize..span.end as usize]
    }

    /// The request method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The path as it arrived: percent escapes are still there.
    #[must_use]
    pub fn path(&self) -> &str {
        self.str(&self.path)
    }

    /// The query string as it arrived, without the `?`.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.query.as_ref().map(|span| self.str(span))
    }

    /// The first value of a header, whatever the case of its name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers()
            .find(|(known, _)| known.len() == name.len() && known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The first value of a header as text; bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.header(name).map(String::from_utf8_lossy)
    }

    /// Every header in order of arrival.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (self.str(name), self.value(value)))
    }

    /// The value of a cookie, as RFC 6265 splits them; surrounding quotes are removed.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies(name).next()
    }

    /// All values of cookies of a name: a browser sends several that were set for other paths or domains.
    pub fn cookies(&self, name: &str) -> impl Iterator<Item = &str> {
        let all = self.headers().filter(|(known, _)| known.eq_ignore_ascii_case("cookie"));
        all.filter_map(|(_, value)| std::str::from_utf8(value).ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.split_once('='))
            .filter(move |(known, _)| known.trim() == name)
            .map(|(_, value)| unquoted(value.trim()))
    }
}

fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_used_again_without_leftovers() {
        let mut head = Head::new(Method::POST, "/a?b=1");
        head.push("X-One", b"1");
        head.restart(Method::GET, "/c");
        assert_eq!((head.path(), head.query()), ("/c", None));
        assert_eq!(head.header("x-one"), None);
    }

    #[test]
    fn cookies_keep_values_with_equal_signs() {
        let mut head = Head::new(Method::GET, "/");
        head.push("cookie", b" a = 1 ; token=abc=; q=\"x y\"");
        assert_eq!(head.cookie("a"), Some("1"));
        assert_eq!(head.cookie("token"), Some("abc="));
        assert_eq!(head.cookie("q"), Some("x y"));
        assert_eq!(head.cookie("none"), None);
        head.push("Cookie", b"a=2");
        assert_eq!(head.cookies("a").collect::<Vec<_>>(), ["1", "2"]);
    }
}
