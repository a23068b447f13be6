//! `migrate` as people and scripts meet it, and what a service does at its start.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use tempfile::TempDir;

/// A folder in which the program runs.
struct Desk {
    folder: TempDir,
    database: Option<String>,
}

struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Desk {
    fn new(database: Option<&str>) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), database: database.map(str::to_owned) }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_todo"));
        command.current_dir(self.folder.path()).args(words).stdin(Stdio::null());
        command.args(self.database.as_ref().map(|url| format!("--set=databases.default={url}")));
        command
    }

    fn migrate(&self, words: &[&str]) -> Said {
        said(self.command(&[&["migrate"], words].concat()).output().unwrap())
    }

    /// The same command in several processes that start together.
    fn together(&self, words: &[&str]) -> Vec<Said> {
        let start = |_| self.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let all: Vec<Child> = (0..5).map(start).collect();
        all.into_iter().map(|child| said(child.wait_with_output().unwrap())).collect()
    }

    /// A migration on a terminal, at which somebody types an answer.
    fn asked(&self, words: &[&str], answer: &str) -> Said {
        let seat = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&seat).unwrap();
        unlockpt(&seat).unwrap();
        let name = ptsname(&seat, Vec::new()).unwrap().into_string().unwrap();
        let terminal = File::options().read(true).write(true).open(name).unwrap();
        let mut command = self.command(&[&["migrate"], words].concat());
        command.stdin(terminal).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (mut err, mut byte) = (Vec::new(), [0]);
        let mut stderr = child.stderr.take().unwrap();
        while !err.ends_with(b"[y/N] ") && stderr.read(&mut byte).unwrap() == 1 {
            err.push(byte[0]);
        }
        File::from(seat).write_all(answer.as_bytes()).unwrap();
        stderr.read_to_end(&mut err).unwrap();
        let mut output = child.wait_with_output().unwrap();
        output.stderr = err;
        said(output)
    }

    /// The program's commands that do as they are told.
    fn done(&self, words: &[&str]) -> String {
        let said = self.migrate(words);
        assert_eq!(said.code, 0, "{words:?}: {}{}", said.out, said.err);
        said.out
    }

    fn put(&self, file: &str, sql: &str) {
        let folder = self.folder.path().join("migrations");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(file), sql).unwrap();
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder.path().join("migrations")).unwrap();
        let mut all: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        all.sort();
        all
    }

    /// Calls a handler from the command line.
    fn call(&self, words: &[&str]) -> Said {
        said(self.command(&[&["call"], words].concat()).output().unwrap())
    }

    /// What a service says until it answers or ends, and how it ends.
    fn serve(&self, words: &[&str]) -> Child {
        let mut command = self.command(&[&["serve", "--listen", "127.0.0.1:0"], words].concat());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }
}

