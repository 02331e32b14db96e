//! `cargo xtask test`: every test, with a PostgreSQL of its own.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use errand_native::{
    connect::{connect, create_database},
    postgres::Cluster,
};
use tokio::process::Command;

use crate::{
    build, database, faults, outside,
    process::{self, LONG},
    runtime::{self, HOST_BIN},
    settings::from_environment,
    toolchain::Choice,
    workspace,
};

/// The administrator's address of the server to test on. Unset: one that is made for the run.
pub(crate) const TEST_DATABASE: &str = "ERRAND_TEST_DATABASE_URL";
/// How many requests its test of leaks sends.
const LEAK_REQUESTS: &str = "ERRAND_TEST_LEAK_REQUESTS";
/// What the API suite talks to.
pub(crate) const TEST_TARGET: &str = "ERRAND_TEST_TARGET";

/// Run the tests: units, tools, the API suite against each target, and the local host's own
///
/// Starts a PostgreSQL for the run, unless ERRAND_TEST_DATABASE_URL names one to use (its administrator's address).
#[derive(Args)]
pub(crate) struct Test {
    /// What the API suite runs against; without it: native and host
    #[arg(long, value_enum)]
    target: Option<Target>,
    /// Instead: test the running component against openapi.json with schemathesis, and a generated TypeScript client
    #[arg(long, conflicts_with_all = ["target", "arguments"])]
    conformance: bool,
    /// Instead: open /docs in a headless Chromium, authorize, and try an operation
    #[arg(long, conflicts_with_all = ["target", "arguments"])]
    browser: bool,
    /// Instead: break the network, PostgreSQL and clients under load, and compare what was acknowledged with the database
    #[arg(long, conflicts_with_all = ["target", "conformance", "browser"])]
    faults: bool,
    /// With --faults: longer faults and more of each
    #[arg(long, requires = "faults")]
    long: bool,
    /// Send 200,000 requests of 100 users in the test that nothing leaks between them, instead of 4,000
    #[arg(long)]
    leaks: bool,
    /// The major version of the PostgreSQL that is started, such as 18; fetched where it is not installed
    #[arg(long, value_name = "MAJOR")]
    postgres: Option<u32>,
    /// Arguments for the suite, such as a part of a test's name; with them only the API suite (or that of faults) runs
    #[arg(last = true)]
    arguments: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Target {
    /// The router in the test's own process
    Native,
    /// The component in the local host
    Host,
    /// The component in `spin up`
    Spin,
    /// All of them; spin only where it is installed
    All,
}

/// A command with a title.
struct Step {
    title: String,
    command: Command,
    /// What to type to run it alone.
    again: String,
}

impl Test {
    /// The measurement of what verifying a token costs, in the component.
    pub(crate) fn of_verifying() -> Self {
        let arguments = ["--ignored", "--nocapture", "verifying_costs"].map(str::to_owned).to_vec();
        let target = Some(Target::Host);
        Self {
            target,
            conformance: false,
            browser: false,
            faults: false,
            long: false,
            leaks: false,
            postgres: None,
            arguments,
        }
    }

    pub(crate) async fn run(self) -> Result<()> {
        if self.conformance || self.browser {
            return self.run_outside().await;
        }
        if self.faults {
            return faults::trials(self.long, &self.arguments).await;
        }
        let targets = self.targets().await?;
        let component = targets.iter().any(|target| *target != "native");
        let host = if targets.contains(&"host") { Some(runtime::host_binary().await?) } else { None };
        if component {
            build::components(Choice::Auto).await?;
        }
        let server = Server::open(self.postgres).await?;
        let environment = |mut command: Command, target: &str| {
            command.env(TEST_DATABASE, &server.url).env(TEST_TARGET, target);
            if self.leaks {
                command.env(LEAK_REQUESTS, "200000");
            }
            if let Some(host) = &host {
                command.env(HOST_BIN, host);
            }
            command
        };

        let postgres = self.postgres.map(|major| format!(" --postgres {major}")).unwrap_or_default();
        let mut steps = Vec::new();
        if self.arguments.is_empty() {
            let first = targets.first().copied().unwrap_or("native");
            for (title, arguments) in [
                ("unit tests and tools", unit_arguments(component)?),
                ("documentation tests", vec!["--doc".to_owned()]),
            ] {
                let command = environment(cargo_test(&arguments)?, first);
                let again = process::shown(&command);
                steps.push(Step { title: title.to_owned(), command, again });
            }
        }
        for target in &targets {
            let mut arguments = vec!["--test".to_owned(), "api".to_owned()];
            if !self.arguments.is_empty() {
                arguments.push("--".to_owned());
                arguments.extend(self.arguments.iter().cloned());
            }
            let command = environment(cargo_test(&arguments)?, target);
            steps.push(Step {
                title: format!("the API suite, {target}"),
                command,
                again: format!("cargo xtask test --target {target}{postgres}"),
            });
        }
        if host.is_some() && self.arguments.is_empty() {
            let mut command = workspace::cargo()?;
            command.args(["test", "--profile", "host", "--package", "errand-host"]);
            let again = process::shown(&command);
            steps.push(Step { title: "the local host".to_owned(), command: environment(command, "host"), again });
        }
        let outcome = run_all(steps).await;
        server.close()?;
        outcome
    }

