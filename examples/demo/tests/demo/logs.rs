//! The log files: columns, errors, levels, forms, and that no line is ever lost.

use std::collections::BTreeSet;
use std::thread;

use serde_json::{Value, json};

use crate::folder::Folder;
use crate::service::Service;
use crate::wire::{Answer, Connection, Request};

/// Calls a running service, stops it, and gives the answers; its logs are then complete.
fn calls(folder: &Folder, words: &[&str], requests: &[Request]) -> Vec<Answer> {
    let service = Service::start(folder, words);
    let mut connection = service.connect();
    let answers = requests.iter().map(|request| connection.call(request)).collect();
    drop(connection);
    service.stop();
    answers
}

fn get(targets: &[&str]) -> Vec<Request> {
    targets.iter().map(|target| Request::get(target)).collect()
}

/// The line of an answer's call.
fn line_of(folder: &Folder, log: &str, answer: &Answer) -> String {
    let lines = folder.lines(log);
    let found: Vec<&String> = lines.iter().filter(|line| line.contains(answer.reqid())).collect();
    assert_eq!(found.len(), 1, "{answer:?} in {lines:?}");
    found[0].clone()
}

#[test]
fn the_access_log_has_the_columns_of_the_original() {
    let folder = Folder::new();
    let answers = calls(
        &folder,
        &[],
        &get(&[
            "/demo_api/hello?str_info=meetbill",
            "/demo_api/timed?rounds=9",
            "/demo_api/hello",
            "/nowhere",
        ]),
    );
    let line = line_of(&folder, "acc.log", &answers[0]);
    let columns: Vec<&str> = line.split('\t').collect();
    assert_eq!(columns.len(), 14, "{line}");
    assert!(
        toml::from_str::<toml::Table>(&format!("at = {}", columns[0])).is_ok(),
        "{} is a time",
        columns[0]
    );
    assert!(columns[1].parse::<u32>().is_ok());
    assert!(columns[2].starts_with("src/handlers/demo_api.rs:"), "{line}");
    assert_eq!(columns[3..7], ["127.0.0.1", answers[0].reqid(), "GET", "/demo_api/hello"]);
    assert_eq!(columns[7], format!("cost:{}", answers[0].header("x-cost").unwrap()));
    assert_eq!(
        columns[8..],
        ["stat:OK", "user:-", "talk:", "params:str_info=meetbill", "error_msg:", "res:"]
    );
    let timed = line_of(&folder, "acc.log", &answers[1]);
    assert!(
        timed.contains("\ttalk:seed=0.") && timed.contains(";think=0.") && timed.ends_with("\tres:rounds=9;"),
        "{timed}"
    );
    let missing = line_of(&folder, "acc.log", &answers[2]);
    assert!(
        missing.contains("\tstat:ERR_BAD_PARAMS\t") && missing.contains("\terror_msg:Param check failed\t"),
        "{missing}"
    );
    let nowhere = line_of(&folder, "acc.log", &answers[3]);
    assert!(
        nowhere.contains("\tGET\t/nowhere\t") && nowhere.contains("\terror_msg:API Not Found\t"),
        "{nowhere}"
    );
}

#[test]
fn no_input_forges_a_line_or_tells_a_secret() {
    let folder = Folder::new();
    let forged = "%0A2026-01-01%2000:00:00%091%09x%09127.0.0.1%09FORGED%09GET%09%2Fadmin";
    let targets = [
        format!("/demo_api/hello?str_info={forged}"),
        format!("/no{forged}"),
        "/demo_types/login?user=bob&password=open-sesame-7".to_owned(),
    ];
    let requests: Vec<Request> = targets.iter().map(|target| Request::get(target)).collect();
    calls(&folder, &["--set=log.level=trace"], &requests);
    let lines = folder.lines("acc.log");
    assert_eq!(lines.len(), targets.len(), "{lines:?}");
    assert!(lines.iter().all(|line| line.split('\t').count() == 14), "{lines:?}");
    for log in ["acc.log", "common.log"] {
        assert!(!folder.lines(log).concat().contains("open-sesame"), "{log} tells a password");
    }
}

#[test]
fn a_failure_is_told_to_the_log_and_not_to_the_caller() {
    for words in [&[][..], &["--set=http.errors=rest"]] {
        let folder = Folder::new();
        let answers = calls(&folder, words, &get(&["/demo_api/fail", "/demo_api/crash", "/demo_api/ping"]));
        for (answer, inner) in answers.iter().zip(["No such file or directory", "as asked"]) {
            assert_eq!(answer.json()["stat"], "ERR_SERVER_EXCEPTION");
            assert_eq!(answer.header("x-reason"), Some("API Processing Exception"));
            for secret in [inner, "os error", ".rs", "panick", "/no/such"] {
                assert!(!answer.all().contains(secret), "{secret} is on the wire: {answer:?}");
            }
            for log in ["common.log", "common.log.wf"] {
                let lines = folder.lines(log);
                let mut own = lines.iter().filter(|line| line.contains(answer.reqid()));
                assert!(
                    own.any(|line| line.starts_with("ERROR butterfly::call ") && line.contains(inner)),
                    "{lines:?}"
                );
            }
        }
        let panicked = folder.lines("common.log.wf");
        let place = panicked.iter().find(|line| line.starts_with("ERROR butterfly::panic ")).unwrap();
        assert!(place.contains("demo_api.rs:") && place.contains(answers[1].reqid()), "{place}");
        assert_eq!(answers[2].status, 200, "a panic takes nothing else down");
    }
}

