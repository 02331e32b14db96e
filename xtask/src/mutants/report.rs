//! What a run says at its end: the score, how sure it is, and what survived.

use std::{collections::BTreeMap, fmt::Write};

use super::{
    equivalent::{self, Equivalents},
    ledger::Ledger,
    mutant::{Kind, Mutant, Outcome},
};

/// The quantile of the normal distribution for 95 %.
const Z: f64 = 1.959_964;

/// The counts of some mutants.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Tally {
    killed: u32,
    timed_out: u32,
    survived: u32,
    equivalent: u32,
    unviable: u32,
}

/// What is printed, and whether all is well.
pub(crate) struct Report {
    pub(crate) text: String,
    pub(crate) survivors: usize,
    /// Entries of the list of equivalent mutants that are not right.
    pub(crate) wrong: usize,
}

/// About these mutants of one kind, as far as they have been tried. `all` are those that there are.
pub(crate) fn report(kind: Kind, chosen: &[Mutant], all: &[Mutant], ledger: &Ledger, list: &Equivalents) -> Report {
    let mut total = Tally::default();
    let mut by_operator: BTreeMap<&str, Tally> = BTreeMap::new();
    let (mut survivors, mut wrong) = (Vec::new(), Vec::new());
    for mutant in chosen {
        let Some(entry) = ledger.get(&mutant.id()) else { continue };
        let listed = list.has(mutant);
        for tally in [&mut total, by_operator.entry(&mutant.operator).or_default()] {
            tally.count(&entry.outcome, listed);
        }
        match &entry.outcome {
            Outcome::Survived if !listed => survivors.push(mutant),
            Outcome::Killed(test) if listed => wrong.push(format!("{}, by {test}", mutant.shown())),
            Outcome::Unviable if listed => wrong.push(format!("{}, because it cannot run", mutant.shown())),
            Outcome::TimedOut if listed => wrong.push(format!("{}, by the time limit", mutant.shown())),
            _ => {}
        }
    }
    let mut text =
        format!("{}: {} of {} mutants chosen, {} tried\n", kind.name(), chosen.len(), all.len(), total.all());
    _ = writeln!(text, "score: {}", total.score());
    _ = writeln!(text, "\n  kind             score   killed  timed out  survived  equivalent  unviable");
    for (operator, tally) in by_operator {
        _ = writeln!(text, "  {operator:15}{}", tally.row());
    }
    _ = writeln!(text, "  {:15}{}", "all", total.row());
    let stale = list.stale(all);
    let wrongs = wrong.len() + stale.len();
    for (title, lines) in [
        (
            "survived",
            survivors
                .iter()
                .map(|mutant| mutant.shown() + "\n      in " + &mutant.within + ": " + &mutant.text)
                .collect(),
        ),
        (&*format!("equivalent by {}, but noticed or unviable", equivalent::FILE), wrong),
        (&*format!("in {}, but no mutant is like that", equivalent::FILE), stale),
    ] {
        if !lines.is_empty() {
            _ = writeln!(text, "\n{title}:");
        }
        for line in lines {
            _ = writeln!(text, "  {line}");
        }
    }
    Report { text, survivors: survivors.len(), wrong: wrongs }
}

impl Tally {
    fn count(&mut self, outcome: &Outcome, listed: bool) {
        *match outcome {
            Outcome::Killed(_) => &mut self.killed,
            Outcome::TimedOut => &mut self.timed_out,
            Outcome::Survived if listed => &mut self.equivalent,
            Outcome::Survived => &mut self.survived,
            Outcome::Unviable => &mut self.unviable,
        } += 1;
    }

    fn all(self) -> u32 {
        self.killed + self.timed_out + self.survived + self.equivalent + self.unviable
    }

    fn noticed(self) -> u32 {
        self.killed + self.timed_out
    }

    fn judged(self) -> u32 {
        self.noticed() + self.survived
    }

    fn score(self) -> String {
        if self.judged() == 0 {
            return "none, because nothing was judged".to_owned();
        }
        let (low, high) = interval(self.noticed(), self.judged());
        let share = f64::from(self.noticed()) / f64::from(self.judged());
        format!(
            "{:.1} % noticed ({} of {}); 95 % confidence interval {:.1} % to {:.1} %",
            share * 100.0,
            self.noticed(),
            self.judged(),
            low * 100.0,
            high * 100.0
        )
    }

    fn row(self) -> String {
        let Self { killed, timed_out, survived, equivalent, unviable } = self;
        let share = match self.judged() {
            0 => "-".to_owned(),
            judged => format!("{:.0} %", f64::from(self.noticed()) * 100.0 / f64::from(judged)),
        };
        format!("{share:>8}{killed:>9}{timed_out:>11}{survived:>10}{equivalent:>12}{unviable:>10}")
    }
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::Sql => "SQL",
        }
    }
}

/// Wilson's score interval: right for small samples and for shares near 1, too.
fn interval(hits: u32, of: u32) -> (f64, f64) {
    let (n, share) = (f64::from(of), f64::from(hits) / f64::from(of));
    let centre = share + Z * Z / (2.0 * n);
    let width = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    (((centre - width) / scale).max(0.0), ((centre + width) / scale).min(1.0))
}

#[cfg(test)]
mod tests {
    use anyhow::Result;

    use super::super::{ledger::Entry, mutant::example};
    use super::*;

    #[test]
    fn the_interval_is_wilsons() {
        for (hits, of, low, high) in
            [(90, 100, 0.8256, 0.9448), (30, 30, 0.8865, 1.0), (0, 10, 0.0, 0.2775), (1, 2, 0.0945, 0.9055)]
        {
            let (one, other) = interval(hits, of);
            assert!((one - low).abs() < 1e-4 && (other - high).abs() < 1e-4, "{hits} of {of}: {one} to {other}");
        }
    }

    #[test]
    fn a_survivor_counts_unless_it_is_listed_and_what_cannot_run_does_not() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let mut ledger = Ledger::open(folder.path())?;
        let mutants = ["killed", "late", "survived", "unviable", "untried"].map(example);
        let outcomes = [Outcome::Killed("t".to_owned()), Outcome::TimedOut, Outcome::Survived, Outcome::Unviable];
        for (mutant, outcome) in mutants.iter().zip(outcomes) {
            ledger.add(Entry { id: mutant.id(), outcome, seconds: 1.0 })?;
        }
        let told = report(Kind::Sql, &mutants, &mutants, &ledger, &Equivalents::default());
        assert_eq!(told.survivors, 1);
        assert!(told.text.contains("5 of 5 mutants chosen, 4 tried"), "{}", told.text);
        assert!(told.text.contains("66.7 % noticed (2 of 3)"), "{}", told.text);
        assert!(told.text.contains("migrations/a.sql:3: survived"), "{}", told.text);
        Ok(())
    }
}
