//! Just enough HTTP/1.1 to ask a server and be sure of its answer: one blocking client.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

/// The longest answer head accepted.
const MAX_HEAD: usize = 16 * 1024;
/// How long a server may be silent before the run fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The head of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// Bytes of the head, the empty line included.
    pub(crate) len: usize,
    pub(crate) body: Length,
}

/// How the end of a body is told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Length {
    Known(u64),
    Chunked,
}

impl Head {
    /// Reads the head at the start of `bytes`; `None` while it is not whole.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Self>> {
        let Some(end) = find(bytes, b"\r\n\r\n") else {
            ensure!(bytes.len() < MAX_HEAD, "the answer's head does not end");
            return Ok(None);
        };
        let text = std::str::from_utf8(&bytes[..end]).context("the answer's head is not text")?;
        let mut lines = text.split("\r\n");
        let status = status(lines.next().unwrap_or_default())?;
        Ok(Some(Self { status, len: end + 4, body: length(lines)? }))
    }
}

fn status(line: &str) -> Result<u16> {
    let code = line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3));
    code.and_then(|code| code.parse().ok()).with_context(|| format!("not an HTTP/1.1 answer: {line:?}"))
}

fn length<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Length> {
    for line in lines {
        let (name, value) = line.split_once(':').with_context(|| format!("not a header: {line:?}"))?;
        if name.eq_ignore_ascii_case("content-length") {
            return Ok(Length::Known(value.trim().parse().context("bad Content-Length")?));
        }
        if name.eq_ignore_ascii_case("transfer-encoding") && value.trim() == "chunked" {
            return Ok(Length::Chunked);
        }
    }
    bail!("the answer does not tell its length")
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle)
}

/// The bytes of a GET request for `target`.
pub(crate) fn get_request(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").into_bytes()
}

/// One keep-alive connection, one request at a time.
#[derive(Debug)]
pub(crate) struct Client {
    stream: TcpStream,
    inbox: Vec<u8>,
}

