//! `cargo xtask db`: the database of `DATABASE_URL`, or the private one.

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use errand_postgres::{
    address::Address,
    cluster::{self, Cluster, State},
    migrate,
};
use tokio::process::Command;

use crate::{
    database::{Database, NAME},
    process,
    settings::{APP_URL, DATABASE_URL, Settings},
    workspace,
};

/// Migrate, inspect and open the database
///
/// Works on DATABASE_URL (from the environment or `.env`) when that is set, else on the checkout's private PostgreSQL,
/// which is started for the command when it does not run.
#[derive(Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct Db {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Apply the migrations that are missing, and the current functions
    Migrate,
    /// Take back the last migrations
    Rollback {
        /// How many
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
        steps: u32,
    },
    /// Show which migrations are applied
    Status,
    /// Say that the database was restored from a backup: entity tags of before match nothing from now on
    Restored,
    /// Delete the expired idempotency keys of all users; for a clock (cron, Kubernetes)
    Tidy,
    /// Drop everything in the database that is errand's, data included
    Reset {
        /// Do it on a database that is not on this machine, too
        #[arg(long)]
        yes: bool,
    },
    /// Open psql
    Psql {
        /// Log in as the component does, not as the administrator
        #[arg(long)]
        app: bool,
        /// Arguments for psql
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Give the component's role a new password and write it to `.env`
    Password {
        /// Give it to the component's other login, so that the present one works until `--retire`
        #[arg(long)]
        rotate: bool,
        /// Let the login that `.env` does not name log in no more
        #[arg(long, conflicts_with = "rotate")]
        retire: bool,
    },
    /// Start the private PostgreSQL and leave it running
    Start,
    /// Stop the private PostgreSQL
    Stop,
}

impl Db {
    pub(crate) async fn run(self) -> Result<()> {
        let mut settings = Settings::load()?;
        match self.action {
            Action::Start => return start(&mut settings).await,
            Action::Stop => return stop(),
            _ => {}
        }
        let database = Database::open(&settings).await?;
        let done = match self.action {
            Action::Migrate => up_to_date(&database).await,
            Action::Rollback { steps } => rollback(&database, steps).await,
            Action::Status => status(&database).await,
            Action::Restored => restored(&database).await,
            Action::Tidy => tidy(&database).await,
            Action::Reset { yes } => reset(&database, yes).await,
            Action::Psql { app, arguments } => psql(&database, &mut settings, app, &arguments).await,
            Action::Password { rotate, retire: false } => new_password(&database, &mut settings, rotate).await,
            Action::Password { .. } => retire(&database, &settings).await,
            Action::Start | Action::Stop => Ok(()),
        };
        // Stopped before anything is said about the outcome, so that an error is the last thing to be read.
        database.close()?;
        done
    }
}

async fn up_to_date(database: &Database) -> Result<()> {
    database.migrate().await?;
    println!("{} is up to date", database.address);
    Ok(())
}

async fn rollback(database: &Database, steps: u32) -> Result<()> {
    let done = migrate::rollback(&database.address, &workspace::root()?.join("migrations"), steps).await?;
    for file in &done {
        println!("ran {file}");
    }
    if done.is_empty() {
        println!("there is nothing to take back");
    }
    Ok(())
}

async fn status(database: &Database) -> Result<()> {
    let status = migrate::status(&database.address, &workspace::root()?.join("migrations")).await?;
    println!("{}", database.address);
    if let Some(cluster) = database.private() {
        println!(
            "private PostgreSQL in {}, {}",
            cluster.folder().display(),
            if cluster.is_ours() { "not running" } else { "running" }
        );
    }
    for entry in &status.entries {
        println!("  {:<40} {}", entry.name, entry.applied_at.as_deref().unwrap_or("waiting"));
        if let Some(problem) = &entry.problem {
            println!("      {problem}");
        }
    }
    println!("  {:<40} {}", "functions", if status.functions_current { "current" } else { "waiting" });
    let settings = if status.settings.is_empty() { "as they are to be" } else { "different" };
    println!("  {:<40} {settings}", "settings of the component's logins");
    for setting in &status.settings {
        let found = setting.found.as_deref().unwrap_or("not set");
        println!("      {} of {} is {found}, not {}: {};", setting.name, setting.login, setting.wanted, setting.remedy);
    }
    if status.entries.iter().any(|entry| entry.problem.is_some()) {
        bail!("this database and this checkout do not fit together");
    }
    Ok(())
}

