//! A mutant: one small fault, what it is called from run to run, and what came of it.

use std::collections::HashMap;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// What is mutated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub(crate) enum Kind {
    /// The component's source, by cargo-mutants
    Rust,
    /// The migrations
    Sql,
}

/// A fault that can be put in.
#[derive(Debug, Clone)]
pub(crate) struct Mutant {
    /// From the checkout's root.
    pub(crate) file: String,
    pub(crate) first_line: usize,
    pub(crate) last_line: usize,
    /// The function or the statement around it.
    pub(crate) within: String,
    /// The first line of what is changed, without the space around it.
    pub(crate) text: String,
    /// The kind of change.
    pub(crate) operator: String,
    /// The change for people: `a` -> `b`.
    pub(crate) change: String,
    pub(crate) how: How,
    /// Counts those that are alike in all that has no line number, from 1.
    pub(crate) ordinal: usize,
}

/// What makes it.
#[derive(Debug, Clone)]
pub(crate) enum How {
    /// The whole text of the file.
    Text(String),
    /// Its name in cargo-mutants.
    Named(String),
}

/// What came of a mutant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// A test failed, this one first.
    Killed(String),
    /// The tests did not end within the limit.
    TimedOut,
    /// Every test passed.
    Survived,
    /// It does not compile, or the migrations cannot be applied.
    Unviable,
}

impl Mutant {
    /// Its name in ledgers. Without a line number, because lines above it come and go.
    pub(crate) fn id(&self) -> String {
        let Self { file, within, text, change, ordinal, .. } = self;
        format!("{file} | {within} | {text} | {change} | {ordinal}")
    }

    /// Where and what, for people.
    pub(crate) fn shown(&self) -> String {
        format!("{}:{}: {}", self.file, self.first_line, self.numbered_change())
    }

    /// The change, with its number where there are several that are alike.
    pub(crate) fn numbered_change(&self) -> String {
        let Self { change, ordinal, .. } = self;
        if *ordinal > 1 { format!("{change} ({ordinal})") } else { change.clone() }
    }
}

/// Numbers those that are alike.
pub(crate) fn number(mutants: &mut [Mutant]) {
    let mut seen = HashMap::new();
    for mutant in mutants {
        mutant.ordinal = 1;
        let count: &mut usize = seen.entry(mutant.id()).or_default();
        *count += 1;
        mutant.ordinal = *count;
    }
}

impl Outcome {
    /// One word.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Killed(_) => "killed",
            Self::TimedOut => "timed out",
            Self::Survived => "SURVIVED",
            Self::Unviable => "unviable",
        }
    }
}

#[cfg(test)]
pub(super) fn example(change: &str) -> Mutant {
    Mutant {
        file: "migrations/a.sql".to_owned(),
        first_line: 3,
        last_line: 4,
        within: "create function f".to_owned(),
        text: "where a = b".to_owned(),
        operator: "comparison".to_owned(),
        change: change.to_owned(),
        how: How::Text(String::new()),
        ordinal: 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_are_alike_have_a_number_and_no_line() {
        let mut mutants = [example("a"), example("b"), example("a")];
        mutants[2].first_line = 9;
        number(&mut mutants);
        assert_eq!(mutants.each_ref().map(|mutant| mutant.ordinal), [1, 1, 2]);
        assert_ne!(mutants[0].id(), mutants[2].id());
        assert_eq!(mutants[2].shown(), "migrations/a.sql:9: a (2)");
    }
}
