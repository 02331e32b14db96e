//! `cargo xtask test`: every test, with a PostgreSQL of its own.

mod server;
pub(crate) mod step;
pub(crate) mod transcript;

use std::{fs, path::Path};

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use tokio::process::Command;

pub(crate) use server::Server;
use step::{Step, run_all};
use transcript::{DOC, UNITS};

use errand_postgres::pooler::PROGRAM;

use crate::{
    build, deploy,
    dist::trial,
    faults, outside, pooler,
    runtime::{self, HOST_BIN},
    settings::from_environment,
    toolchain::Choice,
    workspace,
};

/// The administrator's address of the server to test on. Unset: one that is made for the run.
pub(crate) const TEST_DATABASE: &str = "ERRAND_TEST_DATABASE_URL";
/// How many requests its test of leaks sends.
const LEAK_REQUESTS: &str = "ERRAND_TEST_LEAK_REQUESTS";
/// The PgBouncer through which errand reaches the database.
const TEST_POOLER: &str = "ERRAND_TEST_POOLER";
/// What the API suite talks to.
pub(crate) const TEST_TARGET: &str = "ERRAND_TEST_TARGET";

/// Run the tests: units, tools, the API suite against each target, and the local host's own
///
/// Starts a PostgreSQL for the run, unless ERRAND_TEST_DATABASE_URL names one to use (its administrator's address).
#[derive(Args)]
pub(crate) struct Test {
    /// What the API suite runs against; without it: native, host and host-p2
    #[arg(long, value_enum)]
    target: Option<Target>,
    /// Only this: units (in the source), doc (examples), api, host, or a program in tests/, such as properties
    #[arg(long, value_name = "NAME")]
    suite: Option<String>,
    /// Instead: test the running component against openapi.json with schemathesis, and a generated TypeScript client
    #[arg(long, conflicts_with_all = ["target", "suite", "arguments"])]
    conformance: bool,
    /// Instead: open /docs in a headless Chromium, authorize, and try an operation
    #[arg(long, conflicts_with_all = ["target", "suite", "arguments"])]
    browser: bool,
    /// Instead: check what is in deploy/ against schemas and against the rest of the repository
    #[arg(long, conflicts_with_all = ["target", "suite", "conformance", "browser", "arguments"])]
    deploy: bool,
    /// Instead: break the network, PostgreSQL and clients under load, and compare what was acknowledged with the database; on the
    /// host, or on host-p2
    #[arg(long, conflicts_with_all = ["suite", "conformance", "browser", "deploy"])]
    faults: bool,
    /// Instead: build the component of the last commit whose migrations differ (or of this one), and try it on the schema of now,
    /// and the component of now on its schema
    #[arg(long, value_name = "REV", num_args = 0..=1, default_missing_value = "", conflicts_with_all = ["suite", "conformance", "browser", "deploy", "faults"])]
    upgrade: Option<String>,
    /// Instead: make the archives of a release, serve from an empty folder by the commands of the bundle's README, and build the
    /// components elsewhere, where they must have the same bytes
    #[arg(long, conflicts_with_all = ["target", "suite", "arguments", "conformance", "browser", "faults", "upgrade"])]
    dist: bool,
    /// With --faults: longer faults and more of each
    #[arg(long, requires = "faults")]
    long: bool,
    /// Put the PgBouncer that PGBOUNCER names between errand and the database; without one, nothing is run
    #[arg(long)]
    pooler: bool,
    /// Send 200,000 requests of 100 users in the test that nothing leaks between them, instead of 4,000
    #[arg(long)]
    leaks: bool,
    /// The major version of the PostgreSQL that is started, such as 18; fetched where it is not installed
    #[arg(long, value_name = "MAJOR")]
    postgres: Option<u32>,
    /// Arguments for the tests, such as a part of a name; they go to the API suite unless another one is asked for
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Why nothing was run that was asked for: this machine lacks what it needs. The program ends with its code, which is neither success
/// nor failure.
#[derive(Debug, thiserror::Error)]
#[error("not run: {0}")]
pub(crate) struct NotRun(pub(crate) String);

impl NotRun {
    /// As Automake has it for a test that is skipped.
    pub(crate) const CODE: u8 = 77;
}

/// The suite that runs once per target.
const API: &str = "api";
/// The local host: a target, and the suite of its own tests.
const HOST: &str = "host";
/// The component of WASI 0.2 in the local host.
const HOST_P2: &str = "host-p2";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Target {
    /// The router in the test's own process
    Native,
    /// The component in the local host
    Host,
    /// The component of WASI 0.2 in the local host
    HostP2,
    /// The component in `spin up`
    Spin,
    /// The component of WASI 0.2 in `spin up`, with a Spin of at least 3.5
    SpinP2,
    /// All of them; those in Spin only where one is installed
    All,
}

impl Test {
    /// The measurement of what verifying a token costs, in the component.
    pub(crate) fn of_verifying() -> Self {
        let arguments = ["--ignored", "--nocapture", "verifying_costs"].map(str::to_owned).to_vec();
        let target = Some(Target::Host);
        Self {
            target,
            suite: None,
            conformance: false,
            browser: false,
            deploy: false,
            faults: false,
            upgrade: None,
            dist: false,
            long: false,
            pooler: false,
            leaks: false,
            postgres: None,
            arguments,
        }
    }

