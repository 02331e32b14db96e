//! Finding PostgreSQL's programs on this machine.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::home::{Home, fallback};

/// What the private server needs.
const PROGRAMS: [&str; 3] = ["postgres", "initdb", "pg_ctl"];
/// The oldest version that is still maintained.
const MIN_VERSION: u32 = 14;

/// A folder with the server's programs, and their major version.
#[derive(Debug, Clone)]
pub(super) struct Binaries {
    folder: PathBuf,
    pub(super) major: u32,
}

impl Binaries {
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn at(folder: &Path) -> Option<Self> {
        if !PROGRAMS.iter().all(|name| folder.join(name).is_file()) {
            return None;
        }
        let output = Command::new(folder.join("postgres")).arg("--version").output().ok()?;
        let major = major(&String::from_utf8_lossy(&output.stdout))?;
        (major >= MIN_VERSION).then(|| Self { folder: folder.to_owned(), major })
    }
}

/// The programs to use: those of the data's version when data is there, else the first found.
pub(super) fn find(checkout: &Path, wanted: Option<u32>) -> Option<Binaries> {
    let mut first = None;
    for folder in folders(checkout) {
        let Some(found) = Binaries::at(&folder) else {
            continue;
        };
        if wanted.is_none_or(|major| major == found.major) {
            return Some(found);
        }
        first.get_or_insert(found);
    }
    first
}

pub(super) fn client_program(checkout: &Path, name: &str) -> Option<PathBuf> {
    folders(checkout).into_iter().map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// Where a private copy is unpacked, by version.
pub(super) fn private_copies(checkout: &Path) -> [PathBuf; 2] {
    [checkout.join(".errand/postgresql"), fallback(checkout).join("postgresql")]
}

/// The one of them that the server's user can reach.
pub(super) fn private_copies_for(checkout: &Path, home: &Home) -> PathBuf {
    let [inside, outside] = private_copies(checkout);
    if home.folder().starts_with(checkout) { inside } else { outside }
}

/// PATH first, because it is an explicit choice; then the usual places, newest version first.
fn folders(checkout: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = env::var_os("PATH").iter().flat_map(env::split_paths).collect();
    // A lone link on PATH leads to its siblings.
    let linked: Vec<PathBuf> = folders
        .iter()
        .filter_map(|folder| folder.join("postgres").canonicalize().ok()?.parent().map(Path::to_owned))
        .collect();
    folders.extend(linked);
    for (base, below) in [
        ("/usr/lib/postgresql", "bin"),
        ("/usr/local/pgsql", ""),
        ("/opt/homebrew/opt", "bin"),
        ("/usr/local/opt", "bin"),
        ("/home/linuxbrew/.linuxbrew/opt", "bin"),
        ("/Library/PostgreSQL", "bin"),
        ("/Applications/Postgres.app/Contents/Versions", "bin"),
        ("/usr", "bin"),
    ] {
        folders.extend(
            children(Path::new(base))
                .into_iter()
                .filter(|path| names_postgres(base, path))
                .map(|path| path.join(below)),
        );
    }
    for copies in private_copies(checkout) {
        folders.extend(children(&copies).into_iter().map(|path| path.join("bin")));
    }
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output() {
        folders.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    }
    folders
}

/// In folders shared with other software only what is called after PostgreSQL counts (`/usr/pgsql-17`).
fn names_postgres(base: &str, path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let shared = base.ends_with("/opt") || base == "/usr";
    !shared || name.starts_with("postgresql") || name.starts_with("pgsql")
}

/// Subfolders, highest number first.
fn children(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    found.sort_by_key(|path| std::cmp::Reverse(trailing_number(path)));
    found
}

fn trailing_number(path: &Path) -> u32 {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.split(|c: char| !c.is_ascii_digit())
        .find(|part| !part.is_empty())
        .and_then(|part| part.parse().ok())
        .unwrap_or(0)
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` is 15; so is `15beta1`.
fn major(version: &str) -> Option<u32> {
    let number = version.split_once("(PostgreSQL)")?.1.trim_start();
    let end = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    number.get(..end)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 18beta2"), Some(18));
        assert_eq!(major("something else 3"), None);
    }

    #[test]
    fn only_postgresql_counts_in_shared_folders() {
        assert!(names_postgres("/usr", Path::new("/usr/pgsql-17")));
        assert!(!names_postgres("/usr", Path::new("/usr/lib")));
        assert!(names_postgres("/usr/lib/postgresql", Path::new("/usr/lib/postgresql/15")));
        assert_eq!(trailing_number(Path::new("/opt/homebrew/opt/postgresql@17")), 17);
    }
}
