//! The lines and messages of one call, put together.

use std::collections::{BTreeMap, HashSet};

use butterfly_core::ReqId;
use butterfly_queue::{Message, Millis, State};
use serde_json::{Value, json};

use super::lines::Line;
use super::made;
use crate::command::queue::document;

/// A line that sends more messages than this names no others.
const NAMED: usize = 16;
/// Lines tell seconds; a time that is better known is the same if it is so near.
const SECOND: Millis = 1000;

/// What is known of a call.
pub(super) struct Tree {
    reqid: ReqId,
    /// Where it came in.
    pub(super) calls: Vec<Line>,
    messages: BTreeMap<String, Node>,
}

/// A message of the call.
#[derive(Default)]
pub(super) struct Node {
    /// What the engine knows of it.
    pub(super) message: Option<Message>,
    /// The engine has it no more.
    pub(super) gone: bool,
    /// The lines of its runs.
    pub(super) runs: Vec<Line>,
    sender: Option<Sender>,
}

#[derive(Clone, Debug, PartialEq)]
enum Sender {
    Call(usize),
    Message(String),
}

/// Each message once, below who sent it.
pub(super) struct Branch<'t> {
    pub(super) id: &'t str,
    pub(super) node: &'t Node,
    pub(super) below: Vec<Branch<'t>>,
}

impl Tree {
    pub(super) fn new(reqid: ReqId) -> Self {
        Self { reqid, calls: Vec::new(), messages: BTreeMap::new() }
    }

