//! What a call costs does not grow with what waits and what is kept: its script sends the same commands beside 6,000
//! messages as beside 1,000, and none that goes through all of a key.

use butterfly_queue::{Engine, Hold, Limits, NewMessage, Second, Spec, Topic, Unique, now_ms};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Desk;
use super::server::{PATIENCE, Server};

/// Sees every command that a server is sent, those of scripts too.
struct Monitor {
    lines: Lines<BufReader<TcpStream>>,
    port: u16,
    marks: u32,
}

impl Monitor {
    async fn of(server: &Server) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port)).await.unwrap();
        stream.write_all(b"MONITOR\r\n").await.unwrap();
        Self { lines: BufReader::new(stream).lines(), port: server.port, marks: 0 }
    }

    /// The commands of scripts since it was asked the last time: each with its words, keys and values left out.
    async fn commands(&mut self) -> Vec<String> {
        self.marks += 1;
        let mark = format!("mark-{}", self.marks);
        let (): () =
            super::server::ask(&format!("redis://127.0.0.1:{}", self.port), &format!("PING {mark}")).await;
        let mut commands = Vec::new();
        loop {
            let line = timeout(PATIENCE, self.lines.next_line()).await.unwrap().unwrap().unwrap();
            if line.contains(&mark) {
                return commands;
            }
            if line.contains(" lua] ") {
                commands.push(shape(&line));
            }
        }
    }
}

/// `1700000000.1 [0 lua] "LRANGE" "bf:{/a}:q4" "0" "0"` as `LRANGE 0 0`: texts are left out, small numbers are not.
fn shape(line: &str) -> String {
    let words = line.split("] ").nth(1).unwrap().split("\" \"").map(|word| word.trim_matches('"'));
    let telling =
        |(at, word): &(usize, &str)| *at == 0 || matches!(*word, "0" | "1" | "-1" | "LIMIT" | "WITHSCORES");
    let words: Vec<&str> = words.enumerate().filter(telling).map(|(_, word)| word).collect();
    words.join(" ")
}

impl Desk {
    /// So many more wait, so many for a later time, and so many are kept that have ended.
    async fn fill(&self, count: usize, message: impl Fn(usize) -> NewMessage) {
        for from in (0..count).step_by(500) {
            self.send_these((from..from + 500).map(&message)).await;
            let claimed = self.claim(500).await.unwrap();
            self.finish(&claimed).await.unwrap();
            self.send_these((from..from + 500).map(|n| message(count + n))).await;
            let later = |n| NewMessage { run_at: Some(now_ms() + 3_600_000), ..message(2 * count + n) };
            self.send_these((from..from + 500).map(later)).await;
        }
    }

    async fn send_these(&self, messages: impl Iterator<Item = NewMessage>) {
        let batch = super::BATCH.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.send_as(batch, messages.collect()).await.unwrap();
    }

    /// One message's whole life, and what a worker does beside it.
    async fn life(&self, message: NewMessage) {
        self.send_these([message].into_iter()).await;
        let claimed = self.claim(1).await.unwrap();
        assert_eq!(claimed.len(), 1);
        assert!(self.engine.renew(&self.owner, &[(self.topic.clone(), vec![])]).await.unwrap()[0].held);
        self.finish(&claimed).await.unwrap();
        assert_eq!(self.engine.sweep(&self.topic).await.unwrap(), 0);
        self.engine.counts(&self.topic.path).await.unwrap();
    }
}

/// Goes through all of a key, however long it is.
fn is_whole(command: &str) -> bool {
    let all_of = ["SMEMBERS", "HGETALL", "HVALS", "SUNION", "SORT", "KEYS"];
    all_of.iter().any(|name| command.starts_with(name))
        || (command.contains("RANGE") && command.ends_with("0 -1"))
}

fn plain(n: usize) -> NewMessage {
    Spec::new(format!("{{\"n\":{n}}}")).into()
}

/// A message with all that has a key of its own.
fn rich(n: usize) -> NewMessage {
    let mut spec = Spec::new(format!("{{\"n\":{n}}}"));
    spec.ttl_ms = Some(86_400_000);
    let unique = Unique { key: format!("key-{n}"), hold: Hold::WhileAlive, second: Second::Dropped };
    NewMessage { spec, id: Some(format!("id-{n}").into()), run_at: None, unique: Some(unique) }
}

/// A message of one of many keys.
fn keyed(n: usize) -> NewMessage {
    let mut spec = Spec::new(format!("{{\"n\":{n}}}"));
    spec.key = Some(format!("key-{n}"));
    spec.into()
}

async fn same_commands(server: &Server, path: &str, limits: Limits, message: impl Fn(usize) -> NewMessage) {
    let mut desk = Desk::new(&server.url(), path).await;
    desk.topic = Topic::new(path).unwrap().with(limits);
    let mut sent = Vec::new();
    for (round, count) in [(0, 1000), (1, 5000)] {
        let from = 100_000_000 * (round + 1);
        desk.fill(count, |n| message(from + n)).await;
        // The first time lines are made that stay.
        desk.life(message(from + 90_000_000)).await;
        let mut monitor = Monitor::of(server).await;
        monitor.commands().await;
        desk.life(message(from + 90_000_001)).await;
        sent.push(monitor.commands().await);
    }
    assert!(sent[0].len() > 10, "{path}: {:?}", sent[0]);
    assert_eq!(sent[0], sent[1], "{path}: beside 1,000 messages, and beside 6,000");
    // The sweep looks at the ways to be kept and at the owners, the counts at the keys that are at their limit.
    let whole: Vec<&String> = sent[1].iter().filter(|command| is_whole(command)).collect();
    let few: &[&str] = if limits.keyed {
        &["SMEMBERS", "SMEMBERS", "HGETALL", "SMEMBERS"]
    } else {
        &["SMEMBERS", "SMEMBERS", "HGETALL"]
    };
    assert_eq!(whole, few, "{path}");
}

#[tokio::test]
async fn a_call_sends_the_same_commands_beside_many_messages_as_beside_few() {
    let server = Server::start(&[]);
    same_commands(&server, "/plain", Limits::default(), plain).await;
    same_commands(&server, "/rich", Limits::default(), rich).await;
    let limits = Limits { keyed: true, key_concurrency: Some(1), ..Limits::default() };
    same_commands(&server, "/keyed", limits, keyed).await;
}
