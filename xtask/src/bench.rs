//! `cargo xtask bench`: errand and its peers, measured side by side.

mod against;
mod bare;
mod client;
mod data;
mod distance;
mod floor;
mod instructions;
mod load;
mod machine;
mod pages;
mod peer;
mod plot;
mod report;
mod same;
mod scale;
mod scenario;
mod usage;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Args;

use crate::process;
use crate::test::Test;
use crate::workspace;
use against::Asked;
pub(crate) use against::Revision;
use data::{Data, Size};
use load::{Measured, Wrk};
use peer::{Peer, Recipe, Running};
use report::{Entry, Report};
use scenario::{Cell, Scenario, quick_cells, rounds};
use usage::{Look, Processes};

/// Seconds of measuring.
const QUICK: u64 = 120;
const FULL: u64 = 900;
/// The part of them that goes to the floor and to the parts of a request.
const FLOOR_QUICK: u64 = 29;
const FLOOR_FULL: u64 = 58;

/// The data of a run to keep.
const USERS: u32 = 100;
const TASKS: u32 = 10_000;

/// Measure errand and its peers side by side
///
/// Starts a PostgreSQL of its own (kept in .errand, with fsync on), loads 100 users x 10,000 tasks, checks that every
/// peer answers alike, and measures one after the other in interleaved rounds with wrk. Writes bench/results.
#[derive(Args)]
pub(crate) struct Bench {
    /// Measure for 2 minutes (the default)
    #[arg(long, conflicts_with = "full")]
    quick: bool,
    /// Measure for 15 minutes
    #[arg(long)]
    full: bool,
    /// Measure the cost of a request against tasks, users and connections instead; 5 minutes
    #[arg(long, conflicts_with_all = ["full", "quick", "only", "peers", "connections"])]
    scale: bool,
    /// Measure what verifying a token costs, for each algorithm, the first time and from the cache
    #[arg(long, conflicts_with_all = ["full", "quick", "scale", "only", "peers", "connections"])]
    tokens: bool,
    /// Measure errand's component of WASI 0.2 beside one of ten lines that asks the database one thing; 3 minutes
    #[arg(long, conflicts_with_all = ["full", "quick", "scale", "tokens", "only", "peers", "connections"])]
    bare: bool,
    /// Measure how long requests take with the database 0, 20 and 80 ms away, behind a proxy that delays; 3 minutes
    #[arg(long, conflicts_with_all = ["full", "quick", "scale", "tokens", "bare", "only", "peers", "connections"])]
    distance: bool,
    /// Only these scenarios
    #[arg(long, value_enum, value_delimiter = ',', value_name = "SCENARIO")]
    only: Vec<Scenario>,
    /// Only these peers
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PEER")]
    peers: Vec<Peer>,
    /// Only these numbers of connections
    #[arg(long, value_delimiter = ',', value_name = "N")]
    connections: Vec<u32>,
    #[command(flatten)]
    against: against::Options,
    /// Measure for so many seconds; with --against, so many in each slot [default there: 2]
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// How many users there are [default: 100, 50 with --against; at most 10,000 with --scale]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    users: Option<u32>,
    /// How many tasks each of them has [default: 10,000, 2,000 with --against; at most 1,000,000 with --scale]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    tasks: Option<u32>,
    /// Leave out the floor and the parts of a request
    #[arg(long)]
    no_floor: bool,
    /// Measure what is built already
    #[arg(long)]
    no_build: bool,
}

impl Bench {
    pub(crate) async fn run(self) -> Result<()> {
        if self.tokens {
            return Test::of_verifying().run().await;
        }
        // Runs share the private server, and each begins with databases of its own under the same names.
        let _only_run = workspace::only_run("bench")?;
        machine::allow_files();
        let wrk = Wrk::ensure().await?;
        // Built before: what builds takes an interrupt itself.
        let against = self.against.prepare(&self.asked()).await?;
        let measure = async {
            match against {
                Some(against) => against.run(&wrk).await,
                None if self.bare => bare::run(&wrk, !self.no_build).await,
                None if self.distance => distance::run(&wrk, !self.no_build).await,
                None if self.scale => scale::run(&wrk, !self.no_build, (self.users, self.tasks)).await,
                None => self.compare(&wrk).await,
            }
        };
        tokio::select! {
            done = measure => done,
            // What was started goes with what this drops.
            signal = process::interrupted() => signal.and_then(|()| bail!(process::INTERRUPTED)),
        }
    }

