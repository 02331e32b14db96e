//! Tries mutants of SQL on a server of its own. Roles and their settings belong to a whole server, so each mutant begins
//! without any: databases and roles that tests have left are dropped before it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use errand_postgres::{cluster::Cluster, connect::create_database, migrate};
use serde::Deserialize;
use tokio::process::Command;

use super::killers::Killers;
use crate::{
    mutants::{
        mutant::{How, Mutant, Outcome},
        run::Judge,
        runner::{self, SLOW, Verdict, skip},
        server,
    },
    process::{self, LONG},
    sql::{MADE, TEMPLATE},
    test::{TEST_DATABASE, TEST_TARGET, cargo_test},
    workspace,
};

/// The folder that the tests migrate from.
const MIGRATIONS: &str = "ERRAND_TEST_MIGRATIONS";
/// Programs of tests that migrate from that folder.
const PROGRAMS: [&str; 2] = ["api", "migrator"];
/// Tests that need no SQL of the migrations (tokens, keys, connections, logs, pages), and three long tests that repeat under load
/// what other tests check once. Leaving tests out can only lower the score.
const LEFT_OUT: [&str; 10] = [
    "tokens::",
    "published_keys::",
    "shared_keys::",
    "recipes::",
    "wire::",
    "log::",
    "docs::",
    "volume::",
    "paging_while_others_write",
    "callers_notice_nothing_of_fifty_replacements",
];

/// The programs of tests, built.
#[derive(Debug, Clone)]
pub(crate) struct Suite {
    programs: Vec<(String, PathBuf)>,
    killers: Arc<Killers>,
}

/// A server with a folder of migrations.
pub(crate) struct Worker {
    cluster: Cluster,
    folder: PathBuf,
    suite: Suite,
}

/// What cargo says of a program that it has built.
#[derive(Deserialize)]
struct Built {
    executable: Option<PathBuf>,
    target: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

impl Suite {
    pub(crate) async fn build() -> Result<Self> {
        let mut arguments: Vec<_> = PROGRAMS.iter().flat_map(|name| ["--test", *name]).map(str::to_owned).collect();
        arguments.push("--no-run".to_owned());
        process::run(cargo_test(&arguments)?, LONG).await?;
        // Once more, for where the programs are; nothing is left to build.
        arguments.push("--message-format=json".to_owned());
        let told = process::capture(cargo_test(&arguments)?, LONG).await.context("cargo does not say what it built")?;
        let built = told.lines().filter_map(|line| serde_json::from_str::<Built>(line).ok());
        let mut programs: Vec<_> = built.filter_map(|built| Some((built.target?.name, built.executable?))).collect();
        programs.retain(|(name, _)| PROGRAMS.contains(&name.as_str()));
        programs.sort();
        if programs.len() != PROGRAMS.len() {
            bail!("cargo built {programs:?} instead of {PROGRAMS:?}");
        }
        Ok(Self { programs, killers: Arc::default() })
    }

    /// The programs to run with their arguments. Tests that killed other mutants of the same place run first.
    fn steps(&self, places: [&str; 2]) -> Vec<(&Path, Vec<String>)> {
        let owned = |arguments: &[&str]| arguments.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        let mut steps = Vec::new();
        for (_, program) in &self.programs {
            let killers = self.killers.of(places, program);
            if !killers.is_empty() {
                steps.push((program.as_path(), [killers, owned(&["--exact"])].concat()));
            }
        }
        for (name, program) in &self.programs {
            if name == "api" {
                steps.push((program.as_path(), owned(&[skip(&LEFT_OUT), skip(&SLOW)].concat())));
                steps.push((program, owned(&[&SLOW[..], &skip(&LEFT_OUT)].concat())));
            } else {
                steps.push((program, owned(&skip(&LEFT_OUT))));
            }
        }
        steps
    }
}

impl Worker {
    /// Starts a server, empty.
    pub(crate) fn start(suite: Suite, number: usize) -> Result<Self> {
        let root = workspace::root()?;
        let cluster = Cluster::ephemeral(&root).context("no PostgreSQL for the mutants")?;
        let folder = root.join(format!("target/mutants/sql-{number}/migrations"));
        Ok(Self { cluster, folder, suite })
    }

