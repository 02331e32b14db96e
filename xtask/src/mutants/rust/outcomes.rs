//! Reads cargo-mutants' `mutants.out/outcomes.json`.

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// What cargo-mutants says of one mutant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Summary {
    Caught,
    Missed,
    Timeout,
    Unviable,
}

#[derive(Deserialize)]
struct Outcomes {
    outcomes: Vec<Outcome>,
}

#[derive(Deserialize)]
struct Outcome {
    scenario: Scenario,
    summary: String,
}

#[derive(Deserialize)]
enum Scenario {
    Baseline,
    Mutant { name: String },
}

/// What came of the mutant of this name.
pub(crate) fn read(json: &str, name: &str) -> Result<Summary> {
    let all: Outcomes = serde_json::from_str(json).context("cargo-mutants' outcomes.json is not as it should be")?;
    let found = all.outcomes.into_iter().find_map(|Outcome { scenario, summary }| match scenario {
        Scenario::Mutant { name: known } if known == name => Some(summary),
        _ => None,
    });
    Ok(match found.as_deref() {
        Some("CaughtMutant") => Summary::Caught,
        Some("MissedMutant") => Summary::Missed,
        Some("Timeout") => Summary::Timeout,
        Some("Unviable") => Summary::Unviable,
        Some(other) => bail!("cargo-mutants says {other} of `{name}`"),
        None => bail!("cargo-mutants did not try `{name}`"),
    })
}

/// An expression that matches this text and nothing else.
pub(crate) fn exactly(text: &str) -> String {
    let mut expression = String::from("^");
    for c in text.chars() {
        if r"\.+*?()|[]{}^$#&-~".contains(c) {
            expression.push('\\');
        }
        expression.push(c);
    }
    expression + "$"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutants_own_outcome_is_found() {
        let json = r#"{"outcomes": [
            {"scenario": "Baseline", "summary": "Success", "log_path": "log/baseline.log", "phase_results": []},
            {"scenario": {"Mutant": {"name": "a", "package": "errand", "genre": "FnValue"}}, "summary": "CaughtMutant"},
            {"scenario": {"Mutant": {"name": "b"}}, "summary": "MissedMutant"},
            {"scenario": {"Mutant": {"name": "c"}}, "summary": "Timeout"},
            {"scenario": {"Mutant": {"name": "d"}}, "summary": "Unviable"},
            {"scenario": {"Mutant": {"name": "e"}}, "summary": "Failure"}
        ], "total_mutants": 5}"#;
        let of = |name| read(json, name).ok();
        let expected = [Summary::Caught, Summary::Missed, Summary::Timeout, Summary::Unviable].map(Some);
        assert_eq!(["a", "b", "c", "d"].map(of), expected);
        assert_eq!(["e", "f"].map(of), [None, None]);
    }

    #[test]
    fn an_expression_means_its_text() {
        assert_eq!(exactly("src/a.rs:1:2: replace -> Vec<u8> with vec![0]"), {
            r"^src/a\.rs:1:2: replace \-> Vec<u8> with vec!\[0\]$"
        });
    }
}