    fn asked(&self) -> Asked<'_> {
        Asked {
            only: &self.only,
            peers: &self.peers,
            connections: &self.connections,
            seconds: self.seconds,
            users: self.users,
            tasks: self.tasks,
            build: !self.no_build,
        }
    }

    async fn compare(&self, wrk: &Wrk) -> Result<()> {
        if let Some(long) = self.only.iter().find(|scenario| scenario.is_long()) {
            bail!("`{}` has its data with --against only", long.name());
        }
        let recipes = self.recipes().await?;
        let load = machine::load_before();
        let size = Size { first_user: 1, users: self.users.unwrap_or(USERS), tasks: self.tasks.unwrap_or(TASKS) };
        let data = Data::open(&[size]).await?;
        let servers = start(&recipes, &data).await?;
        let plan = data.plan(size).await?;
        wrk.plan(&plan)?;
        let compared = same::check(&servers, &plan).await?;
        eprintln!("errand: the peers agree in {compared} answers");
        let mut report = Report::new((&data, wrk), load, self.label(), size).await?;
        report.compared = compared;
        let outcome = self.measure(wrk, &data, size, &servers, &mut report).await;
        for server in servers {
            server.stop().await;
        }
        data.close().await?;
        outcome?;
        report.write(self.is_whole())
    }

    async fn measure(
        &self,
        wrk: &Wrk,
        data: &Data,
        size: Size,
        servers: &[Running],
        report: &mut Report,
    ) -> Result<()> {
        let cells = self.cells();
        for connections in cells.iter().map(|cell| cell.connections).collect::<BTreeSet<_>>() {
            warm(wrk, data, servers, connections).await?;
        }
        let seconds = self.seconds.unwrap_or(if self.full { FULL } else { QUICK });
        let floor = match (self.no_floor, self.full) {
            (true, _) => 0,
            (false, true) => FLOOR_FULL,
            (false, false) => FLOOR_QUICK,
        };
        let (rounds, each) = rounds(
            seconds.saturating_sub(floor),
            cells.iter().map(|cell| cell.weight()).sum::<u64>() * servers.len() as u64,
        );
        report.rounds = (rounds, each);
        let mut budget = Budget::new(seconds);
        if floor > 0 {
            floor::measure(wrk, data, size, servers, (self.full, &mut budget), report).await?;
        }
        let mut found: Vec<(Cell, Peer, Measured)> = Vec::new();
        'rounds: for round in 1..=rounds {
            for cell in &cells {
                if cell.scenario.is_conditional() {
                    wrk.plan(&data.plan(size).await?)?;
                }
                // The order rotates, so that no server always runs first.
                for server in turned(servers, round) {
                    let each = each * cell.weight();
                    if !budget.has(each) {
                        report.cut_short = true;
                        break 'rounds;
                    }
                    let measured = wrk.run(server.port, *cell, each, round, (server.pid(), data.pid())).await?;
                    budget.spend(each);
                    settle(&[server.pid(), data.pid()]).await;
                    eprintln!(
                        "{:>5} connections  {:<26} {:<20} {:>8.0}/s  p99 {:>7.1} ms  {} errors",
                        cell.connections,
                        cell.scenario.title(),
                        server.peer.title(),
                        measured.rate(),
                        measured.p99 / 1e3,
                        measured.errors
                    );
                    found.push((*cell, server.peer, measured));
                }
            }
        }
        for cell in cells {
            for server in servers {
                let of_both = found.iter().filter(|(at, peer, _)| *at == cell && *peer == server.peer);
                let slots: Vec<Measured> = of_both.map(|(_, _, measured)| *measured).collect();
                if !slots.is_empty() {
                    report.entries.push(Entry { cell, peer: server.peer, measured: Measured::merged(&slots) });
                }
            }
        }
        Ok(())
    }

    fn cells(&self) -> Vec<Cell> {
        let scenarios = if self.only.is_empty() { Scenario::ALL.to_vec() } else { self.only.clone() };
        if !self.connections.is_empty() {
            return scenario::cells(&scenarios, &self.connections);
        }
        let all = if self.full { scenario::cells(&scenarios, &[1, 32, 100, 1_000]) } else { quick_cells() };
        all.into_iter().filter(|cell| scenarios.contains(&cell.scenario)).collect()
    }

    /// What the peers need; one that cannot be had is left out, unless it was asked for by name.
    async fn recipes(&self) -> Result<Vec<Recipe>> {
        let mut recipes = Vec::new();
        for peer in Peer::ALL {
            if !self.peers.is_empty() && !self.peers.contains(&peer) {
                continue;
            }
            match peer.prepare(!self.no_build).await {
                Ok(recipe) => recipes.push(recipe),
                Err(error) if self.peers.is_empty() && peer != Peer::Host => {
                    eprintln!("errand: leaving out {}: {error:#}", peer.title());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(recipes)
    }

    fn label(&self) -> &'static str {
        if self.full { "full" } else { "quick" }
    }

    /// Whether this is a run to keep; one with other data, peers or times goes to target/bench.
    fn is_whole(&self) -> bool {
        self.only.is_empty()
            && self.peers.is_empty()
            && self.connections.is_empty()
            && self.seconds.is_none()
            && !self.no_floor
            && self.users.is_none_or(|users| users == USERS)
            && self.tasks.is_none_or(|tasks| tasks == TASKS)
    }
}

/// A full second for each with so many connections, so that pools are filled and code is compiled: that is not what is measured.
async fn warm(wrk: &Wrk, data: &Data, servers: &[Running], connections: u32) -> Result<()> {
    for server in servers {
        wrk.run(server.port, Cell { connections, scenario: Scenario::Day }, 1, 0, (None, None)).await?;
        settle(&[server.pid(), data.pid()]).await;
    }
    Ok(())
}

/// Waits until the servers are idle, because abandoned work would slow the next peer.
async fn settle(pids: &[Option<u32>]) {
    const LOOK: Duration = Duration::from_millis(100);
    let end = Instant::now() + Duration::from_secs(10);
    let looks = || pids.iter().flatten().filter_map(|pid| Look::at(Processes::Tree(*pid))).collect::<Vec<_>>();
    let mut before = looks();
    while Instant::now() < end {
        tokio::time::sleep(LOOK).await;
        let used: u64 = before.iter().filter_map(Look::used).map(|usage| usage.cpu_micros).sum();
        // A tick of the clock that counts is 10 ms.
        if used <= 20_000 {
            return;
        }
        before = looks();
    }
}

/// Seconds of measuring that are left: as counted, and by the clock.
pub(crate) struct Budget {
    left: u64,
    end: Instant,
}

impl Budget {
    fn new(seconds: u64) -> Self {
        // Starting wrk, looking at processes and letting servers settle takes its time, too.
        Self { left: seconds, end: Instant::now() + Duration::from_secs(seconds * 3) }
    }

    fn has(&self, seconds: u64) -> bool {
        self.left >= seconds && Instant::now() < self.end
    }

    fn spend(&mut self, seconds: u64) {
        self.left = self.left.saturating_sub(seconds);
    }
}

async fn start(recipes: &[Recipe], data: &Data) -> Result<Vec<Running>> {
    let mut servers = Vec::new();
    for recipe in recipes {
        let mut server = recipe.start(data, &[])?;
        server.ready().await?;
        servers.push(server);
    }
    Ok(servers)
}

fn turned(servers: &[Running], round: u32) -> Box<dyn Iterator<Item = &Running> + '_> {
    if round % 2 == 1 { Box::new(servers.iter()) } else { Box::new(servers.iter().rev()) }
}
