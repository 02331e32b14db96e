//! Tries mutants of SQL on a server of its own. Roles and their settings belong to a whole server, so each mutant begins
//! without any: databases and roles that tests have left are dropped before it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use errand_native::{
    connect::{connect, create_database},
    migrate,
    postgres::Cluster,
};
use serde::Deserialize;
use tokio::process::Command;

use crate::{
    mutants::{
        mutant::{How, Mutant, Outcome},
        runner::{self, Verdict},
    },
    process::{self, LONG},
    test::{TEST_DATABASE, TEST_TARGET, cargo_test},
    workspace,
};

/// The folder that the tests migrate from.
const MIGRATIONS: &str = "ERRAND_TEST_MIGRATIONS";
/// Programs of tests that migrate from that folder.
const PROGRAMS: [&str; 2] = ["api", "migrator"];
/// Tests of what comes before a statement or beside it: tokens, keys, connections, logs, pages. To leave tests out can only
/// make the score lower than it is.
const LEFT_OUT: [&str; 7] = ["tokens::", "published_keys::", "shared_keys::", "recipes::", "wire::", "log::", "docs::"];
/// Tests that take seconds; they run when the others have passed.
const SLOW: [&str; 6] = [
    "paging_while_others_write",
    "interleaved_requests_of_many_users",
    "nothing_leaks_between",
    "each_order_has_an_index",
    "another_users_task_is_like_one",
    "volume::",
];

/// The programs of tests, built.
#[derive(Debug, Clone)]
pub(crate) struct Suite {
    programs: Vec<(String, PathBuf)>,
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
        Ok(Self { programs })
    }

    /// What is run, most telling first.
    fn commands(&self) -> Vec<Command> {
        let skip = |names: &[&str]| {
            names.iter().flat_map(|name| ["--skip".to_owned(), (*name).to_owned()]).collect::<Vec<_>>()
        };
        let mut commands = Vec::new();
        for (name, program) in &self.programs {
            let mut first = Command::new(program);
            if name != "api" {
                commands.push(first);
                continue;
            }
            first.args(skip(&LEFT_OUT)).args(skip(&SLOW));
            let mut second = Command::new(program);
            second.args(SLOW);
            commands.extend([first, second]);
        }
        commands
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

    /// Runs the tests on the migrations as they are, and says how long they took. Also makes sure that every program of
    /// tests reads the folder that it is given: one that does not would let every mutant survive.
    pub(crate) async fn baseline(&self) -> Result<Duration> {
        self.copy(None)?;
        let begin = Instant::now();
        match self.test(LONG).await? {
            Verdict::Passed => {}
            Verdict::Failed(name) => bail!("without any mutant, {name} fails; mend that first"),
            Verdict::TimedOut => bail!("without any mutant, the tests do not end"),
        }
        let took = begin.elapsed();
        fs::write(self.folder.join("0001_tasks.up.sql"), "select 1 / 0;")?;
        for mut command in self.suite.commands() {
            self.clear().await?;
            self.surround(&mut command);
            if runner::run(command, LONG, |_| ()).await? == Verdict::Passed {
                bail!("{:?} passes on migrations that cannot be applied", self.suite.programs);
            }
        }
        Ok(took)
    }

    pub(crate) async fn judge(&self, mutant: &Mutant, limit: Duration) -> Result<Outcome> {
        let How::Text(text) = &mutant.how else { bail!("{} is no mutant of SQL", mutant.shown()) };
        self.copy(Some((&mutant.file, text)))?;
        self.clear().await?;
        let database = create_database(&self.cluster.address("postgres")?, "viable").await?;
        if migrate::migrate(&database, &self.folder).await.is_err() {
            return Ok(Outcome::Unviable);
        }
        Ok(match self.test(limit).await? {
            Verdict::Passed => Outcome::Survived,
            Verdict::Failed(name) => Outcome::Killed(name),
            Verdict::TimedOut => Outcome::TimedOut,
        })
    }

    pub(crate) fn stop(self) -> Result<()> {
        self.cluster.stop()
    }

    /// The limit is for all programs together.
    async fn test(&self, limit: Duration) -> Result<Verdict> {
        let end = Instant::now() + limit;
        for mut command in self.suite.commands() {
            self.clear().await?;
            self.surround(&mut command);
            let verdict = runner::run(command, end.saturating_duration_since(Instant::now()), |_| ()).await?;
            if verdict != Verdict::Passed {
                return Ok(verdict);
            }
        }
        Ok(Verdict::Passed)
    }

    fn surround(&self, command: &mut Command) {
        command
            .env(TEST_DATABASE, self.cluster.url("postgres"))
            .env(TEST_TARGET, "native")
            .env(MIGRATIONS, &self.folder)
            .stderr(Stdio::null());
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

    /// Drops what the tests before have left: this server is ours alone.
    async fn clear(&self) -> Result<()> {
        let client = connect(&self.cluster.address("postgres")?).await?;
        let databases = "select format('drop database %I with (force)', datname) from pg_database
            where not datistemplate and datname <> 'postgres'";
        let roles =
            "select format('drop role %I', rolname) from pg_roles where rolname !~ '^pg_' and rolname <> current_user";
        for list in [databases, roles] {
            for row in client.query(list, &[]).await? {
                client.batch_execute(row.try_get(0)?).await.context("could not drop what tests have left")?;
            }
        }
        Ok(())
    }
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
