//! Commands one after another, each with a title: all of them run, so that one run tells everything.

use std::io::Write;

use anyhow::{Result, bail};
use tokio::process::Command;

use super::transcript::{Failure, Transcript};
use crate::process::{self, LONG};

/// A command with a title.
pub(crate) struct Step {
    title: String,
    command: Command,
    again: Again,
}

/// What to type to run it again.
enum Again {
    /// The command is one that a person types.
    Command,
    /// It runs tests: this runs all of them, and with `--exact NAME` one.
    Tests { all: String, has_suites: bool },
}

impl Step {
    pub(crate) fn command(title: impl Into<String>, command: Command) -> Self {
        Self { title: title.into(), command, again: Again::Command }
    }

    /// The tests that `all` runs.
    pub(crate) fn tests(title: impl Into<String>, command: Command, all: impl Into<String>) -> Self {
        Self { title: title.into(), command, again: Again::Tests { all: all.into(), has_suites: false } }
    }

    /// The tests of several programs; `--suite` after `all` says which.
    pub(crate) fn suites(title: impl Into<String>, command: Command, all: impl Into<String>) -> Self {
        Self { title: title.into(), command, again: Again::Tests { all: all.into(), has_suites: true } }
    }
}

/// Runs every step. What failed is named at the end, each with the command that runs it again.
pub(crate) async fn run_all(steps: Vec<Step>) -> Result<()> {
    let has_tests = steps.iter().any(|step| matches!(step.again, Again::Tests { .. }));
    let (mut total, mut failed) = (Transcript::default(), Vec::new());
    for Step { title, mut command, again } in steps {
        eprintln!("\n== {title}");
        let typed = process::shown(&command);
        let (outcome, told) = match &again {
            Again::Command => (process::run(command, LONG).await, Transcript::default()),
            Again::Tests { .. } => {
                let mut transcript = Transcript::default();
                let outcome = process::run_read(&mut command, LONG, |line| transcript.line(line)).await;
                (outcome, transcript.end())
            }
        };
        if let Err(error) = outcome {
            if error.to_string() == process::INTERRUPTED {
                return Err(error);
            }
            eprintln!("error: {error:#}");
            failed.extend(again.lines(&title, &typed, &told.failures));
        }
        total.add(told);
    }
    std::io::stdout().flush()?;
    for reason in &total.left_out {
        eprintln!("\nerrand: left out: {reason}");
    }
    let counts = if has_tests {
        format!("{} passed, {} failed, {} skipped", total.passed, total.failed, total.skipped)
    } else {
        "everything passed".to_owned()
    };
    if !failed.is_empty() {
        let counts = if has_tests { format!("\n{counts}") } else { String::new() };
        bail!("failed:\n{}{counts}", failed.join("\n"));
    }
    if has_tests && total.is_empty() {
        bail!("no test is named so; with `-- --list` the command names all that there are");
    }
    eprintln!("\nerrand: {counts}");
    Ok(())
}

impl Again {
    /// Says what failed in a step, and what to type.
    fn lines(&self, title: &str, typed: &str, failures: &[Failure]) -> Vec<String> {
        let line = |what: &str, again: &str| format!("  {what}\n    again: {again}");
        match self {
            Self::Command => vec![line(title, typed)],
            // It was not built, or ended in the midst.
            Self::Tests { all, .. } if failures.is_empty() => vec![line(title, all)],
            Self::Tests { all, has_suites } => failures
                .iter()
                .map(|Failure { suite, test }| {
                    let suite = if *has_suites { format!(" --suite {suite}") } else { String::new() };
                    line(&format!("{title}: {test}"), &format!("{all}{suite} -- --exact {}", process::quoted(test)))
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(suite: &str, test: &str) -> Failure {
        Failure { suite: suite.to_owned(), test: test.to_owned() }
    }

    #[test]
    fn each_failure_says_how_to_run_it_again() {
        let tests = |has_suites| Again::Tests { all: "cargo xtask test".to_owned(), has_suites };
        for (again, failures, expected) in [
            (Again::Command, vec![], "  step\n    again: typed"),
            (tests(false), vec![], "  step\n    again: cargo xtask test"),
            (
                tests(false),
                vec![failed("api", "it's")],
                "  step: it's\n    again: cargo xtask test -- --exact 'it'\\''s'",
            ),
            (
                tests(true),
                vec![failed("units", "a"), failed("fuzz", "b")],
                "  step: a\n    again: cargo xtask test --suite units -- --exact a\n\
                 \x20 step: b\n    again: cargo xtask test --suite fuzz -- --exact b",
            ),
        ] {
            assert_eq!(again.lines("step", "typed", &failures).join("\n"), expected);
        }
    }

    #[tokio::test]
    async fn a_step_that_fails_keeps_none_from_running() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("ran");
        let mut last = Command::new("touch");
        last.arg(&file);
        let steps = vec![Step::tests("fails", Command::new("false"), "again"), Step::command("runs", last)];
        let told = run_all(steps).await.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(told.contains("  fails\n    again: again") && !told.contains("runs"), "{told}");
        assert!(file.is_file());
        Ok(())
    }
}
