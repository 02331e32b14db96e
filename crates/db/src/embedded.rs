//! The migrations that this program was built with.

use anyhow::{Context, Result};
use errand_postgres::migrate::{FUNCTIONS, Files, SqlFile};
use include_dir::{Dir, include_dir};

static MIGRATIONS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../migrations");

/// The migrations and functions of the checkout that this program was built from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Embedded;

impl Files for Embedded {
    fn read(&self) -> Result<Vec<SqlFile>> {
        let mut files = Vec::new();
        // As a folder on disk is read: the order is a part of the functions' checksum.
        let functions = FUNCTIONS.into_iter().filter_map(|folder| MIGRATIONS.get_dir(folder));
        for folder in [&MIGRATIONS].into_iter().chain(functions) {
            let from = files.len();
            for file in folder.files() {
                if file.path().extension().is_none_or(|extension| extension != "sql") {
                    continue;
                }
                let path = format!("migrations/{}", file.path().display());
                let text = file.contents_utf8().with_context(|| format!("{path} is not UTF-8"))?.replace("\r\n", "\n");
                files.push(SqlFile { path, text });
            }
            if let Some(folder) = files.get_mut(from..) {
                folder.sort_by(|one: &SqlFile, other| one.path.cmp(&other.path));
            }
        }
        Ok(files)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn what_is_embedded_is_what_the_folder_has() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
        let texts = |files: Vec<SqlFile>| files.into_iter().map(|file| (file.path, file.text)).collect::<Vec<_>>();
        let (embedded, on_disk) = (texts(Embedded.read().unwrap()), texts(folder.read().unwrap()));
        assert_eq!(embedded, on_disk);
        assert!(embedded.len() > 10);
    }
}
