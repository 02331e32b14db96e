//! What the database itself remembers of its migrations: schema `errand_meta`.

use anyhow::Result;
use tokio_postgres::{Transaction, types::Type};

use super::source::Migration;

/// A migration that the database has.
#[derive(Debug)]
pub(super) struct Applied {
    pub(super) version: i32,
    pub(super) name: String,
    pub(super) checksum: String,
    pub(super) applied_at: String,
}

pub(super) async fn exists(tx: &Transaction<'_>) -> Result<bool> {
    let row = tx.query_typed_one("select to_regclass('errand_meta.migration') is not null", &[]).await?;
    Ok(row.try_get(0)?)
}

/// Creates the tables unless they are there. Asks first, because even `if not exists` needs the right to create.
pub(super) async fn prepare(tx: &Transaction<'_>) -> Result<()> {
    if !exists(tx).await? {
        tx.batch_execute(
            "create schema if not exists errand_meta;
             create table errand_meta.migration (
                 version int primary key,
                 name text not null,
                 checksum text not null,
                 applied_at timestamptz not null default now()
             );
             -- At most one row: the functions are one unit.
             create table errand_meta.functions (
                 only_row bool primary key default true check (only_row),
                 checksum text not null,
                 applied_at timestamptz not null default now()
             )",
        )
        .await?;
    }
    let has_helpers = tx
        .query_typed_one(
            "select exists (select from pg_catalog.pg_attribute
                where attrelid = 'errand_meta.functions'::regclass and attname = 'helpers' and not attisdropped)",
            &[],
        )
        .await?;
    if !has_helpers.try_get::<_, bool>(0)? {
        tx.batch_execute(
            "alter table errand_meta.functions add column helpers text[] not null default '{}';
             comment on column errand_meta.functions.helpers is 'the functions of schema errand that the files defined'",
        )
        .await?;
    }
    Ok(())
}

pub(super) async fn applied(tx: &Transaction<'_>) -> Result<Vec<Applied>> {
    let rows = tx
        .query_typed(
            "select version, name, checksum, to_char(applied_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') \
             from errand_meta.migration order by version",
            &[],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Applied {
                version: row.try_get(0)?,
                name: row.try_get(1)?,
                checksum: row.try_get(2)?,
                applied_at: row.try_get(3)?,
            })
        })
        .collect()
}

pub(super) async fn add(tx: &Transaction<'_>, migration: &Migration) -> Result<()> {
    tx.query_typed(
        "insert into errand_meta.migration (version, name, checksum) values ($1, $2, $3)",
        &[(&migration.version, Type::INT4), (&migration.name, Type::TEXT), (&migration.checksum(), Type::TEXT)],
    )
    .await?;
    Ok(())
}

/// Forgets a migration, and with it that the functions fit.
pub(super) async fn remove(tx: &Transaction<'_>, version: i32) -> Result<()> {
    tx.query_typed("delete from errand_meta.migration where version = $1", &[(&version, Type::INT4)]).await?;
    // The helpers are still there.
    tx.batch_execute("update errand_meta.functions set checksum = ''").await?;
    Ok(())
}

pub(super) async fn functions_checksum(tx: &Transaction<'_>) -> Result<Option<String>> {
    let row = tx.query_typed_opt("select checksum from errand_meta.functions", &[]).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// The functions of schema `errand` that the files defined when they were last run.
pub(super) async fn helpers(tx: &Transaction<'_>) -> Result<Vec<String>> {
    let row = tx.query_typed_opt("select helpers from errand_meta.functions", &[]).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?.unwrap_or_default())
}

pub(super) async fn set_functions(tx: &Transaction<'_>, checksum: &str, helpers: &[String]) -> Result<()> {
    tx.query_typed(
        "insert into errand_meta.functions (checksum, helpers) values ($1, $2) \
         on conflict (only_row) do update set checksum = excluded.checksum, helpers = excluded.helpers, applied_at = now()",
        &[(&checksum, Type::TEXT), (&helpers, Type::TEXT_ARRAY)],
    )
    .await?;
    Ok(())
}
