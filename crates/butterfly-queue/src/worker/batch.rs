//! Many messages as one call: the elements of their lists together.

use std::collections::BTreeMap;

use serde_json::value::{RawValue, to_raw_value};

use crate::message::Claimed;

type Args = BTreeMap<String, Box<RawValue>>;

/// Sorts messages into groups that one call can take: all their arguments but the list are the same.
///
/// Messages whose arguments cannot be read make a group of their own, for the call to say what is wrong with them.
pub(super) fn groups(param: &str, messages: Vec<Claimed>) -> Vec<Vec<Claimed>> {
    let mut groups: Vec<(String, Vec<Claimed>)> = Vec::new();
    for message in messages {
        let rest = rest(param, &message.spec.args).unwrap_or_else(|| format!("#{}", message.seq));
        match groups.iter_mut().find(|(known, _)| *known == rest) {
            Some((_, group)) => group.push(message),
            None => groups.push((rest, vec![message])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// The arguments beside the list, as one text.
fn rest(param: &str, args: &str) -> Option<String> {
    let mut args: Args = serde_json::from_str(args).ok()?;
    args.remove(param);
    serde_json::to_string(&args).ok()
}

/// The arguments of the one call for a group.
pub(super) fn joined(param: &str, group: &[Claimed]) -> Option<String> {
    let mut all: Vec<Box<RawValue>> = Vec::new();
    let mut first: Option<Args> = None;
    for message in group {
        let mut args: Args = serde_json::from_str(&message.spec.args).ok()?;
        if let Some(list) = args.remove(param) {
            all.extend(serde_json::from_str::<Vec<Box<RawValue>>>(list.get()).ok()?);
        }
        first.get_or_insert(args);
    }
    let mut args = first?;
    args.insert(param.to_owned(), to_raw_value(&all).ok()?);
    serde_json::to_string(&args).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{MsgId, Spec};

    fn message(seq: u64, args: &str) -> Claimed {
        let id = MsgId::Ours { tag: 0, seq };
        Claimed { seq, id, spec: Spec::new(args), attempts: 0, deaths: 0 }
    }

    #[test]
    fn lists_join_where_the_rest_is_the_same() {
        let messages = [
            message(1, r#"{"items":[1,2],"to":"a"}"#),
            message(2, r#"{"to":"b","items":[3]}"#),
            message(3, r#"{"to":"a","items":[]}"#),
            message(4, "nonsense"),
            message(5, r#"{"to":"a","items":[{"x":4.50}]}"#),
        ];
        let groups = groups("items", messages.into());
        let seqs: Vec<Vec<u64>> =
            groups.iter().map(|group| group.iter().map(|one| one.seq).collect()).collect();
        assert_eq!(seqs, [vec![1, 3, 5], vec![2], vec![4]]);
        assert_eq!(joined("items", &groups[0]).unwrap(), r#"{"items":[1,2,{"x":4.50}],"to":"a"}"#);
        assert_eq!(joined("items", &groups[2]), None);
    }
}
