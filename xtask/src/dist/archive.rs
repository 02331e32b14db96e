//! Archives whose bytes depend on their files alone: no times, no owners, one order.

use std::{collections::BTreeMap, fs::File, io::Write, path::Path};

use anyhow::{Context, Result};
use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};

use super::sha256;

/// The name of the file with the checksums, in the form of `sha256sum`.
pub(super) const SUMS: &str = "SHA256SUMS";

/// The files of an archive by path.
#[derive(Default)]
pub(super) struct Files(BTreeMap<String, Entry>);

struct Entry {
    bytes: Vec<u8>,
    executable: bool,
}

impl Files {
    pub(super) fn add(&mut self, path: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.0.insert(path.into(), Entry { bytes: bytes.into(), executable: false });
    }

    pub(super) fn add_program(&mut self, path: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.0.insert(path.into(), Entry { bytes: bytes.into(), executable: true });
    }

    /// The bytes of a file.
    #[cfg(test)]
    pub(super) fn get(&self, path: &str) -> Option<&[u8]> {
        self.0.get(path).map(|entry| entry.bytes.as_slice())
    }

    /// Adds the checksums of all that is there.
    pub(super) fn add_sums(&mut self) {
        let lines: String = self.0.iter().map(|(path, entry)| sum_line(path, &entry.bytes)).collect();
        self.add(SUMS, lines);
    }

    /// Writes a gzipped tar, with everything in one folder.
    pub(super) fn write(&self, archive: &Path, folder: &str) -> Result<()> {
        let file = File::create(archive).with_context(|| format!("cannot write {}", archive.display()))?;
        let gzip = GzBuilder::new().mtime(0).write(file, Compression::best());
        let mut tar = Builder::new(gzip);
        for (path, entry) in &self.0 {
            let mut header = Header::new_gnu();
            header.set_entry_type(EntryType::Regular);
            header.set_size(entry.bytes.len() as u64);
            header.set_mode(if entry.executable { 0o755 } else { 0o644 });
            header.set_mtime(0);
            tar.append_data(&mut header, format!("{folder}/{path}"), entry.bytes.as_slice())?;
        }
        tar.into_inner()?.finish()?.flush()?;
        Ok(())
    }
}

/// A line of `sha256sum`.
pub(super) fn sum_line(name: &str, bytes: &[u8]) -> String {
    format!("{}  {name}\n", sha256(bytes))
}
