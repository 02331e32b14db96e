//! `cargo xtask bench`: errand and its peers, measured side by side.

mod against;
mod bare;
mod client;
mod compare;
mod data;
mod distance;
mod floor;
mod instructions;
mod load;
mod machine;
mod memory;
mod pages;
mod peer;
mod plot;
mod report;
mod same;
mod scale;
mod scenario;
mod schedule;
mod signer;
mod statistics;
mod usage;
mod warm;

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Args;

use crate::process;
use crate::test::Test;
use crate::workspace;
use against::Asked;
pub(crate) use against::Revision;
use compare::Comparison;
use data::Size;
use load::Wrk;
use peer::{Peer, Recipe};
use scenario::Scenario;
use schedule::Schedule;
use signer::Alg;
use usage::{Look, Processes};

/// The data of a run to keep: a few large accounts, and many small ones.
const SIZES: [Size; 2] =
    [Size { first_user: 1, users: 100, tasks: 10_000 }, Size { first_user: 101, users: 9_900, tasks: 100 }];
/// Seconds of a full run that names its connections.
const PART_OF_FULL: u64 = 600;
/// The data of a run that names one of these numbers and not the other.
const USERS: u32 = 100;
const TASKS: u32 = 10_000;

/// Measure errand and its peers side by side
///
/// Starts a PostgreSQL of its own (kept in .errand, with fsync on), loads 10,000 users with two million tasks, checks that
/// every peer answers alike, warms each up, and measures one after the other in interleaved rounds with wrk. Writes bench/results.
#[derive(Args)]
pub(crate) struct Bench {
    /// Measure once, in some 3 minutes (the default)
    #[arg(long, conflicts_with = "full")]
    quick: bool,
    /// Measure in 6 rounds, in about an hour: the run to keep, with an interval for each ratio
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
    /// Measure what errand holds under a thousand connections and under long pages, and afterwards; 4 minutes
    #[arg(long, conflicts_with_all = ["full", "quick", "scale", "tokens", "bare", "distance", "only", "peers", "connections"])]
    memory: bool,
    /// Only these scenarios
    #[arg(long, value_enum, value_delimiter = ',', value_name = "SCENARIO")]
    only: Vec<Scenario>,
    /// Only these peers
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PEER")]
    peers: Vec<Peer>,
    /// Only these numbers of connections
    #[arg(long, value_delimiter = ',', value_name = "N")]
    connections: Vec<u32>,
    /// The algorithm of the tokens [default: RS256, HS256 with --against]
    #[arg(long, value_enum, conflicts_with_all = ["scale", "tokens", "bare", "distance", "memory"])]
    alg: Option<Alg>,
    #[command(flatten)]
    against: against::Options,
    /// Measure in as many rounds as fit into so many seconds; with --against, so many in each slot [default there: 2]
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// How many users there are, all with as many tasks [default with --tasks: 100; 50 with --against; at most 10,000 with --scale]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    users: Option<u32>,
    /// How many tasks each of them has [default with --users: 10,000; 2,000 with --against; at most 1,000,000 with --scale]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    tasks: Option<u32>,
    /// With --full: leave out the floor and the parts of a request
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
                None if self.memory => memory::run(&wrk, !self.no_build).await,
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
            alg: self.alg,
            build: !self.no_build,
        }
    }

    async fn compare(&self, wrk: &Wrk) -> Result<()> {
        if let Some(long) = self.only.iter().find(|scenario| scenario.is_long()) {
            bail!("`{}` has its data with --against only", long.name());
        }
        let recipes = self.recipes().await?;
        let comparison = Comparison {
            label: if self.full { "full" } else { "quick" },
            sizes: self.sizes(),
            alg: self.alg.unwrap_or(Alg::Rs256),
            floor: self.full && !self.no_floor,
            whole: self.is_whole(),
        };
        comparison.run(wrk, &recipes, |peers| self.schedule(peers)).await
    }

    fn schedule(&self, peers: &[Peer]) -> Schedule {
        let scenarios = if self.only.is_empty() { Scenario::ALL.to_vec() } else { self.only.clone() };
        let whole = if self.full { Schedule::full } else { Schedule::quick };
        match (self.connections.as_slice(), self.seconds) {
            ([], None) => whole(&scenarios, peers),
            ([], Some(seconds)) => Schedule::of_seconds(&whole(&scenarios, peers).cells(), peers, seconds),
            (connections, seconds) => {
                let cells = scenario::cells(&scenarios, connections);
                Schedule::of_seconds(&cells, peers, seconds.unwrap_or(if self.full { PART_OF_FULL } else { 0 }))
            }
        }
    }

    fn sizes(&self) -> Vec<Size> {
        match (self.users, self.tasks) {
            (None, None) => SIZES.to_vec(),
            (users, tasks) => {
                vec![Size { first_user: 1, users: users.unwrap_or(USERS), tasks: tasks.unwrap_or(TASKS) }]
            }
        }
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

    /// Whether this is a run to keep; one with other data, peers or times goes to target/bench.
    fn is_whole(&self) -> bool {
        self.only.is_empty()
            && self.peers.is_empty()
            && self.connections.is_empty()
            && self.seconds.is_none()
            && !self.no_floor
            && self.alg.is_none_or(|alg| alg == Alg::Rs256)
            && self.sizes() == SIZES
    }
}

/// Waits until the servers are idle, because abandoned work would slow the next peer.
async fn settle(pids: &[Option<u32>]) {
    const LOOK: Duration = Duration::from_millis(100);
    let end = Instant::now() + Duration::from_secs(10);
    let looks = || pids.iter().flatten().filter_map(|pid| Look::at(Processes::Tree(*pid))).collect::<Vec<_>>();
    let mut before = looks();
    while Instant::now() < end {
        tokio::time::sleep(LOOK).await;
        let used: u64 = before.iter().filter_map(Look::spent).sum();
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
