//! Calls of a resource's handlers to be made later.

use butterfly::model::sql::Given;
use serde_json::{Value, json};

use crate::entities::{note, tag};
use crate::place::on_each;

fn args<R>(job: &butterfly::Job<R>) -> Value {
    serde_json::from_str(&job.args().unwrap()).unwrap()
}

#[test]
fn what_is_not_given_is_not_in_the_job_and_null_is() {
    let job = note::update::job(7, Given::no(), "b".to_owned().into(), Given(Some(None)), Given::no());
    assert_eq!(job.path(), "/note/update");
    assert_eq!(args(&job), json!({"id": 7, "title": "b", "stars": null}));
    assert_eq!(args(&tag::update::job("x", 2.into())), json!({"name": "x", "count": 2}));
}

#[test]
fn what_is_not_given_is_never_written_as_null() {
    assert!(serde_json::to_string(&Given::<u8>::no()).unwrap_err().to_string().contains("must be left out"));
    assert_eq!(serde_json::to_value(Given(Some(7))).unwrap(), json!(7));
}

#[tokio::test]
async fn a_job_does_what_the_call_does() {
    on_each(async |place| {
        let job = note::create::job("ann", "a", Some(1), None);
        let made = place.call("ann", &note::create::HANDLER, args(&job)).await;
        let id = made["id"].as_i64().unwrap_or_else(|| panic!("{made}"));
        let job = note::update::job(id, Given::no(), Given::no(), Given(Some(None)), Given::no());
        let changed = place.call("ann", &note::update::HANDLER, args(&job)).await;
        assert_eq!((&changed["title"], &changed["stars"]), (&json!("a"), &Value::Null));
        let job = note::history::job(id, None, Some(1), None);
        assert_eq!(place.call("ann", &note::history::HANDLER, args(&job)).await["total"], 2);
    })
    .await;
}
