//! `start`, `stop`, `restart`, `status`: the service without a terminal.

use std::net::TcpListener;

use rustix::process::Signal;
use serde_json::Value;

use crate::folder::Folder;
use crate::service::Service;
use crate::wire::Connection;

const FREE: [&str; 2] = ["--listen", "127.0.0.1:0"];

fn start(folder: &Folder, verb: &str) -> Value {
    let out = folder.run(&[&[verb][..], &FREE].concat()).ok();
    let said: Value = serde_json::from_str(&folder.read("data/butterfly.pid")).unwrap();
    let (address, pid) = (said["listen"].as_str().unwrap(), said["pid"].as_u64().unwrap());
    let line = format!("demo 0.1.0 started on http://{address}, pid {pid}\n");
    assert!(out.ends_with(&line), "{out:?} does not end with {line:?}");
    said
}

fn answers(said: &Value) -> bool {
    let mut connection = Connection::open(said["listen"].as_str().unwrap().parse().unwrap());
    connection.get("/readyz").status == 200
}

#[test]
fn a_service_is_started_seen_restarted_and_stopped() {
    let folder = Folder::new();
    let not_running = folder.run(&["status"]);
    assert_eq!((not_running.code, not_running.out.as_str()), (3, "demo does not run\n"));
    let first = start(&folder, "start");
    assert!(answers(&first));
    let status = folder.run(&["status"]).ok();
    let expected =
        format!("demo 0.1.0 runs on http://{}, pid {}\n", first["listen"].as_str().unwrap(), first["pid"]);
    assert_eq!(status, expected);
    let pid = first["pid"].to_string();
    folder.run(&[&["start"][..], &FREE].concat()).fails(1, &["runs already", &pid]);
    folder.run(&[&["serve"][..], &FREE].concat()).fails(1, &["runs on data already", "`status`"]);
    let second = start(&folder, "restart");
    assert!(second["pid"] != first["pid"] && answers(&second));
    let stopped = folder.run(&["stop"]).ok();
    assert_eq!(stopped, format!("demo stopped, pid {}\n", second["pid"]));
    assert_eq!(folder.run(&["status"]).code, 3);
    assert!(folder.read("logs/__stdout").contains("serves"), "what it prints is kept");
}

#[test]
fn instances_share_a_data_folder_and_need_no_http() {
    let folder = Folder::new();
    let main = start(&folder, "start");
    let second = |verb: &str| folder.run(&[verb, "--set=instance=w2", "--set=roles=worker"]);
    let out = second("start").ok();
    let said: Value = serde_json::from_str(&folder.read("data/butterfly-w2.pid")).unwrap();
    assert_eq!(
        (&said["listen"], out),
        (&Value::Null, format!("demo (w2) 0.1.0 started, pid {}\n", said["pid"]))
    );
    second("serve").fails(1, &["the instance w2 runs on data already", "set another instance"]);
    assert_eq!(second("status").ok(), format!("demo (w2) 0.1.0 runs, pid {}\n", said["pid"]));
    assert_eq!(second("stop").ok(), format!("demo (w2) stopped, pid {}\n", said["pid"]));
    assert_eq!((second("status").code, folder.run(&["status"]).code), (3, 0));
    assert!(answers(&main), "the other one is left alone");
}

#[test]
fn a_role_without_work_is_refused() {
    Folder::new().run(&["serve", "--roles", "scheduler"]).fails(1, &["no scheduler yet"]);
}

#[test]
fn what_does_not_run_is_neither_stopped_nor_restarted() {
    let folder = Folder::new();
    folder.run(&["stop"]).fails(1, &["demo does not run"]);
    folder.run(&["restart"]).fails(1, &["demo does not run"]);
    start(&folder, "start");
    folder.run(&["stop"]).ok();
    folder.run(&["stop"]).fails(1, &["demo does not run"]);
}

#[test]
fn a_start_that_fails_says_why() {
    let folder = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let why = ["another process has it", &address, "http.listen"];
    folder.run(&["start", "--listen", &address]).fails(1, &why);
    folder.run(&["serve", "--listen", &address]).fails(1, &why);
    assert_eq!(folder.run(&["status"]).code, 3);
    folder.run(&["start", "--listen", "nowhere"]).fails(2, &["http.listen", "nowhere"]);
    folder.write("file", "");
    folder.run(&["start", "--set=data_dir=file"]).fails(1, &["data_dir file"]);
    folder.run(&["serve", "--set=log.dir=file"]).fails(1, &["log"]);
}

#[test]
fn a_killed_process_leaves_a_file_that_nobody_believes() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    assert!(folder.run(&["status"]).ok().contains(&service.pid().to_string()));
    service.get("/demo_api/ping");
    service.signal(Signal::KILL);
    service.ended();
    assert!(folder.read("data/butterfly.pid").contains("\"pid\""), "the file is still there");
    assert_eq!(folder.run(&["status"]).code, 3);
    folder.run(&["stop"]).fails(1, &["does not run"]);
    let next = start(&folder, "start");
    assert!(answers(&next));
    folder.run(&["stop"]).ok();
}

#[test]
fn several_services_share_a_machine_by_their_data_folders() {
    let folder = Folder::new();
    let one = start(&folder, "start");
    let other =
        Service::start(&folder, &["--set=data_dir=other", "--set=name=other", "--set=log.dir=other/logs"]);
    let status = folder.run(&["status", "--set=data_dir=other"]).ok();
    assert!(
        status.starts_with("other 0.1.0 runs on http://") && status.contains(&other.pid().to_string()),
        "{status}"
    );
    assert!(folder.run(&["status"]).ok().contains(&one["pid"].to_string()));
    other.stop();
    assert!(answers(&one));
}
