//! A run in Markdown.

use std::fmt::Write;

use super::Report;
use crate::bench::{floor::Protocol, load::Measured, scenario::Scenario, statistics::Ratio};

impl Report {
    pub(super) fn markdown(&self, name: &str) -> String {
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = self.head(&mut text, name);
        let _ = self.rates(&mut text);
        let _ = self.goals(&mut text);
        let _ = self.ratios(&mut text);
        let _ = self.floor_table(&mut text);
        let _ = self.parts_table(&mut text);
        let _ = self.details(&mut text);
        text
    }

    fn head(&self, text: &mut String, name: &str) -> std::fmt::Result {
        writeln!(text, "# The bench, {} ({})\n", self.date, self.label)?;
        writeln!(text, "- Machine: {}. Load before the run: {:.2}.", self.machine.line(), self.machine.load)?;
        let versions: Vec<String> =
            self.machine.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
        writeln!(text, "- Versions: {}.", versions.join(", "))?;
        writeln!(text, "- Commit: {}.", self.machine.commit)?;
        let users: Vec<String> =
            self.sizes.iter().map(|size| format!("{} users with {} tasks each", size.users, size.tasks)).collect();
        writeln!(
            text,
            "- Data: {}. PostgreSQL with fsync. Tokens: {}. {} answers were compared before.",
            users.join(", "),
            self.alg.name(),
            self.compared
        )?;
        writeln!(text, "- Each figure: {}.", self.effort())?;
        let unsteady = self.warmed.iter().filter(|warmed| !warmed.steady);
        let unsteady: Vec<String> =
            unsteady.map(|warmed| format!("{}: {}", warmed.peer.title(), warmed.words())).collect();
        if unsteady.is_empty() {
            writeln!(text, "- Every server was steady before it was measured.")?;
        } else {
            writeln!(text, "- **Not steady before they were measured**: {}.", unsteady.join("; "))?;
        }
        if !self.held.is_empty() {
            let held = self.held.iter().map(|(peer, kib)| format!("{} {} MiB", peer.title(), kib / 1024));
            let held: Vec<String> = held.collect();
            let postgres = self.postgres_kib / 1024;
            writeln!(
                text,
                "- Memory after the last crowd, at rest: {}; PostgreSQL with the connections of all {postgres} MiB.",
                held.join(", ")
            )?;
        }
        writeln!(text, "\n![Requests per second]({name}.svg)")
    }

    /// How often and how long the cells were measured, by connections.
    fn effort(&self) -> String {
        let mut connections: Vec<u32> = self.cells().iter().map(|cell| cell.connections).collect();
        connections.dedup();
        let each = connections.iter().filter_map(|connections| {
            let slots: Vec<_> = self.slots.iter().filter(|slot| slot.cell.connections == *connections).collect();
            let first = slots.first()?;
            let seconds = first.measured.seconds.round();
            let rounds = slots.iter().filter(|slot| slot.cell == first.cell && slot.peer == first.peer).count();
            Some(format!("{rounds} x {seconds} s at {connections} connections"))
        });
        let each: Vec<String> = each.collect();
        let few = self.base().zip(self.cells().first().copied()).map(|(base, cell)| {
            let most = self.rounds_of(cell, base).count();
            let few = self.peers().into_iter().filter(|peer| self.rounds_of(cell, *peer).count() < most);
            few.map(|peer| format!(", {} in {}", peer.title(), self.rounds_of(cell, peer).count())).collect::<String>()
        });
        each.join(", ") + &few.unwrap_or_default()
    }

    /// Requests per second, and beside each how many times as many the first peer serves.
    fn rates(&self, text: &mut String) -> std::fmt::Result {
        let (peers, Some(base)) = (self.peers(), self.base()) else { return Ok(()) };
        writeln!(
            text,
            "\n## Requests per second\n\nIn brackets: {} / this, estimated from the ratios of the rounds.",
            base.title()
        )?;
        let mut connections: Vec<u32> = self.cells().iter().map(|cell| cell.connections).collect();
        connections.dedup();
        for connections in connections {
            writeln!(text, "\n### {connections} connections\n")?;
            let titles: Vec<&str> = peers.iter().map(|peer| peer.title()).collect();
            writeln!(text, "| | {} |\n|---|{}", titles.join(" | "), "---:|".repeat(peers.len()))?;
            for cell in self.cells().into_iter().filter(|cell| cell.connections == connections) {
                let shown: Vec<String> = peers
                    .iter()
                    .map(|peer| match self.entry_of(cell, *peer) {
                        Some(found) => {
                            let ratio = found.ratio.map(|ratio| format!(" ({})", digits(ratio.estimate)));
                            let rate = found.measured.rate();
                            format!("{rate:.0}{}{}", ratio.unwrap_or_default(), failures(&found.measured))
                        }
                        None => "-".to_owned(),
                    })
                    .collect();
                writeln!(text, "| {} | {} |", cell.scenario.title(), shown.join(" | "))?;
            }
        }
        Ok(())
    }

    /// The ratio of each round, for every peer in every cell.
    fn ratios(&self, text: &mut String) -> std::fmt::Result {
        let Some(base) = self.base() else { return Ok(()) };
        writeln!(
            text,
            "\n## Ratios\n\n\
             Requests per second of {} / this: the estimate of Hodges and Lehmann, the interval of Wilcoxon's signed-rank test, and \
             the ratio of each round. An interval covers the true ratio with the probability beside it.\n\n\
             | connections | request | server | ratio | interval | covers | rounds |\n|---:|---|---|---:|---|---:|---|",
            base.title()
        )?;
        for entry in &self.entries {
            let Some(ratio) = entry.ratio else { continue };
            let rounds = self.pairs(entry.cell, base, entry.peer);
            let rounds: Vec<String> = rounds.iter().map(|(this, other)| digits(this / other.max(0.1))).collect();
            writeln!(
                text,
                "| {} | {} | {} | {} | {} | {:.0} % | {} |",
                entry.cell.connections,
                entry.cell.scenario.title(),
                entry.peer.title(),
                digits(ratio.estimate),
                interval(&ratio),
                ratio.coverage * 100.0,
                rounds.join(" ")
            )?;
        }
        Ok(())
    }

