//! What the error log says when the database fails: which one, and what to do.

use serde_json::json;

use crate::service::{Service, run};

#[test]
fn a_table_that_is_gone_is_told_with_its_database_and_what_to_do() {
    let service = Service::start(None);
    let url = format!("sqlite:///{}/data/app.db", service.folder().display());
    run(&url, "DROP TABLE todo");
    let answer = service.get("/todo/list");
    assert_eq!(answer, json!({"stat": "ERR_SERVER_EXCEPTION"}), "nothing of it goes to the caller");
    let log = wait_for(&service, "no such table: todo");
    assert!(
        log.contains(
            "databases.default (sqlite://data/app.db): a table is missing: run the program with `migrate up`"
        ),
        "{log}"
    );
}

/// The folder becomes part of the database's address, whatever it is called.
#[test]
fn the_data_may_be_in_a_folder_of_any_name() {
    for name in ["my data", "Bücher 中文", "a?b#c%20d&e=+@:1"] {
        let service = Service::start_with(None, &[&format!("--set=data_dir={name}")]);
        assert_eq!(service.get("/todo/create?title=milk")["stat"], "OK", "{name}");
        assert_eq!(service.get("/todo/list")["total"], 1, "{name}");
        assert!(service.folder().join(name).join("app.db").is_file(), "{name}");
        let deep = service.folder().join(name).join("deep");
        let other = Service::start_with(None, &[&format!("--set=data_dir={}", deep.display())]);
        assert_eq!(other.get("/todo/create?title=milk")["id"], 1, "{name}");
        assert!(deep.join("app.db").is_file(), "{name}");
    }
}

/// The line of the log that has a part, as soon as it is there.
fn wait_for(service: &Service, part: &str) -> String {
    let began = std::time::Instant::now();
    loop {
        let logs = std::fs::read_dir(service.folder().join("logs")).unwrap();
        let texts = logs.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
        let lines: Vec<String> =
            texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
        if let Some(line) = lines.into_iter().find(|line| line.contains(part)) {
            return line;
        }
        assert!(began.elapsed().as_secs() < 20, "no line has {part:?}");
        std::thread::yield_now();
    }
}