    /// What comes from outside takes longer and needs more programs: it runs only when asked for.
    async fn run_outside(self) -> Result<()> {
        build::components(Choice::Auto).await?;
        let server = Server::open(self.postgres).await?;
        let run = async {
            if self.conformance {
                outside::conformance(&server.url).await?;
            }
            if self.browser {
                outside::browser(&server.url).await?;
            }
            eprintln!("\nerrand: everything passed");
            Ok(())
        };
        let outcome = run.await;
        server.close()?;
        outcome
    }

    async fn targets(&self) -> Result<Vec<&'static str>> {
        Ok(match self.target {
            None => vec!["native", "host"],
            Some(Target::Native) => vec!["native"],
            Some(Target::Host) => vec!["host"],
            Some(Target::Spin) => {
                runtime::spin().await?;
                vec!["spin"]
            }
            Some(Target::All) => match runtime::spin().await {
                Ok(_) => vec!["native", "host", "spin"],
                Err(error) => {
                    eprintln!("errand: leaving out spin: {error:#}");
                    vec!["native", "host"]
                }
            },
        })
    }
}

/// Runs every step, so that one run tells everything; names what failed at the end.
pub(crate) async fn run_titled(steps: Vec<(String, Command)>) -> Result<()> {
    let steps = steps.into_iter().map(|(title, command)| {
        let again = process::shown(&command);
        Step { title, command, again }
    });
    run_all(steps.collect()).await
}

async fn run_all(steps: Vec<Step>) -> Result<()> {
    let mut failed = Vec::new();
    for Step { title, command, again } in steps {
        eprintln!("\n== {title}");
        if let Err(error) = process::run(command, LONG).await {
            if error.to_string() == process::INTERRUPTED {
                return Err(error);
            }
            eprintln!("error: {error:#}");
            failed.push(format!("{title}; again: {again}"));
        }
    }
    if failed.is_empty() {
        eprintln!("\nerrand: everything passed");
        return Ok(());
    }
    bail!("failed:\n  {}", failed.join("\n  "))
}

/// Always the same set of packages, so that nothing is built twice with other features.
pub(crate) fn cargo_test(arguments: &[String]) -> Result<Command> {
    let mut command = workspace::cargo()?;
    command.args(["test", "--workspace", "--exclude", "errand-host"]).args(arguments);
    Ok(command)
}

/// Everything but the API suite, which runs once per target, and that of faults, which runs when asked for. What looks at the built component needs it to be there.
fn unit_arguments(component: bool) -> Result<Vec<String>> {
    let mut arguments = vec!["--lib".to_owned(), "--bins".to_owned()];
    let root = workspace::root()?;
    let mut folders = vec![root.join("crates/native/tests"), root.join("xtask/tests")];
    if component {
        folders.push(root.join("tests"));
    }
    for name in
        folders.iter().flat_map(|folder| integration_tests(folder)).filter(|name| name != "api" && name != "faults")
    {
        arguments.extend(["--test".to_owned(), name]);
    }
    Ok(arguments)
}

/// `tests/name.rs` and `tests/name/main.rs`.
fn integration_tests(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs") || path.join("main.rs").is_file())
        .filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned()))
        .collect();
    names.sort();
    names
}

/// The server for the run.
pub(crate) struct Server {
    /// The address of its administrator.
    pub(crate) url: String,
    cluster: Option<Cluster>,
}

impl Server {
    /// Of this major version, if one is asked for.
    pub(crate) async fn open(postgres: Option<u32>) -> Result<Self> {
        if let Some(url) = from_environment(TEST_DATABASE) {
            if postgres.is_some() {
                bail!("--postgres starts a server, and {TEST_DATABASE} names one; leave one of them out");
            }
            return Ok(Self { url, cluster: None });
        }
        let root = workspace::root()?;
        let cluster = match postgres {
            Some(major) => Cluster::ephemeral_of(&root, Some(major)),
            None => Cluster::ephemeral(&root),
        };
        let cluster = cluster.context("no PostgreSQL for the tests")?;
        let address = create_database(&cluster.address("postgres")?, database::NAME).await?;
        let version: String = connect(&address).await?.query_one("show server_version", &[]).await?.try_get(0)?;
        eprintln!("errand: the tests run on PostgreSQL {version}");
        Ok(Self { url: cluster.url(database::NAME), cluster: Some(cluster) })
    }

    pub(crate) fn close(self) -> Result<()> {
        self.cluster.map_or(Ok(()), Cluster::stop)
    }
}
