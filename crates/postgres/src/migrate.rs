//! The migrator: brings a database to the state that the checkout's `migrations/` describes, and back.
//!
//! Numbered migrations run once, in order, each in its own transaction and recorded with a checksum. The database
//! functions are one unit: replaced together, in one transaction, whenever their text or the set of migrations changes.
//! So are their grants, in `access.sql`.
//! Everything holds a transaction-level lock, so two migrators wait for each other even behind a pooler that hands out
//! connections per transaction (a session-level lock would stay behind on somebody else's connection).

mod due;
pub(crate) mod explain;
mod fold;
mod functions;
mod ledger;
mod settings;
mod source;
mod step;

use anyhow::{Context, Result, bail};
use tokio_postgres::{Client, Transaction, error::SqlState, types::Type};

use crate::{
    address::Address,
    connect::{connect, connect_with_warnings},
};
pub use due::{DueProgress, refresh_due};
pub use fold::{FoldProgress, fold};
pub use settings::Difference;
use source::Source;
pub use source::{FUNCTIONS, Files, SqlFile};

/// Names the migrator's lock among other advisory locks ("errand" in ASCII).
const LOCK: i64 = 0x6572_7261_6e64;

/// The interface that the component of this version calls: `errand::data::INTERFACE`, which a test compares.
pub const INTERFACE: i64 = 5;

/// How to migrate, in the words of a hint.
pub(crate) const MIGRATE: &str = "errand-db migrate (in a checkout: cargo xtask db migrate)";

/// What a migration run did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The files that were applied, in order.
    pub applied: Vec<String>,
    /// Whether the functions were replaced.
    pub functions_replaced: bool,
    /// The functions that no file defines any more, dropped: name and argument types.
    pub functions_dropped: Vec<String>,
    /// PostgreSQL's warnings. They name what this login may not do, and an administrator has to.
    pub warnings: Vec<String>,
}

/// One line of `status`.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// `NNNN_name`.
    pub name: String,
    /// When it was applied, in UTC; `None` while it waits.
    pub applied_at: Option<String>,
    /// What keeps it from being migrated any further, if anything does.
    pub problem: Option<String>,
}

/// Where a database stands against a checkout.
#[derive(Debug)]
pub struct Status {
    /// Every migration on disk or in the database, in order.
    pub entries: Vec<Entry>,
    /// Whether the database has the functions of this checkout.
    pub functions_current: bool,
    /// What the component's logins have otherwise than the database's functions say.
    pub settings: Vec<Difference>,
}

/// Applies what is missing.
pub async fn migrate(address: &Address, migrations: &(impl Files + ?Sized)) -> Result<Report> {
    let source = Source::read(migrations)?;
    let (mut client, warnings) = connect_with_warnings(address).await?;
    let report = apply(&mut client, &source).await.map_err(|error| warnings.explain(error))?;
    Ok(Report { warnings: warnings.take(), ..report })
}

async fn apply(client: &mut Client, source: &Source) -> Result<Report> {
    let mut report = Report::default();
    loop {
        let tx = begin(client).await?;
        ledger::prepare(&tx).await?;
        // Read under the lock: another migrator may have been at work until a moment ago.
        let applied = ledger::applied(&tx).await?;
        source.check(&applied)?;
        let Some(next) = source.migrations.get(applied.len()) else {
            if let Some(dropped) = functions::replace(&tx, source).await? {
                report.functions_replaced = true;
                report.functions_dropped = dropped;
            }
            tx.commit().await?;
            return Ok(report);
        };
        run(&tx, &next.up, explain::migration).await?;
        ledger::add(&tx, next).await?;
        tx.commit().await.with_context(|| format!("{} could not be committed", next.up.path))?;
        report.applied.push(next.up.path.clone());
    }
}

/// Takes back the last `steps` migrations, newest first, each in its own transaction. Returns what was taken back.
/// The functions stay as they are until the next [`migrate`], which replaces them.
pub async fn rollback(address: &Address, migrations: &(impl Files + ?Sized), steps: u32) -> Result<Vec<String>> {
    let source = Source::read(migrations)?;
    let mut client = connect(address).await?;
    let mut done = Vec::new();
    for _ in 0..steps {
        let tx = begin(&mut client).await?;
        ledger::prepare(&tx).await?;
        let applied = ledger::applied(&tx).await?;
        let Some(last) = applied.last() else { break };
        // The checksum of the up file may differ here, because an edited migration is rolled back first.
        let migration =
            source.migrations.iter().find(|m| m.version == last.version && m.name == last.name).with_context(|| {
                format!("{:04}_{}.up.sql is applied but not in this checkout", last.version, last.name)
            })?;
        let Some(down) = &migration.down else {
            bail!("{:04}_{} cannot be taken back: it has no .down.sql", last.version, last.name);
        };
        run(&tx, down, explain::migration).await?;
        ledger::remove(&tx, last.version).await?;
        tx.commit().await.with_context(|| format!("{} could not be committed", down.path))?;
        done.push(down.path.clone());
    }
    Ok(done)
}

