//! What is stored by a newer program, by something else, or by nobody in his right mind.

use butterfly_queue::engine::Changed;
use butterfly_queue::{Engine, EngineError, MsgId, NewMessage, Spec, State};

use super::Desk;
use super::server::Server;

async fn write(server: &Server, key: &str, field: &str, bytes: &[u8]) {
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let (): () =
        redis::cmd("HSET").arg(key).arg(field).arg(bytes).query_async(&mut connection).await.unwrap();
}

/// The key and the field of a message's record, and the record.
async fn record(server: &Server, number: u64) -> (String, String, Vec<u8>) {
    let number = (99_999 + number).to_string();
    let (bucket, field) = number.split_at(number.len() - 2);
    let key = format!("bf:{{/a}}:m:{bucket}");
    let bytes = server.ask(&format!("HGET {key} {field}")).await;
    (key, field.to_owned(), bytes)
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_set_aside_and_the_rest_goes_on() {
    let server = Server::start(&[]);
    let desk = Desk::new(&server.url(), "/a").await;
    let ids = desk.send(6).await.unwrap();
    let bad: [(u64, Vec<u8>); 4] = [
        (1, [&[2], &record(&server, 1).await.2[1..]].concat()),
        (3, b"{\"hello\":1}".to_vec()),
        (4, [&record(&server, 4).await.2[..], &[255, 255]].concat()),
        (5, b"".to_vec()),
    ];
    for (number, bytes) in &bad {
        let (key, field, _) = record(&server, *number).await;
        write(&server, &key, &field, bytes).await;
    }
    let claimed = desk.claim(6).await.unwrap();
    let given: Vec<&MsgId> = claimed.iter().map(|message| &message.id).collect();
    assert_eq!(given, [&ids[1], &ids[5]]);
    desk.finish(&claimed).await.unwrap();
    assert_eq!(desk.counts().await, [0, 0, 0, 2, 4]);
    let newer = desk.message(&ids[0]).await;
    assert_eq!(newer.state, State::Failed);
    let error = newer.error.unwrap();
    assert!(error.contains("format 2") && error.contains("newer"), "{error}");
    for number in [2, 3, 4] {
        let error = desk.message(&ids[number]).await.error.unwrap();
        assert!(error.contains("format") || error.contains("damaged"), "{error}");
    }
    let listed = desk.engine.list("/a", State::Failed, 0, 10).await.unwrap();
    assert_eq!(listed.len(), 4);
    assert!(listed.iter().all(|message| message.error.is_some()));
    let refused = desk.engine.requeue("/a", &ids[0], None).await.unwrap_err();
    assert!(matches!(refused, EngineError::Foreign(_)), "{refused}");
    assert_eq!(desk.engine.delete("/a", &ids[0]).await.unwrap(), Changed::Done);
    assert_eq!(desk.engine.empty("/a", State::Failed, 10).await.unwrap(), 3);
    assert_eq!(desk.counts().await, [0, 0, 0, 2, 0]);
}

#[tokio::test]
async fn a_program_that_can_read_it_finds_it_as_it_was() {
    let server = Server::start(&[]);
    let desk = Desk::new(&server.url(), "/a").await;
    let ids = desk.send(1).await.unwrap();
    let (key, field, bytes) = record(&server, 1).await;
    write(&server, &key, &field, &[&[2], &bytes[1..]].concat()).await;
    assert!(desk.claim(1).await.unwrap().is_empty());
    let (_, _, after) = record(&server, 1).await;
    assert_eq!(after[1..], bytes[1..], "the record is not touched");
    write(&server, &key, &field, &bytes).await;
    assert_eq!(desk.engine.requeue("/a", &ids[0], None).await.unwrap(), Changed::Done);
    assert_eq!(desk.claim(1).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_topic_of_another_format_and_foreign_keys_are_refused() {
    let server = Server::start(&[]);
    let desk = Desk::new(&server.url(), "/a").await;
    for (spoil, mend) in [
        ("HSET bf:{/a} v 2", "DEL bf:{/a}"),
        ("SET bf:{/a} x", "DEL bf:{/a}"),
        ("HSET bf:{/a} other thing", "DEL bf:{/a}"),
        ("SET bf:{/a}:q4 x", "DEL bf:{/a}:q4"),
    ] {
        let (): () = server.ask(spoil).await;
        let error = desk.send(1).await.unwrap_err();
        assert!(matches!(error, EngineError::Foreign(_)), "{spoil}: {error}");
        let (): () = server.ask(mend).await;
    }
}

#[tokio::test]
async fn all_keys_of_a_topic_share_its_hash_tag() {
    let server = Server::start(&[]);
    let desk = Desk::new(&server.url(), "/users/{id}/x").await;
    desk.send(10).await.unwrap();
    let given = NewMessage { id: Some("mine".into()), ..NewMessage::from(Spec::new("{}")) };
    desk.send_as(1_000_001, vec![given]).await.unwrap();
    let claimed = desk.claim(11).await.unwrap();
    desk.finish(&claimed[..5]).await.unwrap();
    desk.engine.cancel("/users/{id}/x", &claimed[6].id, "no").await.unwrap();
    let keys: Vec<String> = server.ask("KEYS *").await;
    assert!(keys.len() > 4, "{keys:?}");
    for key in keys.iter().filter(|key| *key != "bf:topics") {
        assert!(key.starts_with("bf:{/users/<id>/x}"), "{key}");
    }
    assert_eq!(*desk.engine.topics().await.unwrap()[0], *"/users/{id}/x");
}

#[tokio::test]
async fn a_server_that_lost_everything_takes_new_messages_under_new_numbers() {
    let server = Server::start(&[]);
    let desk = Desk::new(&server.url(), "/a").await;
    let before = desk.send(3).await.unwrap();
    let claimed = desk.claim(1).await.unwrap();
    let (): () = server.ask("FLUSHALL").await;
    let after = desk.send(3).await.unwrap();
    assert!(after.iter().all(|id| !before.contains(id)));
    assert_eq!(desk.finish(&claimed).await.unwrap(), [butterfly_queue::engine::Settled::Lost]);
    assert_eq!(desk.counts().await, [0, 3, 0, 0, 0]);
    assert_eq!(*desk.engine.topics().await.unwrap()[0], *"/a");
}
