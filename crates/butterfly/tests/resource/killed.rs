//! A process that is killed in the middle of its writes leaves rows and lines that agree.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use butterfly::model::sql::history;
use butterfly::model::sql::sea_orm::{EntityTrait, QueryOrder};
use serde_json::json;

use crate::entities::tag;
use crate::place::Place;

const DATABASE: &str = "RESOURCE_TEST_DATABASE";
const ROUNDS: usize = 8;

/// Not a test of its own: what the process does that is killed. Without the variable there is nothing to do.
#[tokio::test]
async fn child() {
    let Ok(url) = std::env::var(DATABASE) else { return };
    let place = Place::open(&url).await;
    for turn in 0_u64.. {
        let name = format!("{}-{}", std::process::id(), turn / 3);
        let (handler, args) = match turn % 3 {
            0 => (&tag::create::HANDLER, json!({"name": name, "count": 1})),
            1 => (&tag::update::HANDLER, json!({"name": name, "count": 2})),
            // Every other row stays.
            _ if turn % 2 == 0 => (&tag::delete::HANDLER, json!({"name": name})),
            _ => (&tag::update::HANDLER, json!({"name": name, "count": 3})),
        };
        assert_eq!(place.call("ann", handler, args).await["stat"], "OK");
        println!("turn {turn}");
    }
}

#[tokio::test]
async fn rows_and_lines_agree_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:///{}/test.db", folder.path().display());
    let place = Place::open(&url).await;
    let mut answered = 0;
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed::child", "--nocapture"])
            .env(DATABASE, &url)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Open until it is dead: it must die of nothing else.
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        answered += lines.by_ref().filter(|line| line.contains("turn ")).take(7 + round * 5).count();
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let mut written: std::collections::BTreeMap<String, i64> = std::collections::BTreeMap::new();
    let lines = history::Entity::find().order_by_asc(history::Column::Id).all(place.db()).await.unwrap();
    for line in &lines {
        let count = line.changes["count"]["new"].as_i64();
        match (line.action.as_str(), count) {
            ("delete", None) => drop(written.remove(&line.row_key).unwrap()),
            ("create" | "update", Some(count)) => drop(written.insert(line.row_key.clone(), count)),
            _ => panic!("{line:?}"),
        }
    }
    let rows = tag::Entity::find().all(place.db()).await.unwrap();
    let there: std::collections::BTreeMap<String, i64> =
        rows.into_iter().map(|row| (row.name, row.count)).collect();
    assert_eq!(written, there, "what the lines tell is not what is there");
    assert!(lines.len() >= answered, "{answered} answers, {} lines", lines.len());
}
