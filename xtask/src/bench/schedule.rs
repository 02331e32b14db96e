//! What is measured, in which order and for how long.

use std::collections::BTreeSet;

use super::{
    peer::Peer,
    scenario::{self, Cell, Scenario},
};

/// The numbers of connections of a whole run, beside the crowd.
pub(crate) const CONNECTIONS: [u32; 3] = [1, 32, 100];
/// The number of connections at which a few scenarios are measured.
pub(crate) const CROWD: u32 = 1_000;
const OF_CROWD: [Scenario; 4] = [Scenario::Get, Scenario::List, Scenario::Create, Scenario::Day];
/// As many as an interval of 95 % needs: with six it is one of 97 %.
const ROUNDS: u32 = 6;
/// The crowd, and a peer that is slow, tell enough in two.
const FEW_ROUNDS: u32 = 2;
/// Beyond so many rounds, slots become longer.
const MOST_ROUNDS: u32 = 12;
/// Seconds for each slot to start wrk, to look at processes and to let servers come to rest.
const BETWEEN: f64 = 0.5;

/// A cell in a round: each of these peers is measured for so many seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) round: u32,
    pub(crate) cell: Cell,
    /// wrk knows whole ones.
    pub(crate) seconds: u64,
    pub(crate) peers: Vec<Peer>,
}

/// All turns of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Schedule {
    pub(crate) turns: Vec<Turn>,
}

impl Schedule {
    /// A run to keep: every cell in each round, the crowd in the last ones.
    pub(crate) fn full(scenarios: &[Scenario], peers: &[Peer]) -> Self {
        let of_round = |round| {
            let mut cells = scenario::cells(scenarios, &CONNECTIONS);
            if round + FEW_ROUNDS > ROUNDS {
                let crowd: Vec<_> = OF_CROWD.into_iter().filter(|scenario| scenarios.contains(scenario)).collect();
                cells.extend(scenario::cells(&crowd, &[CROWD]));
            }
            cells
        };
        let is_measured = |round, peer| peer != Peer::Workerd || round + FEW_ROUNDS > ROUNDS;
        Self::new(ROUNDS, of_round, is_measured, (peers, 1))
    }

    /// A first look: everything at 32 connections, and reads where they wait for nothing else.
    pub(crate) fn quick(scenarios: &[Scenario], peers: &[Peer]) -> Self {
        let cells = scenarios.iter().flat_map(|scenario| {
            let connections: &[u32] = if matches!(scenario, Scenario::Get | Scenario::List) { &[1, 32] } else { &[32] };
            scenario::cells(&[*scenario], connections)
        });
        let cells: Vec<Cell> = cells.collect();
        Self::new(1, |_| cells.clone(), |_, _| true, (peers, 1))
    }

    /// These cells, as often as they fit into the seconds, and once at least.
    pub(crate) fn of_seconds(cells: &[Cell], peers: &[Peer], seconds: u64) -> Self {
        let once = cells.iter().map(|cell| cell.seconds()).sum::<u64>() * peers.len() as u64;
        let times = (seconds / once.max(1)).max(1);
        let rounds = times.min(u64::from(MOST_ROUNDS));
        let rounds_as_number = u32::try_from(rounds).unwrap_or(MOST_ROUNDS);
        Self::new(rounds_as_number, |_| cells.to_vec(), |_, _| true, (peers, times / rounds))
    }

    fn new(
        rounds: u32,
        cells: impl Fn(u32) -> Vec<Cell>,
        is_measured: impl Fn(u32, Peer) -> bool,
        (peers, times): (&[Peer], u64),
    ) -> Self {
        let mut turns = Vec::new();
        for round in 1..=rounds {
            let mut peers: Vec<Peer> = peers.iter().copied().filter(|peer| is_measured(round, *peer)).collect();
            // No server always runs first. Each second round is the one before it backwards.
            if let Some(shift) = ((round as usize - 1) / 2).checked_rem(peers.len()) {
                peers.rotate_left(shift);
            }
            if round % 2 == 0 {
                peers.reverse();
            }
            for cell in cells(round) {
                turns.push(Turn { round, cell, seconds: cell.seconds() * times, peers: peers.clone() });
            }
        }
        Self { turns }
    }

