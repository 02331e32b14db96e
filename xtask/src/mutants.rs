//! `cargo xtask mutants`: puts small faults in, one at a time, and counts those that the tests notice.

mod changed;
mod equivalent;
mod ledger;
mod mutant;
mod report;
mod run;
pub(crate) mod runner;
mod rust;
mod sample;
mod server;
mod sql;

use std::{
    fs,
    pin::pin,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use clap::Args;
use tokio::time::timeout;

use crate::process::{self, GRACE};
use crate::workspace;
use changed::Changed;
use equivalent::Equivalents;
use ledger::Ledger;
use mutant::{Kind, Mutant};
use run::Run;

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
    /// Every mutant, in the order of the samples and the equivalent ones last; takes hours, and can be interrupted
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

impl Mutants {
    pub(crate) async fn run(self) -> Result<()> {
        let mut tried = pin!(self.tried());
        tokio::select! {
            result = &mut tried => result,
            result = process::interrupted() => {
                result?;
                // Those who wait for a program end it and come back; what does not is ended when it is dropped.
                _ = timeout(GRACE, tried).await;
                bail!("{}; the same command goes on from here", process::INTERRUPTED)
            }
        }
    }

    async fn tried(&self) -> Result<()> {
        let changed = match &self.diff {
            Some(revision) => Some(Changed::since(revision).await?),
            None => None,
        };
        let list = Equivalents::read()?;
        let _lock = if self.list { None } else { Some(workspace::only_run("mutants")?) };
        let folder = ledger::folder().await?;
        let end = self.minutes.map(|minutes| Instant::now() + Duration::from_secs(minutes * 60));
        let (mut survivors, mut wrong) = (0, 0);
        let mut texts = Vec::new();
        for kind in [Kind::Sql, Kind::Rust].into_iter().filter(|kind| self.kind.is_none_or(|chosen| chosen == *kind)) {
            let all = match kind {
                Kind::Sql => sql::list().await?,
                Kind::Rust => rust::list().await?,
            };
            let ordered = self.ordered(&all, changed.as_ref(), &list);
            if self.list {
                let listed = ordered.iter().take(self.size());
                listed.for_each(|mutant| println!("{} [{}]", mutant.shown(), mutant.operator));
                continue;
            }
            let mut ledger = Ledger::open(&folder)?;
            let run = Run::new(&ordered, self.size(), Ledger::open(&folder)?, end);
            eprintln!("errand: mutants of {}: {} to try{}", kind.name(), run.wanted(), run.known());
            if run.wanted() > 0 {
                ledger = match kind {
                    Kind::Sql => self.try_sql(run).await?,
                    Kind::Rust => self.try_rust(run).await?,
                };
            }
            let chosen = sample::prefix(&ordered, self.size(), &ledger);
            let report = report::report(kind, chosen, &all, &ledger, &list);
            survivors += report.survivors;
            wrong += report.wrong;
            texts.push(report.text);
        }
        if self.list {
            return Ok(());
        }
        let text = texts.join("\n");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("report.txt"), &text)?;
        println!("\n{text}");
        if survivors > 0 {
            bail!("{survivors} mutants survived; a test is missing for each, or an entry in {}", equivalent::FILE);
        }
        if wrong > 0 {
            bail!("{wrong} entries of {} are wrong; see above, and correct or remove them", equivalent::FILE);
        }
        Ok(())
    }

    /// Those that may be tried, in the order in which they are.
    fn ordered(&self, all: &[Mutant], changed: Option<&Changed>, list: &Equivalents) -> Vec<Mutant> {
        let mut ordered = all.to_vec();
        ordered.retain(|mutant| changed.is_none_or(|changed| changed.has(mutant)));
        ordered.retain(|mutant| self.only.as_ref().is_none_or(|text| mutant.shown().contains(text)));
        sample::shuffle(&mut ordered, self.seed);
        if self.all {
            // They survive, so each takes as long as all of the tests.
            ordered.sort_by_key(|mutant| list.has(mutant));
        }
        ordered
    }

    /// How many of those are to be judged.
    fn size(&self) -> usize {
        if self.all || self.diff.is_some() || self.only.is_some() { usize::MAX } else { self.sample }
    }

    async fn try_sql(&self, mut run: Run) -> Result<Ledger> {
        let mut first = sql::Worker::start(sql::Suite::build().await?, 1)?;
        let suite = first.leave_out_the_blind().await?;
        run.measure(Kind::Sql, first.baseline()).await?;
        let mut workers = vec![first];
        for number in 2..=self.jobs(&run) {
            workers.push(sql::Worker::start(suite.clone(), number)?);
        }
        run.all(workers).await
    }

    async fn try_rust(&self, mut run: Run) -> Result<Ledger> {
        let first = rust::Worker::start(1).await?;
        run.measure(Kind::Rust, first.baseline()).await?;
        let mut workers = vec![first];
        for number in 2..=self.jobs(&run) {
            workers.push(rust::Worker::start(number).await?);
        }
        run.all(workers).await
    }

    fn jobs(&self, run: &Run) -> usize {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        self.jobs.unwrap_or(processors).clamp(1, run.wanted().max(1))
    }
}