fn said(output: Output) -> Said {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

#[test]
fn from_the_first_file_to_the_last() {
    crate::service::on_each_database(|database| {
        let desk = Desk::new(database);
        let said = desk.migrate(&["status"]);
        assert_eq!(said.code, 1, "{}", said.err);
        assert!(said.out.contains("no migrations") && said.out.contains("create table todo"), "{}", said.out);

        let made = desk.done(&["make", "first"]);
        assert!(made.contains("_first.up.sql") && made.contains("create table todo"), "{made}");
        let [down, up] = desk.files().try_into().unwrap();
        let text = fs::read_to_string(&up).unwrap();
        assert!(text.contains("CREATE TABLE") && text.contains("-- engine: "), "{text}");
        assert!(fs::read_to_string(&down).unwrap().contains("-- loses all rows of todo"));
        let again = desk.migrate(&["make", "second"]);
        assert_eq!(again.code, 1);
        assert!(again.err.contains("migrate up"), "{}", again.err);

        assert!(desk.done(&["up"]).contains("applied: "));
        assert_eq!(desk.done(&["up"]), "nothing is pending\n");
        assert_eq!(
            desk.done(&["make", "second"]),
            "nothing to do: the database is what the entities ask for\n"
        );
        let status = desk.done(&["status"]);
        assert!(status.contains("applied") && status.contains("is what the entities ask for"), "{status}");
        let json: serde_json::Value = serde_json::from_str(&desk.done(&["status", "--json"])).unwrap();
        assert_eq!((&json["in_order"], &json["migrations"][0]["state"]), (&true.into(), &"applied".into()));
        assert_eq!(desk.call(&["/todo/create", "title=milk"]).code, 0);

        // Nobody is at the terminal, and nobody has agreed.
        let refused = desk.migrate(&["down"]);
        assert_eq!(refused.code, 2, "{}{}", refused.out, refused.err);
        assert!(refused.err.contains("all rows of todo") && refused.err.contains("--yes"), "{}", refused.err);
        assert!(desk.call(&["/todo/get", "id=1"]).out.contains("milk"));
        assert!(desk.done(&["down", "--yes"]).contains("taken back: "));
        assert_eq!(desk.done(&["down", "--yes"]), "nothing is applied\n");
        let status = desk.migrate(&["status"]);
        assert_eq!(status.code, 1);
        assert!(status.out.contains("pending"), "{}", status.out);
    });
}

#[test]
fn a_step_that_loses_data_is_asked_for() {
    let desk = Desk::new(None);
    desk.put("1_a.up.sql", "CREATE TABLE a (id INTEGER, b INTEGER);");
    desk.put("2_b.up.sql", "ALTER TABLE a DROP COLUMN b;");
    let refused = desk.migrate(&["up"]);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("2_b loses ALTER TABLE a DROP COLUMN b"), "{}", refused.err);
    let status = desk.migrate(&["status"]).out;
    assert!(status.contains("pending, loses data") && !status.contains("applied "), "{status}");
    // Nor does a service do it by itself.
    let ended = desk.serve(&["--set", "sql.migrate=true"]).wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let err = String::from_utf8(ended.stderr).unwrap();
    assert!(err.contains("2_b loses data") && err.contains("migrate up"), "{err}");
    assert_eq!(desk.done(&["up", "--yes"]), "applied: 1_a\napplied: 2_b\n");
}

/// A human is asked, and only a yes is a yes.
#[test]
fn on_a_terminal_somebody_is_asked() {
    let desk = Desk::new(None);
    desk.put("1_a.up.sql", "CREATE TABLE a (id INTEGER, b INTEGER);");
    desk.put("1_a.down.sql", "DROP TABLE a;");
    desk.put("2_b.up.sql", "ALTER TABLE a DROP COLUMN b;");
    for no in ["n\n", "\n", "yes please\n", "\u{4}"] {
        let said = desk.asked(&["up"], no);
        assert!(said.err.contains("2_b loses ALTER TABLE a DROP COLUMN b"), "{}", said.err);
        assert!(said.code == 1 && said.err.contains("[y/N] ") && said.out.is_empty(), "{no:?}: {}", said.err);
    }
    assert!(!desk.migrate(&["status"]).out.contains("applied "));
    let said = desk.asked(&["up"], "y\n");
    assert_eq!((said.code, said.out.as_str()), (0, "applied: 1_a\napplied: 2_b\n"), "{}", said.err);
    desk.put("2_b.down.sql", "ALTER TABLE a ADD COLUMN b INTEGER;");
    let said = desk.asked(&["down", "2"], "n\n");
    assert!(said.code == 1 && said.err.contains("taking 1_a back loses DROP TABLE a"), "{}", said.err);
    assert!(said.err.contains("nothing was taken back"), "{}", said.err);
    let said = desk.asked(&["down", "2"], "Yes\n");
    assert_eq!((said.code, said.out.as_str()), (0, "taken back: 2_b\ntaken back: 1_a\n"), "{}", said.err);
}

#[test]
fn programs_that_start_together_make_the_tables_once() {
    crate::service::on_each_database(|database| {
        let desk = Desk::new(database);
        for said in desk.together(&["call", "/todo/create", "title=milk"]) {
            assert_eq!(said.code, 0, "{}{}", said.out, said.err);
        }
        let said = desk.call(&["/todo/list"]);
        assert!(said.out.contains("\"total\": 5") || said.out.contains("\"total\":5"), "{}", said.out);
    });
}

#[test]
fn programs_that_migrate_together_do_it_once() {
    crate::service::on_each_database(|database| {
        let desk = Desk::new(database);
        desk.put("1_a.up.sql", "CREATE TABLE a (id INTEGER);");
        desk.put("2_b.up.sql", "INSERT INTO a VALUES (1);");
        let all = desk.together(&["migrate", "up"]);
        assert!(all.iter().all(|said| said.code == 0), "{}", all[0].err);
        let count = |out: &str| all.iter().filter(|said| said.out == out).count();
        assert_eq!((count("applied: 1_a\napplied: 2_b\n"), count("nothing is pending\n")), (1, 4));
    });
}

