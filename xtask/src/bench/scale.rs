//! What a request costs as tasks, users and connections grow, and what an instance costs.

use std::{fmt::Write, time::Duration};

use anyhow::{Context, Result, bail};
use serde::Serialize;

use super::{
    Budget,
    data::{Data, Size},
    load::{Measured, Wrk, output},
    machine::{self, Machine},
    pages::{self, Pages},
    peer::{Peer, Recipe},
    report,
    scenario::{Cell, Scenario},
    signer::Alg,
};

/// Seconds of measuring, at most.
const BOUND: u64 = 300;
/// Seconds for each figure.
const EACH: u64 = 2;
const REQUESTS: [Scenario; 6] =
    [Scenario::Get, Scenario::List, Scenario::Filtered, Scenario::Search, Scenario::Patch, Scenario::Create];
const TASKS: [u32; 6] = [10, 100, 1_000, 10_000, 100_000, 1_000_000];
const USERS: [u32; 3] = [100, 1_000, 10_000];
/// How many tasks each of these has.
const OF_EACH: u32 = 100;
const CONNECTIONS: [u32; 6] = [1, 10, 100, 500, 1_000, 2_000];
/// Whose pages are compared: first against middle, and small against large.
const PAGED: [u32; 2] = [10_000, 1_000_000];
/// Instances at once, to see what one of them holds.
const CROWD: u32 = 250;

/// A figure: what was varied, and to what.
#[derive(Debug, Serialize)]
struct Point {
    by: &'static str,
    count: u32,
    scenario: Scenario,
    #[serde(flatten)]
    measured: Measured,
}

/// What instances cost.
#[derive(Debug, Default, Serialize)]
struct Instances {
    /// Milliseconds from starting the host to its first answer.
    cold_compiled_ms: f64,
    cold_uncompiled_ms: f64,
    /// What the host says of one.
    instantiation: String,
    /// KiB for each request in flight that has an instance of its own.
    memory_kib: f64,
    idle_host_kib: u64,
}

#[derive(Serialize)]
struct Scale {
    date: String,
    machine: Machine,
    points: Vec<Point>,
    pages: Vec<Pages>,
    instances: Instances,
    cut_short: bool,
}

/// Measures the local host alone: how cost grows is a matter of errand, not of its peers.
///
/// `most` bounds users and tasks, for a machine with little room.
pub(crate) async fn run(wrk: &Wrk, build: bool, most: (Option<u32>, Option<u32>)) -> Result<()> {
    let users: Vec<u32> = USERS.into_iter().filter(|users| most.0.is_none_or(|most| *users <= most)).collect();
    let tasks = TASKS.into_iter().filter(|tasks| most.1.is_none_or(|most| *tasks <= most));
    let recipe = Peer::Host.prepare(build).await?;
    let load = machine::load_before();
    let many = Size { first_user: 1, users: users.iter().copied().max().unwrap_or(100), tasks: OF_EACH };
    let mut sizes = vec![many];
    for (index, tasks) in (0_u32..).zip(tasks) {
        sizes.push(Size { first_user: 20_001 + index, users: 1, tasks });
    }
    let data = Data::open(&sizes, Alg::Hs256).await?;
    let versions = vec![
        ("PostgreSQL".to_owned(), data.ask("select current_setting('server_version')").await?),
        ("wrk".to_owned(), wrk.version.clone()),
    ];
    let mut scale = Scale {
        date: report::date(&data).await?,
        machine: Machine::look(load, versions).await,
        points: Vec::new(),
        pages: Vec::new(),
        instances: Instances::default(),
        cut_short: false,
    };
    let outcome = measure(wrk, &data, &recipe, many, &sizes, &mut scale).await;
    data.close().await?;
    outcome?;
    let text = scale.markdown();
    println!("\n{text}");
    let json = serde_json::to_string_pretty(&scale)? + "\n";
    report::save(most == (None, None), &format!("{}-scale", scale.date), &[("json", json), ("md", text)])
}