    pub(crate) async fn run(self) -> Result<()> {
        if self.deploy {
            return deploy::checks().await;
        }
        if self.conformance || self.browser || self.dist {
            return self.run_outside().await;
        }
        if let Some(name) = &self.upgrade {
            return faults::upgrade(name, &self.arguments).await;
        }
        if self.faults {
            let p2 = match self.target {
                None | Some(Target::Host) => false,
                Some(Target::HostP2) => true,
                Some(_) => bail!("the faults are tried on host and host-p2"),
            };
            return faults::trials(p2, self.long, &self.arguments).await;
        }
        let suites: Vec<_> = [UNITS, DOC, API, HOST].map(str::to_owned).into_iter().chain(programs()?).collect();
        if let Some(suite) = self.suite.as_ref().filter(|suite| !suites.contains(suite)) {
            bail!("there is no suite {suite}; there are {}", suites.join(", "));
        }
        let targets = self.targets().await?;
        if self.suite.as_deref() == Some(HOST) && !targets.contains(&HOST) {
            bail!("the suite {HOST} is the local host's: leave out --target, or name {HOST}");
        }
        if self.pooler && from_environment(PROGRAM).is_none() {
            return Err(NotRun(format!("{PROGRAM} names no PgBouncer of 1.21 or later")).into());
        }
        let (components_p2, components): (Vec<&str>, Vec<&str>) =
            targets.iter().filter(|target| **target != "native").partition(|target| target.ends_with("-p2"));
        let host = async {
            match targets.contains(&HOST) || targets.contains(&HOST_P2) {
                true => runtime::host_binary().await.map(Some),
                false => Ok(None),
            }
        };
        let built = async {
            if !components.is_empty() {
                build::components(Choice::Auto).await?;
            }
            // The suite of the local host looks at each component.
            if !components_p2.is_empty() || targets.contains(&HOST) {
                build::components_p2(Choice::Auto).await?;
            }
            anyhow::Ok(())
        };
        // Beside each other: cargo uses one core for much of either.
        let (host, ()) = tokio::try_join!(host, built)?;
        pooler::ensure().await?;
        let server = Server::open(self.postgres).await?;
        let environment = |mut command: Command, target: &str| {
            command.env(TEST_DATABASE, &server.url).env(TEST_TARGET, target);
            if self.leaks {
                command.env(LEAK_REQUESTS, "200000");
            }
            if let Some(program) = from_environment(PROGRAM).filter(|_| self.pooler) {
                command.env(TEST_POOLER, program);
            }
            if let Some(host) = &host {
                command.env(HOST_BIN, host);
            }
            command
        };

        let outcome = match self.steps(&targets, environment) {
            Ok(steps) => run_all(steps).await,
            Err(error) => Err(error),
        };
        server.close()?;
        outcome
    }

