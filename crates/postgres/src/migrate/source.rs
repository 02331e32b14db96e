//! The migrations and functions of a checkout, read from disk and compared with what a database has.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use super::{Entry, ledger::Applied};
use crate::secret::to_hex;

/// Where the migrations and functions are.
pub trait Files {
    /// Every file `NNNN_name.up.sql`, `NNNN_name.down.sql` and `access.sql`, then those of each folder of [`FUNCTIONS`]; those of a folder
    /// by name.
    ///
    /// # Errors
    ///
    /// When one cannot be read.
    fn read(&self) -> Result<Vec<SqlFile>>;
}

/// A folder on disk.
impl Files for Path {
    fn read(&self) -> Result<Vec<SqlFile>> {
        let mut paths = sql_files(self)?;
        for folder in FUNCTIONS.map(|folder| self.join(folder)) {
            if folder.is_dir() {
                paths.extend(sql_files(&folder)?);
            }
        }
        paths.iter().map(|path| read_file(self, path)).collect()
    }
}

impl Files for PathBuf {
    fn read(&self) -> Result<Vec<SqlFile>> {
        self.as_path().read()
    }
}

/// A file of SQL.
#[derive(Debug)]
pub struct SqlFile {
    /// As people call it: relative to the folder above `migrations`.
    pub path: String,
    /// Its lines end in `\n` alone.
    pub text: String,
}

/// A numbered migration.
#[derive(Debug)]
pub(super) struct Migration {
    pub(super) version: i32,
    pub(super) name: String,
    pub(super) up: SqlFile,
    pub(super) down: Option<SqlFile>,
}

impl Migration {
    pub(super) fn checksum(&self) -> String {
        checksum([self.up.text.as_str()])
    }
}

/// All that a checkout has; the versions are 1, 2, 3 and so on.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) migrations: Vec<Migration>,
    pub(super) functions: Vec<SqlFile>,
    /// Who may call the functions.
    pub(super) access: Option<SqlFile>,
}

/// The file beside the numbered ones.
const ACCESS: &str = "access.sql";
/// The folders beside them, in the order in which their files are run: the helpers of schema `errand`, then schema `api`, which calls them.
/// PostgreSQL looks up what a function in SQL calls when the function is made.
pub const FUNCTIONS: [&str; 2] = ["functions/errand", "functions"];

impl Source {
    pub(super) fn read<F: Files + ?Sized>(files: &F) -> Result<Self> {
        let mut ups = BTreeMap::new();
        let mut downs = BTreeMap::new();
        let mut access = None;
        let mut functions = Vec::new();
        for file in files.read()? {
            let path = Path::new(&file.path);
            if path.parent().is_some_and(|folder| FUNCTIONS.iter().any(|name| folder.ends_with(name))) {
                functions.push(file);
                continue;
            }
            if path.file_name().is_some_and(|name| name == ACCESS) {
                access = Some(file);
                continue;
            }
            let (version, name, up) = parse_name(path)?;
            let side = if up { &mut ups } else { &mut downs };
            let shown = file.path.clone();
            if let Some((_, twin)) = side.insert(version, (name, file)) {
                bail!("two migrations have the number {version:04}: {} and {shown}", twin.path);
            }
        }
        let mut migrations = Vec::with_capacity(ups.len());
        for (expected, (version, (name, up))) in (1..).zip(ups) {
            if version != expected {
                bail!("the migration {expected:04} is missing: after it comes {}", up.path);
            }
            let down = match downs.remove(&version) {
                Some((other, file)) if other != name => {
                    bail!("{} and {} have one number but two names", up.path, file.path)
                }
                found => found.map(|(_, file)| file),
            };
            migrations.push(Migration { version, name, up, down });
        }
        if let Some((_, file)) = downs.into_values().next() {
            bail!("{} has no .up.sql beside it", file.path);
        }
        Ok(Self { migrations, functions, access })
    }

    /// Refuses a database whose history is not a beginning of this checkout's.
    pub(super) fn check(&self, applied: &[Applied]) -> Result<()> {
        for entry in self.compare(applied) {
            if let Some(problem) = entry.problem {
                bail!("{problem}");
            }
        }
        Ok(())
    }

