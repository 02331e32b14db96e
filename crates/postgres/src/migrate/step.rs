//! What the steps over the data of all users share: their ledger, and their place in it. A step works in small transactions, and goes on
//! from its place after an interruption.

use anyhow::{Result, bail};
use tokio_postgres::{Transaction, types::Type};

/// Makes the ledger.
pub(super) const LEDGER: &str = "create table if not exists errand_meta.step (
    name text primary key,
    last_user text, last_task uuid,
    users bigint not null default 0, changed bigint not null default 0, kept bigint not null default 0,
    begun_at timestamptz not null default now(), ended_at timestamptz)";

/// A policy is made and dropped under a lock of the whole table, and every write of every user waits behind who waits for it. So that
/// ends soon, and is tried again by the operator.
pub(super) const BRIEFLY: &str = "set local lock_timeout = '1s'";

/// Locks a step's entry until the transaction ends.
///
/// # Errors
///
/// When the step is at another place: another run has moved it.
pub(super) async fn hold(tx: &Transaction<'_>, name: &str, user: Option<&str>, task: Option<&str>) -> Result<()> {
    let held = tx
        .query_typed_one(
            "select last_user is not distinct from $2 and last_task::text is not distinct from $3 and ended_at is null
             from errand_meta.step where name = $1 for update",
            &[(&name, Type::TEXT), (&user, Type::TEXT), (&task, Type::TEXT)],
        )
        .await?;
    if !held.try_get::<_, bool>(0)? {
        bail!("another run of this step is at work on this database");
    }
    Ok(())
}
