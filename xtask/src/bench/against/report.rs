//! What a comparison found, as tables and as JSON.

use std::fmt::Write;

use anyhow::{Result, bail};
use serde::Serialize;

use super::rounds::Found;
use crate::bench::{
    load::Measured,
    machine::Machine,
    peer::Peer,
    scenario::Scenario,
    signer::Alg,
    statistics::{Ratio, median},
};

/// A comparison.
#[derive(Serialize)]
pub(crate) struct Comparison {
    pub(crate) date: String,
    /// With the commit of this working tree.
    pub(crate) machine: Machine,
    pub(crate) other: String,
    pub(crate) host_of_this: bool,
    pub(crate) alg: Alg,
    /// To each side.
    pub(crate) connections: Vec<(Peer, u32)>,
    /// Whether the servers and databases of both sides shared one processor in each piece.
    pub(crate) one_processor: bool,
    /// Of a slot, about.
    pub(crate) seconds: u64,
    pub(crate) rounds: u32,
    pub(crate) users: u32,
    pub(crate) tasks_of_each: u32,
    /// Percent.
    pub(crate) threshold: f64,
    /// How instructions were counted, where they could be.
    pub(crate) event: Option<&'static str>,
    pub(crate) rows: Vec<Row>,
}

/// A scenario on a runtime. Each ratio is this / other.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    runtime: Peer,
    scenario: Scenario,
    requests_of_a_slot: u64,
    rate: Figure,
    /// Microseconds of processor time per request: server and PostgreSQL together, and each.
    processor: Figure,
    server: Figure,
    postgres: Figure,
    instructions: Option<Figure>,
    errors: [u64; 2],
    /// Answers of 429.
    busy: [u64; 2],
    rounds: Vec<[Measured; 2]>,
}

/// The medians of both sides, and their ratio.
#[derive(Debug, Clone, Copy, Serialize)]
struct Figure {
    this: f64,
    other: f64,
    ratio: Ratio,
}

impl Figure {
    fn of(rounds: &[[Measured; 2]], value: impl Fn(&Measured) -> f64) -> Option<Self> {
        let pairs: Vec<(f64, f64)> = rounds.iter().map(|[this, other]| (value(this), value(other))).collect();
        let (this, other): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
        Some(Self { this: median(&this)?, other: median(&other)?, ratio: Ratio::of(&pairs)? })
    }
}

/// Of each side, over all rounds.
fn sums(rounds: &[[Measured; 2]], value: impl Fn(&Measured) -> u64) -> [u64; 2] {
    rounds.iter().fold([0, 0], |[this, other], [a, b]| [this + value(a), other + value(b)])
}

/// What the interval of a ratio says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Faster,
    Same,
    Slower,
}

/// Whether the threshold holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    Yes,
    /// The interval lies on both sides of it.
    Unsettled,
    No,
}

impl Verdict {
    /// Of processor time, of which less is better.
    fn of(ratio: &Ratio) -> Self {
        if ratio.contains(1.0) {
            Self::Same
        } else if ratio.low > 1.0 {
            Self::Slower
        } else {
            Self::Faster
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Faster => "faster",
            Self::Same => "same",
            Self::Slower => "**slower**",
        }
    }
}

impl Within {
    fn of(ratio: &Ratio, threshold: f64) -> Self {
        let most = 1.0 + threshold / 100.0;
        match (ratio.low > most, ratio.high <= most) {
            (true, _) => Self::No,
            (_, true) => Self::Yes,
            _ => Self::Unsettled,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Unsettled => "unsettled",
            Self::No => "**no**",
        }
    }
}

impl Row {
    pub(crate) fn of(found: Found) -> Option<Self> {
        let rounds = found.pairs;
        Some(Self {
            runtime: found.peer,
            scenario: found.scenario,
            requests_of_a_slot: found.requests,
            rate: Figure::of(&rounds, Measured::rate)?,
            processor: Figure::of(&rounds, Measured::processor_micros)?,
            server: Figure::of(&rounds, |measured| measured.each(measured.server.cpu_micros))?,
            postgres: Figure::of(&rounds, |measured| measured.each(measured.postgres_micros))?,
            instructions: Figure::of(&rounds, |measured| measured.each(measured.instructions.unwrap_or_default())),
            errors: sums(&rounds, |one| one.errors),
            busy: sums(&rounds, |one| one.busy),
            rounds,
        })
    }
}

