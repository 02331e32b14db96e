//! What is done with errand's database: by `errand-db`, which needs no checkout, and by `cargo xtask db`.

mod account;
pub mod doctor;
mod embedded;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use errand_postgres::{
    address::Address,
    migrate::{self, Files, FoldProgress, Report, Status},
};

pub use account::Account;
pub use embedded::Embedded;

/// How often a long step says how far it is.
const REPORT_INTERVAL: Duration = Duration::from_secs(2);

/// What both programs do.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
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
    /// Begin another epoch, after a restore from a backup: entity tags and cursors of before match nothing from now on
    #[command(alias = "restored")]
    Epoch,
    /// Delete the expired idempotency keys of all users; for a clock (cron, Kubernetes)
    Tidy,
    /// Compute the instants of due dates again, after an update of PostgreSQL's time zone data
    DueAt,
    /// Fold the texts of tasks that have no folded texts, for searching and sorting; `migrate` does it, too
    ///
    /// Tasks of an older version, and those that its component still writes, are found as that version finds them until then. It may be
    /// ended at any time, and goes on when it is run again.
    Fold,
    /// Export or erase all that the database keeps of one user
    #[command(subcommand)]
    Account(Account),
}

impl Command {
    /// Does it, with the database's administrator, and says what was done.
    ///
    /// # Errors
    ///
    /// When the database cannot be reached or refuses; what was committed before stays.
    pub async fn run(&self, address: &Address, files: &(impl Files + ?Sized)) -> Result<()> {
        match self {
            Self::Migrate => {
                migrate(address, files).await?;
                println!("{address} is up to date");
                Ok(())
            }
            Self::Rollback { steps } => rollback(address, files, *steps).await,
            Self::Status => status(address, &migrate::status(address, files).await?),
            Self::Epoch => {
                migrate::begin_epoch(address).await?;
                println!("{address} has begun another epoch: what clients kept from before is stale to it");
                Ok(())
            }
            Self::Tidy => tidy(address).await,
            Self::DueAt => due_at(address).await,
            Self::Fold => {
                let folded = fold(address).await?;
                println!("{address}: folded the texts of {} tasks of {} users", folded.tasks, folded.users);
                Ok(())
            }
            Self::Account(account) => account.run(address).await,
        }
    }
}

/// Applies what is missing, folds the tasks of before, and says what that was.
///
/// # Errors
///
/// When the database cannot be reached, is of another history, or refuses a file; what was applied before stays.
pub async fn migrate(address: &Address, files: &(impl Files + ?Sized)) -> Result<()> {
    let Report { applied, functions_replaced, functions_dropped, warnings } = migrate::migrate(address, files).await?;
    for file in applied {
        eprintln!("errand: applied {file}");
    }
    if functions_replaced {
        eprintln!("errand: replaced the functions of schema api");
    }
    for signature in functions_dropped {
        eprintln!("errand: dropped {signature}, which this version no longer has");
    }
    for warning in warnings {
        eprintln!("errand: PostgreSQL warns: {warning}");
    }
    let folded = fold(address).await.context(
        "the migrations are applied; run `errand-db fold` later for the tasks that are left (in a checkout: cargo xtask db fold)",
    )?;
    if folded.tasks > 0 {
        eprintln!("errand: folded the texts of {} tasks of {} users", folded.tasks, folded.users);
    }
    Ok(())
}

async fn rollback(address: &Address, files: &(impl Files + ?Sized), steps: u32) -> Result<()> {
    let done = migrate::rollback(address, files, steps).await?;
    for file in &done {
        println!("ran {file}");
    }
    if done.is_empty() {
        println!("there is nothing to take back");
    }
    Ok(())
}

fn status(address: &Address, status: &Status) -> Result<()> {
    println!("{address}");
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
        bail!("this database and these migrations do not fit together");
    }
    Ok(())
}

async fn tidy(address: &Address) -> Result<()> {
    let mut all = 0;
    migrate::tidy(address, |removed| {
        all += removed;
        eprintln!("errand: deleted {all} expired idempotency keys");
    })
    .await?;
    println!("{address} has no expired idempotency keys; {all} were deleted");
    Ok(())
}

async fn fold(address: &Address) -> Result<FoldProgress> {
    let mut told = Instant::now();
    migrate::fold(address, |progress| {
        if told.elapsed() > REPORT_INTERVAL {
            told = Instant::now();
            eprintln!("errand: folded the texts of {} tasks; {} users are done", progress.tasks, progress.users);
        }
        true
    })
    .await
}

async fn due_at(address: &Address) -> Result<()> {
    let mut told = Instant::now();
    let done = migrate::refresh_due(address, |progress| {
        if told.elapsed() > REPORT_INTERVAL {
            told = Instant::now();
            eprintln!("errand: {} users, {} tasks have another instant", progress.users, progress.changed);
        }
        true
    })
    .await?;
    println!("{address}: looked at the tasks of {} users; {} have another instant now", done.users, done.changed);
    if done.kept > 0 {
        println!("{} are due at a local time that does not exist any more; they keep their instant", done.kept);
    }
    Ok(())
}
