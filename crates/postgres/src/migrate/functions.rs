//! Schema `api` as one unit: every function of the checkout, and none that the checkout no longer has.
//!
//! Functions are replaced in place, never dropped and created: a call that was parsed before the commit and is run after it
//! finds the function by its oid. So a function keeps its shape (name, arguments, result) for good, and another shape is
//! another function. All of it happens inside the caller's transaction: others see the old unit or the new one.

use std::collections::HashSet;

use anyhow::{Context, Result, bail};
use tokio_postgres::Transaction;

use super::{
    explain::{self, reasons},
    ledger, run, settings,
    source::Source,
};

/// A function, procedure or aggregate of schema `api`.
struct Routine {
    oid: u32,
    /// The transaction that last wrote its catalog row.
    written_by: String,
    name: String,
    /// Name and argument types.
    signature: String,
}

/// Brings the functions up to date. Returns the signatures of those that were dropped, or `None` if there was nothing to do.
pub(super) async fn replace(tx: &Transaction<'_>, source: &Source) -> Result<Option<Vec<String>>> {
    let checksum = source.functions_checksum();
    if ledger::functions_checksum(tx).await?.as_deref() == Some(&checksum) {
        // A dump does not contain the logins' settings, so a restored database needs them again.
        if let (Some(access), [_, ..]) = (&source.access, settings::differences(tx).await?.as_slice()) {
            run(tx, access, explain::function).await?;
        }
        return Ok(None);
    }
    let before = routines(tx).await?;
    for file in &source.functions {
        run(tx, file, explain::function).await?;
    }
    let dropped = drop_undefined(tx, &before).await?;
    // After the comparison, because a grant rewrites the rows of functions that no file defines, too.
    if let Some(access) = &source.access {
        run(tx, access, explain::function).await?;
    }
    ledger::set_functions_checksum(tx, &checksum).await?;
    Ok(Some(dropped))
}

/// Drops what no file has defined: a row that has not been written since, because `create or replace` writes it even when
/// nothing changes.
async fn drop_undefined(tx: &Transaction<'_>, before: &[Routine]) -> Result<Vec<String>> {
    let old: HashSet<_> = before.iter().map(|routine| (routine.oid, routine.written_by.as_str())).collect();
    let known: HashSet<_> = before.iter().map(|routine| routine.oid).collect();
    let (undefined, defined): (Vec<_>, Vec<_>) =
        routines(tx).await?.into_iter().partition(|routine| old.contains(&(routine.oid, routine.written_by.as_str())));
    for Routine { name, signature, .. } in &undefined {
        if let Some(new) = defined.iter().find(|other| other.name == *name && !known.contains(&other.oid)) {
            bail!(
                "{signature} has other arguments now: {}\n  hint:   {}\nNo function was replaced.",
                new.signature,
                explain::NEW_NAME
            );
        }
        // No `cascade`: what hangs on it outside the schema (a policy, a trigger) must not vanish silently.
        tx.batch_execute(&format!("drop routine {signature}")).await.map_err(|error| reasons(&error)).with_context(
            || format!("{signature} is in no file of this checkout, and cannot be dropped; no function was replaced"),
        )?;
    }
    Ok(undefined.into_iter().map(|routine| routine.signature).collect())
}

async fn routines(tx: &Transaction<'_>) -> Result<Vec<Routine>> {
    let rows = tx
        .query_typed(
            "select p.oid, p.xmin::text, p.proname::text, p.oid::regprocedure::text \
             from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace \
             where n.nspname = 'api' order by 4",
            &[],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Routine {
                oid: row.try_get(0)?,
                written_by: row.try_get(1)?,
                name: row.try_get(2)?,
                signature: row.try_get(3)?,
            })
        })
        .collect()
}
