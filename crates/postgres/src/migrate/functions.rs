//! The functions of the schemas `api` and `errand` as one unit: every function of the checkout, and none that the checkout no longer has.
//!
//! Functions are replaced in place, never dropped and created: a call that was parsed before the commit and is run after it
//! finds the function by its oid. So a function keeps its shape (name, arguments, result) for good, and another shape is
//! another function. All of it happens inside the caller's transaction: others see the old unit or the new one.
//!
//! Schema `errand` also has functions that numbered migrations make, and functions whose text is data (`errand.epoch`). So a function
//! of `errand` is dropped only if the ledger says that the files defined it before.

use std::collections::HashSet;

use anyhow::{Context, Result, bail};
use tokio_postgres::Transaction;

use super::{
    explain::{self, reasons},
    ledger, run, settings,
    source::Source,
};

/// A function, procedure or aggregate of the two schemas.
struct Routine {
    oid: u32,
    /// The transaction that last wrote its catalog row.
    written_by: String,
    /// Whether that is the transaction of now. It is not where a file uses a subtransaction.
    written_now: bool,
    /// Whether its schema is `errand`.
    helper: bool,
    /// With its schema.
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
    let helpers = ledger::helpers(tx).await?;
    for file in &source.functions {
        run(tx, file, explain::function).await?;
    }
    let after = routines(tx).await?;
    let defined: Vec<_> = after
        .iter()
        .filter(|routine| routine.helper && routine.written_now)
        .map(|routine| routine.signature.clone())
        .collect();
    let dropped = drop_undefined(tx, &before, after, &helpers).await?;
    // After the comparison, because a grant rewrites the rows of functions that no file defines, too.
    if let Some(access) = &source.access {
        run(tx, access, explain::function).await?;
    }
    ledger::set_functions(tx, &checksum, &defined).await?;
    Ok(Some(dropped))
}

/// Drops what no file has defined: a row that has not been written since, because `create or replace` writes it even when
/// nothing changes.
async fn drop_undefined(
    tx: &Transaction<'_>,
    before: &[Routine],
    after: Vec<Routine>,
    helpers: &[String],
) -> Result<Vec<String>> {
    let old: HashSet<_> = before.iter().map(|routine| (routine.oid, routine.written_by.as_str())).collect();
    let known: HashSet<_> = before.iter().map(|routine| routine.oid).collect();
    let (undefined, defined): (Vec<_>, Vec<_>) =
        after.into_iter().partition(|routine| old.contains(&(routine.oid, routine.written_by.as_str())));
    let mut dropped = Vec::new();
    for Routine { name, signature, helper, .. } in undefined {
        if let Some(new) = defined.iter().find(|other| other.name == name && !known.contains(&other.oid)) {
            bail!(
                "{signature} has other arguments now: {}\n  hint:   {}\nNo function was replaced.",
                new.signature,
                explain::NEW_NAME
            );
        }
        if helper && !helpers.contains(&signature) {
            continue;
        }
        // No `cascade`: what hangs on it outside the schema (a policy, a trigger) must not vanish silently.
        tx.batch_execute(&format!("drop routine {signature}")).await.map_err(|error| reasons(&error)).with_context(
            || format!("{signature} is in no file of this checkout, and cannot be dropped; no function was replaced"),
        )?;
        dropped.push(signature);
    }
    Ok(dropped)
}

async fn routines(tx: &Transaction<'_>) -> Result<Vec<Routine>> {
    let rows = tx
        .query_typed(
            "select p.oid, p.xmin::text, p.xmin = pg_current_xact_id()::xid, n.nspname = 'errand', \
                format('%I.%I', n.nspname, p.proname), p.oid::regprocedure::text \
             from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace \
             where n.nspname in ('api', 'errand') order by 6",
            &[],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Routine {
                oid: row.try_get(0)?,
                written_by: row.try_get(1)?,
                written_now: row.try_get(2)?,
                helper: row.try_get(3)?,
                name: row.try_get(4)?,
                signature: row.try_get(5)?,
            })
        })
        .collect()
}
