//! What a run found, as JSON, as tables and as a plot.

mod goals;
mod tables;

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;

use super::{
    compare::Comparison,
    data::{Data, Size},
    floor::{Floor, Part},
    load::{Measured, Wrk},
    machine::Machine,
    peer::Peer,
    plot,
    scenario::Cell,
    schedule::Schedule,
    signer::Alg,
    statistics::Ratio,
    warm::Warmed,
};
use crate::workspace;

/// A run.
#[derive(Serialize)]
pub(crate) struct Report {
    pub(crate) date: String,
    pub(crate) label: &'static str,
    pub(crate) machine: Machine,
    pub(crate) sizes: Vec<Size>,
    /// Of the tokens.
    pub(crate) alg: Alg,
    pub(crate) rounds: u32,
    /// How many answers were compared before.
    pub(crate) compared: usize,
    pub(crate) warmed: Vec<Warmed>,
    /// All that was measured.
    pub(crate) slots: Vec<Slot>,
    /// The rounds of each peer in each cell as one.
    pub(crate) entries: Vec<Entry>,
    pub(crate) floor: Vec<Floor>,
    pub(crate) parts: Vec<Part>,
    /// KiB that each server held at the end, where a crowd was there.
    pub(crate) held: Vec<(Peer, u64)>,
    /// KiB that PostgreSQL held then.
    pub(crate) postgres_kib: u64,
}

/// A peer in a cell, in a round.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Slot {
    pub(crate) round: u32,
    #[serde(flatten)]
    pub(crate) cell: Cell,
    pub(crate) peer: Peer,
    #[serde(flatten)]
    pub(crate) measured: Measured,
}

/// A peer in a cell.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Entry {
    #[serde(flatten)]
    pub(crate) cell: Cell,
    pub(crate) peer: Peer,
    #[serde(flatten)]
    pub(crate) measured: Measured,
    /// Requests per second of errand in the local host, divided by those of this peer.
    pub(crate) ratio: Option<Ratio>,
}

impl Report {
    pub(crate) async fn new(
        (data, wrk): (&Data, &Wrk),
        load: f64,
        comparison: &Comparison,
        schedule: &Schedule,
    ) -> Result<Self> {
        let postgres = data.ask("select current_setting('server_version')").await?;
        let versions = vec![("PostgreSQL".to_owned(), postgres), ("wrk".to_owned(), wrk.version.clone())];
        Ok(Self {
            date: date(data).await?,
            label: comparison.label,
            sizes: comparison.sizes.clone(),
            alg: comparison.alg,
            rounds: schedule.rounds(),
            ..Self::empty(Machine::look(load, versions).await)
        })
    }

    /// Before anything was measured.
    fn empty(machine: Machine) -> Self {
        Self {
            date: String::new(),
            label: "quick",
            machine,
            sizes: Vec::new(),
            alg: Alg::Rs256,
            rounds: 0,
            compared: 0,
            warmed: Vec::new(),
            slots: Vec::new(),
            entries: Vec::new(),
            floor: Vec::new(),
            parts: Vec::new(),
            held: Vec::new(),
            postgres_kib: 0,
        }
    }

    /// Makes one entry of the slots of each peer in each cell.
    pub(crate) fn summarize(&mut self) {
        let mut entries = Vec::new();
        let base = self.base();
        for cell in self.cells() {
            for peer in self.peers() {
                let slots = self.slots.iter().filter(|slot| slot.cell == cell && slot.peer == peer);
                let rounds: Vec<Measured> = slots.map(|slot| slot.measured).collect();
                if !rounds.is_empty() {
                    let ratio = base.filter(|base| *base != peer).and_then(|base| self.ratio(cell, base, peer));
                    entries.push(Entry { cell, peer, measured: Measured::merged(&rounds), ratio });
                }
            }
        }
        self.entries = entries;
    }

    /// Writes the three files. What is not a whole run goes where git does not look.
    pub(crate) fn write(&self, whole: bool) -> Result<()> {
        let name = if self.label == "full" { self.date.clone() } else { format!("{}-{}", self.date, self.label) };
        let text = self.markdown(&name);
        println!("\n{text}");
        let plot = plot::svg(self);
        let json = serde_json::to_string_pretty(self)? + "\n";
        save(whole, &name, &[("json", json), ("md", text), ("svg", plot)])
    }

    /// What a peer did in a cell.
    pub(crate) fn entry(&self, cell: Cell, peer: Peer) -> Option<&Measured> {
        self.entry_of(cell, peer).map(|entry| &entry.measured)
    }

    fn entry_of(&self, cell: Cell, peer: Peer) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.cell == cell && entry.peer == peer)
    }

    /// A peer's figures in a cell, by rounds.
    pub(crate) fn rounds_of(&self, cell: Cell, peer: Peer) -> impl Iterator<Item = (u32, &Measured)> {
        let slots = self.slots.iter().filter(move |slot| slot.cell == cell && slot.peer == peer);
        slots.map(|slot| (slot.round, &slot.measured))
    }

    /// Requests per second of both, from each round that has both.
    pub(crate) fn pairs(&self, cell: Cell, this: Peer, other: Peer) -> Vec<(f64, f64)> {
        let pairs = self.rounds_of(cell, this).filter_map(|(round, measured)| {
            let (_, beside) = self.rounds_of(cell, other).find(|(at, _)| *at == round)?;
            Some((measured.rate(), beside.rate()))
        });
        pairs.collect()
    }

    /// How many times as many requests per second one serves as the other.
    pub(crate) fn ratio(&self, cell: Cell, this: Peer, other: Peer) -> Option<Ratio> {
        Ratio::of(&self.pairs(cell, this, other))
    }

    /// The peers that were measured, in the order in which they are shown.
    pub(crate) fn peers(&self) -> Vec<Peer> {
        Peer::ALL.into_iter().filter(|peer| self.slots.iter().any(|slot| slot.peer == *peer)).collect()
    }

    /// What the others are compared with.
    pub(crate) fn base(&self) -> Option<Peer> {
        self.peers().into_iter().next()
    }

    pub(crate) fn cells(&self) -> Vec<Cell> {
        let mut cells: Vec<Cell> = self.slots.iter().map(|slot| slot.cell).collect();
        cells.sort();
        cells.dedup();
        cells
    }
}

/// Today, in UTC.
pub(crate) async fn date(data: &Data) -> Result<String> {
    data.ask("select to_char(now() at time zone 'UTC', 'YYYY-MM-DD')").await
}

/// Where a file of a run goes, below the root. The JSON of a whole run is for programs on this machine, and is as large as
/// all tables together: git does not track it.
fn folder(whole: bool, extension: &str) -> &'static str {
    if whole && extension != "json" { "bench/results" } else { "target/bench/results" }
}

/// Writes `name.extension` for each text, and says where.
pub(crate) fn save(whole: bool, name: &str, files: &[(&str, String)]) -> Result<()> {
    files.iter().try_for_each(|(extension, text)| save_in(folder(whole, extension), name, extension, text))
}

/// Writes `name.extension` in a folder of this checkout, and says where.
pub(crate) fn save_in(folder: &str, name: &str, extension: &str, text: &str) -> Result<()> {
    let root = workspace::root()?;
    let folder = root.join(folder);
    fs::create_dir_all(&folder)?;
    let path: PathBuf = folder.join(format!("{name}.{extension}"));
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    eprintln!("errand: wrote {}", path.strip_prefix(&root).unwrap_or(&path).display());
    Ok(())
}