    fn floor_table(&self, text: &mut String) -> std::fmt::Result {
        if self.floor.is_empty() {
            return Ok(());
        }
        writeln!(
            text,
            "\n## The floor: the same calls by pgbench, 32 connections\n\n\
             Calls per second, and microseconds of PostgreSQL's processor time per call. *Prepared* is what the native build \
             sends, *extended* parses each time, *with recycling* sends what Spin's pool sends before each checkout (in the \
             simple protocol: pgbench cannot send several statements in the other). Spin also waits for an answer between \
             parsing and running, which pgbench cannot do.\n\n\
             | call | prepared | extended | with recycling |\n|---|---:|---:|---:|"
        )?;
        let mut calls: Vec<&str> = self.floor.iter().map(|floor| floor.call).collect();
        calls.dedup();
        for call in calls {
            let shown: Vec<String> = [Protocol::Prepared, Protocol::Extended, Protocol::Simple]
                .iter()
                .map(|protocol| {
                    let found = self.floor.iter().find(|floor| floor.call == call && floor.protocol == *protocol);
                    found.map_or("-".to_owned(), |floor| format!("{:.0}/s, {:.0} µs", floor.rate, floor.cpu))
                })
                .collect();
            writeln!(text, "| {call} | {} |", shown.join(" | "))?;
        }
        Ok(())
    }

    fn parts_table(&self, text: &mut String) -> std::fmt::Result {
        if self.parts.is_empty() {
            return Ok(());
        }
        writeln!(
            text,
            "\n## The parts of a request, in the local host\n\n\
             | request | alone: p50 | 32 connections | processor time: host | PostgreSQL |\n|---|---:|---:|---:|---:|"
        )?;
        for part in &self.parts {
            let (alone, loaded) = (&part.alone, &part.loaded);
            writeln!(
                text,
                "| {} | {:.0} µs | {:.0}/s | {:.0} µs | {:.0} µs |",
                part.scenario.title(),
                alone.p50,
                loaded.rate(),
                loaded.each(loaded.server.cpu_micros),
                loaded.each(loaded.postgres_micros)
            )?;
        }
        let part = |scenario| self.parts.iter().find(|part| part.scenario == scenario);
        writeln!(
            text,
            "\nBy difference:\n\n| part | alone: time | 32 connections: processor time of both |\n|---|---:|---:|"
        )?;
        let rows = [
            ("HTTP and instance", Scenario::Live, None),
            ("token (and the refusal)", Scenario::Refused, Some(Scenario::Live)),
            ("checkout and a trivial query", Scenario::Ready, Some(Scenario::Live)),
            ("checkout and the query of a get", Scenario::Get304, Some(Scenario::Refused)),
            ("a task's JSON out", Scenario::Get, Some(Scenario::Get304)),
            ("a page: query and JSON out", Scenario::List, Some(Scenario::List304)),
        ];
        for (title, whole, less) in rows {
            let Some(whole) = part(whole) else { continue };
            let less = less.and_then(part);
            let (mut time, mut cpu) = (whole.alone.p50, whole.loaded.processor_micros());
            if let Some(less) = less {
                time -= less.alone.p50;
                cpu -= less.loaded.processor_micros();
            }
            writeln!(text, "| {title} | {time:.0} µs | {cpu:.0} µs |")?;
        }
        Ok(())
    }

    fn details(&self, text: &mut String) -> std::fmt::Result {
        writeln!(
            text,
            "\n## In full\n\n\
             Processor time is per request. Memory is held at the end of a slot; what processes share is divided among them.\n\n\
             | connections | request | server | req/s | p50 ms | p99 ms | errors | 429 | CPU server | CPU PostgreSQL | memory server | \
             bytes |\n|---:|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
        )?;
        for cell in self.cells() {
            for peer in self.peers() {
                let Some(found) = self.entry(cell, peer) else { continue };
                writeln!(
                    text,
                    "| {} | {} | {} | {:.0} | {:.2} | {:.2} | {} | {} | {:.0} µs | {:.0} µs | {} MiB | {:.0} |",
                    cell.connections,
                    cell.scenario.title(),
                    peer.title(),
                    found.rate(),
                    found.p50 / 1e3,
                    found.p99 / 1e3,
                    found.errors,
                    found.busy,
                    found.each(found.server.cpu_micros),
                    found.each(found.postgres_micros),
                    found.server.memory_kib / 1024,
                    found.each(found.bytes)
                )?;
            }
        }
        Ok(())
    }
}

pub(super) fn interval(ratio: &Ratio) -> String {
    format!("{} to {}", digits(ratio.low), digits(ratio.high))
}

/// Two decimals, fewer where the number is large.
pub(super) fn digits(number: f64) -> String {
    if number < 10.0 { format!("{number:.2}") } else { format!("{number:.1}") }
}

fn failures(found: &Measured) -> String {
    let of = |count: u64, what: &str| if count > 0 { format!(", {count} {what}") } else { String::new() };
    of(found.errors, "errors") + &of(found.busy, "of 429")
}
