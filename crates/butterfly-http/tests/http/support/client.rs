//! A client that sends bytes and reads answers, and fails when they do not come.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use super::{Answer, DEADLINE};

pub(crate) struct Client {
    stream: TcpStream,
    buf: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        Self { stream, buf: Vec::new() }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.try_send(bytes).unwrap();
        self
    }

    /// Sends, also to a server that may have closed.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    /// Sends what the other end takes without waiting for room; gives how much that was.
    pub(crate) fn send_some(&mut self, bytes: &[u8]) -> usize {
        self.stream.set_nonblocking(true).unwrap();
        let sent = self.stream.write(bytes);
        self.stream.set_nonblocking(false).unwrap();
        match sent {
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            sent => sent.unwrap(),
        }
    }

    /// True when nothing has come that is not read yet.
    pub(crate) fn has_nothing(&mut self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let seen = self.stream.peek(&mut [0]);
        self.stream.set_nonblocking(false).unwrap();
        self.buf.is_empty() && seen.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }

    /// Says that nothing more will be sent.
    pub(crate) fn finish(&mut self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// The next answer with its body.
    pub(crate) fn answer(&mut self) -> Answer {
        let mut answer = self.head();
        answer.body = match () {
            () if answer.status < 200 || matches!(answer.status, 204 | 304) => Vec::new(),
            () if answer.header("transfer-encoding") == Some("chunked") => self.chunks(),
            () => match answer.header("content-length") {
                Some(length) => self.bytes(length.parse().unwrap()),
                None => self.rest(),
            },
        };
        answer
    }

    /// The head of the next answer; also the whole answer to HEAD.
    pub(crate) fn head(&mut self) -> Answer {
        let end = self.until(b"\r\n\r\n");
        let head = String::from_utf8(self.buf[..end - 4].to_vec()).unwrap();
        self.buf.drain(..end);
        Answer::from_head(&head)
    }

    /// So many bytes.
    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        while self.buf.len() < count {
            assert!(self.more() > 0, "closed after {} of {count} bytes", self.buf.len());
        }
        self.buf.drain(..count).collect()
    }

    fn chunks(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            let end = self.until(b"\r\n");
            let line = String::from_utf8(self.buf.drain(..end).collect()).unwrap();
            let size = usize::from_str_radix(line.trim_end(), 16).unwrap();
            let chunk = self.bytes(size + 2);
            assert!(chunk.ends_with(b"\r\n"));
            if size == 0 {
                return all;
            }
            all.extend_from_slice(&chunk[..size]);
        }
    }

    /// Where the first of these bytes ends.
    fn until(&mut self, end: &[u8]) -> usize {
        let mut from = 0;
        loop {
            let found = self.buf[from..].windows(end.len()).position(|window| window == end);
            if let Some(at) = found {
                return from + at + end.len();
            }
            from = self.buf.len().saturating_sub(end.len() - 1);
            assert!(self.more() > 0, "closed after {:?}", String::from_utf8_lossy(&self.buf));
        }
    }

    fn more(&mut self) -> usize {
        let mut room = [0; 64 * 1024];
        let count = self.stream.read(&mut room).unwrap();
        self.buf.extend_from_slice(&room[..count]);
        count
    }

    /// Everything until the connection is closed, in whatever way.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut room = [0; 64 * 1024];
        loop {
            match self.stream.read(&mut room) {
                Ok(0) => break,
                Ok(count) => self.buf.extend_from_slice(&room[..count]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
                Err(error) => panic!("not closed: {error}"),
            }
        }
        std::mem::take(&mut self.buf)
    }

    /// Waits until the server closes; nothing may come before.
    pub(crate) fn expect_closed(&mut self) {
        let rest = self.rest();
        assert!(rest.is_empty(), "unexpected: {:?}", String::from_utf8_lossy(&rest));
    }

    /// Sends a request and reads its answer.
    pub(crate) fn ask(&mut self, bytes: impl AsRef<[u8]>) -> Answer {
        self.send(bytes).answer()
    }
}

/// A GET request.
pub(crate) fn get(target: &str) -> Vec<u8> {
    request("GET", target, &[], b"")
}

/// A POST request with a JSON body.
pub(crate) fn post_json(target: &str, body: &str) -> Vec<u8> {
    request("POST", target, &[("Content-Type", "application/json")], body.as_bytes())
}

/// Any request; a body gets its length.
pub(crate) fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut text = format!("{method} {target} HTTP/1.1\r\nHost: test\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        text.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    let mut bytes = (text + "\r\n").into_bytes();
    bytes.extend_from_slice(body);
    bytes
}