impl Comparison {
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = self.head(&mut text);
        for runtime in [Peer::Native, Peer::Host] {
            let rows: Vec<&Row> = self.rows.iter().filter(|row| row.runtime == runtime).collect();
            if !rows.is_empty() {
                let _ = self.table(&mut text, runtime, &rows);
            }
        }
        text
    }

    /// An error unless every scenario is within the threshold.
    pub(crate) fn demand(&self) -> Result<()> {
        let of = |wanted: Within| {
            let rows = self.rows.iter().filter(|row| Within::of(&row.processor.ratio, self.threshold) == wanted);
            rows.map(|row| format!("{} ({})", row.scenario.title(), row.runtime.title())).collect::<Vec<_>>().join(", ")
        };
        let (slower, unsettled) = (of(Within::No), of(Within::Unsettled));
        if !slower.is_empty() {
            bail!("slower than {} by more than {} %: {slower}", self.other, self.threshold);
        }
        if !unsettled.is_empty() {
            bail!(
                "not settled whether slower by more than {} %: {unsettled}; repeat them with more --rounds, and --only",
                self.threshold
            );
        }
        Ok(())
    }

    fn head(&self, text: &mut String) -> std::fmt::Result {
        writeln!(text, "# {} against {}, {}\n", self.machine.commit, self.other, self.date)?;
        writeln!(text, "- Machine: {}. Load before the run: {:.2}.", self.machine.line(), self.machine.load)?;
        let versions: Vec<String> =
            self.machine.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
        writeln!(text, "- Versions: {}.", versions.join(", "))?;
        writeln!(
            text,
            "- {} rounds of slots of about {} s, {} users with {} tasks each, {} tokens. Connections to each side: {}.{}{}",
            self.rounds,
            self.seconds,
            self.users,
            self.tasks_of_each,
            self.alg.name(),
            self.connections
                .iter()
                .map(|(runtime, number)| format!("{number} ({})", runtime.title()))
                .collect::<Vec<_>>()
                .join(", "),
            if self.one_processor { " Both sides share one processor." } else { "" },
            if self.host_of_this { " This working tree's host serves both components." } else { "" }
        )?;
        match self.event {
            Some(event) => {
                writeln!(text, "- Instructions: `perf stat --event {event}`, server and PostgreSQL together.")?
            }
            None => writeln!(text, "- Instructions: not available, because `perf stat` counts none on this machine.")?,
        }
        let coverage = self.rows.first().map_or(0.0, |row| row.processor.ratio.coverage * 100.0);
        writeln!(
            text,
            "- Each figure is the median over the rounds: this / other, ratio [interval of {coverage:.0} %]. The verdict is \
             that of processor time per request, server and PostgreSQL together."
        )?;
        if coverage < 95.0 {
            writeln!(text, "- **Too few rounds for an interval of 95 %**: at least 6 are needed.")?;
        }
        Ok(())
    }

    fn table(&self, text: &mut String, runtime: Peer, rows: &[&Row]) -> std::fmt::Result {
        writeln!(
            text,
            "\n## {}\n\n| scenario | verdict | within {} % | processor time per request, µs | of the server | of PostgreSQL | \
             requests per second | instructions per request | errors | 429 |\n|---|---|---|---|---|---|---|---|---|---|",
            runtime.title(),
            self.threshold
        )?;
        for row in rows {
            let ([this, other], [this_busy, other_busy]) = (row.errors, row.busy);
            writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {} | {} | {this} / {other} | {this_busy} / {other_busy} |",
                row.scenario.title(),
                Verdict::of(&row.processor.ratio).word(),
                Within::of(&row.processor.ratio, self.threshold).word(),
                shown(&row.processor),
                shown(&row.server),
                shown(&row.postgres),
                shown(&row.rate),
                row.instructions.as_ref().map_or("-".to_owned(), shown),
            )?;
        }
        Ok(())
    }
}

fn shown(figure: &Figure) -> String {
    let Figure { this, other, ratio } = figure;
    format!("{this:.0} / {other:.0}, {:.3} [{:.3}, {:.3}]", ratio.estimate, ratio.low, ratio.high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(low: f64, high: f64) -> Ratio {
        Ratio { estimate: f64::midpoint(low, high), low, high, coverage: 0.95 }
    }

    #[test]
    fn the_interval_decides_the_verdict() {
        for (low, high, verdict) in [
            (0.98, 1.01, Verdict::Same),
            (1.0, 1.2, Verdict::Same),
            (0.90, 0.99, Verdict::Faster),
            (1.01, 1.02, Verdict::Slower),
        ] {
            assert_eq!(Verdict::of(&ratio(low, high)), verdict, "{low} to {high}");
        }
    }

    #[test]
    fn a_threshold_holds_only_where_all_of_the_interval_does() {
        for (low, high, within) in [
            (1.01, 1.02, Within::Yes),
            (0.90, 0.99, Within::Yes),
            (0.98, 1.04, Within::Unsettled),
            (1.01, 1.04, Within::Unsettled),
            (1.04, 1.05, Within::No),
        ] {
            assert_eq!(Within::of(&ratio(low, high), 3.0), within, "{low} to {high}");
        }
    }
}