    pub(super) fn reqid(&self) -> &ReqId {
        &self.reqid
    }

    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty() && self.messages.is_empty()
    }

    pub(super) fn add(&mut self, line: Line) {
        let ran = line.noted("msg").next().filter(|_| line.method == "QUEUE").map(str::to_owned);
        let sender = match &ran {
            Some(id) => Sender::Message(id.clone()),
            None => Sender::Call(self.calls.len()),
        };
        for id in line.noted("enqueued") {
            self.sent(id, sender.clone());
        }
        let Some(id) = ran else { return self.calls.push(line) };
        if let Some(parent) = line.noted("parent").next() {
            self.sent(&id, Sender::Message(parent.to_owned()));
        }
        self.messages.entry(id).or_default().runs.push(line);
    }

    fn sent(&mut self, id: &str, sender: Sender) {
        let node = self.messages.entry(id.to_owned()).or_default();
        // Under a unique key a message may be given its own id for one that it sends.
        if sender != Sender::Message(id.to_owned()) {
            node.sender.get_or_insert(sender);
        }
    }

    /// What the engine knows of a message.
    pub(super) fn set(&mut self, message: Message) {
        let id = message.id.to_string();
        if let Some(parent) = message.spec.parent.clone().filter(|_| message.spec.reqid == self.reqid) {
            self.sent(&id, Sender::Message(parent));
        }
        self.messages.entry(id).or_default().message = Some(message);
    }

    /// The engine has no such message.
    pub(super) fn gone(&mut self, id: &str) {
        self.messages.entry(id.to_owned()).or_default().gone = true;
    }

    /// The messages of which the engine may know more than is known here.
    pub(super) fn unsettled(&self) -> Vec<String> {
        let open = |node: &Node| !node.gone && node.ended().is_none();
        self.messages.iter().filter(|(_, node)| open(node)).map(|(id, _)| id.clone()).collect()
    }

    /// Whether all that is known ended before this time, so that no later line can be of it.
    pub(super) fn has_ended_before(&self, time: Millis) -> bool {
        let ended = |node: &Node| node.gone || node.ended().is_some_and(|ended| ended < time);
        !self.calls.is_empty() && self.messages.values().all(ended)
    }

    /// Whether a line sent more messages than it names.
    pub(super) fn cut_short(&self) -> bool {
        let runs = self.messages.values().flat_map(|node| &node.runs);
        self.calls.iter().chain(runs).any(|line| line.noted("enqueued").count() >= NAMED)
    }

    /// When a call came in.
    pub(super) fn began(&self, call: &Line) -> Millis {
        let exact = made(&self.reqid).filter(|made| made.abs_diff(call.at) <= 2 * SECOND);
        exact.unwrap_or(call.at)
    }

    /// The messages that a call sent.
    pub(super) fn of_call(&self, call: usize) -> Vec<Branch<'_>> {
        self.below(&Sender::Call(call), &mut HashSet::new())
    }

    /// The messages whose sender no line tells of.
    pub(super) fn orphans(&self) -> Vec<Branch<'_>> {
        let mut seen = HashSet::new();
        for call in 0..self.calls.len() {
            self.below(&Sender::Call(call), &mut seen);
        }
        let mut orphans = Vec::new();
        // First those whose sender is unknown; then what only has one another for senders.
        let known = |node: &Node| match &node.sender {
            Some(Sender::Message(parent)) => self.messages.contains_key(parent),
            _ => false,
        };
        let (rooted, rest): (Vec<_>, Vec<_>) = self.sorted().into_iter().partition(|(_, node)| !known(node));
        for (id, node) in rooted.into_iter().chain(rest) {
            if seen.insert(id) {
                let below = self.below(&Sender::Message(id.to_owned()), &mut seen);
                orphans.push(Branch { id, node, below });
            }
        }
        orphans
    }

    fn below<'t>(&'t self, sender: &Sender, seen: &mut HashSet<&'t str>) -> Vec<Branch<'t>> {
        let mut branches = Vec::new();
        for (id, node) in self.sorted() {
            if self.sender(node).as_ref() == Some(sender) && seen.insert(id) {
                let below = self.below(&Sender::Message(id.to_owned()), seen);
                branches.push(Branch { id, node, below });
            }
        }
        branches
    }

    /// Who sent a message. A line that sends many names the first: the others are the call's, where there is only one.
    fn sender(&self, node: &Node) -> Option<Sender> {
        node.sender.clone().or((self.calls.len() == 1).then_some(Sender::Call(0)))
    }

    /// The messages by age.
    fn sorted(&self) -> Vec<(&str, &Node)> {
        let mut all: Vec<_> = self.messages.iter().map(|(id, node)| (id.as_str(), node)).collect();
        all.sort_by_key(|(_, node)| (node.created().is_none(), node.created()));
        all
    }

    pub(super) fn json(&self) -> Value {
        let calls = self.calls.iter().enumerate().map(|(index, call)| {
            let mut document = line(call, self.began(call));
            document["messages"] = branches(&self.of_call(index));
            document
        });
        json!({
            "reqid": self.reqid.as_str(),
            "made": made(&self.reqid),
            "calls": calls.collect::<Vec<_>>(),
            "messages": branches(&self.orphans()),
        })
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.messages.values()
    }
}

impl Node {
    fn ended(&self) -> Option<Millis> {
        let message = self.message.as_ref()?;
        matches!(message.state, State::Finished | State::Failed).then_some(message.ended?)
    }

    /// When it was sent; of a message that is gone, when its first run began.
    pub(super) fn created(&self) -> Option<Millis> {
        let first = self.runs.first().map(|run| run.at);
        self.message.as_ref().map(|message| message.spec.created).or(first)
    }

    /// When a run began: the message's age at that moment is in its line.
    pub(super) fn began(&self, run: &Line) -> Millis {
        let age = run.noted("age").next().and_then(|age| age.strip_suffix("ms")?.parse::<u64>().ok());
        match (&self.message, age) {
            (Some(message), Some(age)) => message.spec.created.saturating_add(age),
            _ => run.at,
        }
    }
}

fn branches(all: &[Branch<'_>]) -> Value {
    let branch = |branch: &Branch<'_>| {
        let node = branch.node;
        let mut value = match &node.message {
            Some(message) => document(message),
            None => json!({ "msg_id": branch.id, "state": "gone" }),
        };
        value["runs"] = node.runs.iter().map(|run| line(run, node.began(run))).collect();
        value["messages"] = branches(&branch.below);
        value
    };
    all.iter().map(branch).collect()
}

