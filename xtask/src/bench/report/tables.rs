//! A run in Markdown.

use std::fmt::Write;

use super::Report;
use crate::bench::{
    floor::Protocol,
    load::Measured,
    peer::Peer,
    scenario::{Cell, Scenario},
};

impl Report {
    pub(super) fn markdown(&self, name: &str) -> String {
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = self.head(&mut text, name);
        let _ = self.rates(&mut text);
        let _ = self.goals(&mut text);
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
        writeln!(
            text,
            "- Data: {} users with {} tasks each. PostgreSQL with fsync. {} answers were compared before.",
            self.users, self.tasks_of_each, self.compared
        )?;
        writeln!(
            text,
            "- Each figure: {} x {} s, three times as long from 100 connections on.",
            self.rounds.0, self.rounds.1
        )?;
        if self.cut_short {
            writeln!(
                text,
                "- **The time was over before the end**: the last cells are missing or were measured less often."
            )?;
        }
        writeln!(text, "\n![Requests per second]({name}.svg)")
    }

    /// Requests per second, and beside each how many times as many the first peer serves.
    fn rates(&self, text: &mut String) -> std::fmt::Result {
        let (peers, Some(base)) = (self.peers(), self.base()) else { return Ok(()) };
        writeln!(text, "\n## Requests per second\n\nIn brackets: {} / this.", base.title())?;
        let mut connections: Vec<u32> = self.cells().iter().map(|cell| cell.connections).collect();
        connections.dedup();
        for connections in connections {
            writeln!(text, "\n### {connections} connections\n")?;
            let titles: Vec<&str> = peers.iter().map(|peer| peer.title()).collect();
            writeln!(text, "| | {} |\n|---|{}", titles.join(" | "), "---:|".repeat(peers.len()))?;
            for cell in self.cells().into_iter().filter(|cell| cell.connections == connections) {
                let own = self.entry(cell, base).map(Measured::rate);
                let shown: Vec<String> = peers
                    .iter()
                    .map(|peer| match self.entry(cell, *peer) {
                        Some(found) if *peer == base => format!("{:.0}{}", found.rate(), failures(found)),
                        Some(found) => {
                            format!("{:.0} ({}){}", found.rate(), ratio(own, Some(found.rate())), failures(found))
                        }
                        None => "-".to_owned(),
                    })
                    .collect();
                writeln!(text, "| {} | {} |", cell.scenario.title(), shown.join(" | "))?;
            }
        }
        Ok(())
    }

    /// What issue 5 asks for, checked.
    fn goals(&self, text: &mut String) -> std::fmt::Result {
        use Scenario::{Complete, Create, Get, List, Patch};
        let Some(base) = self.base().filter(|base| matches!(base, Peer::Host | Peer::Spin)) else { return Ok(()) };
        writeln!(text, "\n## Goals\n\n| goal | least ratio | where | |\n|---|---:|---|---|")?;
        let cells = self.cells();
        let rates: [(&str, Peer, f64, &[Scenario]); 5] = [
            ("8 x FastAPI on lists", Peer::Fastapi, 8.0, &[List]),
            ("5 x FastAPI on get and writes", Peer::Fastapi, 5.0, &[Get, Create, Patch, Complete]),
            ("Hono on Node everywhere", Peer::Hono, 1.0, &Scenario::ALL),
            ("8 x Hono on workerd", Peer::Workerd, 8.0, &Scenario::ALL),
            ("0.7 x errand native", Peer::Native, 0.7, &Scenario::ALL),
        ];
        for (goal, peer, least, scenarios) in rates {
            let found = cells.iter().filter(|cell| scenarios.contains(&cell.scenario)).filter_map(|cell| {
                let ratio = self.entry(*cell, base)?.rate() / self.entry(*cell, peer)?.rate().max(0.1);
                Some((ratio, cell))
            });
            if let Some((ratio, cell)) = found.min_by(|a, b| a.0.total_cmp(&b.0)) {
                writeln!(text, "| {goal} | {ratio:.2} | {} | {} |", place(cell), verdict(ratio >= least))?;
            }
        }
        let slowest = cells
            .iter()
            .filter(|cell| cell.connections == 100)
            .filter_map(|cell| Some((self.entry(*cell, base)?.p99 / 1e3, cell)));
        if let Some((p99, cell)) = slowest.max_by(|a, b| a.0.total_cmp(&b.0)) {
            let verdict = verdict(p99 < 200.0);
            writeln!(text, "| p99 under 200 ms at 100 connections | {p99:.0} ms | {} | {verdict} |", place(cell))?;
        }
        for scenario in [Get, List] {
            let cell = Cell { connections: 100, scenario };
            if let (Some(own), Some(other)) = (self.entry(cell, base), self.entry(cell, Peer::Fastapi)) {
                let ratio = other.p99 / own.p99.max(1.0);
                let verdict = verdict(ratio > 4.0);
                writeln!(text, "| p99 under 1/4 of FastAPI's | 1/{ratio:.1} | {} | {verdict} |", place(&cell))?;
            }
            let crowd = Cell { connections: 1_000, scenario };
            let best = cells.iter().filter(|cell| cell.scenario == scenario).filter_map(|cell| self.entry(*cell, base));
            let best = best.map(Measured::rate).max_by(f64::total_cmp);
            if let (Some(own), Some(best)) = (self.entry(crowd, base), best) {
                let share = own.rate() / best.max(0.1);
                let verdict = verdict(share >= 0.8 && own.errors == 0);
                writeln!(
                    text,
                    "| 0.8 of the best and no error at 1,000 connections | {share:.2}, {} errors | {} | {verdict} |",
                    own.errors,
                    scenario.title()
                )?;
            }
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
                loaded.each(loaded.postgres.cpu_micros)
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
            ("the query of a get", Scenario::Get304, Some(Scenario::Ready)),
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
             memory PostgreSQL | bytes |\n|---:|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
        )?;
        for cell in self.cells() {
            for peer in self.peers() {
                let Some(found) = self.entry(cell, peer) else { continue };
                writeln!(
                    text,
                    "| {} | {} | {} | {:.0} | {:.2} | {:.2} | {} | {} | {:.0} µs | {:.0} µs | {} MiB | {} MiB | {:.0} |",
                    cell.connections,
                    cell.scenario.title(),
                    peer.title(),
                    found.rate(),
                    found.p50 / 1e3,
                    found.p99 / 1e3,
                    found.errors,
                    found.busy,
                    found.each(found.server.cpu_micros),
                    found.each(found.postgres.cpu_micros),
                    found.server.memory_kib / 1024,
                    found.postgres.memory_kib / 1024,
                    found.each(found.bytes)
                )?;
            }
        }
        Ok(())
    }
}

fn ratio(own: Option<f64>, other: Option<f64>) -> String {
    match (own, other) {
        (Some(own), Some(other)) if other > 0.0 => format!("{:.1}", own / other),
        _ => "-".to_owned(),
    }
}

fn failures(found: &Measured) -> String {
    let of = |count: u64, what: &str| if count > 0 { format!(", {count} {what}") } else { String::new() };
    of(found.errors, "errors") + &of(found.busy, "of 429")
}

fn place(cell: &Cell) -> String {
    format!("{}, {} connections", cell.scenario.title(), cell.connections)
}

fn verdict(holds: bool) -> &'static str {
    if holds { "holds" } else { "**falls short**" }
}
