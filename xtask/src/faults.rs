//! `cargo xtask test --faults` and `cargo xtask soak`: the same trials (`tests/faults`), all of them or one that is long.

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use tokio::process::Command;

use crate::{
    bench::Revision,
    build,
    process::{self, LONG},
    runtime::{self, HOST_BIN},
    test::{
        cargo_test,
        step::{Step, run_all},
    },
    toolchain::Choice,
};

/// Longer than a soak takes beyond its time: to build, to measure the capacity, to compare.
const OVERHEAD: Duration = LONG;
/// The time limit of a soak that ends at another goal.
const MAX_DURATION: Duration = Duration::from_secs(24 * 60 * 60);

/// Mixed load and random faults for as long as you like; then the clients' ledger is compared with the database
///
/// Starts a PostgreSQL, a proxy before it and the component in the local host. Measures the capacity first and sends 70 %
/// of it, while connections break, answers are lost, and PostgreSQL is stopped and killed. Ends when all goals are reached.
#[derive(Args)]
pub(crate) struct Soak {
    /// How long [default: 10, or with another goal as long as that takes]
    #[arg(long, value_name = "N")]
    minutes: Option<u64>,
    /// Send at least so many requests
    #[arg(long, value_name = "N")]
    operations: Option<u64>,
    /// Break at least so many connections
    #[arg(long, value_name = "N")]
    drops: Option<u64>,
    /// Stop or kill PostgreSQL, and start it again, at least so many times
    #[arg(long, value_name = "N")]
    restarts: Option<u64>,
    /// With the component of WASI 0.2
    #[arg(long)]
    p2: bool,
    /// Where the random numbers begin: what is done and what goes wrong
    #[arg(long, value_name = "N", default_value = "1")]
    seed: u64,
}

impl Soak {
    pub(crate) async fn run(self) -> Result<()> {
        let has_goal = self.operations.or(self.drops).or(self.restarts).is_some();
        let seconds = self.minutes.unwrap_or(if has_goal { 0 } else { 10 }) * 60;
        let mut command = prepared(&["soak::"], self.p2).await?;
        command.env("ERRAND_SOAK", "1").env("ERRAND_SOAK_SEED", self.seed.to_string());
        for (name, value) in [
            ("ERRAND_SOAK_SECONDS", seconds),
            ("ERRAND_SOAK_OPERATIONS", self.operations.unwrap_or(0)),
            ("ERRAND_SOAK_DROPS", self.drops.unwrap_or(0)),
            ("ERRAND_SOAK_RESTARTS", self.restarts.unwrap_or(0)),
        ] {
            command.env(name, value.to_string());
        }
        process::run(command, if has_goal { MAX_DURATION } else { Duration::from_secs(seconds) + OVERHEAD }).await
    }
}

/// Every trial; the long form has larger numbers and longer faults, and nothing else.
pub(crate) async fn trials(p2: bool, long: bool, arguments: &[String]) -> Result<()> {
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let mut command = prepared(&arguments, p2).await?;
    if long {
        command.env("ERRAND_FAULTS_LONG", "1");
    }
    let target = if p2 { " --target host-p2" } else { "" };
    let all = format!("cargo xtask test --faults{}{target}", if long { " --long" } else { "" });
    run_all(vec![Step::tests(format!("faults{target}"), command, all)]).await
}

/// The trials of two versions. `name` is what git calls the older one; empty: the last commit whose migrations differ.
pub(crate) async fn upgrade(name: &str, arguments: &[String]) -> Result<()> {
    let revision = match name {
        "" => Revision::before("migrations").await?,
        name => Revision::find(name).await?,
    };
    eprintln!("errand: the older version is {}", revision.short());
    revision.prepare(&[], None).await?;
    let filter = arguments.iter().map(String::as_str).chain(["upgrade::"]).take(1).collect::<Vec<_>>();
    let mut command = prepared(&filter, false).await?;
    command.env("ERRAND_UPGRADE_FROM", &revision.root);
    run_all(vec![Step::tests("upgrade", command, format!("cargo xtask test --upgrade {name}"))]).await
}

/// The tests' command, with what they stand on built.
async fn prepared(arguments: &[&str], p2: bool) -> Result<Command> {
    match p2 {
        true => build::components_p2(Choice::Auto).await?,
        false => build::components(Choice::Auto).await?,
    };
    let host = runtime::host_binary().await?;
    let fixed = ["--test", "faults", "--", "--nocapture"];
    let all: Vec<_> = fixed.iter().chain(arguments).map(|argument| (*argument).to_owned()).collect();
    let mut command = cargo_test(&all)?;
    command.env(HOST_BIN, host);
    if p2 {
        command.env("ERRAND_FAULTS_P2", "1");
    }
    Ok(command)
}
