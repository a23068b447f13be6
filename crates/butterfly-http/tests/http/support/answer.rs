//! One answer, as it was read from the wire.

use serde_json::Value;

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) phrase: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Reads status line and headers; the text ends before the empty line.
    pub(crate) fn from_head(head: &str) -> Self {
        let mut lines = head.split("\r\n");
        let first = lines.next().unwrap();
        let rest = first.strip_prefix("HTTP/1.1 ").unwrap_or_else(|| panic!("no status line: {first:?}"));
        let (status, phrase) = rest.split_once(' ').unwrap_or_else(|| panic!("no phrase: {first:?}"));
        let header = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("no header: {line:?}"));
            (name.to_ascii_lowercase(), value.to_owned())
        };
        Self {
            status: status.parse().unwrap(),
            phrase: phrase.to_owned(),
            headers: lines.map(header).collect(),
            body: Vec::new(),
        }
    }

    /// Every value of a header.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The value of a header that may come once at most.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let all = self.all(name);
        assert!(all.len() < 2, "{name} comes {} times: {all:?}", all.len());
        all.first().copied()
    }

    pub(crate) fn reqid(&self) -> &str {
        self.header("x-reqid").unwrap_or_else(|| panic!("no x-reqid: {self:?}"))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.text()))
    }

    /// The business status, where the body is an object with one.
    pub(crate) fn stat(&self) -> String {
        self.json()["stat"].as_str().unwrap_or_else(|| panic!("no stat: {self:?}")).to_owned()
    }
}