impl Client {
    /// Connects; the error kind tells "not listening yet" from the rest.
    pub(crate) fn connect(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream, inbox: Vec::new() })
    }

    /// Sends `request` and returns the body of its answer, which must be a 200.
    pub(crate) fn ask(&mut self, request: &[u8]) -> Result<Vec<u8>> {
        self.stream.write_all(request)?;
        self.answer()
    }

    /// Posts `size` zero bytes in pieces and returns the body of the answer.
    pub(crate) fn upload(&mut self, target: &str, size: u64) -> Result<Vec<u8>> {
        let head = format!(
            "POST {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\
             Content-Type: application/octet-stream\r\nContent-Length: {size}\r\n\r\n"
        );
        self.stream.write_all(head.as_bytes())?;
        let sent = self.send_zeros(size);
        // A server that refuses answers before the body is through: its answer says more than the broken
        // pipe.
        let answer = self.answer()?;
        sent.map(|()| answer).context("the server answered and hung up before the body was through")
    }

    fn send_zeros(&mut self, mut left: u64) -> std::io::Result<()> {
        let zeros = [0; 64 * 1024];
        while left > 0 {
            let piece = zeros.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            self.stream.write_all(&zeros[..piece])?;
            left -= piece as u64;
        }
        Ok(())
    }

    /// Asks for `target` and counts the bytes of its body, which are not kept.
    pub(crate) fn download(&mut self, target: &str) -> Result<u64> {
        self.stream.write_all(&get_request(target))?;
        self.body(|_| ())
    }

    fn answer(&mut self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        self.body(|piece| body.extend_from_slice(piece))?;
        Ok(body)
    }

    /// Reads one whole answer, handing its body to `sink` piece by piece; returns the body's length.
    fn body(&mut self, mut sink: impl FnMut(&[u8])) -> Result<u64> {
        let head = self.head()?;
        ensure!(head.status == 200, "status {}: {}", head.status, self.rest_as_text());
        match head.body {
            Length::Known(size) => self.pass(size, &mut sink),
            Length::Chunked => self.pass_chunks(&mut sink),
        }
    }

    fn head(&mut self) -> Result<Head> {
        loop {
            if let Some(head) = Head::parse(&self.inbox)? {
                self.inbox.drain(..head.len);
                return Ok(head);
            }
            self.more()?;
        }
    }

    fn pass_chunks(&mut self, sink: &mut impl FnMut(&[u8])) -> Result<u64> {
        let mut total = 0;
        loop {
            let line = self.line()?;
            let size = u64::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16);
            let size = size.with_context(|| format!("bad chunk size {line:?}"))?;
            total += self.pass(size, sink)?;
            ensure!(self.line()?.is_empty(), "a chunk does not end where it said");
            if size == 0 {
                return Ok(total);
            }
        }
    }

    fn line(&mut self) -> Result<String> {
        loop {
            if let Some(end) = find(&self.inbox, b"\r\n") {
                let line = String::from_utf8(self.inbox[..end].to_vec())?;
                self.inbox.drain(..end + 2);
                return Ok(line);
            }
            ensure!(self.inbox.len() < MAX_HEAD, "a line of the answer does not end");
            self.more()?;
        }
    }

    fn pass(&mut self, size: u64, sink: &mut impl FnMut(&[u8])) -> Result<u64> {
        let mut left = size;
        while left > 0 {
            if self.inbox.is_empty() {
                self.more()?;
            }
            let piece = self.inbox.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            sink(&self.inbox[..piece]);
            self.inbox.drain(..piece);
            left -= piece as u64;
        }
        Ok(size)
    }

    fn more(&mut self) -> Result<()> {
        let mut buffer = [0; 64 * 1024];
        let count = self.stream.read(&mut buffer).context("no answer")?;
        ensure!(count > 0, "the server closed the connection");
        self.inbox.extend_from_slice(&buffer[..count]);
        Ok(())
    }

    fn rest_as_text(&self) -> String {
        String::from_utf8_lossy(&self.inbox).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn head(text: &str) -> Result<Option<Head>> {
        Head::parse(text.as_bytes())
    }

    /// A client whose only answer is `text`, from a server that then hangs up.
    fn client_of(text: &'static str) -> Client {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = Client::connect(listener.local_addr().unwrap()).unwrap();
        listener.accept().unwrap().0.write_all(text.as_bytes()).unwrap();
        client
    }

    #[test]
    fn head_gives_status_length_and_where_the_body_starts() {
        let text = "HTTP/1.1 200 OK\r\ncontent-LENGTH: 5\r\nx: y\r\n\r\nhello";
        let expected = Head { status: 200, len: text.len() - 5, body: Length::Known(5) };
        assert_eq!(head(text).unwrap(), Some(expected));
    }

    #[test]
    fn head_waits_for_the_empty_line() {
        assert_eq!(head("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n").unwrap(), None);
    }

    #[test]
    fn head_refuses_what_it_cannot_follow() {
        assert!(head("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n").is_err());
        assert!(head("HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\n").is_err());
        assert!(head("HTTP/1.1 200 OK\r\nServer: x\r\n\r\n").is_err());
        assert!(Head::parse(&[b'a'; MAX_HEAD]).is_err());
    }

    #[test]
    fn client_joins_chunks() {
        let mut client = client_of(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=1\r\n0123456789\r\n0\r\n\r\n",
        );
        assert_eq!(client.ask(&get_request("/")).unwrap(), b"abc0123456789");
    }

    #[test]
    fn client_counts_a_download_and_notices_a_short_one() {
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd";
        assert_eq!(client_of(answer).download("/").unwrap(), 4);
        assert!(client_of(&answer[..answer.len() - 1]).download("/").is_err());
    }

    #[test]
    fn client_refuses_other_statuses_and_shows_why() {
        let mut client = client_of("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig");
        let error = client.ask(&get_request("/")).unwrap_err();
        assert_eq!(error.to_string(), "status 413: big");
    }
}