async fn measure(wrk: &Wrk, data: &Data, recipe: &Recipe, many: Size, sizes: &[Size], scale: &mut Scale) -> Result<()> {
    let mut budget = Budget::new(BOUND);
    scale.instances = instances(wrk, data, recipe, many).await?;
    budget.spend(4 * EACH);
    let mut server = recipe.start(data, &[])?;
    server.ready().await?;
    let mut points: Vec<(&'static str, u32, Size, Cell)> = Vec::new();
    for size in sizes.iter().skip(1) {
        points.extend(
            REQUESTS.map(|scenario| ("tasks of the user", size.tasks, *size, Cell { connections: 1, scenario })),
        );
    }
    for users in USERS.into_iter().filter(|users| *users <= many.users) {
        let size = Size { users, ..many };
        points.extend(REQUESTS.map(|scenario| ("users", users, size, Cell { connections: 1, scenario })));
    }
    for connections in CONNECTIONS {
        let requests = [Scenario::Get, Scenario::List, Scenario::Day];
        points.extend(requests.map(|scenario| ("connections", connections, many, Cell { connections, scenario })));
    }
    let mut planned = None;
    for (by, count, size, cell) in points {
        if !budget.has(EACH) {
            scale.cut_short = true;
            break;
        }
        if planned != Some(size) {
            wrk.plan(&data.plan(&[size]).await?)?;
            planned = Some(size);
            // Whatever is read for the first time is read from the disk.
            wrk.run(server.port, Cell { connections: 8, scenario: Scenario::Day }, 1, 9, (None, None)).await?;
            budget.spend(1);
            super::settle(&[server.pid(), data.pid()]).await;
        }
        let measured = wrk.run(server.port, cell, EACH, 1, (server.pid(), data.pid())).await?;
        budget.spend(EACH);
        super::settle(&[server.pid(), data.pid()]).await;
        eprintln!(
            "{count:>9} {by:<18} {:<26} {:>8.0}/s  p50 {:>8.2} ms  p99 {:>8.2} ms  {} errors, {} of 429",
            cell.scenario.title(),
            measured.rate(),
            measured.p50 / 1e3,
            measured.p99 / 1e3,
            measured.errors,
            measured.busy
        );
        scale.points.push(Point { by, count, scenario: cell.scenario, measured });
    }
    for size in sizes.iter().filter(|size| PAGED.contains(&size.tasks)) {
        scale.pages.extend(pages::measure(wrk, data, &server, *size).await?);
    }
    server.stop().await;
    Ok(())
}

async fn instances(wrk: &Wrk, data: &Data, recipe: &Recipe, many: Size) -> Result<Instances> {
    let mut found = Instances::default();
    let mut server = recipe.start(data, &["--no-cache"])?;
    found.cold_uncompiled_ms = server.ready().await?.as_secs_f64() * 1e3;
    server.stop().await;
    let told = output(recipe.command(data, &["--bench-instantiate", "1000"])?, Duration::from_secs(120)).await?;
    found.instantiation = told.lines().find(|line| line.starts_with("api:")).unwrap_or_default().to_owned();
    let mut server = recipe.start(data, &[])?;
    found.cold_compiled_ms = server.ready().await?.as_secs_f64() * 1e3;
    server.stop().await;
    // With an instance for each request in flight, memory tells what an instance holds.
    let mut server = recipe.start(data, &["--max-instance-concurrent-reuse-count", "1"])?;
    server.ready().await?;
    wrk.plan(&data.plan(&[many]).await?)?;
    let pids = (server.pid(), data.pid());
    let mut held = Vec::new();
    for connections in [1, CROWD] {
        let measured = wrk.run(server.port, Cell { connections, scenario: Scenario::List }, EACH, 1, pids).await?;
        held.push(measured.server.memory_kib);
    }
    server.stop().await;
    let [one, crowd] = held.as_slice() else { bail!("two figures were expected") };
    found.idle_host_kib = *one;
    found.memory_kib = crowd.saturating_sub(*one) as f64 / f64::from(CROWD - 1);
    (found.cold_compiled_ms > 0.0).then_some(found).context("the host was ready before it was started")
}

impl Scale {
    fn markdown(&self) -> String {
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = self.tables(&mut text);
        text
    }

    fn tables(&self, text: &mut String) -> std::fmt::Result {
        writeln!(text, "# What a request costs as things grow, {}\n", self.date)?;
        writeln!(text, "- Machine: {}. Load before the run: {:.2}.", self.machine.line(), self.machine.load)?;
        writeln!(text, "- Commit: {}. The local host, {EACH} s for each figure.", self.machine.commit)?;
        if self.cut_short {
            writeln!(text, "- **The time was over before the end**: the last figures are missing.")?;
        }
        for (by, unit) in [("tasks of the user", "p50 ms, one connection"), ("users", "p50 ms, one connection")] {
            let counts = self.counts(by);
            let titles: Vec<String> = counts.iter().map(u32::to_string).collect();
            writeln!(
                text,
                "\n## By {by} ({unit})\n\n| | {} |\n|---|{}",
                titles.join(" | "),
                "---:|".repeat(counts.len())
            )?;
            for scenario in REQUESTS {
                let shown: Vec<String> = counts
                    .iter()
                    .map(|count| {
                        self.find(by, *count, scenario).map_or("-".to_owned(), |at| format!("{:.2}", at.p50 / 1e3))
                    })
                    .collect();
                writeln!(text, "| {} | {} |", scenario.title(), shown.join(" | "))?;
            }
        }
        pages::table(text, &self.pages)?;
        writeln!(
            text,
            "\n## By connections\n\n| connections | request | req/s | p50 ms | p99 ms | errors | 429 | memory of the host |\n\
             |---:|---|---:|---:|---:|---:|---:|---:|"
        )?;
        for point in self.points.iter().filter(|point| point.by == "connections") {
            let found = &point.measured;
            writeln!(
                text,
                "| {} | {} | {:.0} | {:.2} | {:.2} | {} | {} | {} MiB |",
                point.count,
                point.scenario.title(),
                found.rate(),
                found.p50 / 1e3,
                found.p99 / 1e3,
                found.errors,
                found.busy,
                found.server.memory_kib / 1024
            )?;
        }
        let instances = &self.instances;
        writeln!(
            text,
            "\n## Instances\n\n| | |\n|---|---:|\n\
             | from starting the host to its first answer, code compiled before | {:.0} ms |\n\
             | the same, compiling first | {:.0} ms |\n\
             | a fresh instance | {} |\n\
             | memory of the host with one instance | {} MiB |\n\
             | memory for each instance more ({CROWD} requests in flight, an instance each) | {:.0} KiB |",
            instances.cold_compiled_ms,
            instances.cold_uncompiled_ms,
            instances.instantiation,
            instances.idle_host_kib / 1024,
            instances.memory_kib
        )
    }

    fn counts(&self, by: &str) -> Vec<u32> {
        let mut counts: Vec<u32> = self.points.iter().filter(|point| point.by == by).map(|point| point.count).collect();
        counts.dedup();
        counts
    }

    fn find(&self, by: &str, count: u32, scenario: Scenario) -> Option<&Measured> {
        let mut points = self.points.iter();
        points
            .find(|point| point.by == by && point.count == count && point.scenario == scenario)
            .map(|point| &point.measured)
    }
}