    /// What is measured, each once.
    pub(crate) fn cells(&self) -> Vec<Cell> {
        let mut cells: Vec<Cell> = self.turns.iter().map(|turn| turn.cell).collect();
        let mut seen = BTreeSet::new();
        cells.retain(|cell| seen.insert(*cell));
        cells
    }

    pub(crate) fn rounds(&self) -> u32 {
        self.turns.iter().map(|turn| turn.round).max().unwrap_or_default()
    }

    pub(crate) fn slots(&self) -> usize {
        self.turns.iter().map(|turn| turn.peers.len()).sum()
    }

    /// Seconds of measuring.
    pub(crate) fn seconds(&self) -> u64 {
        self.turns.iter().map(|turn| turn.seconds * turn.peers.len() as u64).sum()
    }

    /// About how many seconds the turns from this one on take in all.
    pub(crate) fn estimate(turns: &[Turn]) -> f64 {
        turns.iter().map(|turn| (turn.seconds as f64 + BETWEEN) * turn.peers.len() as f64).sum()
    }
}

impl Cell {
    /// How long it is measured. In a second, a slow server has not answered a crowd once, and of what a fast one has answered, the
    /// slowest hundredth are those that came first and found it idle.
    fn seconds(self) -> u64 {
        match self.connections {
            0..100 => 1,
            100..CROWD => 2,
            _ => 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEERS: [Peer; 4] = [Peer::Host, Peer::Axum, Peer::Workerd, Peer::Fastapi];

    fn rounds_of(schedule: &Schedule, cell: Cell, peer: Peer) -> u32 {
        let turns = schedule.turns.iter().filter(|turn| turn.cell == cell && turn.peers.contains(&peer));
        u32::try_from(turns.count()).unwrap()
    }

    #[test]
    fn a_full_run_has_an_interval_of_each_cell_and_asks_the_crowd_twice() {
        let schedule = Schedule::full(&Scenario::ALL, &PEERS);
        for scenario in Scenario::ALL {
            for connections in CONNECTIONS {
                let cell = Cell { connections, scenario };
                assert_eq!(rounds_of(&schedule, cell, Peer::Axum), 6, "{cell:?}");
                assert_eq!(rounds_of(&schedule, cell, Peer::Workerd), 2, "{cell:?}");
            }
            let crowd = rounds_of(&schedule, Cell { connections: CROWD, scenario }, Peer::Host);
            assert_eq!(crowd, if OF_CROWD.contains(&scenario) { 2 } else { 0 }, "{scenario:?}");
        }
        // The crowd comes after everything that others are measured by in its round.
        assert_eq!(schedule.turns.last().map(|turn| turn.cell.connections), Some(CROWD));
        assert_eq!(schedule.rounds(), 6);
    }

    #[test]
    fn a_full_run_of_all_peers_takes_less_than_an_hour() {
        let schedule = Schedule::full(&Scenario::ALL, &Peer::ALL);
        let seconds = Schedule::estimate(&schedule.turns);
        assert!(seconds < 3_300.0, "{seconds} s, and warming up takes some minutes");
        let quick = Schedule::quick(&Scenario::ALL, &Peer::ALL);
        assert!(quick.seconds() <= 110, "{} s", quick.seconds());
    }

    #[test]
    fn no_peer_is_first_in_every_round() {
        let schedule = Schedule::full(&[Scenario::Get], &PEERS);
        for peer in PEERS {
            let first = schedule.turns.iter().filter(|turn| turn.peers.first() == Some(&peer)).count();
            assert!(first < schedule.turns.len() / 2, "{peer:?}");
        }
    }

    #[test]
    fn rounds_fit_into_the_seconds() {
        let cells = scenario::cells(&[Scenario::Get, Scenario::List], &[32, 100]);
        for (seconds, rounds, each) in [(0, 1, 1), (24, 1, 1), (48, 2, 1), (300, 12, 1), (600, 12, 2)] {
            let schedule = Schedule::of_seconds(&cells, &PEERS, seconds);
            assert_eq!(schedule.rounds(), rounds, "{seconds} s");
            assert_eq!(schedule.turns.first().map(|turn| turn.seconds), Some(each), "{seconds} s");
            assert!(schedule.seconds() <= seconds.max(24), "{seconds} s");
        }
    }
}