    /// Both histories side by side.
    pub(super) fn compare(&self, applied: &[Applied]) -> Vec<Entry> {
        let known = applied.iter().enumerate().map(|(index, done)| {
            let name = format!("{:04}_{}", done.version, done.name);
            let problem = match self.migrations.get(index) {
                None => Some(format!("migrations/{name}.up.sql is applied to this database but not in this checkout; update the checkout")),
                Some(m) if m.version != done.version || m.name != done.name => {
                    Some(format!("this database has {name} where the checkout has {}", m.up.path))
                }
                Some(m) if m.checksum() != done.checksum => Some(format!(
                    "{} has changed since it was applied to this database; restore it, and put the change into a new migration \
                     (while developing: `cargo xtask db rollback`, or `reset`, which loses the data)",
                    m.up.path
                )),
                Some(_) => None,
            };
            Entry { name, applied_at: Some(done.applied_at.clone()), problem }
        });
        let waiting = self.migrations.iter().skip(applied.len()).map(|m| Entry {
            name: format!("{:04}_{}", m.version, m.name),
            applied_at: None,
            problem: None,
        });
        known.chain(waiting).collect()
    }

    /// Of the text of the functions and their grants, and of the migrations that it was written for.
    pub(super) fn functions_checksum(&self) -> String {
        let functions =
            self.functions.iter().chain(&self.access).flat_map(|file| [file.path.as_str(), file.text.as_str()]);
        let migrations = self.migrations.iter().map(|m| m.up.text.as_str());
        checksum(functions.chain(migrations))
    }
}

fn sql_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read the migrations in {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "sql") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read_file(folder: &Path, path: &Path) -> Result<SqlFile> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    // A checkout on Windows must not look like a changed migration.
    Ok(SqlFile { path: shown(folder, path), text: text.replace("\r\n", "\n") })
}

fn shown(folder: &Path, path: &Path) -> String {
    let base = folder.parent().unwrap_or(folder);
    path.strip_prefix(base).unwrap_or(path).display().to_string()
}

/// `0007_add_tags.up.sql` is 7, `add_tags`, up.
fn parse_name(path: &Path) -> Result<(i32, String, bool)> {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let parsed = (|| {
        let (stem, up) = match file.strip_suffix(".up.sql") {
            Some(stem) => (stem, true),
            None => (file.strip_suffix(".down.sql")?, false),
        };
        let (number, name) = stem.split_once('_')?;
        let digits = number.len() == 4 && number.bytes().all(|b| b.is_ascii_digit());
        (digits && !name.is_empty()).then_some((number.parse().ok()?, name.to_owned(), up))
    })();
    parsed.with_context(|| {
        format!(
            "{} is not named like a migration: 0001_name.up.sql or 0001_name.down.sql (or {ACCESS}, for grants)",
            path.display()
        )
    })
}

fn checksum<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        // Lengths between the texts, so that moving a line from one file to the next is a change.
        hash.update(text.len().to_be_bytes());
        hash.update(text);
    }
    to_hex(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> Result<tempfile::TempDir> {
        let folder = tempfile::tempdir()?;
        for (name, text) in files {
            fs::write(folder.path().join(name), text)?;
        }
        Ok(folder)
    }

    fn refusal(files: &[(&str, &str)]) -> Result<String> {
        let folder = folder(files)?;
        Ok(Source::read(folder.path()).err().map(|error| error.to_string()).unwrap_or_default())
    }

    #[test]
    fn gaps_twins_and_strays_are_refused() -> Result<()> {
        assert!(refusal(&[("0001_a.up.sql", ""), ("0003_c.up.sql", "")])?.contains("0002 is missing"));
        assert!(refusal(&[("0001_a.up.sql", ""), ("0001_b.up.sql", "")])?.contains("two migrations"));
        assert!(refusal(&[("0001_a.up.sql", ""), ("0001_b.down.sql", "")])?.contains("two names"));
        assert!(refusal(&[("0001_a.up.sql", ""), ("0002_b.down.sql", "")])?.contains("no .up.sql"));
        assert!(refusal(&[("1_a.up.sql", "")])?.contains("not named like a migration"));
        assert!(refusal(&[("0001_a.sql", "")])?.contains("not named like a migration"));
        Ok(())
    }

    #[test]
    fn line_endings_do_not_change_a_checksum() -> Result<()> {
        let unix = Source::read(folder(&[("0001_a.up.sql", "select 1;\n")])?.path())?;
        let windows = Source::read(folder(&[("0001_a.up.sql", "select 1;\r\n")])?.path())?;
        assert_eq!(
            unix.migrations.first().map(Migration::checksum),
            windows.migrations.first().map(Migration::checksum)
        );
        Ok(())
    }
}
