//! The load generator: one thread, one epoll, many keep-alive connections, every answer checked.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::wire::{Head, Length, PATIENCE};

/// Room for the answers to one batch; a batch that needs more is read in several turns.
const INBOX: usize = 64 * 1024;

/// What was answered, and in how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub(crate) answers: u64,
    pub(crate) elapsed: Duration,
}

/// Connections that each keep `depth` requests under way.
#[derive(Debug)]
pub(crate) struct Generator {
    poll: Poll,
    connections: Vec<Connection>,
    batch: Vec<u8>,
    depth: usize,
    shape: Shape,
}

impl Generator {
    /// Opens `connections` to `address`; each sends `request` over and over, `depth` at a time, and every
    /// answer must be a 200 with exactly `body`.
    pub(crate) fn connect(
        address: SocketAddr,
        connections: usize,
        depth: usize,
        request: &[u8],
        body: &[u8],
    ) -> Result<Self> {
        let poll = Poll::new()?;
        let connections = (0..connections).map(|index| Connection::open(&poll, address, index));
        Ok(Self {
            connections: connections.collect::<Result<_>>()?,
            poll,
            batch: request.repeat(depth),
            depth,
            shape: Shape::of(body),
        })
    }

    /// Sends for `duration`, then waits for the answers still under way, so that none is paid for and not
    /// counted.
    pub(crate) fn run(&mut self, duration: Duration) -> Result<Run> {
        let start = Instant::now();
        for connection in &mut self.connections {
            connection.send(&self.batch, self.depth)?;
        }
        let (mut answers, mut busy) = (0, self.connections.len());
        let mut events = Events::with_capacity(busy);
        while busy > 0 {
            self.wait(&mut events)?;
            let sending = start.elapsed() < duration;
            for event in &events {
                let connection = &mut self.connections[event.token().0];
                connection.flush(&self.batch)?;
                answers += connection.receive(&mut self.shape)?;
                if connection.due == 0 && sending {
                    connection.send(&self.batch, self.depth)?;
                } else if connection.due == 0 && connection.started {
                    connection.started = false;
                    busy -= 1;
                }
            }
        }
        Ok(Run { answers, elapsed: start.elapsed() })
    }

    fn wait(&mut self, events: &mut Events) -> Result<()> {
        match self.poll.poll(events, Some(PATIENCE)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(error.into()),
            Ok(()) if events.is_empty() => bail!("no answer for {} s", PATIENCE.as_secs()),
            Ok(()) => Ok(()),
        }
    }
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    inbox: Vec<u8>,
    filled: usize,
    /// Bytes of the batch that the socket has taken.
    sent: usize,
    /// Answers still to come.
    due: usize,
    /// Taking part in the run under way.
    started: bool,
}

impl Connection {
    fn open(poll: &Poll, address: SocketAddr, index: usize) -> Result<Self> {
        let stream = std::net::TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        poll.registry().register(&mut stream, Token(index), Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self { stream, inbox: vec![0; INBOX], filled: 0, sent: usize::MAX, due: 0, started: false })
    }

    fn send(&mut self, batch: &[u8], depth: usize) -> Result<()> {
        (self.sent, self.due, self.started) = (0, depth, true);
        self.flush(batch)
    }

