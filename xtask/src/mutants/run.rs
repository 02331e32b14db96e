//! Tries mutants, several at once, and keeps what came of each.

use std::{
    collections::VecDeque,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use tokio::task::JoinSet;

use super::{
    ledger::{Entry, Ledger},
    mutant::{Kind, Mutant, Outcome},
    sample,
};

/// The time limit for a mutant's tests, as a multiple of their time without a mutant.
const LIMIT_FACTOR: u32 = 5;
/// The minimum of this limit.
const MIN_LIMIT: Duration = Duration::from_secs(30);

/// What tries one mutant at a time.
pub(crate) trait Judge: Send + 'static {
    fn judge(&self, mutant: &Mutant, limit: Duration) -> impl Future<Output = Result<Outcome>> + Send;
    fn stop(self) -> Result<()>;
}

/// What the workers share.
pub(crate) struct Run {
    queue: Mutex<Queue>,
    limit: Duration,
    /// When no further mutant begins.
    end: Option<Instant>,
}

struct Queue {
    waiting: VecDeque<Mutant>,
    ledger: Ledger,
    /// How many are still to be given out. One that turns out unviable makes place for another.
    wanted: usize,
    known: usize,
    done: usize,
    of: usize,
}

impl Run {
    /// Of the first so many that can run, those that the ledger does not know.
    pub(crate) fn new(ordered: &[Mutant], size: usize, ledger: Ledger, end: Option<Instant>) -> Self {
        let unknown = |mutant: &&Mutant| ledger.get(&mutant.id()).is_none();
        let chosen = sample::prefix(ordered, size, &ledger);
        let wanted = chosen.iter().filter(unknown).count();
        let known = chosen.len() - wanted;
        let waiting = ordered.iter().filter(unknown).cloned().collect();
        let queue = Queue { waiting, ledger, wanted, known, done: 0, of: wanted };
        Self { queue: Mutex::new(queue), limit: MIN_LIMIT, end }
    }

    pub(crate) fn wanted(&self) -> usize {
        self.queue().wanted
    }

    /// What an earlier run has done, for people.
    pub(crate) fn known(&self) -> String {
        match self.queue().known {
            0 => String::new(),
            known => format!(", {known} known from an earlier run"),
        }
    }

    /// Sets the limit by what the tests take without a mutant, which is measured once for a ledger.
    pub(crate) async fn measure(&mut self, kind: Kind, baseline: impl Future<Output = Result<Duration>>) -> Result<()> {
        let id = format!("{} without a mutant", kind.name());
        let known = self.queue().ledger.get(&id).map(|entry| entry.seconds);
        let seconds = match known {
            Some(seconds) => seconds,
            None => {
                eprintln!("errand: running the tests without a mutant first");
                let seconds = baseline.await?.as_secs_f64();
                self.queue().ledger.add(Entry { id, outcome: Outcome::Survived, seconds })?;
                seconds
            }
        };
        self.limit = (Duration::from_secs_f64(seconds) * LIMIT_FACTOR).max(MIN_LIMIT);
        eprintln!("errand: without a mutant they take {seconds:.0} s; the limit is {} s", self.limit.as_secs());
        Ok(())
    }

    /// Until enough have been tried, or the time is over.
    pub(crate) async fn all<J: Judge>(self, workers: Vec<J>) -> Result<Ledger> {
        let run = Arc::new(self);
        let mut tasks = JoinSet::new();
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
        let run = Arc::into_inner(run).context("a worker is still at work")?;
        Ok(run.queue.into_inner().unwrap_or_else(PoisonError::into_inner).ledger)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Option<Mutant> {
        let mut queue = self.queue();
        if queue.wanted == 0 || self.end.is_some_and(|end| Instant::now() > end) {
            return None;
        }
        queue.wanted -= 1;
        queue.waiting.pop_front()
    }

    fn keep(&self, mutant: &Mutant, outcome: Outcome, took: Duration) -> Result<()> {
        let mut queue = self.queue();
        let more = usize::from(outcome == Outcome::Unviable);
        queue.wanted += more;
        queue.done += 1 - more;
        let by = match &outcome {
            Outcome::Killed(test) => format!(" by {test}"),
            _ => String::new(),
        };
        let (seconds, word) = (took.as_secs_f64(), outcome.word());
        println!("[{}/{}] {seconds:6.1} s  {word:9} {}{by}", queue.done, queue.of, mutant.shown());
        queue.ledger.add(Entry { id: mutant.id(), outcome, seconds })
    }
}

#[cfg(test)]
mod tests {
    use super::super::mutant::example;
    use super::*;

    /// Whose name says what comes of it.
    struct ByName;

    impl Judge for ByName {
        async fn judge(&self, mutant: &Mutant, _: Duration) -> Result<Outcome> {
            Ok(if mutant.change.starts_with("unviable") { Outcome::Unviable } else { Outcome::Survived })
        }

        fn stop(self) -> Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_mutant_that_cannot_run_makes_place_for_another_and_none_is_tried_twice() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let ordered = ["a", "unviable b", "c", "unviable d", "e", "f"].map(example);
        let run = Run::new(&ordered, 2, Ledger::open(folder.path())?, None);
        let ledger = run.all(vec![ByName]).await?;
        let tried = |ledger: &Ledger| ordered.each_ref().map(|mutant| ledger.get(&mutant.id()).is_some());
        assert_eq!(tried(&ledger), [true, true, true, false, false, false]);

        let run = Run::new(&ordered, 3, ledger, None);
        assert_eq!((run.wanted(), run.known()), (1, ", 3 known from an earlier run".to_owned()));
        let ledger = run.all(vec![ByName, ByName]).await?;
        assert_eq!(tried(&ledger), [true, true, true, true, true, false]);

        let run = Run::new(&ordered, usize::MAX, ledger, Some(Instant::now() - Duration::from_secs(1)));
        assert_eq!(run.wanted(), 1);
        assert!(!tried(&run.all(vec![ByName]).await?)[5]);
        Ok(())
    }
}
