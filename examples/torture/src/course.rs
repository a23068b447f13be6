//! The course of a torture: processes run, faults come, and in the end the books are checked.

use std::collections::{HashSet, VecDeque};
use std::error::Error;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use butterfly::messages::engine::Counts;
use butterfly::messages::{EngineError, State};

use crate::books::{self, Audit};
use crate::chance::Chance;
use crate::disk;
use crate::faults::{self, Fault};
use crate::fleet::{self, Fleet};
use crate::options::Options;
use crate::report::{self, Report};
use crate::runs::{self, Kind, Runs, Tail};
use crate::stand::{self, Stand};

/// How often it is looked at what goes on.
const TICK: Duration = Duration::from_millis(20);
/// How often it is said how far all is.
const SAY: Duration = Duration::from_secs(5);
/// How often the engine is asked whether all has ended, once all is sent.
const ASK: Duration = Duration::from_millis(200);
/// Nothing may stand still for longer than this beyond leases and faults.
const PATIENCE: Duration = Duration::from_secs(60);
/// So many processes may end by themselves before anything runs again.
const FALLS: u64 = 100;

/// Tortures; whether the books add up.
pub(crate) fn run(options: &Options) -> Result<bool, Box<dyn Error>> {
    options.check()?;
    if let Some(folder) = &options.on_disk {
        return torture_in(options, folder);
    }
    let temporary = tempfile::Builder::new().prefix("torture-").tempdir()?;
    let folder = options.keep.as_deref().unwrap_or(temporary.path());
    std::fs::create_dir_all(stand::queue_folder(folder))?;
    if folder.join("runs").exists() {
        return Err(format!("{} holds a torture already: choose another folder", folder.display()).into());
    }
    if options.fills_a_disk() {
        let mut args: Vec<String> = std::env::args().skip(1).collect();
        args.extend(["--on-disk".into(), folder.display().to_string()]);
        return Ok(disk::run_on(&stand::queue_folder(folder), options.messages, &args)?.success());
    }
    torture_in(options, folder)
}

fn torture_in(options: &Options, folder: &Path) -> Result<bool, Box<dyn Error>> {
    let folder = std::fs::canonicalize(folder)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let report = runtime.block_on(async { Course::begin(options, &folder).await?.run().await })?;
    report::print(options, &report);
    Ok(report.adds_up())
}

struct Course<'o> {
    options: &'o Options,
    folder: &'o Path,
    chance: Chance,
    stand: Stand,
    fleet: Fleet,
    plan: VecDeque<(u64, Fault)>,
    /// What is wrong now, and when it is put right.
    wrong: Vec<(Instant, Fault)>,
    tail: Tail,
    /// When the last run began, as far as was seen.
    moved: Instant,
    /// How many processes had ended by themselves by then.
    fallen: u64,
    report: Report,
}

impl<'o> Course<'o> {
    async fn begin(options: &'o Options, folder: &'o Path) -> Result<Self, Box<dyn Error>> {
        let seed = options.seed.unwrap_or_else(any_seed);
        println!("seed {seed}");
        let mut chance = Chance::of(seed);
        let plan = faults::plan(options, &mut chance).into();
        let stand = Stand::put_up(options, folder).await?;
        let fleet = Fleet::of(options, folder, &stand.place, stand.variables());
        Runs::open(&fleet::runs_of(folder))?;
        let tail = Tail::of(&fleet::runs_of(folder))?;
        let report = Report { seed, ..Report::default() };
        Ok(Self {
            options,
            folder,
            chance,
            stand,
            fleet,
            plan,
            wrong: vec![],
            tail,
            moved: Instant::now(),
            fallen: 0,
            report,
        })
    }

    async fn run(mut self) -> Result<Report, Box<dyn Error>> {
        let begun = Instant::now();
        let (mut said, mut asked) = (begun, begun);
        loop {
            self.fleet.tend()?;
            self.put_right()?;
            self.spoil()?;
            self.watch()?;
            if said.elapsed() >= SAY {
                said = Instant::now();
                println!(
                    "{:>4} s  {} runs, {} processes killed",
                    begun.elapsed().as_secs(),
                    self.tail.count,
                    self.fleet.killed.len()
                );
            }
            if self.fleet.has_sent_all() && self.wrong.is_empty() && asked.elapsed() >= ASK {
                asked = Instant::now();
                if self.all_ended().await? {
                    break;
                }
            }
            tokio::time::sleep(TICK).await;
        }
        self.report.took = begun.elapsed();
        self.all_hear().await?;
        self.report.bad_stops = self.fleet.stop()?;
        self.check().await
    }

