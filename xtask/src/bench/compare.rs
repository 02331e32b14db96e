//! errand beside its peers: each is warmed up, and then measured in turns.

use std::{collections::BTreeSet, time::Instant};

use anyhow::Result;

use super::{
    data::{Data, Size},
    floor,
    load::Wrk,
    machine,
    peer::{Peer, Recipe, Running},
    report::{Report, Slot},
    same,
    schedule::{CROWD, Schedule, Turn},
    settle,
    signer::Alg,
    usage::{Look, Processes},
    warm,
};

/// What a comparison is asked for.
pub(crate) struct Comparison {
    pub(crate) label: &'static str,
    pub(crate) sizes: Vec<Size>,
    pub(crate) alg: Alg,
    /// Whether what PostgreSQL alone can do is measured, too.
    pub(crate) floor: bool,
    /// Whether this is a run to keep.
    pub(crate) whole: bool,
}

/// What is at work.
struct Bed<'a> {
    wrk: &'a Wrk,
    data: &'a Data,
    sizes: &'a [Size],
    servers: &'a [Running],
    /// Whether writes have changed the entity tags of the plan.
    stale: bool,
}

impl Comparison {
    /// Measures what these recipes make, by the schedule that the servers ask for.
    pub(crate) async fn run(
        self,
        wrk: &Wrk,
        recipes: &[Recipe],
        schedule: impl FnOnce(&[Peer]) -> Schedule,
    ) -> Result<()> {
        let load = machine::load_before();
        let data = Data::open(&self.sizes, self.alg).await?;
        let servers = start(recipes, &data).await?;
        let peers: Vec<Peer> = servers.iter().map(|server| server.peer).collect();
        let schedule = schedule(&peers);
        let signing = Instant::now();
        let plan = data.plan(&self.sizes).await?;
        eprintln!("errand: the tokens and the plan took {:.0} s", signing.elapsed().as_secs_f64());
        wrk.plan(&plan)?;
        let compared = same::check(&servers, &plan).await?;
        drop(plan);
        eprintln!("errand: the peers agree in {compared} answers");
        let mut report = Report::new((&data, wrk), load, &self, &schedule).await?;
        report.compared = compared;
        let mut bed = Bed { wrk, data: &data, sizes: &self.sizes, servers: &servers, stale: true };
        let outcome = bed.measure(&schedule, self.floor, &mut report).await;
        for server in servers {
            server.stop().await;
        }
        data.close().await?;
        outcome?;
        report.write(self.whole)
    }
}

impl Bed<'_> {
    async fn measure(&mut self, schedule: &Schedule, floor: bool, report: &mut Report) -> Result<()> {
        let connections: BTreeSet<u32> = schedule.turns.iter().map(|turn| turn.cell.connections).collect();
        eprintln!(
            "errand: measuring {} s in {} slots, {} rounds, after {} peers have warmed up{}: about {} minutes",
            schedule.seconds(),
            schedule.slots(),
            schedule.rounds(),
            self.servers.len(),
            if floor { ", and the floor" } else { "" },
            minutes(self.before(&connections, floor) + Schedule::estimate(&schedule.turns))
        );
        for server in self.servers {
            report.warmed.push(warm::warm(self.wrk, self.data, server, &connections).await?);
        }
        if floor && let Some(size) = self.sizes.first() {
            self.refresh().await?;
            floor::measure(self.wrk, self.data, *size, self.servers, report).await?;
            self.stale = true;
        }
        let mut round = 0;
        for (index, turn) in schedule.turns.iter().enumerate() {
            if turn.round > round {
                round = turn.round;
                let rest = schedule.turns.get(index..).unwrap_or_default();
                let left = minutes(Schedule::estimate(rest));
                // None is due within a round then: it would slow one peer and not another.
                self.data.checkpoint().await?;
                eprintln!("errand: round {round} of {}; about {left} minutes are left", schedule.rounds());
            }
            self.turn(turn, report).await?;
        }
        if connections.contains(&CROWD) {
            (report.held, report.postgres_kib) = self.held();
        }
        report.summarize();
        Ok(())
    }

    async fn turn(&mut self, turn: &Turn, report: &mut Report) -> Result<()> {
        let Turn { round, cell, seconds, peers } = turn;
        if cell.scenario.is_conditional() {
            self.refresh().await?;
        }
        for server in peers.iter().filter_map(|peer| self.servers.iter().find(|server| server.peer == *peer)) {
            let pids = (server.pid(), self.data.pid());
            let measured = self.wrk.run(server.port, *cell, *seconds, *round, pids).await?;
            settle(&[pids.0, pids.1]).await;
            eprintln!(
                "{:>5} connections  {:<26} {:<30} {:>8.0}/s  p99 {:>7.1} ms  {} errors",
                cell.connections,
                cell.scenario.title(),
                server.peer.title(),
                measured.rate(),
                measured.p99 / 1e3,
                measured.errors
            );
            report.slots.push(Slot { round: *round, cell: *cell, peer: server.peer, measured });
        }
        self.stale |= cell.scenario.is_write();
        Ok(())
    }

    /// Reads the entity tags again, unless nothing has been written since.
    async fn refresh(&mut self) -> Result<()> {
        if self.stale {
            self.wrk.plan(&self.data.plan(self.sizes).await?)?;
            self.stale = false;
        }
        Ok(())
    }

    /// About how many seconds pass before the first turn.
    fn before(&self, connections: &BTreeSet<u32>, floor: bool) -> f64 {
        // Most are steady after some seconds.
        let warming = (8 + connections.len()) as f64 * 1.1 * self.servers.len() as f64;
        warming + if floor { floor::SECONDS as f64 * 1.3 } else { 0.0 }
    }

    /// KiB that each server holds now, and PostgreSQL.
    fn held(&self) -> (Vec<(Peer, u64)>, u64) {
        let of = |processes| Some(Look::at(processes)?.used()?.memory_kib);
        let servers = self.servers.iter().filter_map(|server| Some((server.peer, of(server.processes()?)?)));
        (servers.collect(), self.data.pid().map(Processes::Tree).and_then(of).unwrap_or_default())
    }
}

/// Whole ones, of seconds.
fn minutes(seconds: f64) -> u64 {
    (seconds / 60.0).ceil() as u64
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