fn line(line: &Line, began: Millis) -> Value {
    json!({
        "at": began,
        "cost_us": line.cost_us,
        "method": line.method,
        "function": line.function,
        "stat": line.stat,
        "error": line.error,
        "params": line.params,
        "ip": line.ip,
        "user": line.user,
        "pid": line.pid,
        "attempt": line.noted("attempt").next().and_then(|attempt| attempt.parse::<u64>().ok()).unwrap_or(1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line_of(method: &str, res: &[&str]) -> Line {
        let res = res.iter().map(|item| (*item).to_owned()).collect();
        Line { method: method.into(), res, at: 1_000_000, ..Line::default() }
    }

    /// `a(b c(d))` for each root.
    fn shape(branches: &[Branch<'_>]) -> String {
        let one = |branch: &Branch<'_>| match branch.below.as_slice() {
            [] => branch.id.to_owned(),
            below => format!("{}({})", branch.id, shape(below)),
        };
        branches.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    fn tree(lines: &[(&str, &[&str])]) -> Tree {
        let mut tree = Tree::new(ReqId::new());
        lines.iter().for_each(|(method, res)| tree.add(line_of(method, res)));
        tree
    }

    #[test]
    fn messages_stand_below_who_sent_them_in_whatever_order_lines_come() {
        let mut lines: Vec<(&str, &[&str])> = vec![
            ("POST", &["enqueued=a"]),
            ("QUEUE", &["msg=a", "enqueued=b", "enqueued=c"]),
            ("QUEUE", &["msg=b", "parent=a"]),
            ("QUEUE", &["msg=b", "attempt=2", "parent=a", "enqueued=d"]),
        ];
        for _ in 0..lines.len() {
            let tree = tree(&lines);
            assert_eq!(shape(&tree.of_call(0)), "a(b(d) c)");
            assert_eq!(shape(&tree.orphans()), "");
            assert_eq!(tree.messages["b"].runs.len(), 2);
            lines.rotate_left(1);
        }
    }

    #[test]
    fn what_has_no_sender_or_only_itself_is_there_once() {
        let of_others =
            tree(&[("QUEUE", &["msg=a", "enqueued=a", "parent=z"]), ("QUEUE", &["msg=b", "parent=a"])]);
        assert_eq!(shape(&of_others.orphans()), "a(b)");
        let circle = tree(&[("QUEUE", &["msg=a", "parent=b"]), ("QUEUE", &["msg=b", "parent=a"])]);
        assert_eq!(shape(&circle.orphans()), "a(b)");
    }

    #[test]
    fn messages_that_no_line_names_are_the_only_calls() {
        let one = tree(&[("POST", &[]), ("QUEUE", &["msg=a"]), ("QUEUE", &["msg=b", "parent=a"])]);
        assert_eq!((shape(&one.of_call(0)), shape(&one.orphans())), ("a(b)".into(), String::new()));
        let two = tree(&[("POST", &[]), ("POST", &[]), ("QUEUE", &["msg=a"])]);
        assert_eq!((shape(&two.of_call(0)), shape(&two.orphans())), (String::new(), "a".into()));
        let many: Vec<String> = (0..NAMED).map(|id| format!("enqueued={id}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(tree(&[("POST", &many)]).cut_short() && !tree(&[("POST", &many[1..])]).cut_short());
    }

    #[test]
    fn it_has_ended_when_its_call_and_all_its_messages_have() {
        let mut one = tree(&[("POST", &["enqueued=a"])]);
        assert!(!one.has_ended_before(u64::MAX), "nothing is known of the message");
        assert_eq!(one.unsettled(), ["a"]);
        one.gone("a");
        assert!(one.has_ended_before(u64::MAX) && one.unsettled().is_empty());
        assert!(!tree(&[]).has_ended_before(u64::MAX), "its line may come");
    }
}