    /// Ends what has been wrong for long enough.
    fn put_right(&mut self) -> io::Result<()> {
        let now = Instant::now();
        while let Some(at) = self.wrong.iter().position(|(until, _)| *until <= now) {
            let (_, fault) = self.wrong.swap_remove(at);
            self.stand.end(fault)?;
            self.moved = Instant::now();
        }
        Ok(())
    }

    /// Lets happen what is due; but for kills, one thing goes wrong at a time.
    fn spoil(&mut self) -> io::Result<()> {
        let runs = self.tail.count()?;
        while let Some((_, fault)) = self
            .plan
            .pop_front_if(|(at, fault)| *at <= runs && (*fault == Fault::Kill || self.wrong.is_empty()))
        {
            if fault == Fault::Kill {
                let lease = Duration::from_millis(self.options.lease);
                match self.fleet.kill(&mut self.chance, lease)? {
                    // All are on their way to begin again: it comes when they have.
                    0 => {
                        self.plan.push_front((0, fault));
                        return Ok(());
                    }
                    killed => self.report.kills += killed as u64,
                }
                continue;
            }
            let hold = match fault {
                Fault::Server => self.chance.moment(Duration::from_secs(1)),
                _ => self.options.hold(),
            };
            self.stand.begin(fault)?;
            self.report.note(fault);
            self.wrong.push((Instant::now() + hold, fault));
        }
        Ok(())
    }

    /// Sees that something moves.
    fn watch(&mut self) -> Result<(), Box<dyn Error>> {
        let before = self.report.seen;
        self.report.seen = self.tail.count()?;
        let still = self.moved.elapsed();
        if self.report.seen > before || !self.wrong.is_empty() || !self.fleet.works() {
            self.report.longest = self.report.longest.max(still);
            self.moved = Instant::now();
        } else if still > PATIENCE + 4 * Duration::from_millis(self.options.lease) {
            return Err(self.stands_still(&format!("nothing has run for {still:?} and not all is done")));
        }
        if self.report.seen > before || !self.wrong.is_empty() {
            self.fallen = self.fleet.failed;
        } else if self.fleet.failed - self.fallen > FALLS {
            return Err(self.stands_still("processes end by themselves, again and again"));
        }
        Ok(())
    }

    /// Why the torture gives up, with the last of what its processes said.
    fn stands_still(&self, why: &str) -> Box<dyn Error> {
        let said = std::fs::read_to_string(self.folder.join("said")).unwrap_or_default();
        let lines: Vec<&str> = said.lines().collect();
        let last = lines[lines.len().saturating_sub(20)..].join("\n");
        format!("{why}. The processes said last:\n{last}").into()
    }

    /// Waits until each worker is there to be told to stop: one that has only begun would end by the signal itself.
    async fn all_hear(&mut self) -> Result<(), Box<dyn Error>> {
        let since = Instant::now();
        loop {
            let known: HashSet<u32> =
                self.stand.engine.workers().await?.iter().map(|worker| worker.pid).collect();
            if self.fleet.worker_pids().all(|pid| known.contains(&pid)) {
                return Ok(());
            }
            if since.elapsed() > PATIENCE {
                return Err(self.stands_still("a worker does not come up"));
            }
            tokio::time::sleep(TICK).await;
        }
    }

    async fn all_ended(&self) -> Result<bool, EngineError> {
        for kind in Kind::ALL {
            match self.stand.engine.counts(kind.topic()).await {
                Ok(counts) if waits(&counts) == 0 => {}
                Ok(_) | Err(EngineError::Unavailable(_)) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    async fn check(mut self) -> Result<Report, Box<dyn Error>> {
        let (kept, miscounted) = books::kept(&*self.stand.engine).await?;
        let ledger = self.fleet.ledger()?;
        let runs = runs::read(&fleet::runs_of(self.folder))?;
        let audit = books::audit(&ledger, &runs, &kept, &self.fleet.killed);
        self.report.audit = Audit { miscounted, ..audit };
        self.report.again = ledger.again;
        self.report.refused = ledger.refused;
        self.report.fell = self.fleet.failed;
        Ok(self.report)
    }
}

fn waits(counts: &Counts) -> u64 {
    [State::Scheduled, State::Queued, State::Started].map(|state| counts.of(state)).iter().sum()
}

fn any_seed() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64 % 1_000_000)
}