    /// Leaves out the programs that do not read the folder they are given: those pass whatever is in it.
    pub(crate) async fn leave_out_the_blind(&mut self) -> Result<Suite> {
        self.copy(Some(("migrations/0001_tasks.up.sql", "select 1 / 0;")))?;
        let mut blind = Vec::new();
        for (program, arguments) in self.suite.steps(["", ""]) {
            if self.run(program, &arguments, LONG).await? == Verdict::Passed {
                blind.push(program.to_owned());
            }
        }
        self.suite.programs.retain(|(_, program)| !blind.contains(program));
        if self.suite.programs.is_empty() {
            bail!("no program of tests fails on migrations that cannot be applied; do they read {MIGRATIONS}?");
        }
        Ok(self.suite.clone())
    }

    /// Runs the tests on the migrations as they are, and says how long they took.
    pub(crate) async fn baseline(&self) -> Result<Duration> {
        self.copy(None)?;
        let begin = Instant::now();
        match self.test(["", ""], LONG).await? {
            Verdict::Passed => Ok(begin.elapsed()),
            Verdict::Failed(name) => bail!("without any mutant, {name} fails; mend that first"),
            Verdict::TimedOut => bail!("without any mutant, the tests do not end"),
        }
    }

    /// Tries a change of this statement and file. The limit is for all programs together.
    async fn test(&self, places: [&str; 2], limit: Duration) -> Result<Verdict> {
        let end = Instant::now() + limit;
        for (program, arguments) in self.suite.steps(places) {
            let left = || end.saturating_duration_since(Instant::now());
            let mut verdict = self.run(program, &arguments, left()).await?;
            if let Verdict::Failed(name) = &verdict
                && self.run(program, &[name.clone(), "--exact".to_owned()], left()).await? == Verdict::Passed
            {
                // By chance, or because of the tests before it: a second time tells.
                verdict = self.run(program, &arguments, left()).await?;
            }
            if let Verdict::Failed(name) = &verdict
                && is_test(name)
            {
                self.suite.killers.add(places, program, name);
            }
            if verdict != Verdict::Passed {
                return Ok(verdict);
            }
        }
        Ok(Verdict::Passed)
    }

    /// Runs a program of tests on an empty server.
    async fn run(&self, program: &Path, arguments: &[String], limit: Duration) -> Result<Verdict> {
        server::clear(&self.cluster).await?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env(TEST_DATABASE, self.cluster.url("postgres"))
            .env(TEST_TARGET, "native")
            .env(MIGRATIONS, &self.folder)
            .stderr(Stdio::null());
        runner::run(command, limit, |_| ()).await
    }

    /// The folder of migrations, with another text of one file.
    fn copy(&self, change: Option<(&str, &str)>) -> Result<()> {
        let root = workspace::root()?;
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder)?;
        }
        copy_folder(&root.join("migrations"), &self.folder)?;
        if let Some((file, text)) = change {
            let name = Path::new(file).strip_prefix("migrations")?;
            fs::write(self.folder.join(name), text).with_context(|| format!("cannot write {file}"))?;
        }
        Ok(())
    }
}

impl Judge for Worker {
    async fn judge(&self, mutant: &Mutant, limit: Duration) -> Result<Outcome> {
        let How::Text(text) = &mutant.how else { bail!("{} is no mutant of SQL", mutant.shown()) };
        let file = if mutant.file == TEMPLATE { MADE } else { &mutant.file };
        self.copy(Some((file, text)))?;
        server::clear(&self.cluster).await?;
        let database = create_database(&self.cluster.address("postgres")?, "viable").await?;
        if migrate::migrate(&database, &self.folder).await.is_err() {
            return Ok(Outcome::Unviable);
        }
        Ok(match self.test([&mutant.within, &mutant.file], limit).await? {
            Verdict::Passed => Outcome::Survived,
            Verdict::Failed(name) => Outcome::Killed(name),
            Verdict::TimedOut => Outcome::TimedOut,
        })
    }

    fn stop(self) -> Result<()> {
        self.cluster.stop()
    }
}

/// The failure of a whole program has a description with spaces instead of a test's name.
fn is_test(name: &str) -> bool {
    !name.contains(' ')
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
