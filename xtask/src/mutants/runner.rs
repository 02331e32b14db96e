//! Runs a program of tests until its first failure. libtest has no stable option for that, so its output is read.

use std::{
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use clap::Args;
use rustix::process::Signal;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
    time::timeout,
};

use crate::{process, test::transcript::failed};

/// Where the runner writes the name of the test that failed.
pub(crate) const KILLER: &str = "ERRAND_MUTANTS_KILLER";

/// Tests that take seconds; they run when the others have passed.
pub(crate) const SLOW: [&str; 6] = [
    "paging_while_others_write",
    "interleaved_requests_of_many_users",
    "nothing_leaks_between",
    "each_order_has_an_index",
    "another_users_task_is_like_one",
    "volume::",
];

/// How a program of tests ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    /// With the test that failed first.
    Failed(String),
    TimedOut,
}

/// Runs it; ends it at the first failure, or when the limit is over.
pub(crate) async fn run(mut command: Command, limit: Duration, told: impl Fn(&str)) -> Result<Verdict> {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = process::spawn(&mut command)?;
    let mut lines = BufReader::new(child.stdout.take().context("no output")?).lines();
    let ended = timeout(limit, async {
        // Output that is no UTF-8 is no line of libtest's.
        while let Some(line) = lines.next_line().await.unwrap_or_default() {
            told(&line);
            if let Some(name) = failed(&line) {
                return Verdict::Failed(name.to_owned());
            }
        }
        match child.wait().await {
            Ok(status) if status.success() => Verdict::Passed,
            Ok(status) => Verdict::Failed(format!("the whole program ({status})")),
            Err(error) => Verdict::Failed(format!("the whole program ({error})")),
        }
    });
    let ended = tokio::select! {
        ended = ended => Some(ended.unwrap_or(Verdict::TimedOut)),
        result = process::interrupted() => {
            result?;
            None
        }
    };
    process::stop(&mut child, Signal::KILL, None).await;
    ended.context(process::INTERRUPTED)
}

/// libtest's arguments that leave these tests out.
pub(crate) fn skip(names: &[&'static str]) -> Vec<&'static str> {
    names.iter().flat_map(|name| ["--skip", *name]).collect()
}

/// Run one program of tests until its first failure; for cargo, as the runner of what it built
#[derive(Args)]
pub(crate) struct Runner {
    /// End it after so many seconds
    #[arg(long, value_name = "N")]
    seconds: u64,
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    command: Vec<String>,
}

impl Runner {
    pub(crate) async fn run(self) -> Result<()> {
        let end = Instant::now() + Duration::from_secs(self.seconds);
        let (program, arguments) = self.command.split_first().context("no program")?;
        let run = |more: Vec<String>| {
            let mut command = Command::new(program);
            command.args(arguments).args(more);
            run(command, end.saturating_duration_since(Instant::now()), |line| println!("{line}"))
        };
        for step in steps(program) {
            let mut verdict = run(step.clone()).await?;
            if let Verdict::Failed(name) = &verdict
                && run(vec![name.clone(), "--exact".to_owned()]).await? == Verdict::Passed
            {
                // By chance, or because of the tests before it: a second time tells.
                verdict = run(step).await?;
            }
            match verdict {
                Verdict::Passed => {}
                Verdict::Failed(name) => {
                    if let Some(path) = std::env::var_os(KILLER) {
                        std::fs::write(path, &name)?;
                    }
                    bail!("{name} failed")
                }
                Verdict::TimedOut => bail!("{program} was still running after {} s", self.seconds),
            }
        }
        Ok(())
    }
}

/// Arguments for each run of a program: slow tests run when the others have passed.
fn steps(program: &str) -> Vec<Vec<String>> {
    let owned = |arguments: &[&str]| arguments.iter().map(|&text| text.to_owned()).collect();
    let name = Path::new(program).file_name().unwrap_or_default().to_string_lossy();
    if name.starts_with("api-") { vec![owned(&skip(&SLOW)), owned(&SLOW)] } else { vec![Vec::new()] }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn verdict(script: &str) -> Result<Verdict> {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        run(command, Duration::from_secs(20), |_| ()).await
    }

    #[tokio::test]
    async fn the_first_failure_ends_the_run() -> Result<()> {
        let script = "echo 'test a::b ... ok'; echo 'test a::c ... FAILED'; sleep 600; echo 'test a::d ... FAILED'";
        assert_eq!(verdict(script).await?, Verdict::Failed("a::c".to_owned()));
        Ok(())
    }

    #[tokio::test]
    async fn a_program_that_fails_without_a_test_has_failed() -> Result<()> {
        assert!(matches!(verdict("echo 'test a ... ok'; exit 3").await?, Verdict::Failed(_)));
        assert_eq!(verdict("echo 'test a ... ok'").await?, Verdict::Passed);
        Ok(())
    }

    #[tokio::test]
    async fn a_program_that_hangs_is_ended() -> Result<()> {
        let mut command = Command::new("sleep");
        command.arg("600");
        assert_eq!(run(command, Duration::from_millis(200), |_| ()).await?, Verdict::TimedOut);
        Ok(())
    }

    #[test]
    fn slow_tests_of_the_api_run_last() {
        let steps = [steps("/a/deps/errand-1f"), steps("/a/deps/api-1f")];
        assert_eq!(steps.each_ref().map(Vec::len), [1, 2]);
        assert_eq!(steps[1][0].iter().filter(|text| *text == "--skip").count(), steps[1][1].len());
    }
}
