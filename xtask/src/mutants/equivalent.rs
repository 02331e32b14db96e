//! `mutants/equivalent.toml`: mutants that change nothing that anyone could notice, and why.

use std::{collections::HashSet, fs};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::mutant::Mutant;
use crate::workspace;

/// Where the list is, from the checkout's root.
pub(crate) const FILE: &str = "mutants/equivalent.toml";

/// The list.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Equivalents {
    #[serde(default)]
    equivalent: Vec<Entry>,
}

/// Changes of one line that are equivalent for one reason.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    file: String,
    /// The function or the statement around it.
    within: String,
    /// The first line that is changed, without the space around it.
    line: String,
    /// The changes as the command prints them, with the number in brackets where it has one.
    changes: Vec<String>,
    why: String,
}

impl Equivalents {
    pub(crate) fn read() -> Result<Self> {
        let path = workspace::root()?.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text).with_context(|| format!("{FILE} is not as it should be")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {FILE}")),
        }
    }

    fn parse(text: &str) -> Result<Self> {
        let list: Self = toml::from_str(text)?;
        for Entry { file, line, why, .. } in &list.equivalent {
            if why.trim().is_empty() {
                anyhow::bail!("the entry for `{line}` of {file} does not say why");
            }
        }
        Ok(list)
    }

    /// Whether the mutant is on the list.
    pub(crate) fn has(&self, mutant: &Mutant) -> bool {
        self.equivalent.iter().any(|entry| entry.changes.iter().any(|change| entry.is(change, mutant)))
    }

    /// Entries that are about no mutant there is: the line was changed, or the entry was never right.
    pub(crate) fn stale(&self, mutants: &[Mutant]) -> Vec<String> {
        let files: HashSet<_> = mutants.iter().map(|mutant| mutant.file.as_str()).collect();
        let of_these = self.equivalent.iter().filter(|entry| {
            // A run of one kind of mutant says nothing of the other.
            let kind = |file: &str| file.ends_with(".rs");
            files.iter().any(|file| kind(file) == kind(&entry.file))
        });
        of_these
            .flat_map(|entry| entry.changes.iter().map(move |change| (entry, change)))
            .filter(|(entry, change)| !mutants.iter().any(|mutant| entry.is(change, mutant)))
            .map(|(entry, change)| format!("{} in {}, `{}`: {change}", entry.file, entry.within, entry.line))
            .collect()
    }
}

impl Entry {
    fn is(&self, change: &str, mutant: &Mutant) -> bool {
        self.file == mutant.file
            && self.within == mutant.within
            && self.line == mutant.text
            && change == mutant.numbered_change()
    }
}

#[cfg(test)]
mod tests {
    use super::super::mutant::example;
    use super::*;

    const LIST: &str = r#"
        [[equivalent]]
        file = "migrations/a.sql"
        within = "create function f"
        line = "where a = b"
        changes = ["`=` -> `<>`", "`b` -> `c` (2)"]
        why = "There is one row."
    "#;

    #[test]
    fn a_mutant_is_found_by_its_line_and_its_change() -> Result<()> {
        let list = Equivalents::parse(LIST)?;
        assert!(list.has(&example("`=` -> `<>`")));
        assert!(!list.has(&example("`b` -> `c`")));
        let second = Mutant { ordinal: 2, ..example("`b` -> `c`") };
        assert!(list.has(&second));
        assert!(!list.has(&Mutant { within: "create function g".to_owned(), ..second }));
        Ok(())
    }

    #[test]
    fn an_entry_without_its_mutant_is_stale() -> Result<()> {
        let list = Equivalents::parse(LIST)?;
        let stale = list.stale(&[example("`=` -> `<>`")]);
        assert_eq!(stale, ["migrations/a.sql in create function f, `where a = b`: `b` -> `c` (2)"]);
        let rust = Mutant { file: "src/a.rs".to_owned(), ..example("x") };
        assert_eq!(list.stale(&[rust]), [""; 0]);
        Ok(())
    }

    #[tokio::test]
    async fn every_entry_is_about_a_mutant_of_the_migrations() -> Result<()> {
        assert_eq!(Equivalents::read()?.stale(&super::super::sql::list().await?), [""; 0]);
        Ok(())
    }

    #[test]
    fn an_entry_says_why() {
        assert!(Equivalents::parse(&LIST.replace("There is one row.", " ")).is_err());
    }
}