#[test]
fn words_that_make_no_sense() {
    let desk = Desk::new(None);
    for (words, code, part) in [
        (&["make", "../x"][..], 1, "no name for a migration"),
        (&["make"], 2, "NAME"),
        (&["make", "x", "--rename", "a=b"], 2, "TABLE.OLD=NEW"),
        (&["make", "x", "--rename", "todo.none=title"], 1, "todo.none cannot become todo.title"),
        (&["up", "--database", "other"], 2, "there is no database other"),
        (&["down", "0"], 2, "1.."),
        (&["inspect", "none"], 1, "no table none"),
    ] {
        let said = desk.migrate(words);
        assert_eq!(said.code, code, "{words:?}: {}", said.err);
        assert!(said.err.contains(part), "{words:?}: {}", said.err);
    }
    desk.put("1_a.up.sql", "SELECT 1;\nSELECT 'x");
    let said = desk.migrate(&["up"]);
    assert!(said.code == 1 && said.err.contains("1_a.up.sql: line 2: a string begins here"), "{}", said.err);
    desk.put("1_a.up.sql", "CREATE TABLE a (id INTEGER);\nINSERT INTO b VALUES (1);");
    let said = desk.migrate(&["up"]);
    assert!(said.code == 1 && said.err.contains("1_a.up.sql, line 2:"), "{}", said.err);
    assert!(
        said.err.contains("INSERT INTO b") && said.err.contains("nothing of it was kept"),
        "{}",
        said.err
    );
}

#[test]
fn entities_of_a_database_that_is_there() {
    let desk = Desk::new(None);
    desk.done(&["make", "first"]);
    desk.done(&["up"]);
    let shown = desk.done(&["inspect"]);
    assert!(shown.contains("pub struct Model") && shown.contains("StringLen::N(200)"), "{shown}");
    assert!(!shown.contains("butterfly_migrations"), "{shown}");
    let said = desk.done(&["inspect", "todo", "--out", "src/entities"]);
    assert_eq!(said, "src/entities/todo.rs\n");
    let again = desk.migrate(&["inspect", "--out", "src/entities"]);
    assert!(again.code == 1 && again.err.contains("src/entities/todo.rs"), "{}", again.err);
}

/// With migrations in the folder the start makes no tables by itself; it says what is to be done.
#[test]
fn a_start_with_migrations_waits_for_them() {
    crate::service::on_each_database(|database| {
        let desk = Desk::new(database);
        desk.done(&["make", "first"]);
        let said = desk.call(&["/todo/list"]);
        assert!(said.err.contains("_first is not applied: run `migrate up`"), "{}", said.err);
        let said = desk.call(&["/todo/create", "title=milk", "--set", "sql.migrate=true"]);
        assert_eq!(said.code, 0, "{}{}", said.out, said.err);
        let status = desk.done(&["status"]);
        assert!(status.contains("applied"), "{status}");
        // A column that went: named, with what to do.
        desk.put("29991231_000000_z.up.sql", "ALTER TABLE todo DROP COLUMN due;");
        desk.done(&["up", "--yes"]);
        let said = desk.call(&["/todo/list"]);
        assert!(
            said.err.contains("differs from the entities: add column todo.due")
                && said.err.contains("migrate make"),
            "{}",
            said.err
        );
    });
}

/// A program whose tables were made at its starts goes over to migrations.
#[test]
fn tables_made_at_the_start_are_taken_over() {
    crate::service::on_each_database(|database| {
        let desk = Desk::new(database);
        assert_eq!(desk.call(&["/todo/create", "title=milk"]).code, 0);
        let status = desk.migrate(&["status"]);
        assert!(status.code == 0, "{}", status.out);
        desk.done(&["make", "first", "--all"]);
        assert!(desk.done(&["up", "--mark"]).contains("noted as applied: "));
        assert_eq!(desk.migrate(&["status"]).code, 0);
        assert!(desk.call(&["/todo/get", "id=1"]).out.contains("milk"));
    });
}