#[test]
fn the_level_of_one_target_changes_while_it_runs() {
    let folder = Folder::new();
    let service = Service::start(&folder, &[]);
    let mut connection = service.connect();
    let target = "demo::handlers::demo_api";
    let mut set = |level: &str| {
        let change = json!({"name": target, "level": level});
        let answer = connection.call(&Request::json("/demo_log/loglevel_set", &change));
        assert_eq!(answer.json(), json!({"stat": "OK"}));
        connection.get("/demo_api/timed?rounds=1").reqid().to_owned()
    };
    let (loud, quiet) = (set("debug"), set("info"));
    let levels = connection.get("/demo_log/loglevel_get").json();
    assert_eq!(levels["data"][target], 20);
    let wrong = Request::json("/demo_log/loglevel_set", &json!({"name": target, "level": 11}));
    assert_eq!(connection.call(&wrong).json()["stat"], "ERR_LEVEL_INVALID");
    drop(connection);
    service.stop();
    let lines = folder.lines("common.log");
    let debug: Vec<&String> = lines.iter().filter(|line| line.starts_with("DEBUG ")).collect();
    assert_eq!(debug.len(), 1, "{debug:?}");
    assert!(debug[0].contains(&loud) && debug[0].ends_with(" * thought rounds=1"), "{debug:?} {quiet}");
}

#[test]
fn every_line_is_an_object_when_the_format_is_json() {
    let folder = Folder::new();
    let targets =
        ["/demo_api/hello?str_info=%22%0A%09%7D", "/demo_api/fail", "/demo_api/timed", "/no%0Awhere"];
    let answers = calls(&folder, &["--set=log.format=json"], &get(&targets));
    let parsed = |log: &str| -> Vec<Value> {
        let lines = folder.lines(log);
        lines
            .iter()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}")))
            .collect()
    };
    let access = parsed("acc.log");
    assert_eq!(access.len(), targets.len());
    let of = |answer: &Answer| access.iter().find(|line| line["reqid"] == answer.reqid()).unwrap();
    assert_eq!(of(&answers[0])["params"], "str_info=\"\n\t}");
    assert_eq!(
        (&of(&answers[1])["stat"], &of(&answers[1])["function"]),
        (&json!("ERR_SERVER_EXCEPTION"), &json!("/demo_api/fail"))
    );
    assert!(of(&answers[2])["talk"]["think"].is_number() && of(&answers[2])["cost"].is_number());
    let events = parsed("common.log");
    let failure = events.iter().find(|line| line["reqid"] == answers[1].reqid()).unwrap();
    assert_eq!((&failure["level"], &failure["target"]), (&json!("ERROR"), &json!("butterfly::call")));
    assert_eq!(failure["fields"]["handler"], "/demo_api/fail");
    assert!(!parsed("common.log.wf").is_empty());
}

/// Many requests at once over several connections, each answer awaited; then a stop. Gives all ids.
fn load(folder: &Folder, words: &[&str]) -> BTreeSet<String> {
    const CONNECTIONS: usize = 4;
    const BATCHES: usize = 10;
    const BATCH: usize = 50;
    let service = Service::start(folder, words);
    let address = service.address;
    let one = || {
        let mut connection = Connection::open(address);
        let batch = Request::get("/demo_api/hello?str_info=a-line-of-some-length").bytes().repeat(BATCH);
        let mut ids = Vec::new();
        for _ in 0..BATCHES {
            connection.send(&batch);
            ids.extend((0..BATCH).map(|_| connection.receive(false).reqid().to_owned()));
        }
        ids
    };
    let ids: BTreeSet<String> = thread::scope(|scope| {
        let threads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(one)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    service.stop();
    assert_eq!(ids.len(), CONNECTIONS * BATCHES * BATCH, "ids are unique");
    ids
}

fn logged_ids(folder: &Folder) -> Vec<String> {
    let lines = folder.lines("acc.log");
    let mut ids: Vec<String> = lines.iter().map(|line| line.split('\t').nth(4).unwrap().to_owned()).collect();
    ids.sort();
    ids
}

#[test]
fn a_stop_loses_no_line() {
    let folder = Folder::new();
    let ids = load(&folder, &[]);
    assert_eq!(logged_ids(&folder), ids.into_iter().collect::<Vec<_>>());
    assert_eq!(folder.log_files("acc.log").len(), 1);
}

#[test]
fn files_set_aside_by_size_lose_no_line() {
    let folder = Folder::new();
    let ids = load(&folder, &["--set=log.rotate_bytes=8KiB", "--set=log.keep=10000"]);
    assert_eq!(logged_ids(&folder), ids.into_iter().collect::<Vec<_>>());
    let files = folder.log_files("acc.log");
    assert!(files.len() > 20, "{files:?}");
    for file in files {
        assert!(file.metadata().unwrap().len() <= 8 * 1024, "{}", file.display());
    }
}

#[test]
fn only_so_many_files_are_kept() {
    let folder = Folder::new();
    let ids = load(&folder, &["--set=log.rotate_bytes=8KiB", "--set=log.keep=3"]);
    assert_eq!(folder.log_files("acc.log").len(), 4);
    let logged = logged_ids(&folder);
    assert!(logged.iter().all(|id| ids.contains(id)) && logged.len() < ids.len() / 2, "{}", logged.len());
}

#[test]
fn the_start_log_lists_what_is_served() {
    let folder = Folder::new();
    calls(&folder, &[], &[]);
    let lines = folder.lines("init.log");
    let hello = lines.iter().find(|line| line.contains("\t/demo_api/hello\t")).unwrap();
    assert!(
        hello.ends_with("\t/demo_api/hello\tstr_info\tapi") && hello.contains("src/handlers/demo_api.rs:"),
        "{hello}"
    );
    assert_eq!(lines.len(), folder.run(&["routes"]).ok().lines().count());
}
