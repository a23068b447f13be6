//! Sends, runs, kills, and reads the books at the end.

use std::error::Error;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use butterfly::messages::{Engine, State};
use clap::Parser;

use crate::books::{self, Audit};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::faults::{self, Fault};
use crate::fleet::{self, Fleet};
use crate::line::Line;
use crate::options::{EngineName, Options};
use crate::place::Place;
use crate::report::{self, Report};
use crate::room::{self, Disk};
use crate::runs::{self, Kind, Tail};
use crate::server::Server;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How often the driver looks.
const LOOK: Duration = Duration::from_millis(10);
/// How often it says how far it is.
const SAY: Duration = Duration::from_secs(5);

/// The program without a word for it: the driver.
pub(crate) fn main() -> ExitCode {
    let options = Options::parse();
    let run = || -> Result<ExitCode> {
        options.check()?;
        if options.fulls > 0 && options.engine == EngineName::Embedded && !room::is_apart() {
            return Ok(room::apart()?);
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let good = runtime.block_on(torture(&options))?;
        Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    };
    run().unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

async fn torture(options: &Options) -> Result<bool> {
    let passing;
    let folder = match &options.keep {
        Some(folder) => {
            // The same file must not hold two tortures.
            std::fs::create_dir(folder).map_err(|error| format!("--keep {}: {error}", folder.display()))?;
            std::fs::canonicalize(folder)?
        }
        None => {
            passing = tempfile::tempdir()?;
            passing.path().to_owned()
        }
    };
    let seed =
        options.seed.unwrap_or_else(|| u64::from(std::process::id()) << 20 ^ butterfly::messages::now_ms());
    println!("seed {seed}, in {}", folder.display());
    let mut driver = Driver::new(options, &folder, seed).await?;
    driver.drive().await?;
    let report = driver.report(seed).await?;
    print!("{report}");
    Ok(report.is_good())
}

struct Driver {
    options: Options,
    folder: PathBuf,
    chance: Chance,
    /// Where the queue is, past all lines that may be cut.
    place: Place,
    server: Option<Server>,
    line: Option<Line>,
    clock: Option<Clock>,
    disk: Option<Disk>,
    fleet: Fleet,
    plan: Vec<(u64, Fault)>,
    /// What is wrong for a while, and until when.
    wrong: Option<(Fault, Instant)>,
    runs: Tail,
    began: Instant,
    stuck: bool,
    struck: report::Struck,
}

impl Driver {
    async fn new(options: &Options, folder: &Path, seed: u64) -> Result<Self> {
        let mut chance = Chance::of(seed);
        let clock = if options.jumps > 0 { Some(Clock::right(folder)?) } else { None };
        let variables = clock.as_ref().map(|clock| clock.variables.clone()).unwrap_or_default();
        let store = folder.join("queue");
        std::fs::create_dir(&store)?;
        let (mut server, mut line, mut disk) = (None, None, None);
        let (place, through) = match options.engine {
            EngineName::Embedded => {
                if options.fulls > 0 {
                    disk = Some(Disk::new(&store, (64 << 20) + options.messages * 1024)?);
                }
                (Place::Embedded(store.clone()), Place::Embedded(store))
            }
            EngineName::Redis => {
                let redis = server.insert(Server::start(&store, &variables)?);
                let url = |port| Place::Redis(format!("redis://127.0.0.1:{port}"));
                let straight = url(redis.port);
                let through = match options.cuts {
                    0 => straight.clone(),
                    _ => url(line.insert(Line::to(redis.port).await?).port),
                };
                (straight, through)
            }
        };
        File::create(fleet::runs_of(folder))?;
        Ok(Self {
            options: options.clone(),
            folder: folder.to_owned(),
            plan: faults::plan(options, &mut chance),
            chance,
            fleet: Fleet::of(options, folder, &through, &variables),
            place,
            server,
            line,
            clock,
            disk,
            wrong: None,
            runs: Tail::of(&fleet::runs_of(folder))?,
            began: Instant::now(),
            stuck: false,
            struck: report::Struck::default(),
        })
    }

    /// Until all is done, or nothing goes on any more.
    async fn drive(&mut self) -> Result<()> {
        let patience = Duration::from_secs(60) + Duration::from_millis(self.options.lease) * 4;
        let (mut moved, mut said) = ((0, Instant::now()), Instant::now());
        self.plan.reverse();
        loop {
            self.fleet.tend()?;
            let runs = self.runs.count()?;
            if runs != moved.0 || self.wrong.is_some() {
                moved = (runs, Instant::now());
            }
            self.mend()?;
            self.strike_when_due(runs)?;
            let idle = self.plan.is_empty() && self.wrong.is_none() && self.fleet.has_sent_all();
            if idle && runs >= self.options.messages && self.is_all_done().await? {
                return Ok(());
            }
            self.stuck = moved.1.elapsed() > patience;
            if self.stuck {
                return Ok(());
            }
            if said.elapsed() > SAY {
                said = Instant::now();
                println!(
                    "{:>6.0} s  {runs} runs, {} killed",
                    self.began.elapsed().as_secs_f64(),
                    self.fleet.killed.len()
                );
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn strike_when_due(&mut self, runs: u64) -> Result<()> {
        while let Some((at, fault)) = self.plan.last().copied() {
            // What lasts waits until what was before it is over.
            let lasts = !matches!(fault, Fault::Kill | Fault::Server);
            let stands = runs >= self.options.messages && self.fleet.has_sent_all();
            if at > runs && !stands || lasts && self.wrong.is_some() {
                return Ok(());
            }
            self.plan.pop();
            std::thread::sleep(self.chance.moment(LOOK * 3));
            self.strike(fault)?;
        }
        Ok(())
    }

    fn strike(&mut self, fault: Fault) -> Result<()> {
        match fault {
            Fault::Kill => {
                let lease = Duration::from_millis(self.options.lease);
                self.struck.kills += self.fleet.kill(&mut self.chance, lease)?;
                return Ok(());
            }
            Fault::Server => {
                let pause = self.chance.moment(Duration::from_secs(1));
                let Some(server) = &mut self.server else { return Ok(()) };
                server.kill()?;
                std::thread::sleep(pause);
                let took = server.start_again()?;
                self.struck.server_kills += 1;
                self.struck.longest_start = self.struck.longest_start.max(took);
                return Ok(());
            }
            Fault::Cut => self.struck.cuts += 1,
            Fault::Full => self.struck.fulls += 1,
            Fault::Jump(_) => self.struck.jumps += 1,
        }
        self.set(fault, true)?;
        self.wrong = Some((fault, Instant::now() + self.options.hold()));
        Ok(())
    }

    fn mend(&mut self) -> Result<()> {
        if let Some((fault, until)) = self.wrong
            && until <= Instant::now()
        {
            self.set(fault, false)?;
            self.wrong = None;
        }
        Ok(())
    }

    /// Begins or ends what lasts.
    fn set(&self, fault: Fault, wrong: bool) -> Result<()> {
        match (fault, &self.line, &self.clock) {
            (Fault::Cut, Some(line), _) => line.set_cut(wrong),
            (Fault::Jump(seconds), _, Some(clock)) => clock.set(if wrong { seconds } else { 0 })?,
            (Fault::Full, ..) => {
                if let Some(disk) = &self.disk {
                    disk.set_full(wrong)?;
                }
                if let Some(server) = &self.server {
                    server.tell(if wrong { "CONFIG SET maxmemory 1" } else { "CONFIG SET maxmemory 0" })?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    async fn is_all_done(&self) -> Result<bool> {
        let engine = self.place.open().await?;
        for kind in Kind::ALL {
            let counts = engine.counts(kind.topic()).await?;
            if [State::Scheduled, State::Queued, State::Started].iter().any(|state| counts.of(*state) > 0) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn report(&mut self, seed: u64) -> Result<Report> {
        let took = self.began.elapsed();
        let ledger = self.fleet.ledger()?;
        let engine: Arc<dyn Engine> = self.place.open().await?;
        let bad_stops = self.fleet.stop()?;
        let (kept, miscounted) = books::kept(&*engine).await?;
        let runs = runs::read(&fleet::runs_of(&self.folder))?;
        let audit = Audit { miscounted, ..books::audit(&ledger, &runs, &kept, &self.fleet.killed) };
        Ok(Report {
            engine: engine.name(),
            seed,
            messages: self.options.messages,
            took,
            stuck: self.stuck,
            bad_stops,
            restarts: self.fleet.failed,
            struck: self.struck,
            again: ledger.again,
            refused: ledger.refused,
            audit,
        })
    }
}