/// Compares the database with the checkout; changes nothing.
pub async fn status(address: &Address, migrations: &(impl Files + ?Sized)) -> Result<Status> {
    let source = Source::read(migrations)?;
    let mut client = connect(address).await?;
    let tx = client.build_transaction().read_only(true).start().await?;
    let (applied, recorded) = if ledger::exists(&tx).await? {
        (ledger::applied(&tx).await?, ledger::functions_checksum(&tx).await?)
    } else {
        (Vec::new(), None)
    };
    let functions_current = recorded.as_deref() == Some(&source.functions_checksum());
    Ok(Status { entries: source.compare(&applied), functions_current, settings: settings::differences(&tx).await? })
}

/// Begins another epoch: every entity tag and every cursor that was given out before matches nothing from now on. For a database that was
/// restored from a backup, which would otherwise give tags out again for other states, and pass tasks that are back at places before a
/// cursor.
pub async fn begin_epoch(address: &Address) -> Result<()> {
    let mut client = connect(address).await?;
    let tx = begin(&mut client).await?;
    tx.batch_execute("select errand.begin_epoch()").await.map_err(|error| {
        let reasons = explain::reasons(&error);
        if [SqlState::UNDEFINED_FUNCTION, SqlState::INVALID_SCHEMA_NAME].iter().any(|code| error.code() == Some(code)) {
            reasons.context(format!("this database has no epochs yet; migrate first: {MIGRATE}"))
        } else {
            reasons.context("could not begin another epoch")
        }
    })?;
    tx.commit().await?;
    Ok(())
}

/// Deletes expired idempotency keys of all users, some thousands in a transaction, and tells how many each time. The role
/// `errand_maintenance` does it, which may delete those and nothing else.
pub async fn tidy(address: &Address, mut told: impl FnMut(i64)) -> Result<()> {
    const BATCH_SIZE: i32 = 10_000;
    let mut client = connect(address).await?;
    loop {
        let tx = client.transaction().await?;
        let tidied = async {
            tx.batch_execute("set local role errand_maintenance").await?;
            tx.query_typed_one("select errand.tidy($1)", &[(&BATCH_SIZE, Type::INT4)]).await
        };
        let removed: i64 = tidied
            .await
            .map_err(|error| {
                let hint = match error.code() {
                    Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                        "the administrator of the database must say `grant errand_maintenance to` this user".to_owned()
                    }
                    Some(
                        &SqlState::UNDEFINED_FUNCTION
                        | &SqlState::UNDEFINED_OBJECT
                        | &SqlState::INVALID_PARAMETER_VALUE,
                    ) => format!("this database has no maintenance yet; migrate first: {MIGRATE}"),
                    _ => "nothing of the last thousands was deleted; what was told before is".to_owned(),
                };
                explain::reasons(&error).context(hint)
            })?
            .try_get(0)?;
        tx.commit().await?;
        if removed > 0 {
            told(removed);
        }
        // Stop at a partial batch: keys keep expiring, so a loop until 0 might never end.
        if removed < i64::from(BATCH_SIZE) {
            return Ok(());
        }
    }
}

/// Drops everything that migrations and migrator made, data included. The role stays: other databases of the server
/// may use it.
pub async fn reset(address: &Address) -> Result<()> {
    let mut client = connect(address).await?;
    let tx = begin(&mut client).await?;
    tx.batch_execute(
        "drop schema if exists api cascade; drop schema if exists errand cascade; drop schema if exists errand_meta cascade",
    )
    .await
    .context("could not drop errand's schemas")?;
    tx.commit().await?;
    Ok(())
}

/// Opens a transaction that holds the migrator's lock until it ends.
pub(crate) async fn begin(client: &mut Client) -> Result<Transaction<'_>> {
    let tx = client.transaction().await?;
    // The search path is fixed, so that a file means the same for every role.
    tx.batch_execute(
        "set local search_path = public; set local client_min_messages = warning; \
         set local statement_timeout = 0; set local lock_timeout = '2min'",
    )
    .await?;
    let free: bool = tx.query_typed_one(&format!("select pg_try_advisory_xact_lock({LOCK})"), &[]).await?.try_get(0)?;
    if !free {
        eprintln!("errand: another migrator is at work on this database; waiting for it, at most 2 minutes");
        tx.batch_execute(&format!("select pg_advisory_xact_lock({LOCK})")).await.map_err(|error| {
            if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) {
                anyhow::anyhow!("another migrator has held this database for 2 minutes; see pg_stat_activity for who it is, then try again")
            } else {
                error.into()
            }
        })?;
    }
    // A migration that waits for a busy table makes everybody else wait behind it: rather fail, and try again later.
    tx.batch_execute("set local lock_timeout = '15s'").await?;
    Ok(tx)
}

/// Runs one file inside the transaction, and notices when the file has ended it.
async fn run(
    tx: &Transaction<'_>,
    file: &SqlFile,
    explain: fn(&SqlFile, &tokio_postgres::Error) -> anyhow::Error,
) -> Result<()> {
    let before = transaction_id(tx).await?;
    tx.batch_execute(&file.text).await.map_err(|error| explain(file, &error))?;
    if transaction_id(tx).await? != before {
        bail!(
            "{} ends the transaction itself (commit or rollback), so it may be half applied and is not recorded; \
             take those statements out, and repair the database by hand (while developing: `cargo xtask db reset`, which loses the data)",
            file.path
        );
    }
    Ok(())
}

async fn transaction_id(tx: &Transaction<'_>) -> Result<String> {
    Ok(tx.query_typed_one("select txid_current()::text", &[]).await?.try_get(0)?)
}
