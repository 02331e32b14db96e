//! What came of each mutant, kept in `target/mutants/<digest>/ledger.jsonl`, so that a run continues where another ended.
//! The digest is of everything that decides an outcome; results of another state of the sources do not count.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::mutant::Outcome;
use crate::{process, process::BRIEF, workspace};

/// What decides an outcome: the sources, the tests and what they read, the crates that they are built of.
const COVERED: [&str; 11] = [
    "src",
    "migrations",
    "tests",
    "crates/native",
    "crates/postgres",
    "fuzz/src",
    "fuzz/seeds",
    "openapi.json",
    "build.rs",
    "Cargo.toml",
    "Cargo.lock",
];

/// A line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) outcome: Outcome,
    pub(crate) seconds: f64,
}

/// The results of one state of the sources.
pub(crate) struct Ledger {
    file: File,
    entries: HashMap<String, Entry>,
}

impl Ledger {
    /// Reads what is there.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let path = folder.join("ledger.jsonl");
        let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        // A run that was killed while it wrote has left a part of a line.
        if !text.is_empty() && !text.ends_with('\n') {
            file.write_all(b"\n")?;
        }
        let entries = text.lines().filter_map(|line| serde_json::from_str::<Entry>(line).ok());
        Ok(Self { file, entries: entries.map(|entry| (entry.id.clone(), entry)).collect() })
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Entry> {
        self.entries.get(id)
    }

    pub(crate) fn add(&mut self, entry: Entry) -> Result<()> {
        let line = serde_json::to_string(&entry)? + "\n";
        self.file.write_all(line.as_bytes()).context("cannot write the ledger")?;
        self.entries.insert(entry.id.clone(), entry);
        Ok(())
    }
}

/// `target/mutants/<digest>` of the sources as they are now, committed or not.
pub(crate) async fn folder() -> Result<PathBuf> {
    let root = workspace::root()?;
    let mut digest = Sha256::new();
    for file in files(&COVERED).await? {
        // A file that is deleted and not yet committed is still listed.
        let Ok(content) = fs::read(root.join(&file)) else { continue };
        digest.update(file.as_bytes());
        digest.update([0]);
        digest.update(Sha256::digest(&content));
    }
    let digest: String = digest.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    Ok(root.join("target/mutants").join(digest))
}

/// The files that are the checkout's own, committed or not, in these places.
pub(crate) async fn files(places: &[&str]) -> Result<Vec<String>> {
    let mut git = workspace::program("git")?;
    git.args(["ls-files", "--cached", "--others", "--exclude-standard", "-z", "--"]).args(places);
    let listed = process::capture(git, BRIEF).await.context("`git ls-files` failed; mutants need a checkout")?;
    let mut files: Vec<_> = listed.split('\0').filter(|file| !file.is_empty()).map(str::to_owned).collect();
    files.sort();
    files.dedup();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, outcome: Outcome) -> Entry {
        Entry { id: id.to_owned(), outcome, seconds: 1.5 }
    }

    #[test]
    fn what_was_kept_is_there_again_after_a_write_that_was_cut_off() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let mut ledger = Ledger::open(folder.path())?;
        ledger.add(entry("a", Outcome::Killed("a test".to_owned())))?;
        ledger.file.write_all(b"{\"id\":\"b\",\"out")?;
        let mut ledger = Ledger::open(folder.path())?;
        ledger.add(entry("c", Outcome::Survived))?;
        let ledger = Ledger::open(folder.path())?;
        let outcome = |id| ledger.get(id).map(|entry| entry.outcome.clone());
        assert_eq!(outcome("a"), Some(Outcome::Killed("a test".to_owned())));
        assert_eq!((outcome("b"), outcome("c")), (None, Some(Outcome::Survived)));
        Ok(())
    }
}
