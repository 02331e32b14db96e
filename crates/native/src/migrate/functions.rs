//! Schema `api` as one unit: every function of the checkout, and none that the checkout no longer has.
//!
//! `create or replace` keeps a function's identity, so a session that is about to call it never misses it. Only where
//! that is impossible (another return type, say) is the schema emptied first. Both happen inside the caller's
//! transaction: others see the old unit or the new one.

use std::collections::HashSet;

use anyhow::{Context, Result};
use tokio_postgres::Transaction;

use super::{ledger, run, source::Source};

/// Identity and last change of every routine in schema `api`, and how to name it.
const ROUTINES: &str = "select p.oid::text || '/' || p.xmin::text, p.oid::regprocedure::text \
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'api'";

/// Drops what schema `api` holds; types of tables and arrays go with their owners. No `cascade`: what hangs on it
/// outside the schema (a policy, a trigger) must not vanish silently.
const EMPTY_SCHEMA: &str = "do $$
declare
    item record;
begin
    for item in
        select string_agg(p.oid::regprocedure::text, ', ') as names
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'api' having count(*) > 0
    loop
        execute 'drop routine ' || item.names;
    end loop;
    for item in
        select format('drop view %s', c.oid::regclass) as statement
        from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'api' and c.relkind = 'v'
    loop
        execute item.statement;
    end loop;
    for item in
        select format('drop type %s', t.oid::regtype) as statement
        from pg_type t join pg_namespace n on n.oid = t.typnamespace
        left join pg_class c on c.oid = t.typrelid
        where n.nspname = 'api' and t.typcategory <> 'A' and (t.typtype in ('e', 'd') or c.relkind = 'c')
    loop
        execute item.statement;
    end loop;
end $$";

/// Brings the functions up to date; says whether there was anything to do.
pub(super) async fn replace(tx: &Transaction<'_>, source: &Source) -> Result<bool> {
    let checksum = source.functions_checksum();
    if ledger::functions_checksum(tx).await?.as_deref() == Some(&checksum) {
        return Ok(false);
    }
    if !source.functions.is_empty() && !schema_exists(tx).await? {
        tx.batch_execute("create schema api").await?;
    }
    tx.batch_execute("savepoint gently").await?;
    if replace_in_place(tx, source).await.is_err() {
        tx.batch_execute("rollback to savepoint gently").await?;
        tx.batch_execute(EMPTY_SCHEMA).await.context("could not drop the old functions of schema api")?;
        // When this fails too, its error is the one that tells.
        create_all(tx, source).await?;
    }
    ledger::set_functions_checksum(tx, &checksum).await?;
    Ok(true)
}

async fn replace_in_place(tx: &Transaction<'_>, source: &Source) -> Result<()> {
    let before: HashSet<String> = routines(tx).await?.into_iter().map(|(version, _)| version).collect();
    create_all(tx, source).await?;
    // Whatever has not changed was not mentioned by any file: replacing a function with its own text counts as a change.
    for (version, name) in routines(tx).await? {
        if before.contains(&version) {
            tx.batch_execute(&format!("drop routine {name}")).await?;
        }
    }
    Ok(())
}

async fn create_all(tx: &Transaction<'_>, source: &Source) -> Result<()> {
    for file in &source.functions {
        run(tx, file).await?;
    }
    Ok(())
}

async fn routines(tx: &Transaction<'_>) -> Result<Vec<(String, String)>> {
    let rows = tx.query_typed(ROUTINES, &[]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

async fn schema_exists(tx: &Transaction<'_>) -> Result<bool> {
    Ok(tx.query_typed_one("select to_regnamespace('api') is not null", &[]).await?.try_get(0)?)
}
