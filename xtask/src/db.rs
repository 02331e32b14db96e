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
    #[command(flatten)]
    Shared(errand_db::Command),
    /// Examine the way from the component to its database: TLS, pooler, role, time limits, versions
    Doctor {
        /// The component's connection string; without it that of `.env`
        url: Option<String>,
    },
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
            Action::Shared(command) => shared(&database, &command).await,
            Action::Doctor { url } => doctor(&database, &mut settings, url).await,
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

async fn shared(database: &Database, command: &errand_db::Command) -> Result<()> {
    if let (errand_db::Command::Status, Some(cluster)) = (command, database.private()) {
        let state = if cluster.is_ours() { "not running" } else { "running" };
        println!("private PostgreSQL in {}, {state}", cluster.folder().display());
    }
    command.run(&database.address, &workspace::root()?.join("migrations")).await
}

async fn doctor(database: &Database, settings: &mut Settings, url: Option<String>) -> Result<()> {
    let address = match url {
        Some(url) => Address::parse(&url)?,
        None => app_address(database, settings).await?,
    };
    match errand_db::doctor::examine_aloud(&address).await? {
        0 => Ok(()),
        wrong => bail!("{wrong} of these are wrong"),
    }
}

/// Where the component logs in.
async fn app_address(database: &Database, settings: &mut Settings) -> Result<Address> {
    // The private server's port may have changed since `.env` was written; elsewhere looking changes nothing.
    if database.private().is_some() {
        database.prepare(settings).await?;
    }
    let url = settings.get(APP_URL);
    let url =
        url.with_context(|| format!("{APP_URL} is not set; `cargo xtask up` or `cargo xtask db password` sets it"))?;
    Address::parse(&url)
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
    let address = match app {
        true => app_address(database, settings).await?,
        false => database.address.clone(),
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
