//! Several processes of one machine on one Redis.

use rustix::process::Signal;
use serde_json::json;

use super::server::Server;
use crate::folder::Folder;
use crate::messages::{info, until};
use crate::processes::{all_finished, brew, runner};
use crate::service::Service;

/// A lease is far longer than anybody waits here.
#[test]
fn the_messages_of_a_killed_process_are_another_s_at_once() {
    let (folder, mut server) = (Folder::new(), Server::to_come());
    server.start("geheim");
    let [url, engine] = server.used("geheim");
    let words = |instance| [url.as_str(), engine.as_str(), "--set=queue.lease=60s", instance];
    let one = Service::start(&folder, &words("--set=instance=main"));
    let two = Service::start(&folder, &words("--set=instance=w2"));
    let mut connection = two.connect();
    let ids: Vec<String> = (0..12).map(|_| brew(&mut connection, 2000)).collect();
    let victim = until("a message that the first process runs", || {
        ids.iter().find(|id| {
            info(&mut connection, id)["status"] == "started" && runner(&mut connection, id) == one.pid()
        })
    });
    one.signal(Signal::KILL);
    all_finished(&mut connection, &ids);
    let message = info(&mut connection, victim);
    assert_eq!((&message["deaths"], runner(&mut connection, victim)), (&json!(1), two.pid()), "{message}");
}
