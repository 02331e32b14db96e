//! Measuring both sides in rounds.
//!
//! In each round both servers are started anew, because where a process happens to lie in memory makes it faster or slower
//! by a percent or two as long as it lives. A scenario then goes to both in short pieces by turns, with the same requests and
//! as many of them: the speed of a virtual machine changes by a tenth from one second to the next, and pieces that are
//! shorter than that share it.

use anyhow::{Result, bail};

use super::{Side, Task};
use crate::bench::{
    instructions::Instructions,
    load::Measured,
    peer::{Peer, Running},
    scenario::{Cell, Scenario},
    settle,
};

/// How many pieces a slot has; a power of two, so that no side is the first one more often, or earlier, than the other.
const PIECES: u32 = 8;
/// The least number of requests in a slot: below, the requests in flight at the end of each piece weigh too much.
const FEWEST: u64 = 1_600;
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
        let mut rates = [0.0; 2];
        for side in order(round, 0) {
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
        let mut pieces = [Vec::new(), Vec::new()];
        for piece in 0..PIECES {
            for side in order(round, piece) {
                let requests = one.requests / u64::from(PIECES);
                let measured = slot.measure(side, cell, (requests, piece), task.counter).await?;
                if let Some(pieces) = pieces.get_mut(side) {
                    pieces.push(measured);
                }
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

/// Which side is first: this, other, other, this, and the same the other way round (the sequence of Thue and Morse). What
/// changes evenly while a slot lasts is the same for both sides.
fn order(round: u32, piece: u32) -> [usize; 2] {
    if (round + piece.count_ones()) % 2 == 1 { [0, 1] } else { [1, 0] }
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
            return self.measure(side, cell, (requests, PIECES), None).await;
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

    /// The piece decides which requests are made.
    async fn measure(
        &self,
        side: usize,
        cell: Cell,
        (requests, piece): (u64, u32),
        counter: Option<&Instructions>,
    ) -> Result<Measured> {
        let (Some(at), Some(server)) = (self.sides.get(side), self.servers.get(side)) else {
            bail!("there are two sides")
        };
        let pids = (server.pid(), at.data.pid());
        let limit = (requests, self.task.seconds * PATIENCE + 10);
        let seed = self.seed * (PIECES + 1) + piece;
        let measured = at.wrk(cell.scenario).run_counted(server.port, cell, limit, seed, pids, counter).await?;
        settle(&[pids.0, pids.1]).await;
        Ok(measured)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_have_the_same_places_in_time() {
        for round in 1..=2 {
            let order: Vec<usize> = (0..PIECES).flat_map(|piece| order(round, piece)).collect();
            let places =
                |side: usize| order.iter().zip(0..).filter(move |(one, _)| **one == side).map(|(_, place)| place);
            for power in 0..3 {
                let sum = |side| places(side).map(|place: u64| place.pow(power)).sum::<u64>();
                assert_eq!(sum(0), sum(1), "round {round}, power {power}");
            }
        }
        assert_ne!(order(1, 0), order(2, 0));
    }
}