async fn restored(database: &Database) -> Result<()> {
    migrate::begin_epoch(&database.address).await?;
    println!("{} has begun another epoch: what clients kept from before the restore is stale to it", database.address);
    Ok(())
}

async fn tidy(database: &Database) -> Result<()> {
    let mut all = 0;
    migrate::tidy(&database.address, |removed| {
        all += removed;
        eprintln!("errand: deleted {all} expired idempotency keys");
    })
    .await?;
    println!("{} has no expired idempotency keys; {all} were deleted", database.address);
    Ok(())
}

async fn reset(database: &Database, yes: bool) -> Result<()> {
    if !yes && !database.address.is_local() {
        bail!("this drops every task in {}; say `cargo xtask db reset --yes` if that is meant", database.address);
    }
    migrate::reset(&database.address).await?;
    println!("dropped errand's schemas from {}; `cargo xtask db migrate` makes them anew", database.address);
    Ok(())
}

async fn psql(database: &Database, settings: &mut Settings, app: bool, arguments: &[String]) -> Result<()> {
    let program = cluster::client_program(&workspace::root()?, "psql")
        .context("psql is not installed (Debian, Ubuntu: `sudo apt-get install postgresql-client`)")?;
    let address = if app {
        // The private server's port may have changed since `.env` was written; elsewhere opening psql changes nothing.
        if database.private().is_some() {
            database.prepare(settings).await?;
        }
        let url = settings.get(APP_URL);
        let url = url
            .with_context(|| format!("{APP_URL} is not set; `cargo xtask up` or `cargo xtask db password` sets it"))?;
        Address::parse(&url)?
    } else {
        database.address.clone()
    };
    let mut command = Command::new(program);
    command.args(arguments).envs(address.libpq_env());
    // In our own process group, or the terminal would not let it read; Ctrl-C is psql's to handle.
    let mut child = command.spawn().context("cannot run psql")?;
    loop {
        tokio::select! {
            status = child.wait() => {
                if !status?.success() {
                    bail!("psql ended with an error");
                }
                return Ok(());
            }
            result = process::interrupted() => result?,
        }
    }
}

async fn new_password(database: &Database, settings: &mut Settings, rotate: bool) -> Result<()> {
    let login = database.new_password(settings, rotate).await?;
    println!("{login} has a new password; its connection string is in .env as {APP_URL}");
    if rotate {
        println!("the login of before works, too: deploy the new string, then run `cargo xtask db password --retire`");
    }
    Ok(())
}

async fn retire(database: &Database, settings: &Settings) -> Result<()> {
    let login = database.retire_login(settings).await?;
    println!("{login} can log in no more");
    Ok(())
}

async fn start(settings: &mut Settings) -> Result<()> {
    if settings.get(DATABASE_URL).is_some() {
        bail!("DATABASE_URL is set, so the private PostgreSQL is not used; unset it first");
    }
    let (cluster, started) = Cluster::start_detached(&workspace::root()?)?;
    // Joins the running server; brings `.env` along, so that `spin up` works with it.
    let database = Database::open(settings).await?;
    database.prepare(settings).await?;
    database.close()?;
    let was = if started { "runs now" } else { "was running already" };
    println!("PostgreSQL {was} on 127.0.0.1:{} (database {NAME}); stop it with `cargo xtask db stop`", cluster.port());
    Ok(())
}

fn stop() -> Result<()> {
    let root = workspace::root()?;
    let told = match cluster::state(&root)? {
        State::Absent => "there is no private PostgreSQL in this checkout",
        State::Stopped => "the private PostgreSQL does not run",
        State::Running(_) => {
            cluster::stop(&root)?;
            "stopped the private PostgreSQL"
        }
    };
    println!("{told}");
    Ok(())
}