    fn flush(&mut self, batch: &[u8]) -> Result<()> {
        while self.sent < batch.len() {
            match self.stream.write(&batch[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Reads what has come and returns the number of whole answers in it.
    fn receive(&mut self, shape: &mut Shape) -> Result<u64> {
        let mut answers = 0;
        while self.due > 0 {
            let room = INBOX - self.filled;
            let Some(count) = self.read()? else { break };
            answers += self.check(shape)?;
            // A short read has emptied the socket; the next arrival is a new event.
            if count < room {
                break;
            }
        }
        Ok(answers)
    }

    fn read(&mut self) -> Result<Option<usize>> {
        match self.stream.read(&mut self.inbox[self.filled..]) {
            Ok(0) => bail!("the server closed a connection with {} answers due", self.due),
            Ok(count) => {
                self.filled += count;
                Ok(Some(count))
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn check(&mut self, shape: &mut Shape) -> Result<u64> {
        let (mut at, mut answers) = (0, 0);
        while let Some(len) = shape.measure(&self.inbox[at..self.filled])? {
            ensure!(self.due > 0, "more answers than requests");
            (at, answers, self.due) = (at + len, answers + 1, self.due - 1);
        }
        self.inbox.copy_within(at..self.filled, 0);
        self.filled -= at;
        Ok(answers)
    }
}

/// What an answer must look like. Where things stood in the answer before is remembered, so that checking the
/// next one is a few comparisons of bytes; when they fail, the head is read properly.
#[derive(Debug)]
struct Shape {
    body: Vec<u8>,
    /// Bytes of the head.
    head: usize,
    /// Where in the head the `Content-Length` line is.
    length_at: usize,
    length_line: Vec<u8>,
}

impl Shape {
    fn of(body: &[u8]) -> Self {
        Self { body: body.to_vec(), head: 0, length_at: 0, length_line: Vec::new() }
    }

    /// The length of the answer at the start of `bytes`, `None` while it is not whole.
    fn measure(&mut self, bytes: &[u8]) -> Result<Option<usize>> {
        if self.is_like_the_last(bytes) {
            return Ok(Some(self.head + self.body.len()));
        }
        let Some(head) = Head::parse(bytes)? else { return Ok(None) };
        ensure!(head.status == 200, "status {}", head.status);
        ensure!(head.body == Length::Known(self.body.len() as u64), "wrong body: {:?}", head.body);
        let Some(body) = bytes.get(head.len..head.len + self.body.len()) else { return Ok(None) };
        ensure!(body == self.body, "wrong body: {}", String::from_utf8_lossy(body));
        self.remember(&bytes[..head.len]);
        Ok(Some(head.len + self.body.len()))
    }

    fn remember(&mut self, head: &[u8]) {
        let name = b"\r\ncontent-length:";
        let at = head.windows(name.len()).position(|window| window.eq_ignore_ascii_case(name));
        self.length_at = at.unwrap_or(0);
        let rest = &head[self.length_at..];
        let end = rest.iter().skip(2).position(|&byte| byte == b'\r').map_or(rest.len(), |end| end + 3);
        self.length_line = rest[..end].to_vec();
        self.head = head.len();
    }

    fn is_like_the_last(&self, bytes: &[u8]) -> bool {
        let Some((head, rest)) = bytes.split_at_checked(self.head) else { return false };
        head.starts_with(b"HTTP/1.1 200 ")
            && head[self.length_at..].starts_with(&self.length_line)
            && head.ends_with(b"\r\n\r\n")
            && rest.starts_with(&self.body)
    }
}

/// The CPU microseconds in `spent` for each of the answers of `run`.
pub(crate) fn micros_each(spent: Duration, run: Run) -> Result<f64> {
    ensure!(run.answers > 0, "not one answer");
    Ok(spent.as_secs_f64() * 1e6 / run.answers as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    fn shape() -> Shape {
        Shape::of(b"ok")
    }

    #[test]
    fn shape_measures_one_answer_of_several() {
        let mut shape = shape();
        let several = ANSWER.repeat(3);
        assert_eq!(shape.measure(&several).unwrap(), Some(ANSWER.len()));
        assert!(shape.is_like_the_last(&several), "the second look is the short one");
        assert_eq!(shape.measure(&several).unwrap(), Some(ANSWER.len()));
    }

    #[test]
    fn shape_waits_for_a_whole_answer() {
        for cut in 0..ANSWER.len() {
            assert_eq!(shape().measure(&ANSWER[..cut]).unwrap(), None, "cut at {cut}");
        }
    }

    #[test]
    fn shape_follows_a_head_that_changes_its_length() {
        let mut shape = shape();
        shape.measure(ANSWER).unwrap();
        let longer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nx-cost: 0.1\r\n\r\nok";
        assert_eq!(shape.measure(longer).unwrap(), Some(longer.len()));
    }

    #[test]
    fn shape_refuses_wrong_status_length_and_body() {
        let text = std::str::from_utf8(ANSWER).unwrap();
        let mut shape = shape();
        shape.measure(ANSWER).unwrap();
        for wrong in [text.replace("200", "500"), text.replace(": 2", ": 3"), text.replace("ok", "no")] {
            assert!(shape.measure(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn micros_each_divides_and_refuses_an_empty_run() {
        let run = |answers| Run { answers, elapsed: Duration::from_secs(1) };
        assert_eq!(micros_each(Duration::from_millis(10), run(2_000)).unwrap(), 5.0);
        assert!(micros_each(Duration::from_millis(10), run(0)).is_err());
    }

    #[test]
    fn generator_counts_pipelined_answers_and_leaves_none_under_way() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || serve_one(&listener));
        let mut generator = Generator::connect(address, 1, 4, b"GET\n", b"ok").unwrap();
        let run = generator.run(Duration::ZERO).unwrap();
        let again = generator.run(Duration::from_millis(20)).unwrap();
        drop(generator);
        assert_eq!(run.answers, 4);
        assert_eq!(run.answers + again.answers, server.join().unwrap());
    }

    /// Answers each line that comes until the client hangs up; returns how many it answered.
    fn serve_one(listener: &std::net::TcpListener) -> u64 {
        use std::io::{BufRead, BufReader};
        let (mut stream, _) = listener.accept().unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap()).lines();
        lines.map_while(Result::ok).map(|_| stream.write_all(ANSWER).unwrap()).count() as u64
    }
}
