//! Measuring both sides in rounds.
//!
//! In each round both servers are started anew, because where a process happens to lie in memory makes it faster or slower
//! by a percent or two as long as it lives. A scenario then goes to both within seconds, with the same requests and as many
//! of them, and in the next round in the other order.

use anyhow::{Result, bail};

use super::{Side, Task};
use crate::bench::{
    instructions::Instructions,
    load::Measured,
    peer::{Peer, Running},
    scenario::{Cell, Scenario},
    settle,
};

/// The least number of requests in a slot: below, the requests in flight at its end weigh too much.
const FEWEST: u64 = 400;
/// A slot may take so many times as long as it should.
const PATIENCE: u64 = 10;

/// One scenario on one runtime: a figure of each side for each round.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) peer: Peer,
    pub(crate) scenario: Scenario,
    /// How many requests there were in a slot.
    pub(crate) requests: u64,
    pub(crate) pairs: Vec<[Measured; 2]>,
}

/// Runs all rounds on one runtime.
pub(crate) async fn run(task: &Task<'_>, peer: Peer, sides: &[Side; 2]) -> Result<Vec<Found>> {
    let mut found: Vec<Found> = Vec::new();
    for scenario in task.scenarios {
        found.push(Found { peer, scenario: *scenario, requests: 0, pairs: Vec::new() });
    }
    for round in 1..=task.rounds {
        let [this, other] = sides;
        this.data.checkpoint().await?;
        let servers = [this.start(peer).await?, other.start(peer).await?];
        let outcome = one(task, round, sides, &servers, &mut found).await;
        for server in servers {
            server.stop().await;
        }
        outcome?;
    }
    Ok(found)
}

async fn one(
    task: &Task<'_>,
    round: u32,
    sides: &[Side; 2],
    servers: &[Running; 2],
    found: &mut [Found],
) -> Result<()> {
    let slot = Slot { task, sides, servers, seed: round };
    for one in found {
        let cell = Cell { connections: task.connections, scenario: one.scenario };
        let order = if round % 2 == 1 { [0, 1] } else { [1, 0] };
        let mut rates = [0.0; 2];
        for side in order {
            // Code that is compiled, plans that are cached and connections that are opened when first used are not measured.
            let rate = slot.warm(side, cell, one.requests / 2).await?.rate();
            if let Some(place) = rates.get_mut(side) {
                *place = rate;
            }
        }
        if one.requests == 0 {
            let mean = rates.iter().sum::<f64>() / 2.0;
            one.requests = ((mean * task.seconds as f64) as u64).max(FEWEST);
        }
        let mut pair = [Measured::default(); 2];
        for side in order {
            let measured = slot.measure(side, cell, one.requests, task.counter).await?;
            if let Some(place) = pair.get_mut(side) {
                *place = measured;
            }
        }
        let [this, other] = &pair;
        eprintln!(
            "{round:>3} of {}  {:<8} {:<26} {:>7.0}/s {:>7.0}/s  processor time {:>7.0} µs {:>7.0} µs  {:+.1} %{}",
            task.rounds,
            if one.peer == Peer::Host { "host" } else { "native" },
            one.scenario.title(),
            this.rate(),
            other.rate(),
            this.processor_micros(),
            other.processor_micros(),
            (this.processor_micros() / other.processor_micros().max(0.1) - 1.0) * 100.0,
            if this.errors + other.errors > 0 {
                format!("  {} and {} errors", this.errors, other.errors)
            } else {
                String::new()
            }
        );
        one.pairs.push(pair);
    }
    Ok(())
}

struct Slot<'a> {
    task: &'a Task<'a>,
    sides: &'a [Side; 2],
    servers: &'a [Running; 2],
    seed: u32,
}

impl Slot<'_> {
    /// Without a number of requests: for a second, which is how that number is found.
    async fn warm(&self, side: usize, cell: Cell, requests: u64) -> Result<Measured> {
        if requests > 0 {
            return self.measure(side, cell, requests, None).await;
        }
        let (Some(at), Some(server)) = (self.sides.get(side), self.servers.get(side)) else {
            bail!("there are two sides")
        };
        let wrk = at.wrk(cell.scenario);
        wrk.run(server.port, cell, 1, 0, (None, None)).await?;
        let measured = wrk.run(server.port, cell, 1, 0, (None, None)).await?;
        settle(&[server.pid(), at.data.pid()]).await;
        Ok(measured)
    }

    async fn measure(
        &self,
        side: usize,
        cell: Cell,
        requests: u64,
        counter: Option<&Instructions>,
    ) -> Result<Measured> {
        let (Some(at), Some(server)) = (self.sides.get(side), self.servers.get(side)) else {
            bail!("there are two sides")
        };
        let pids = (server.pid(), at.data.pid());
        let limit = (requests, self.task.seconds * PATIENCE + 10);
        let measured = at.wrk(cell.scenario).run_counted(server.port, cell, limit, self.seed, pids, counter).await?;
        settle(&[pids.0, pids.1]).await;
        Ok(measured)
    }
}
