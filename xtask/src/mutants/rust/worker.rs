//! Tries mutants of Rust, one at a time, each by a run of cargo-mutants in a copy of the checkout and on a server of its own.

use std::{
    fs::{self, File},
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use errand_postgres::cluster::Cluster;
use tokio::process::Command;

use super::{
    outcomes::{self, Summary},
    program, tree,
};
use crate::{
    mutants::{
        ledger,
        mutant::{How, Mutant, Outcome},
        run::Judge,
        runner::KILLER,
        server,
    },
    process::{self, LONG},
    test::{TEST_DATABASE, TEST_TARGET},
    workspace,
};

/// The tests, for cargo: units first, because they take no time. Nothing else of the package is built.
const TESTS: [&str; 6] =
    ["--package=errand", "--lib", "--test=api", "--test=fuzz", "--test=openapi", "--test=properties"];
/// Building a mutant takes seconds.
const BUILD_LIMIT: Duration = Duration::from_secs(300);

/// A copy of the checkout, and a server.
pub(crate) struct Worker {
    program: String,
    folder: PathBuf,
    cluster: Cluster,
}

impl Worker {
    /// Starts the server, and builds the tests in the copy.
    pub(crate) async fn start(number: usize) -> Result<Self> {
        let root = workspace::root()?;
        let folder = root.join(format!("target/mutants/rust-{number}"));
        let cluster = Cluster::ephemeral(&root).context("no PostgreSQL for the mutants")?;
        let worker = Self { program: program().await?, folder, cluster };
        fs::create_dir_all(worker.tree()).with_context(|| format!("cannot make {}", worker.tree().display()))?;
        tree::sync(&root, &ledger::files(&["."]).await?, &worker.tree())?;
        eprintln!("errand: building the tests in target/mutants/rust-{number}; from nothing, this takes some minutes");
        let mut build = worker.prepared(workspace::cargo_in(&worker.tree())?);
        build.arg("test").args(TESTS).arg("--no-run");
        process::run(build, LONG).await?;
        Ok(worker)
    }

    /// Runs the tests without a mutant, and says how long they took.
    pub(crate) async fn baseline(&self) -> Result<Duration> {
        server::clear(&self.cluster).await?;
        self.forget()?;
        let mut command = self.prepared(workspace::cargo_in(&self.tree())?);
        command.arg("test").args(self.arguments(LONG)?).stdout(self.output()?).stderr(self.output()?);
        let begin = Instant::now();
        if process::wait(command, LONG).await?.success() {
            return Ok(begin.elapsed());
        }
        let killer = fs::read_to_string(self.killer()).unwrap_or_else(|_| "something".to_owned());
        bail!("without any mutant, {killer} fails; mend that first ({})", self.told().display())
    }

    fn tree(&self) -> PathBuf {
        self.folder.join("tree")
    }

    /// Where the runner says which test failed.
    fn killer(&self) -> PathBuf {
        self.folder.join("killer")
    }

    /// Where cargo and cargo-mutants tell what they do.
    fn told(&self) -> PathBuf {
        self.folder.join("output.txt")
    }

    fn output(&self) -> Result<File> {
        let path = self.told();
        File::options()
            .create(true)
            .append(true)
            .open(&path)
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// Removes what an earlier mutant has left.
    fn forget(&self) -> Result<()> {
        for path in [self.killer(), self.told(), self.folder.join("mutants.out/outcomes.json")] {
            if path.exists() {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// What is the same for every build, so that cargo builds nothing twice.
    fn prepared(&self, mut command: Command) -> Command {
        // Nothing reads the debug information, and to write and to link it takes long.
        command.env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_PROFILE_TEST_DEBUG", "0");
        command.env(TEST_DATABASE, self.cluster.url("postgres")).env(TEST_TARGET, "native").env(KILLER, self.killer());
        command
    }

    /// cargo's arguments to run the tests until one fails.
    fn arguments(&self, limit: Duration) -> Result<Vec<String>> {
        let xtask = std::env::current_exe()?.to_string_lossy().into_owned();
        let seconds = limit.as_secs().to_string();
        let runner = [&*xtask, "mutants-runner", "--seconds", &seconds].map(toml::Value::from);
        let mut arguments = TESTS.map(str::to_owned).to_vec();
        arguments.push(format!("--config=target.'cfg(all())'.runner={}", toml::Value::from(runner.to_vec())));
        Ok(arguments)
    }

    fn outcome(&self, name: &str) -> Result<Outcome> {
        let json = fs::read_to_string(self.folder.join("mutants.out/outcomes.json"))
            .context("cargo-mutants has written no outcomes.json")?;
        Ok(match outcomes::read(&json, name)? {
            Summary::Caught => Outcome::Killed(
                fs::read_to_string(self.killer())
                    .context("cargo test failed, but no test did (the runner names none)")?,
            ),
            Summary::Missed => Outcome::Survived,
            Summary::Timeout => Outcome::TimedOut,
            Summary::Unviable => Outcome::Unviable,
        })
    }
}

impl Judge for Worker {
    async fn judge(&self, mutant: &Mutant, limit: Duration) -> Result<Outcome> {
        let How::Named(name) = &mutant.how else { bail!("{} is no mutant of Rust", mutant.shown()) };
        server::clear(&self.cluster).await?;
        self.forget()?;
        let mut command = self.prepared(workspace::program_in(&self.tree(), &self.program));
        command.args(["mutants", "--no-config", "--in-place", "--baseline=skip", "--package=errand", "--colors=never"]);
        command.arg("--output").arg(&self.folder);
        command.arg(format!("--file={}", mutant.file)).arg(format!("--re={}", outcomes::exactly(name)));
        command.arg(format!("--timeout={}", limit.as_secs()));
        command.arg(format!("--build-timeout={}", BUILD_LIMIT.as_secs()));
        // The runner's own limit is for when cargo-mutants is gone.
        for argument in self.arguments(limit + process::GRACE)? {
            command.arg(format!("--cargo-arg={argument}"));
        }
        command.stdout(self.output()?).stderr(self.output()?);
        let ended = process::wait(command, limit + BUILD_LIMIT + process::BRIEF).await;
        // cargo-mutants takes the mutant out again, unless it was ended.
        tree::restore(&workspace::root()?, &mutant.file, &self.tree())?;
        ended?;
        self.outcome(name).with_context(|| format!("{}; see {}", mutant.shown(), self.told().display()))
    }

    fn stop(self) -> Result<()> {
        self.cluster.stop()
    }
}
