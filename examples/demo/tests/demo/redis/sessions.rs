//! Sessions and the cache in Redis, shared by processes that share nothing else.

use serde_json::Value;

use super::server::Server;
use crate::folder::Folder;
use crate::service::Service;
use crate::sessions::two_processes;

#[test]
fn a_session_is_one_in_processes_that_share_a_redis_and_a_secret() {
    let mut server = Server::to_come();
    server.start("secret");
    let [url, _] = server.used("secret");
    let words = [
        url.as_str(),
        "--set=session.store=redis.default",
        "--set=session.secrets=a-secret-of-both-machines",
    ];
    let (here, there) = (Folder::new(), Folder::new());
    let (one, two) = (Service::start(&here, &words), Service::start(&there, &words));
    two_processes(&one, &two);
    assert!(!here.path("data/session.key").exists() && !here.path("data/sessions.db").exists());
}

#[test]
fn an_answer_is_kept_for_all_processes() {
    let mut server = Server::to_come();
    server.start("secret");
    let [url, _] = server.used("secret");
    let words = [url.as_str(), "--set=cache.store=redis.default", "--set=cache.near=1MiB"];
    let (here, there) = (Folder::new(), Folder::new());
    let (one, two) = (Service::start(&here, &words), Service::start(&there, &words));
    let asked = |service: &Service| -> Value { service.get("/demo_api/report").json() };
    let first = asked(&one);
    assert!((0..4).all(|_| asked(&two) == first && asked(&one) == first), "{first}");
}
