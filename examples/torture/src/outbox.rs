//! The torture of the outbox: processes commit rows and messages together and are killed, and in the end there is one
//! message for each row that was committed, and none for any other.

mod committer;

use std::collections::HashMap;
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use butterfly::messages::{Engine, State};
use butterfly::model::sql::sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use butterfly::model::sql::{DEFAULT, Databases};
use butterfly::serde_json;
use clap::Parser;

use crate::chance::Chance;
use crate::faults::Fault;
use crate::options::{EngineName, Options};
use crate::runs::Kind;
use crate::stand::Stand;

pub(crate) use committer::main as commit;
use committer::{Errand, TABLE, Work};

/// Commits rows and messages together while processes are killed, and counts both.
#[derive(Debug, Parser)]
#[command(name = "torture outbox")]
struct Words {
    /// What the queue stands on
    #[arg(long, value_enum, default_value_t = EngineName::Embedded)]
    engine: EngineName,
    /// The database, whose tables torture_paid and butterfly_outbox are made anew; a SQLite file unless given
    #[arg(long)]
    database: Option<String>,
    /// How often a process is killed with SIGKILL
    #[arg(long, default_value_t = 1000)]
    kills: usize,
    /// How many processes commit and relay at once
    #[arg(long, default_value_t = 2)]
    processes: usize,
    /// What decides over chance; another one each time unless given
    #[arg(long)]
    seed: Option<u64>,
    /// Where everything is left to be looked at; a folder that is removed at the end unless given
    #[arg(long)]
    keep: Option<PathBuf>,
}

/// A process is killed at a moment up to so long after its first commit.
const MOMENT: Duration = Duration::from_millis(60);
/// Redis is out of reach for so long, in the middle: longer than a sender tries.
const CUT: Duration = Duration::from_secs(4);
/// The messages of a page.
const PAGE: u64 = 1000;

/// `torture outbox …`: whether the counts agree.
pub(crate) fn run() -> Result<bool, Box<dyn Error>> {
    let words = Words::parse_from(std::env::args().skip(1));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let folder = tempfile::tempdir()?;
    let place = words.keep.clone().unwrap_or_else(|| folder.path().to_owned());
    std::fs::create_dir_all(&place)?;
    runtime.block_on(torture(&words, &std::path::absolute(place)?))
}

async fn torture(words: &Words, folder: &Path) -> Result<bool, Box<dyn Error>> {
    let engine = match words.engine {
        EngineName::Embedded => "embedded",
        EngineName::Redis => "redis",
    };
    let mut stand = Stand::put_up(&Options::parse_from(["torture", "--engine", engine]), folder).await?;
    let file = format!("sqlite:///{}", folder.join("app.db").display());
    let database = words.database.clone().unwrap_or(file);
    let mut databases = Databases::new();
    databases.add(DEFAULT, database.parse()?, Duration::from_secs(5)).await?;
    let db = databases.get(DEFAULT).ok_or("there is no database")?;
    for table in [TABLE, "butterfly_outbox"] {
        db.execute_unprepared(&format!("DROP TABLE IF EXISTS {table}")).await?;
    }
    db.execute_unprepared(&format!("CREATE TABLE {TABLE} (n BIGINT NOT NULL PRIMARY KEY)")).await?;

    let seed = words.seed.unwrap_or_else(butterfly::messages::now_ms);
    println!("{} kills, seed {seed}, in {}", words.kills, folder.display());
    let mut chance = Chance::of(seed);
    let place = stand.place.clone();
    let errand = |life, work| Errand { place: place.clone(), database: database.clone(), life, work };
    let mut life = 0;
    let mut begin = |work| {
        life += 1;
        Process::begin(&errand(life, work))
    };
    let mut processes = Vec::new();
    for _ in 0..words.processes.max(1) {
        processes.push(begin(Work::Commit)?);
    }
    let (mut found, mut kept) = (0, 0);
    for round in 0..words.kills {
        if words.engine == EngineName::Redis && round == words.kills / 2 {
            stand.begin(Fault::Cut)?;
            tokio::time::sleep(CUT).await;
            kept = waiting(db).await?;
            stand.end(Fault::Cut)?;
        }
        let at = chance.below(processes.len() as u64) as usize;
        tokio::time::sleep(chance.moment(MOMENT)).await;
        processes[at].kill()?;
        found += u64::from(waiting(db).await? > 0);
        processes[at] = begin(Work::Commit)?;
    }
    // All at once, so that nobody is left to relay.
    for process in &mut processes {
        process.kill()?;
    }
    let left = waiting(db).await?;
    begin(Work::HandOver)?.end()?;

    let counts = Counts::of(db, &*stand.engine).await?;
    println!("  rows committed                       {}", counts.rows);
    println!("  messages in the queue                {}", counts.messages);
    println!("  kills that left messages to relay    {found}");
    println!("  left when all were killed            {left}");
    println!("  kept while Redis was out of reach    {kept}");
    println!("  lost                                 {}", counts.lost);
    println!("  ghosts                               {}", counts.ghosts);
    println!("  doubled                              {}", counts.doubled);
    println!("  left in the outbox                   {}", counts.outbox);
    let right = counts.right();
    println!("{}", if right { "the books add up" } else { "the books do not add up" });
    db.execute_unprepared(&format!("DROP TABLE {TABLE}")).await?;
    Ok(right)
}

