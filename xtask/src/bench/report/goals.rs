//! What errand is to reach beside its peers. A goal holds only if all of the interval does.

use std::fmt::Write;

use super::{
    Report,
    tables::{digits, interval},
};
use crate::bench::{
    peer::Peer,
    scenario::{
        Cell,
        Scenario::{self, Complete, Create, Filtered, Get, List, Patch, Search},
    },
    schedule::{CONNECTIONS, CROWD},
    signer::Alg,
    statistics::{COVERAGE, Ratio},
};

/// A peer that is to be as fast as another one, or a share of that.
struct Goal {
    name: &'static str,
    this: Peer,
    other: Peer,
    least: f64,
    scenarios: &'static [Scenario],
}

const fn goal(name: &'static str, (this, other): (Peer, Peer), least: f64, scenarios: &'static [Scenario]) -> Goal {
    Goal { name, this, other, least, scenarios }
}

const GOALS: [Goal; 7] = [
    goal("5 x FastAPI on get and list", (Peer::Host, Peer::Fastapi), 5.0, &[Get, List]),
    goal("3 x FastAPI on create, patch and complete", (Peer::Host, Peer::Fastapi), 3.0, &[Create, Patch, Complete]),
    goal(
        "Hono on Node on lists, searches and writes",
        (Peer::Host, Peer::Hono),
        1.0,
        &[List, Filtered, Search, Create, Patch, Complete],
    ),
    goal("0.8 x Hono on Node on get", (Peer::Host, Peer::Hono), 0.8, &[Get]),
    goal("0.5 x axum on lists", (Peer::Host, Peer::Axum), 0.5, &[List, Filtered]),
    goal("0.25 x axum on get", (Peer::Host, Peer::Axum), 0.25, &[Get]),
    goal(
        "WASI 0.2: 1.5 x FastAPI on get, list and writes",
        (Peer::HostP2, Peer::Fastapi),
        1.5,
        &[Get, List, Create, Patch, Complete],
    ),
];

/// The connections at which latencies have a goal, and the goal in milliseconds.
const LATENCY: (u32, f64) = (100, 200.0);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Holds,
    FallsShort,
    /// It would hold, but too few rounds were measured for an interval.
    TooFewRounds,
}

impl Verdict {
    fn of(reached: bool, ratio: &Ratio) -> Self {
        match reached {
            false => Self::FallsShort,
            true if ratio.coverage < COVERAGE => Self::TooFewRounds,
            true => Self::Holds,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::FallsShort => "**falls short**",
            Self::TooFewRounds => "reached, in too few rounds to tell",
        }
    }
}

impl Report {
    pub(super) fn goals(&self, text: &mut String) -> std::fmt::Result {
        if self.alg != Alg::Rs256 || self.base() != Some(Peer::Host) {
            return Ok(());
        }
        let mut rows = String::new();
        self.goal_rows(&mut rows)?;
        if rows.is_empty() {
            return Ok(());
        }
        writeln!(
            text,
            "\n## Goals\n\nOf the requests of a goal, the one whose interval begins lowest is shown, because it decides.\n\n\
             | goal | connections | least ratio | interval | where | |\n|---|---:|---:|---|---|---|\n{}",
            rows.trim_end()
        )
    }

    fn goal_rows(&self, text: &mut String) -> std::fmt::Result {
        for goal in &GOALS {
            for connections in CONNECTIONS {
                let Some((scenario, ratio)) = self.lowest(goal, connections) else { continue };
                writeln!(
                    text,
                    "| {} | {connections} | {} | {} | {} | {} |",
                    goal.name,
                    digits(ratio.estimate),
                    interval(&ratio),
                    scenario.title(),
                    Verdict::of(ratio.low >= goal.least, &ratio).words()
                )?;
            }
        }
        let (connections, most) = LATENCY;
        if let Some((scenario, p99)) = self.slowest(connections) {
            writeln!(
                text,
                "| p99 under {most:.0} ms | {connections} | {:.0} ms | {:.0} to {:.0} ms | {} | {} |",
                p99.estimate,
                p99.low,
                p99.high,
                scenario.title(),
                Verdict::of(p99.high < most, &p99).words()
            )?;
        }
        let crowd = self.entries.iter().filter(|entry| entry.cell.connections == CROWD && entry.peer == Peer::Host);
        if let Some(worst) = crowd.max_by_key(|entry| entry.measured.errors) {
            writeln!(
                text,
                "| no error but 429 | {CROWD} | {} errors | - | {} | {} |",
                worst.measured.errors,
                worst.cell.scenario.title(),
                if worst.measured.errors == 0 { Verdict::Holds } else { Verdict::FallsShort }.words()
            )?;
        }
        Ok(())
    }

