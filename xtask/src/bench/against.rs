//! `cargo xtask bench --against REV`: this working tree beside another commit.
//!
//! Requests per second depend on everything else that the machine does. Processor time per request, of the server and of
//! PostgreSQL, depends on that much less, so it is what decides.

mod processors;
mod report;
mod revision;
mod rounds;

use anyhow::{Context, Result, bail};
use clap::Args;

use super::{
    data::{Data, Origin, Secrets, Size},
    instructions::Instructions,
    load::Wrk,
    machine::{self, Machine},
    peer::{Peer, Recipe, Running},
    report::{date, save_in},
    scenario::{Cell, Scenario},
    signer::Alg,
};
use processors::Processors;
use report::Comparison;
pub(crate) use revision::Revision;

/// Where reports go; git does not look there.
const RESULTS: &str = "target/bench/against";
/// The data: little enough that both databases stay in PostgreSQL's memory.
const USERS: u32 = 50;
const TASKS: u32 = 2_000;
/// The users whose tasks have long descriptions.
const LONG_USERS: u32 = 20;
const LONG_TASKS: u32 = 50;
const ROUNDS: u32 = 10;
const SECONDS: u64 = 2;
/// Percent.
const THRESHOLD: f64 = 3.0;

#[derive(Args)]
pub(crate) struct Options {
    /// Compare this working tree with another commit, in some 40 minutes and without bench/results
    ///
    /// Builds the commit in target/against (once), measures get, list, create, patch, search and long descriptions on both
    /// sides at the same time, natively and in the local host, and tells for each scenario how many times as much processor time a
    /// request takes, with a confidence interval. See docs/performance.md.
    #[arg(long, value_name = "REV", conflicts_with_all = ["full", "quick", "scale", "tokens"])]
    against: Option<String>,
    /// With --against: let this working tree's local host serve both components
    #[arg(long, requires = "against")]
    host_of_this: bool,
    /// With --against: how often both sides are measured; below 6 there is no interval of 95 % [default: 10]
    #[arg(long, value_name = "N", requires = "against", value_parser = clap::value_parser!(u32).range(1..=200))]
    rounds: Option<u32>,
    /// With --against: how many percent more processor time still count as "not slower" [default: 3]
    #[arg(long, value_name = "PERCENT", requires = "against")]
    threshold: Option<f64>,
    /// With --against: fail unless every scenario is shown to stay within the threshold
    #[arg(long, requires = "against")]
    fail_slower: bool,
}

/// What of the other options a comparison takes.
pub(crate) struct Asked<'a> {
    pub(crate) only: &'a [Scenario],
    pub(crate) peers: &'a [Peer],
    pub(crate) connections: &'a [u32],
    pub(crate) seconds: Option<u64>,
    pub(crate) users: Option<u32>,
    pub(crate) tasks: Option<u32>,
    pub(crate) alg: Option<Alg>,
    pub(crate) build: bool,
}

/// A comparison whose sides are built.
pub(crate) struct Against<'a> {
    options: &'a Options,
    revision: Revision,
    /// Each with the number of connections to each side.
    peers: Vec<(Peer, u32)>,
    scenarios: Vec<Scenario>,
    seconds: u64,
    size: Size,
    alg: Alg,
    recipes: [Vec<Recipe>; 2],
}

/// What is measured, the same on every runtime.
struct Task<'a> {
    scenarios: &'a [Scenario],
    seconds: u64,
    rounds: u32,
    counter: Option<&'a Instructions>,
    processors: Option<&'a Processors>,
}