/// A process that commits. Whatever happens, it is not left running.
struct Process(Child);

impl Process {
    /// Starts it, and waits for its first commit.
    fn begin(errand: &Errand) -> Result<Self, Box<dyn Error>> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("commit")
            .arg(serde_json::to_string(errand)?)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().ok_or("it has no output")?;
        let process = Self(child);
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        match line.trim() {
            "ready" => Ok(process),
            _ => Err("a process ended before its first commit".into()),
        }
    }

    fn kill(&mut self) -> Result<(), Box<dyn Error>> {
        if let Some(status) = self.0.try_wait()? {
            return Err(format!("a process ended by itself: {status}").into());
        }
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }

    fn end(mut self) -> Result<(), Box<dyn Error>> {
        match self.0.wait()? {
            status if status.success() => Ok(()),
            status => Err(format!("the last hand-over failed: {status}").into()),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What is there in the end.
#[derive(Debug, Default)]
struct Counts {
    rows: usize,
    messages: usize,
    /// Rows without a message.
    lost: usize,
    /// Messages without a row.
    ghosts: usize,
    /// Messages beyond the first of a row.
    doubled: usize,
    outbox: i64,
    /// What the engine's own count says.
    counted: u64,
}

impl Counts {
    async fn of(db: &DatabaseConnection, engine: &dyn Engine) -> Result<Self, Box<dyn Error>> {
        let sql = Statement::from_string(db.get_database_backend(), format!("SELECT n FROM {TABLE}"));
        let mut messages: HashMap<u64, usize> = HashMap::new();
        for row in db.query_all_raw(sql).await? {
            messages.insert(u64::try_from(row.try_get::<i64>("", "n")?)?, 0);
        }
        let mut counts = Self { rows: messages.len(), outbox: waiting(db).await?, ..Self::default() };
        let topic = Kind::Plain.topic();
        loop {
            let page = engine.list(topic, State::Queued, counts.messages as u64, PAGE).await?;
            if page.is_empty() {
                break;
            }
            counts.messages += page.len();
            for message in page {
                let args: serde_json::Value = serde_json::from_str(&message.spec.args)?;
                let n = args.get("n").and_then(serde_json::Value::as_u64).ok_or("a message without n")?;
                match messages.get_mut(&n) {
                    Some(count) => *count += 1,
                    None => counts.ghosts += 1,
                }
            }
        }
        counts.lost = messages.values().filter(|count| **count == 0).count();
        counts.doubled = messages.values().map(|count| count.saturating_sub(1)).sum();
        counts.counted = engine.counts(topic).await?.queued;
        Ok(counts)
    }

    fn right(&self) -> bool {
        let wrong = self.lost + self.ghosts + self.doubled;
        self.rows > 0 && wrong == 0 && self.outbox == 0 && self.counted == self.rows as u64
    }
}

/// The messages in the outbox.
async fn waiting(db: &DatabaseConnection) -> Result<i64, Box<dyn Error>> {
    let sql = Statement::from_string(
        db.get_database_backend(),
        format!("SELECT COUNT(*) AS n FROM butterfly_outbox WHERE topic = '{}'", Kind::Plain.topic()),
    );
    let row = db.query_one_raw(sql).await?.ok_or("no count")?;
    Ok(row.try_get("", "n")?)
}