    /// The scenario that decides a goal.
    fn lowest(&self, goal: &Goal, connections: u32) -> Option<(Scenario, Ratio)> {
        let ratios = goal.scenarios.iter().filter_map(|scenario| {
            let cell = Cell { connections, scenario: *scenario };
            Some((*scenario, self.ratio(cell, goal.this, goal.other)?))
        });
        ratios.min_by(|(_, one), (_, other)| one.low.total_cmp(&other.low))
    }

    /// The scenario with errand's highest p99, and that latency in milliseconds.
    fn slowest(&self, connections: u32) -> Option<(Scenario, Ratio)> {
        let all = Scenario::ALL.into_iter().filter_map(|scenario| {
            let rounds = self.rounds_of(Cell { connections, scenario }, Peer::Host);
            let latencies: Vec<(f64, f64)> = rounds.map(|(_, measured)| (measured.p99 / 1e3, 1.0)).collect();
            Some((scenario, Ratio::of(&latencies)?))
        });
        all.max_by(|(_, one), (_, other)| one.high.total_cmp(&other.high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{load::Measured, machine::Machine, report::Slot};

    /// A report of `get` at 32 connections: the rates of errand and of another peer in each round.
    fn report(other: Peer, rates: &[(u64, u64)]) -> Report {
        let cell = Cell { connections: 32, scenario: Get };
        let slot = |round, peer, requests| {
            let measured = Measured { requests, seconds: 1.0, ..Measured::default() };
            Slot { round, cell, peer, measured }
        };
        let rounds = (1..).zip(rates);
        let slots =
            rounds.flat_map(|(round, (own, beside))| [slot(round, Peer::Host, *own), slot(round, other, *beside)]);
        let mut report = Report { slots: slots.collect(), ..Report::empty(Machine::default()) };
        report.summarize();
        report
    }

    fn row(report: &Report, goal: &str) -> String {
        let mut text = String::new();
        report.goals(&mut text).unwrap();
        text.lines().find(|line| line.contains(goal)).unwrap_or_default().to_owned()
    }

    const GOAL: &str = "0.8 x Hono on Node on get | 32";

    #[test]
    fn a_goal_holds_only_if_the_whole_interval_does() {
        let above = [(90, 100), (85, 100), (95, 100), (88, 100), (91, 100), (93, 100)];
        assert!(row(&report(Peer::Hono, &above), GOAL).ends_with("| holds |"));
        // The estimate is above 0.8, and the interval begins below.
        let around = [(90, 100), (75, 100), (95, 100), (88, 100), (91, 100), (93, 100)];
        let row = row(&report(Peer::Hono, &around), GOAL);
        assert!(row.contains("| 0.90 | 0.75 to 0.95 |") && row.ends_with("| **falls short** |"), "{row}");
    }

    #[test]
    fn few_rounds_prove_nothing() {
        let row = row(&report(Peer::Hono, &[(200, 100); 5]), GOAL);
        assert!(row.ends_with("| reached, in too few rounds to tell |"), "{row}");
    }

    #[test]
    fn rounds_that_only_one_of_them_has_do_not_count() {
        let mut report = report(Peer::Hono, &[(100, 100); 6]);
        report.slots.retain(|slot| slot.peer == Peer::Host || slot.round < 3);
        let cell = Cell { connections: 32, scenario: Get };
        assert_eq!(report.pairs(cell, Peer::Host, Peer::Hono).len(), 2);
    }

    #[test]
    fn goals_are_those_of_tokens_that_issuers_sign() {
        let report = Report { alg: Alg::Hs256, ..report(Peer::Hono, &[(100, 100); 6]) };
        assert_eq!(row(&report, "Hono"), "");
    }

    #[test]
    fn an_error_in_the_crowd_is_told() {
        let mut report = report(Peer::Hono, &[(100, 100); 6]);
        for slot in &mut report.slots {
            slot.cell.connections = CROWD;
            slot.measured.busy = 5;
        }
        report.summarize();
        assert!(row(&report, "no error but 429").contains("| 0 errors | - | get | holds |"));
        report.slots.iter_mut().for_each(|slot| slot.measured.errors = 1);
        report.summarize();
        assert!(row(&report, "no error but 429").contains("| 6 errors | - | get | **falls short** |"));
    }

    #[test]
    fn a_slow_hundredth_is_judged_by_its_interval() {
        let mut report = report(Peer::Hono, &[(100, 100); 6]);
        for (millis, slot) in (150..).zip(&mut report.slots) {
            slot.cell.connections = 100;
            slot.measured.p99 = f64::from(millis) * 1e3;
        }
        assert!(row(&report, "p99").ends_with("| get | holds |"));
        if let Some(slot) = report.slots.first_mut() {
            slot.measured.p99 = 260e3;
        }
        assert!(row(&report, "p99").ends_with("| get | **falls short** |"));
    }
}
