//! Loading each server before it is measured: pools are filled, code is compiled, and caches have what they will have.

use std::collections::BTreeSet;

use anyhow::Result;
use serde::Serialize;

use super::{
    data::Data,
    load::Wrk,
    peer::{Peer, Running},
    scenario::{Cell, Scenario},
    settle,
};

/// The connections at which a server is loaded until it is steady.
const CONNECTIONS: u32 = 32;
/// How many of the last slots of a second have to be alike, and by what share they may differ.
const ALIKE: usize = 3;
const TOLERANCE: f64 = 0.05;
/// Seconds for a server, at most.
const MOST: usize = 15;

/// What warming up showed.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Warmed {
    pub(crate) peer: Peer,
    /// Requests in each second.
    pub(crate) rates: Vec<f64>,
    pub(crate) steady: bool,
}

/// Loads a server with the mixed day until its rate is steady, and then for a second with each other number of connections.
pub(crate) async fn warm(wrk: &Wrk, data: &Data, server: &Running, connections: &BTreeSet<u32>) -> Result<Warmed> {
    let slot = async |connections: u32, seed: u32| {
        wrk.run(server.port, Cell { connections, scenario: Scenario::Day }, 1, seed, (None, None)).await
    };
    let mut rates = Vec::new();
    // The seeds of rounds are smaller.
    for seed in (1_000..).take(MOST) {
        rates.push(slot(CONNECTIONS, seed).await?.rate());
        if is_steady(&rates) {
            break;
        }
    }
    for other in connections.iter().filter(|other| **other != CONNECTIONS) {
        slot(*other, 999).await?;
    }
    settle(&[server.pid(), data.pid()]).await;
    let warmed = Warmed { peer: server.peer, steady: is_steady(&rates), rates };
    eprintln!("errand: {}: {}", server.peer.title(), warmed.words());
    Ok(warmed)
}

impl Warmed {
    pub(crate) fn words(&self) -> String {
        let last: Vec<String> = self.rates.iter().rev().take(ALIKE).rev().map(|rate| format!("{rate:.0}")).collect();
        let state = if self.steady { "steady" } else { "not steady" };
        format!("{state} after {} s ({} requests per second at last)", self.rates.len(), last.join(", "))
    }
}

/// Whether the last slots are alike.
fn is_steady(rates: &[f64]) -> bool {
    let Some(last) = rates.len().checked_sub(ALIKE).and_then(|start| rates.get(start..)) else { return false };
    let (least, most) =
        last.iter().fold((f64::MAX, 0.0_f64), |(least, most), rate| (least.min(*rate), most.max(*rate)));
    most > 0.0 && least >= most * (1.0 - TOLERANCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_steady_when_its_last_seconds_are_alike() {
        for (rates, steady) in [
            ([100.0, 100.0].as_slice(), false),
            (&[100.0, 98.0, 99.0], true),
            (&[100.0, 95.0, 100.0], true),
            (&[100.0, 94.0, 100.0], false),
            // It still grows, though each second differs little from the one before.
            (&[100.0, 104.0, 108.0], false),
            (&[20.0, 60.0, 100.0, 99.0, 101.0], true),
            (&[100.0, 100.0, 100.0, 60.0], false),
            (&[0.0, 0.0, 0.0], false),
        ] {
            assert_eq!(is_steady(rates), steady, "{rates:?}");
        }
    }
}