impl Options {
    /// Builds both sides, if a comparison is asked for.
    pub(crate) async fn prepare(&self, asked: &Asked<'_>) -> Result<Option<Against<'_>>> {
        let Some(name) = &self.against else { return Ok(None) };
        let peers = if asked.peers.is_empty() { vec![Peer::Native, Peer::Host] } else { asked.peers.to_vec() };
        if let Some(peer) = peers.iter().find(|peer| !matches!(peer, Peer::Native | Peer::Host)) {
            bail!("{} is not compared across commits; --peers takes native and host here", peer.title());
        }
        let scenarios = if asked.only.is_empty() { Scenario::COMPARED.to_vec() } else { asked.only.to_vec() };
        if let Some(scenario) = scenarios.iter().find(|scenario| scenario.is_conditional()) {
            bail!("`{}` is not compared across commits: each write changes the entity tags", scenario.name());
        }
        let connections = match asked.connections {
            [] => None,
            [one] => Some(*one),
            _ => bail!("--against takes one number of --connections"),
        };
        let revision = Revision::find(name).await?;
        let mut own = Vec::new();
        for peer in &peers {
            eprintln!("errand: this working tree: {}", peer.title());
            own.push(peer.prepare(asked.build).await?);
        }
        let host = own.iter().find(|recipe| recipe.peer == Peer::Host).and_then(Recipe::program);
        let host = host.filter(|_| self.host_of_this);
        let other = revision.prepare(&peers, host).await?;
        let size = Size { first_user: 1, users: asked.users.unwrap_or(USERS), tasks: asked.tasks.unwrap_or(TASKS) };
        let seconds = asked.seconds.unwrap_or(SECONDS);
        let peers =
            peers.into_iter().map(|peer| (peer, connections.unwrap_or_else(|| usual_connections(peer)))).collect();
        let alg = asked.alg.unwrap_or(Alg::Hs256);
        Ok(Some(Against { options: self, revision, peers, scenarios, seconds, size, alg, recipes: [own, other] }))
    }
}

impl Against<'_> {
    pub(crate) async fn run(self, wrk: &Wrk) -> Result<()> {
        let load = machine::load_before();
        let rounds = self.options.rounds.unwrap_or(ROUNDS);
        let [own, other] = self.recipes;
        let long = Size { first_user: self.size.users + 1, users: LONG_USERS, tasks: LONG_TASKS };
        let (sizes, secrets) = ([self.size, long], Secrets::new(self.alg)?);
        // This one last: what it leaves in the server is what the other commands expect.
        let origin = Origin::other(self.revision.root.clone());
        let other = Side::open(&origin, other, ("other", wrk), &sizes, &secrets).await?;
        let this = Side::open(&Origin::own()?, own, ("this", wrk), &sizes, &secrets).await?;
        let sides = [this, other];
        for side in &sides {
            if self.scenarios.iter().any(|scenario| scenario.is_long()) {
                side.lengthen().await?;
            }
            side.data.keep_vacuum_away().await?;
        }
        let counter = Instructions::find().await;
        let processors = Processors::find();
        let [this, _] = &sides;
        let versions = vec![
            ("PostgreSQL".to_owned(), this.data.ask("select current_setting('server_version')").await?),
            ("wrk".to_owned(), wrk.version.clone()),
        ];
        let mut comparison = Comparison {
            date: date(&this.data).await?,
            machine: Machine::look(load, versions).await,
            other: self.revision.short().to_owned(),
            host_of_this: self.options.host_of_this,
            alg: self.alg,
            connections: self.peers.clone(),
            one_processor: processors.is_some(),
            seconds: self.seconds,
            rounds,
            users: self.size.users,
            tasks_of_each: self.size.tasks,
            threshold: self.options.threshold.unwrap_or(THRESHOLD),
            event: counter.as_ref().map(Instructions::event),
            rows: Vec::new(),
        };
        let task = Task {
            scenarios: &self.scenarios,
            seconds: self.seconds,
            rounds,
            counter: counter.as_ref(),
            processors: processors.as_ref(),
        };
        let slots = u64::from(rounds) * (self.scenarios.len() * self.peers.len()) as u64;
        // Both sides share one processor, so a slot takes some three times its time. Warming up takes half of that again. Starting and
        // settling take four seconds.
        eprintln!("errand: measuring, about {} minutes", (slots * (self.seconds * 9 / 2 + 4)).div_ceil(60));
        for peer in self.peers {
            let found = rounds::run(&task, peer, &sides).await?;
            comparison.rows.extend(found.into_iter().filter_map(report::Row::of));
        }
        for side in sides {
            side.data.close().await?;
        }
        let text = comparison.markdown();
        println!("\n{text}");
        let json = serde_json::to_string_pretty(&comparison)? + "\n";
        let name = format!("{}-against-{}", comparison.date, comparison.other);
        save_in(RESULTS, &name, "json", &json)?;
        save_in(RESULTS, &name, "md", &text)?;
        if self.options.fail_slower { comparison.demand() } else { Ok(()) }
    }
}

/// The number of connections to each side. With more connections to the local host, the number of instances varies from piece to piece,
/// and the cost of a request with it.
fn usual_connections(peer: Peer) -> u32 {
    if peer == Peer::Host { 2 } else { 32 }
}

/// One of the two commits: its database and its servers.
struct Side {
    data: Data,
    recipes: Vec<Recipe>,
    ordinary: Wrk,
    long: Wrk,
}

impl Side {
    async fn open(
        origin: &Origin,
        recipes: Vec<Recipe>,
        (name, wrk): (&str, &Wrk),
        [ordinary, long]: &[Size; 2],
        secrets: &Secrets,
    ) -> Result<Self> {
        let data = Data::open_for(origin, &[*ordinary, *long], secrets).await?;
        let ordinary = wrk.with_plan(&format!("plan-{name}.tsv"), &data.plan(&[*ordinary]).await?)?;
        let long = wrk.with_plan(&format!("plan-{name}-long.tsv"), &data.plan(&[*long]).await?)?;
        Ok(Self { data, recipes, ordinary, long })
    }

    async fn start(&self, peer: Peer) -> Result<Running> {
        let recipe = self.recipes.iter().find(|recipe| recipe.peer == peer).context("a peer without a recipe")?;
        let mut server = recipe.with_copy()?.start(&self.data, &[])?;
        server.ready().await?;
        Ok(server)
    }

    fn wrk(&self, scenario: Scenario) -> &Wrk {
        if scenario.is_long() { &self.long } else { &self.ordinary }
    }

    /// Gives the long tasks their descriptions, through the API: that is alike in every commit, tables are not.
    async fn lengthen(&self) -> Result<()> {
        let peer = self.recipes.first().context("nothing to measure")?.peer;
        let server = self.start(peer).await?;
        let (requests, cell) = (LONG_USERS * LONG_TASKS, Cell { connections: 1, scenario: Scenario::Lengthen });
        let limit = (u64::from(requests), 300);
        let measured = self.long.run_counted(server.port, cell, limit, 1, [None, None], None).await;
        server.stop().await;
        let measured = measured?;
        if measured.errors > 0 || measured.requests < u64::from(requests) {
            bail!(
                "{} of {requests} tasks got a description of 10,000 characters, with {} errors; see the server's log in target/bench",
                measured.requests,
                measured.errors
            );
        }
        Ok(())
    }
}
