//! The export: one JSON object, written row by row, as the database was at one moment.

use std::io::Write;

use anyhow::{Context, Result};
use serde_json::json;
use tokio_postgres::{Client, IsolationLevel, Transaction, types::Type};

use super::{Rows, Table, announce, refused, tables};
use crate::{address::Address, connect::connect, migrate::INTERFACE};

/// The number of rows of a fetch.
const ROWS_PER_FETCH: usize = 1000;

/// Writes all that the database keeps of this user, as one JSON object: `user_id`, `exported_at`, `errand` (version and interface),
/// `left_out` (columns, and why), and `tables`, with an array of rows for each. Returns how many rows that were.
///
/// For an unknown user each table is empty.
///
/// # Errors
///
/// When the database cannot be reached or refuses, when it has a table that is not in [`super::TABLES`], or when `to` takes no more. What
/// was written until then is no whole document.
pub async fn export(address: &Address, user: &str, to: &mut impl Write) -> Result<u64> {
    let mut client = connect(address).await?;
    let tx = moment(&mut client, user).await?;
    let tables = tables(&tx).await?;
    let mut left_out = serde_json::Map::new();
    for table in &tables {
        if let Rows::OfUser { left_out: columns, .. } = table.rows {
            left_out.extend(columns.iter().map(|(column, why)| (format!("{}.{column}", table.name), json!(why))));
        }
    }
    let now: String =
        tx.query_typed_one(r#"select to_char(now(), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"#, &[]).await?.try_get(0)?;
    let errand = json!({"version": env!("CARGO_PKG_VERSION"), "interface": INTERFACE});
    write!(
        to,
        "{{\n\"user_id\": {},\n\"exported_at\": {},\n\"errand\": {errand},\n\"left_out\": {:#},\n\"tables\": {{",
        json!(user),
        json!(now),
        json!(left_out)
    )?;
    let mut written = 0;
    let mut first = true;
    for table in &tables {
        let Some(select) = select(&tx, table).await? else { continue };
        write!(to, "{}\n{}: [", if first { "" } else { "," }, json!(table.name))?;
        first = false;
        written += rows(&tx, &select, to).await.with_context(|| format!("{} could not be exported", table.name))?;
        write!(to, "]")?;
    }
    write!(to, "\n}}\n}}\n")?;
    to.flush()?;
    Ok(written)
}

/// How many rows each table has of this user.
///
/// # Errors
///
/// As [`export`].
pub async fn count(address: &Address, user: &str) -> Result<Vec<(&'static str, i64)>> {
    let mut client = connect(address).await?;
    let tx = moment(&mut client, user).await?;
    let mut counts = Vec::new();
    for table in tables(&tx).await? {
        let Some(column) = table.user() else { continue };
        let sql = format!("select count(*) from {} where {column} = $1", table.name);
        let row = tx.query_typed_one(&sql, &[(&user, Type::TEXT)]).await.map_err(|error| refused(&error))?;
        counts.push((table.name, row.try_get(0)?));
    }
    Ok(counts)
}

/// A transaction that changes nothing and sees the user's rows as they are now.
async fn moment<'a>(client: &'a mut Client, user: &str) -> Result<Transaction<'a>> {
    let tx = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true).start().await?;
    tx.batch_execute("set local timezone = 'UTC'").await?;
    announce(&tx, user).await?;
    Ok(tx)
}

/// The statement for the rows of the user who is announced, each as a JSON object. `None` if no row is of a user.
async fn select(tx: &Transaction<'_>, table: &Table) -> Result<Option<String>> {
    let (user, order, left_out) = match table.rows {
        Rows::OfUser { user, key: (order, _), left_out } => (user, order, left_out),
        Rows::Place { user, .. } => (user, user, &[][..]),
        Rows::OfNoUser => return Ok(None),
    };
    let left_out: Vec<_> = left_out.iter().map(|(column, _)| *column).collect();
    let columns: String = tx
        .query_typed_one(
            "select string_agg(quote_ident(attname), ', ' order by attnum) from pg_catalog.pg_attribute
             where attrelid = $1::text::regclass and attnum > 0 and not attisdropped and attname::text <> all ($2)",
            &[(&table.name, Type::TEXT), (&left_out, Type::TEXT_ARRAY)],
        )
        .await?
        .try_get(0)?;
    Ok(Some(format!(
        "select row_to_json(kept.*)::text
         from (
            select {columns} from {}
            where {user} = current_setting('errand.user_id') order by {order}
         ) as kept",
        table.name
    )))
}

/// Writes the rows, with commas between. A cursor, because an account may have more rows than fit in memory.
async fn rows(tx: &Transaction<'_>, select: &str, to: &mut impl Write) -> Result<u64> {
    tx.batch_execute(&format!("declare kept no scroll cursor for {select}")).await.map_err(|error| refused(&error))?;
    let mut written = 0;
    loop {
        let rows =
            tx.query_typed(&format!("fetch {ROWS_PER_FETCH} from kept"), &[]).await.map_err(|error| refused(&error))?;
        for row in &rows {
            write!(to, "{}\n{}", if written == 0 { "" } else { "," }, row.try_get::<_, &str>(0)?)?;
            written += 1;
        }
        if rows.len() < ROWS_PER_FETCH {
            tx.batch_execute("close kept").await?;
            return Ok(written);
        }
    }
}
