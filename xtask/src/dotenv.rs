//! The file `.env`: read as Spin reads it, edited line by line, so that comments and other people's lines stay.

use std::{
    fs::{self, File, Permissions},
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// An open `.env`; changes count once they are saved.
#[derive(Debug)]
pub(crate) struct Dotenv {
    path: PathBuf,
    text: String,
    changed: bool,
}

impl Dotenv {
    /// Reads the file; one that is not there is empty.
    pub(crate) fn open(path: PathBuf) -> Result<Self> {
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        // Read through once, so that a broken line is reported here and not as a missing value.
        for entry in dotenvy::from_read_iter(text.as_bytes()) {
            entry.with_context(|| format!("{} has a line that is not KEY=value", path.display()))?;
        }
        Ok(Self { path, text, changed: false })
    }

    /// A value; an empty one counts as absent.
    pub(crate) fn get(&self, key: &str) -> Option<String> {
        let entries = dotenvy::from_read_iter(self.text.as_bytes()).flatten();
        entries.filter(|(name, _)| name == key).map(|(_, value)| value).last().filter(|value| !value.is_empty())
    }

    /// Sets a value where the key stands, or at the end.
    pub(crate) fn set(&mut self, key: &str, value: &str) {
        if self.get(key).as_deref() == Some(value) {
            return;
        }
        let line = format!("{key}={}", quoted(value));
        let mut found = false;
        let mut lines: Vec<String> = Vec::new();
        for old in self.text.lines() {
            if !names(old, key) {
                lines.push(old.to_owned());
            } else if !found {
                found = true;
                lines.push(line.clone());
            }
        }
        if !found {
            lines.push(line);
        }
        self.text = lines.join("\n") + "\n";
        self.changed = true;
    }

    /// A comment at the end of the file.
    pub(crate) fn comment(&mut self, text: &str) {
        self.text.push_str(&format!("# {text}\n"));
        self.changed = true;
    }

    /// Whether the file has nothing yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Writes the changes, if any: whole or not at all, and for the owner's eyes only.
    pub(crate) fn save(&mut self) -> Result<()> {
        let failed = || format!("cannot write {}", self.path.display());
        if self.path.exists() {
            fs::set_permissions(&self.path, Permissions::from_mode(0o600)).with_context(failed)?;
        }
        if !self.changed {
            return Ok(());
        }
        // A link keeps pointing where it points.
        let target = self.path.canonicalize().unwrap_or_else(|_| self.path.clone());
        let beside = sibling(&target);
        let mut file =
            File::options().write(true).create(true).truncate(true).mode(0o600).open(&beside).with_context(failed)?;
        file.write_all(self.text.as_bytes()).and_then(|()| file.sync_all()).with_context(failed)?;
        fs::rename(&beside, &target).with_context(failed)?;
        self.changed = false;
        Ok(())
    }
}

fn sibling(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    path.with_file_name(name)
}

fn names(line: &str, key: &str) -> bool {
    let line = line.trim_start();
    let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
    line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='))
}

/// In single quotes unless plain: then a shell reads the file the same way.
fn quoted(value: &str) -> String {
    if value.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:,+@%".contains(c)) {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Result<(tempfile::TempDir, Dotenv)> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join(".env");
        if !text.is_empty() {
            fs::write(&path, text)?;
        }
        Ok((folder, Dotenv::open(path)?))
    }

    #[test]
    fn other_lines_stay_as_they_are() -> Result<()> {
        let before = "# mine\nexport A='x y' # why\n\nB=1\n#B=2\nBB=3";
        let (_folder, mut env) = file(before)?;
        env.set("B", "postgres://a:b@h/d?x=1&y=2");
        env.set("C", "3");
        env.save()?;
        assert_eq!(
            fs::read_to_string(&env.path)?,
            "# mine\nexport A='x y' # why\n\nB='postgres://a:b@h/d?x=1&y=2'\n#B=2\nBB=3\nC=3\n"
        );
        assert_eq!(env.get("A").as_deref(), Some("x y"));
        assert_eq!(env.get("B").as_deref(), Some("postgres://a:b@h/d?x=1&y=2"));
        Ok(())
    }

    #[test]
    fn the_file_is_for_its_owner_only() -> Result<()> {
        let (_folder, mut env) = file("A=1\n")?;
        env.save()?;
        assert_eq!(fs::metadata(&env.path)?.permissions().mode() & 0o777, 0o600);
        let (_folder, mut env) = file("")?;
        env.set("A", "1");
        env.save()?;
        assert_eq!(fs::metadata(&env.path)?.permissions().mode() & 0o777, 0o600);
        Ok(())
    }

    #[test]
    fn what_was_set_is_read_back() -> Result<()> {
        let (_folder, mut env) = file("A=\n")?;
        assert_eq!(env.get("A"), None);
        for value in ["plain", "it's", "a b", "$HOME #x", "\"q\"", "p%40ss"] {
            env.set("A", value);
            assert_eq!(env.get("A").as_deref(), Some(value));
        }
        Ok(())
    }
}
