//! What a run found, as JSON, as tables and as a plot.

mod tables;

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;

use super::{
    data::{Data, Size},
    floor::{Floor, Part},
    load::{Measured, Wrk},
    machine::Machine,
    peer::Peer,
    plot,
    scenario::Cell,
};
use crate::workspace;

/// A run.
#[derive(Serialize)]
pub(crate) struct Report {
    pub(crate) date: String,
    pub(crate) label: &'static str,
    pub(crate) machine: Machine,
    pub(crate) users: u32,
    pub(crate) tasks_of_each: u32,
    /// How often, and for how many seconds, each peer was measured in each cell.
    pub(crate) rounds: (u32, u64),
    /// Whether the time was over before every cell had its turn.
    pub(crate) cut_short: bool,
    /// How many answers were compared before.
    pub(crate) compared: usize,
    pub(crate) entries: Vec<Entry>,
    pub(crate) floor: Vec<Floor>,
    pub(crate) parts: Vec<Part>,
}

/// A peer in a cell.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Entry {
    #[serde(flatten)]
    pub(crate) cell: Cell,
    pub(crate) peer: Peer,
    #[serde(flatten)]
    pub(crate) measured: Measured,
}

impl Report {
    pub(crate) async fn new((data, wrk): (&Data, &Wrk), load: f64, label: &'static str, size: Size) -> Result<Self> {
        let postgres = data.ask("select current_setting('server_version')").await?;
        let versions = vec![("PostgreSQL".to_owned(), postgres), ("wrk".to_owned(), wrk.version.clone())];
        Ok(Self {
            date: date(data).await?,
            label,
            machine: Machine::look(load, versions).await,
            users: size.users,
            tasks_of_each: size.tasks,
            rounds: (0, 0),
            cut_short: false,
            compared: 0,
            entries: Vec::new(),
            floor: Vec::new(),
            parts: Vec::new(),
        })
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
        self.entries.iter().find(|entry| entry.cell == cell && entry.peer == peer).map(|entry| &entry.measured)
    }

    /// The peers that were measured, in the order in which they are shown.
    pub(crate) fn peers(&self) -> Vec<Peer> {
        Peer::ALL.into_iter().filter(|peer| self.entries.iter().any(|entry| entry.peer == *peer)).collect()
    }

    /// What the others are compared with.
    pub(crate) fn base(&self) -> Option<Peer> {
        self.peers().into_iter().next()
    }

    pub(crate) fn cells(&self) -> Vec<Cell> {
        let mut cells: Vec<Cell> = self.entries.iter().map(|entry| entry.cell).collect();
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
