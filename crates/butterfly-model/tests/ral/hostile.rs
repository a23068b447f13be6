//! Hostile addresses and names are refused by what is wrong with them, before anything is connected.

use std::time::Duration;

use butterfly_model::ral::{Ral, RalErrorKind, Value};

use crate::host::Host;
use crate::hostile_values::texts;

#[tokio::test]
async fn an_address_is_host_and_port_or_refused() {
    for text in texts() {
        let shown: String = text.chars().take(60).collect();
        for address in
            [text.clone(), format!("{text}:80"), format!("127.0.0.1:{text}"), format!("127.0.0.1{text}:80")]
        {
            match Ral::service("users").address(&address).connect_timeout(Duration::from_millis(1)).build() {
                Ok(_) => {
                    let host = address.rsplit_once(':').unwrap().0;
                    let plain = |letter: char| letter.is_alphanumeric() || "-._:[]%".contains(letter);
                    assert!(!host.is_empty() && host.len() <= 255 && host.chars().all(plain), "{shown:?}");
                }
                Err(error) => {
                    assert_eq!(error.kind(), RalErrorKind::Config, "{shown:?}");
                    assert!(error.to_string().contains("host:port"), "{error}");
                }
            }
        }
    }
}

#[tokio::test]
async fn texts_go_there_and_back_as_they_are() {
    let host = Host::echo().await;
    let service = crate::host::service([&host]).max_body(1 << 22).build().unwrap();
    for text in texts() {
        let shown: String = text.chars().take(60).collect();
        let asked = Value::object([
            ("text", Value::from(text.as_str())),
            ("list", Value::Array(vec![text.as_str().into()])),
        ]);
        let said: Value = service
            .request()
            .key(text.as_bytes())
            .send(&asked)
            .await
            .unwrap_or_else(|error| panic!("{shown:?}: {error}"));
        assert_eq!(said, asked, "{shown:?}");
        // As the name of a field: a name has at most 254 bytes and no NUL, for it ends with one.
        let named = Value::object([(text.as_str(), Value::from(1_u32))]);
        match service.request().send::<Value>(&named).await {
            Ok(said) => assert_eq!(said.get(&text).and_then(Value::as_u64), Some(1), "{shown:?}"),
            Err(error) => {
                assert!(text.len() > 254 || text.contains('\0'), "{shown:?}: {error}");
                assert!(error.to_string().contains("key"), "{error}");
            }
        }
    }
}
