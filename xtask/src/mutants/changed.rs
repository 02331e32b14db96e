//! Which lines changed since a commit.

use std::{collections::HashMap, ops::RangeInclusive};

use anyhow::{Context, Result};

use super::mutant::Mutant;
use crate::{process, process::BRIEF, sql::TEMPLATE, workspace};

/// The lines of each file that are new or different, committed or not.
pub(crate) struct Changed {
    lines: HashMap<String, Vec<RangeInclusive<usize>>>,
}

impl Changed {
    pub(crate) async fn since(revision: &str) -> Result<Self> {
        let git = |arguments: &[&str]| {
            let mut git = workspace::program("git")?;
            git.args(arguments);
            anyhow::Ok(git)
        };
        let places = ["--", "src", "migrations", TEMPLATE];
        let options = ["diff", "--unified=0", "--no-color", "--no-ext-diff", "--src-prefix=a/", "--dst-prefix=b/"];
        let diff = git(&[&options[..], &[revision], &places].concat())?;
        let diff = process::capture(diff, BRIEF).await.with_context(|| format!("`git diff {revision}` failed"))?;
        let mut changed = Self::parse(&diff);
        let others = git(&[&["ls-files", "--others", "--exclude-standard"], &places[..]].concat())?;
        for file in process::capture(others, BRIEF).await.context("`git ls-files` failed")?.lines() {
            changed.lines.insert(file.to_owned(), vec![1..=usize::MAX]);
        }
        Ok(changed)
    }

    fn parse(diff: &str) -> Self {
        let mut lines: HashMap<String, Vec<_>> = HashMap::new();
        let mut file = None;
        for line in diff.lines() {
            if let Some(name) = line.strip_prefix("+++ ") {
                file = name.strip_prefix("b/").map(str::to_owned);
            } else if let (Some(file), Some(range)) = (&file, hunk(line)) {
                lines.entry(file.clone()).or_default().push(range);
            }
        }
        Self { lines }
    }

    /// Whether any line of the mutant's is one of them.
    pub(crate) fn has(&self, mutant: &Mutant) -> bool {
        let ranges = self.lines.get(&mutant.file).map(Vec::as_slice).unwrap_or_default();
        ranges.iter().any(|range| *range.start() <= mutant.last_line && mutant.first_line <= *range.end())
    }
}

/// The new lines of a hunk. Where lines went, those beside the place.
fn hunk(line: &str) -> Option<RangeInclusive<usize>> {
    let new = line.strip_prefix("@@ ")?.split(' ').nth(1)?.strip_prefix('+')?;
    let (start, count) = new.split_once(',').unwrap_or((new, "1"));
    let (start, count): (usize, usize) = (start.parse().ok()?, count.parse().ok()?);
    Some(if count == 0 { start..=start + 1 } else { start..=start + count - 1 })
}

#[cfg(test)]
mod tests {
    use super::super::mutant::example;
    use super::*;

    #[test]
    fn lines_that_changed_are_found() {
        let diff = "diff --git a/migrations/a.sql b/migrations/a.sql\n--- a/migrations/a.sql\n+++ b/migrations/a.sql\n\
                    @@ -3,2 +4,3 @@ create\n-x\n+y\n@@ -20 +22,0 @@\n--- b\n\
                    diff --git a/gone b/gone\n--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n";
        let changed = Changed::parse(diff);
        let at = |first_line, last_line| changed.has(&Mutant { first_line, last_line, ..example("x") });
        assert_eq!([at(3, 3), at(4, 4), at(6, 6), at(7, 7), at(1, 9)], [false, true, true, false, true]);
        assert_eq!([at(21, 21), at(22, 22), at(23, 23), at(24, 24)], [false, true, true, false]);
        assert!(!changed.has(&Mutant { file: "other".to_owned(), ..example("x") }));
    }
}
