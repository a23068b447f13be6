//! Records are read as they were written, and nothing that is no record is one.

use proptest::prelude::*;

use super::*;
use crate::message::{Claimed, MsgId};

fn owner() -> Owner {
    Owner { instance: "i".into(), epoch: 3, worker: "host:8585:77".into() }
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-z]{1,12}", "\\PC{0,300}"]
}

prop_compose! {
    fn specs()(
        args in texts(),
        priority in 0..=9_u8,
        created in 0..FOREVER,
        (timeout_ms, retries) in (any::<u64>(), any::<u32>()),
        ttl_ms in proptest::option::of(0..FOREVER),
        result_ttl_ms in proptest::option::of(prop_oneof![Just(USUAL_TTL_MS), 0..FOREVER]),
        failure_ttl_ms in proptest::option::of(prop_oneof![Just(USUAL_TTL_MS), 0..FOREVER]),
        (key, parent, user, description) in (
            proptest::option::of(texts()), proptest::option::of(texts()), proptest::option::of(texts()),
            proptest::option::of(texts()),
        ),
        reqid in prop_oneof![Just(ReqId::new()), "[a-zA-Z0-9_.-]{1,40}".prop_map(|text| text.parse().unwrap())],
        ip in proptest::option::of(any::<IpAddr>()),
        notify in proptest::option::of("[a-z0-9:.-]{0,60}"),
    ) -> Spec {
        Spec {
            args, priority, created, timeout_ms, retries, ttl_ms, result_ttl_ms, failure_ttl_ms, key, reqid,
            parent, user, ip, description, notify: notify.map(Arc::from),
        }
    }
}

proptest! {
    #[test]
    fn a_new_message_is_read_as_it_was_written(
        spec in specs(), id in proptest::option::of("[a-z0-9]{1,128}"), keyed: bool,
    ) {
        let id: Option<Box<str>> = id.map(Into::into);
        let message = NewMessage { id: id.clone(), ..NewMessage::from(spec.clone()) };
        let record = read(&of_new(&message, keyed)).unwrap();
        prop_assert_eq!((record.phase, record.id, record.laned), (Phase::Alive, id, keyed));
        prop_assert_eq!(record.spec, spec);
        prop_assert_eq!(record.run, Run::default());
    }

    #[test]
    fn an_end_is_read_as_it_was_written(
        spec in specs(), started in 0..FOREVER, cost_us: u64, attempts in 0..u32::MAX, deaths: u32, kind in 0..3_u8,
        (one, other) in (texts(), texts()), keyed: bool,
    ) {
        let end = match kind {
            0 => End::Finished { stat: one.clone(), result: other.clone() },
            1 => End::Failed { error: one.clone() },
            _ => End::Retry { at: 1, error: one.clone(), counts: true },
        };
        let id = MsgId::Given("id".into());
        let message = Claimed { seq: 1, id, spec: spec.clone(), attempts, deaths };
        let outcome = Outcome { message, started, cost_us, end };
        let record = read(&of_outcome(&outcome, keyed, &owner())).unwrap();
        prop_assert_eq!((record.id.as_deref(), record.spec), (Some("id"), spec));
        let run = record.run;
        prop_assert_eq!((run.started, run.cost_us, run.deaths), (Some(started), cost_us, deaths));
        prop_assert_eq!(run.worker.as_deref(), Some("host:8585:77"));
        prop_assert_eq!(run.attempts, attempts + u32::from(kind == 2));
        match kind {
            0 => prop_assert_eq!((run.stat, run.result, run.error), (Some(one), Some(other), None)),
            _ => prop_assert_eq!((run.stat, run.result, run.error), (None, None, Some(one))),
        }
    }

    #[test]
    fn anything_may_be_there(bytes: Vec<u8>, first in 0..3_u8, cut: prop::sample::Index, spec in specs()) {
        let mut bytes = bytes;
        let _ = read(&bytes);
        if let Some(byte) = bytes.first_mut() {
            *byte = first;
        }
        let _ = read(&bytes);
        let whole = of_new(&NewMessage::from(spec), true);
        let _ = read(&whole[..cut.index(whole.len())]);
    }
}

#[test]
fn a_newer_record_and_a_foreign_one_say_what_is_wrong() {
    let mut newer = of_new(&NewMessage::from(Spec::new("{}")), false);
    newer[0] = 2;
    let error = read(&newer).unwrap_err();
    assert_eq!(error, BadRecord::Version(2));
    assert!(error.to_string().contains("format 2") && error.to_string().contains("newer"), "{error}");
    assert_eq!(read(b"\x01"), Err(BadRecord::Damaged));
    assert_eq!(read(b""), Err(BadRecord::Damaged));
    assert_eq!(read(b"{\"a\":1}"), Err(BadRecord::Version(b'{')));
}

#[test]
fn fields_that_a_later_program_adds_are_passed_over() {
    let spec = Spec::new("{}");
    let mut record = of_new(&NewMessage::from(spec.clone()), false);
    record.extend([62 << 2 | BYTES, 2, 9, 9, 61 << 2 | NUMBER, 0x81, 1, 60 << 2 | TIME, 1, 2, 3, 4, 5, 6]);
    assert_eq!(read(&record).unwrap().spec, spec);
}

/// What is in servers today must be readable by every later program: these bytes never change.
#[test]
fn the_first_format_is_as_it_was() {
    let reqid = "0123456789ABCDEF".parse().unwrap();
    let spec = Spec { created: 0x0102_0304_0506, reqid, key: Some("k".into()), ..Spec::new("{}") };
    let message = NewMessage { id: Some("id".into()), ..NewMessage::from(spec.clone()) };
    let bytes =
        b"\x01\x0c\x04\x01\x02\x03\x04\x05\x06\x02id\x01k\x05\x02{}\x31\x08\x01\x23\x45\x67\x89\xab\xcd\xef";
    assert_eq!(of_new(&message, true), bytes);
    let record = read(bytes).unwrap();
    assert_eq!((record.id.as_deref(), record.spec), (Some("id"), spec));
}

#[test]
fn a_trivial_message_costs_little() {
    let spec = Spec::new("{\"a\":1}");
    let message = Claimed { seq: 1, id: MsgId::Given("x".into()), spec, attempts: 0, deaths: 0 };
    let end = End::Finished { stat: "OK".into(), result: "{\"stat\":\"OK\"}".into() };
    let outcome = Outcome { started: message.spec.created + 5, message, cost_us: 200, end };
    let len = of_outcome(&outcome, false, &owner()).len();
    assert!(len < 90, "{len} bytes");
}
