//! Measuring both sides in rounds.
//!
//! Both sides get the same requests at the same time. The speed of a virtual machine and the contents of its caches change from second
//! to second, and both sides meet the same changes. The processor time of a side is that of its server and of the PostgreSQL processes
//! that serve its database.
//!
//! In each round both servers are started anew from new copies of their programs, because where a process or a file happens to lie in
//! memory makes it faster or slower by a percent or two.

use anyhow::Result;

use super::{Side, Task};
use crate::bench::{
    instructions::Instructions,
    load::Measured,
    peer::{Peer, Running},
    scenario::{Cell, Scenario},
    settle,
    usage::Processes,
};

/// The number of pieces of a slot. Each piece opens new connections, so their distribution over the instances varies. It is even: each
/// side begins as many pieces a moment before the other one.
const PIECES: u32 = 8;
/// The least number of requests in a slot: below, the requests in flight at the end of each piece weigh too much.
const MIN_REQUESTS: u64 = 1_600;
/// The time limit of a slot, as a multiple of its planned time.
const LIMIT_FACTOR: u64 = 10;

/// One scenario on one runtime: a figure of each side for each round.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) peer: Peer,
    pub(crate) scenario: Scenario,
    pub(crate) connections: u32,
    /// How many requests there were in a slot.
    pub(crate) requests: u64,
    pub(crate) pairs: Vec<[Measured; 2]>,
}

/// Runs all rounds on one runtime.
pub(crate) async fn run(task: &Task<'_>, (peer, connections): (Peer, u32), sides: &[Side; 2]) -> Result<Vec<Found>> {
    let mut found: Vec<Found> = Vec::new();
    for scenario in task.scenarios {
        found.push(Found { peer, scenario: *scenario, connections, requests: 0, pairs: Vec::new() });
    }
    for round in 1..=task.rounds {
        let [this, other] = sides;
        this.data.checkpoint().await?;
        // Each side starts first in every other round.
        let servers = if round % 2 == 1 {
            [this.start(peer).await?, other.start(peer).await?]
        } else {
            let other = other.start(peer).await?;
            [this.start(peer).await?, other]
        };
        let slot = Slot { task, sides, servers: &servers, seed: round };
        let outcome = one(&slot, round, &mut found).await;
        if let Some(processors) = task.processors {
            processors.release(&slot.processes().collect::<Vec<_>>());
        }
        for server in servers {
            server.stop().await;
        }
        outcome?;
    }
    Ok(found)
}

async fn one(slot: &Slot<'_>, round: u32, found: &mut [Found]) -> Result<()> {
    let task = slot.task;
    for one in found {
        let cell = Cell { connections: one.connections, scenario: one.scenario };
        // Code that is compiled, plans that are cached and connections that are opened when first used are not measured.
        if one.requests == 0 {
            let mean = slot.rate(cell).await?;
            one.requests = ((mean * task.seconds as f64) as u64).max(MIN_REQUESTS);
        } else {
            slot.measure(cell, (one.requests / 2, PIECES), None).await?;
        }
        let mut pieces = [Vec::new(), Vec::new()];
        for piece in 0..PIECES {
            let measured = slot.measure(cell, (one.requests / u64::from(PIECES), piece), task.counter).await?;
            for (pieces, measured) in pieces.iter_mut().zip(measured) {
                pieces.push(measured);
            }
        }
        let pair = pieces.map(|pieces| Measured::merged(&pieces));
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
    /// Those of both sides.
    fn processes(&self) -> impl Iterator<Item = Processes> {
        let servers = self.servers.iter().map(Running::processes);
        servers.chain(self.sides.iter().map(|side| side.data.processes())).flatten()
    }

    /// Requests per second of a side that is loaded alone: the mean of both, warmed up.
    async fn rate(&self, cell: Cell) -> Result<f64> {
        let mut sum = 0.0;
        for (side, server) in self.sides.iter().zip(self.servers) {
            let wrk = side.wrk(cell.scenario);
            wrk.run(server.port, cell, 1, 0, (None, None)).await?;
            sum += wrk.run(server.port, cell, 1, 0, (None, None)).await?.rate();
            settle(&[server.pid(), side.data.pid()]).await;
        }
        Ok(sum / self.sides.len() as f64)
    }

    /// Both sides at the same time. The piece decides which requests are made.
    async fn measure(
        &self,
        cell: Cell,
        (requests, piece): (u64, u32),
        counter: Option<&Instructions>,
    ) -> Result<[Measured; 2]> {
        let limit = (requests, self.task.seconds * LIMIT_FACTOR + 10);
        let seed = self.seed * (PIECES + 1) + piece;
        let beside = counter.map(Instructions::beside);
        let processes: Vec<_> = self.processes().collect();
        if let Some(processors) = self.task.processors {
            processors.gather(&processes, seed);
        }
        let ([this, other], [this_server, other_server]) = (self.sides, self.servers);
        let run = async |side: &Side, server: &Running, counter| {
            let processes = [server.processes(), side.data.processes()];
            side.wrk(cell.scenario).run_counted(server.port, cell, limit, seed, processes, counter).await
        };
        let (run_this, run_other) = (run(this, this_server, counter), run(other, other_server, beside.as_ref()));
        // The first one starts a few milliseconds earlier.
        let (this_one, other_one) = if piece % 2 == 0 {
            tokio::try_join!(run_this, run_other)?
        } else {
            let (other_one, this_one) = tokio::try_join!(run_other, run_this)?;
            (this_one, other_one)
        };
        settle(&[this_server.pid(), other_server.pid(), this.data.pid()]).await;
        Ok([this_one, other_one])
    }
}
