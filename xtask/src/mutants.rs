//! `cargo xtask mutants`: puts small faults in, one at a time, and counts those that the tests notice.

mod changed;
mod equivalent;
mod ledger;
mod mutant;
mod report;
pub(crate) mod runner;
mod sample;
mod sql;

use std::{
    collections::VecDeque,
    fs,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::process;
use changed::Changed;
use equivalent::Equivalents;
use ledger::{Entry, Ledger};
use mutant::{Kind, Mutant, Outcome};

/// The limit for a mutant's tests is so many times what they take without one,
const PATIENCE: u32 = 5;
/// but no less than this.
const LEAST_LIMIT: Duration = Duration::from_secs(30);
/// The name in the ledger of what the tests take without a mutant.
const BASELINE: &str = "baseline";

/// Put small faults into the source and the migrations, one at a time, and count those that the tests notice
///
/// Takes a random sample that the seed decides: 30 mutants of each kind take some 40 minutes. What came of each is kept under
/// target/mutants as long as sources and tests stay the same, and a run goes on where another has ended. A mutant ends at the
/// first test that fails. Fails if a mutant survived that mutants/equivalent.toml does not list.
#[derive(Args)]
pub(crate) struct Mutants {
    /// How many of each kind
    #[arg(long, value_name = "N", default_value_t = 30)]
    sample: usize,
    /// Every mutant, in the order of the samples; takes hours, and can be interrupted
    #[arg(long, conflicts_with = "sample")]
    all: bool,
    /// Every mutant on a line that has changed since this commit
    #[arg(long, value_name = "REV", conflicts_with_all = ["sample", "all"])]
    diff: Option<String>,
    /// Only mutants whose place and change, as the command prints them, have this in them; all of those
    #[arg(long, value_name = "TEXT", conflicts_with = "sample")]
    only: Option<String>,
    /// What the sample is drawn by
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// What is mutated; without it: both
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// Begin no further mutant after so many minutes; the next run goes on
    #[arg(long, value_name = "N")]
    minutes: Option<u64>,
    /// How many at once; without it: as many as there are processors
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Print the mutants instead of trying them
    #[arg(long)]
    list: bool,
}

/// What the workers share.
struct Run {
    queue: Mutex<Queue>,
    limit: Duration,
    /// When no further mutant begins.
    end: Option<Instant>,
}

struct Queue {
    waiting: VecDeque<Mutant>,
    ledger: Ledger,
    done: usize,
    of: usize,
}

impl Mutants {
    pub(crate) async fn run(self) -> Result<()> {
        tokio::select! {
            result = self.tried() => result,
            // Workers end with this: their programs and servers go when they are dropped.
            result = process::interrupted() => {
                result?;
                bail!(process::INTERRUPTED)
            }
        }
    }

    async fn tried(&self) -> Result<()> {
        let changed = match &self.diff {
            Some(revision) => Some(Changed::since(revision).await?),
            None => None,
        };
        let list = Equivalents::read()?;
        let folder = ledger::folder().await?;
        let end = self.minutes.map(|minutes| Instant::now() + Duration::from_secs(minutes * 60));
        let mut survivors = 0;
        let mut texts = Vec::new();
        for kind in [Kind::Sql, Kind::Rust].into_iter().filter(|kind| self.kind.is_none_or(|chosen| chosen == *kind)) {
            let all = match kind {
                Kind::Sql => sql::list().await?,
                Kind::Rust => Vec::new(),
            };
            let chosen = self.chosen(&all, changed.as_ref());
            if self.list {
                chosen.iter().for_each(|mutant| println!("{} [{}]", mutant.shown(), mutant.operator));
                continue;
            }
            let mut ledger = Ledger::open(&folder)?;
            let waiting: VecDeque<_> =
                chosen.iter().filter(|mutant| ledger.get(&mutant.id()).is_none()).cloned().collect();
            let known = chosen.len() - waiting.len();
            if known > 0 {
                eprintln!("errand: {known} of {} are known from an earlier run", chosen.len());
            }
            if !waiting.is_empty() {
                ledger = match kind {
                    Kind::Sql => self.try_sql(waiting, ledger, end).await?,
                    Kind::Rust => ledger,
                };
            }
            let report = report::report(kind, &chosen, &all, &ledger, &list);
            survivors += report.survivors;
            texts.push(report.text);
        }
        if self.list {
            return Ok(());
        }
        let text = texts.join("\n");
        fs::write(folder.join("report.txt"), &text)?;
        println!("\n{text}");
        if survivors > 0 {
            bail!("{survivors} mutants survived; a test is missing for each, or an entry in {}", equivalent::FILE);
        }
        Ok(())
    }

    /// In the order in which they are tried.
    fn chosen(&self, all: &[Mutant], changed: Option<&Changed>) -> Vec<Mutant> {
        let mut chosen = all.to_vec();
        chosen.retain(|mutant| changed.is_none_or(|changed| changed.has(mutant)));
        chosen.retain(|mutant| self.only.as_ref().is_none_or(|text| mutant.shown().contains(text)));
        sample::shuffle(&mut chosen, self.seed);
        if !self.all && changed.is_none() && self.only.is_none() {
            chosen.truncate(self.sample);
        }
        chosen
    }

    fn jobs(&self, waiting: usize) -> usize {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        self.jobs.unwrap_or(processors).clamp(1, waiting.max(1))
    }

    async fn try_sql(&self, waiting: VecDeque<Mutant>, mut ledger: Ledger, end: Option<Instant>) -> Result<Ledger> {
        let mut first = sql::Worker::start(sql::Suite::build().await?, 1)?;
        let suite = first.leave_out_the_blind().await?;
        let took = match ledger.get(BASELINE) {
            Some(entry) => Duration::from_secs_f64(entry.seconds),
            None => {
                eprintln!("errand: running the tests without a mutant first");
                let took = first.baseline().await?;
                let seconds = took.as_secs_f64();
                ledger.add(Entry { id: BASELINE.to_owned(), outcome: Outcome::Survived, seconds })?;
                took
            }
        };
        let limit = (took * PATIENCE).max(LEAST_LIMIT);
        eprintln!("errand: without a mutant they take {:.0} s; the limit is {} s", took.as_secs_f64(), limit.as_secs());
        let mut workers = vec![first];
        for number in 2..=self.jobs(waiting.len()) {
            workers.push(sql::Worker::start(suite.clone(), number)?);
        }
        let run = Arc::new(Run::new(waiting, ledger, limit, end));
        let mut tasks = tokio::task::JoinSet::new();
        for worker in workers {
            let run = Arc::clone(&run);
            tasks.spawn(async move {
                while let Some(mutant) = run.next() {
                    let begin = Instant::now();
                    let outcome = worker.judge(&mutant, run.limit).await?;
                    run.keep(&mutant, outcome, begin.elapsed())?;
                }
                worker.stop()
            });
        }
        while let Some(result) = tasks.join_next().await {
            result??;
        }
        Run::ledger(run)
    }
}

impl Run {
    fn new(waiting: VecDeque<Mutant>, ledger: Ledger, limit: Duration, end: Option<Instant>) -> Self {
        let of = waiting.len();
        Self { queue: Mutex::new(Queue { waiting, ledger, done: 0, of }), limit, end }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Option<Mutant> {
        if self.end.is_some_and(|end| Instant::now() > end) {
            return None;
        }
        self.queue().waiting.pop_front()
    }

    fn keep(&self, mutant: &Mutant, outcome: Outcome, took: Duration) -> Result<()> {
        let mut queue = self.queue();
        queue.done += 1;
        let by = match &outcome {
            Outcome::Killed(test) => format!(" by {test}"),
            _ => String::new(),
        };
        let (seconds, word) = (took.as_secs_f64(), outcome.word());
        println!("[{}/{}] {seconds:6.1} s  {word:9} {}{by}", queue.done, queue.of, mutant.shown());
        queue.ledger.add(Entry { id: mutant.id(), outcome, seconds })
    }

    fn ledger(run: Arc<Self>) -> Result<Ledger> {
        let run = Arc::into_inner(run).context("a worker is still at work")?;
        Ok(run.queue.into_inner().unwrap_or_else(PoisonError::into_inner).ledger)
    }
}