    fn steps(&self, targets: &[&'static str], environment: impl Fn(Command, &str) -> Command) -> Result<Vec<Step>> {
        let first = targets.first().copied().unwrap_or("native");
        let postgres = self.postgres.map(|major| format!(" --postgres {major}")).unwrap_or_default();
        let leaks = if self.leaks { " --leaks" } else { "" };
        let pooler = if self.pooler { " --pooler" } else { "" };
        let again = |target: &str| format!("cargo xtask test --target {target}{postgres}{leaks}{pooler}");
        let suite = match self.suite.as_deref() {
            // A part of a name is mostly one of the API suite's.
            None if self.pooler || !self.arguments.is_empty() => Some(API),
            suite => suite,
        };
        let wants = |name: &str| suite.is_none_or(|suite| suite == name);
        let step = |arguments: Vec<String>, target: &str| {
            let mut command = cargo_test(&arguments)?;
            command.arg("--no-fail-fast").args(self.for_libtest());
            anyhow::Ok(environment(command, target))
        };

        let mut steps = Vec::new();
        let units = unit_arguments(suite)?;
        if !units.is_empty() {
            steps.push(Step::suites("unit tests and tools", step(units, first)?, again(first)));
        }
        if wants(DOC) {
            let all = format!("{} --suite {DOC}", again(first));
            steps.push(Step::tests("documentation tests", step(vec!["--doc".to_owned()], first)?, all));
        }
        if wants(API) {
            for target in targets {
                let command = step(vec!["--test".to_owned(), API.to_owned()], target)?;
                steps.push(Step::tests(format!("the API suite, {target}"), command, again(target)));
            }
        }
        if wants(HOST) && targets.contains(&HOST) {
            let mut command = workspace::cargo()?;
            command.args(["test", "--profile", "host", "--package", "errand-host", "--no-fail-fast"]);
            command.args(self.for_libtest());
            let command = environment(command, HOST);
            steps.push(Step::tests("the local host", command, format!("{} --suite {HOST}", again(HOST))));
        }
        Ok(steps)
    }

    fn for_libtest(&self) -> Vec<&str> {
        let arguments = self.arguments.iter().map(String::as_str);
        if self.arguments.is_empty() { Vec::new() } else { std::iter::once("--").chain(arguments).collect() }
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
            if self.dist {
                trial::run(&server.url).await?;
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
            None if self.suite.as_deref() == Some(HOST) => vec![HOST],
            None if self.suite.as_ref().is_some_and(|suite| suite != API) => vec!["native"],
            None => vec!["native", HOST, HOST_P2],
            Some(Target::Native) => vec!["native"],
            Some(Target::Host) => vec![HOST],
            Some(Target::HostP2) => vec![HOST_P2],
            Some(Target::Spin) => {
                runtime::spin().await?;
                vec!["spin"]
            }
            Some(Target::SpinP2) => {
                runtime::spin_p2().await?;
                vec!["spin-p2"]
            }
            Some(Target::All) => {
                let mut all = vec!["native", HOST, HOST_P2];
                for (name, found) in [("spin", runtime::spin().await), ("spin-p2", runtime::spin_p2().await)] {
                    match found {
                        Ok(_) => all.push(name),
                        Err(error) => eprintln!("errand: leaving out {name}: {error:#}"),
                    }
                }
                all
            }
        })
    }
}

/// Always the same set of packages, so that nothing is built twice with other features.
pub(crate) fn cargo_test(arguments: &[String]) -> Result<Command> {
    let mut command = workspace::cargo()?;
    command.args(["test", "--workspace", "--exclude", "errand-host"]).args(arguments);
    Ok(command)
}

/// What cargo is told to run every suite that does not depend on the target, or of those the one that is asked for.
fn unit_arguments(suite: Option<&str>) -> Result<Vec<String>> {
    let wants = |name: &str| suite.is_none_or(|suite| suite == name);
    let units = if wants(UNITS) { vec!["--lib".to_owned(), "--bins".to_owned()] } else { Vec::new() };
    let programs = programs()?.into_iter().filter(|name| wants(name)).flat_map(|name| ["--test".to_owned(), name]);
    Ok(units.into_iter().chain(programs).collect())
}

/// The programs of tests, but for the API suite, which runs once per target, and that of faults, which has its own command.
fn programs() -> Result<Vec<String>> {
    let root = workspace::root()?;
    let folders = ["tests", "crates/postgres/tests"].map(|folder| root.join(folder));
    let names = folders.iter().flat_map(|folder| integration_tests(folder));
    Ok(names.filter(|name| name != API && name != "faults").collect())
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
