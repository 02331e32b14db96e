//! Erasure, in small transactions, with the account last. After an interruption, the next run continues.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result};
use tokio_postgres::{
    Client, IsolationLevel, Transaction,
    types::{ToSql, Type},
};

use super::{Rows, Table, announce, refused, tables};
use crate::{address::Address, connect::connect};

/// The maximum number of rows that a transaction deletes, because the user's writes wait for it.
const MAX_ROWS_PER_TRANSACTION: i64 = 2000;
/// Limits how long a transaction waits for a write of the user.
const SET_LOCK_TIMEOUT: &str = "set local lock_timeout = '10s'";
/// Finds rows by an index scan. Other plans read all rows of the user or of the table before the first is deleted.
const SET_INDEX_SCANS_ONLY: &str = "set local enable_seqscan = off; set local enable_bitmapscan = off";
/// The delay after a transaction that deleted nothing, because other transactions hold locks on the remaining rows.
const RETRY_DELAY: Duration = Duration::from_millis(50);

/// How many rows were deleted, by table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Erasure(pub BTreeMap<&'static str, u64>);

impl Erasure {
    /// All rows together.
    pub fn rows(&self) -> u64 {
        self.0.values().sum()
    }

    fn add(&mut self, table: &'static str, rows: u64) {
        if rows > 0 {
            *self.0.entry(table).or_default() += rows;
        }
    }
}

/// Deletes all rows of this user, and reports progress after each transaction; `told` returns whether to go on. For an unknown user nothing
/// is deleted.
///
/// Each transaction takes the lock on the user's writes, as writes do (`errand.try_turn`). The last one finds nothing but the account and deletes
/// it, so no write can leave a row without an account: it is deleted, too, or it makes a new account. A new account has none of the
/// old one's numbers (migration 0012), so entity tags and cursors of before match nothing.
///
/// # Errors
///
/// When the database cannot be reached or refuses, or when it has a table that is not in [`super::TABLES`]. What was committed is
/// gone, and the next run goes on.
pub async fn erase(address: &Address, user: &str, mut told: impl FnMut(&Erasure) -> bool) -> Result<Erasure> {
    let mut client = connect(address).await?;
    let mut all = Erasure::default();
    let mut places = Places::default();
    clear_places(&mut client, user).await?;
    loop {
        let (some, done) = some_rows(&mut client, user, &mut places).await?;
        for (table, rows) in &some.0 {
            all.add(table, *rows);
        }
        if done {
            break;
        }
        if !told(&all) {
            return Ok(all);
        }
        if some.rows() == 0 {
            tokio::time::sleep(RETRY_DELAY).await;
        }
    }
    // A concurrent step may have set the place again.
    clear_places(&mut client, user).await?;
    forget_samples(&client).await?;
    Ok(all)
}

/// The key of the last row that was deleted, by table. The next transaction begins behind it, because rows that are deleted are passed one by
/// one until no statement can see them, and a dump sees them for hours.
type Places = BTreeMap<&'static str, Option<String>>;

/// One transaction. Whether nothing is left.
async fn some_rows(client: &mut Client, user: &str, places: &mut Places) -> Result<(Erasure, bool)> {
    // Each statement must see what was committed while this transaction waited for the lock.
    let tx = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).start().await?;
    tx.batch_execute(SET_LOCK_TIMEOUT).await?;
    let tables = tables(&tx).await?;
    tx.batch_execute(SET_INDEX_SCANS_ONLY).await?;
    announce(&tx, user).await?;
    tx.query_typed("select pg_advisory_xact_lock(errand.turn_of($1))", &[(&user, Type::TEXT)])
        .await
        .map_err(|error| refused(&error))?;
    let mut deleted = Erasure::default();
    let mut done = true;
    for table in tables {
        let Rows::OfUser { user: column, key: (key, kind), .. } = table.rows else { continue };
        if table.name == ACCOUNT {
            // The others come first.
            if done {
                deleted.add(ACCOUNT, delete_account(&tx, user).await?);
            }
        } else {
            let most = MAX_ROWS_PER_TRANSACTION - i64::try_from(deleted.rows())?;
            let (rows, empty) =
                delete(&tx, &table, (column, key, kind), user, most, places.entry(table.name).or_default()).await?;
            deleted.add(table.name, rows);
            done &= empty;
        }
    }
    tx.commit().await.context("some rows could not be deleted")?;
    Ok((deleted, done))
}

const ACCOUNT: &str = "errand.account";

/// Deletes up to `most` rows of a table behind a place, and returns whether none is left. Skips locked rows: a write may hold one while it
/// waits for the lock on the user's writes.
async fn delete(
    tx: &Transaction<'_>,
    table: &Table,
    (column, key, kind): (&str, &str, &str),
    user: &str,
    most: i64,
    place: &mut Option<String>,
) -> Result<(u64, bool)> {
    let table = table.name;
    let behind = if place.is_some() { format!("and {key} > $3::{kind}") } else { "and $3::text is null".to_owned() };
    let delete = format!(
        "with next as materialized (
            select ctid, {key}::text as key from {table} where {column} = $1 {behind} order by {key} limit $2
            for update skip locked),
         gone as (
            delete from {table} where {column} = $1 and ctid = any (array(select ctid from next)) returning 1)
         select (select count(*) from gone), (select (array_agg(key))[count(*)] from next)"
    );
    let parameters: [(&(dyn ToSql + Sync), Type); 3] =
        [(&user, Type::TEXT), (&most, Type::INT8), (&*place, Type::TEXT)];
    let row = tx
        .query_typed_one(&delete, &parameters)
        .await
        .map_err(|error| refused(&error).context(format!("rows of {table} could not be deleted")))?;
    let deleted: i64 = row.try_get(0)?;
    if deleted == most {
        if let Some(last) = row.try_get(1)? {
            *place = Some(last);
        }
        return Ok((u64::try_from(deleted)?, false));
    }
    // From the beginning again: rows that were passed, and those of writes since.
    *place = None;
    let left = format!("select exists (select from {table} where {column} = $1)");
    let left: bool = tx.query_typed_one(&left, &[(&user, Type::TEXT)]).await?.try_get(0)?;
    Ok((u64::try_from(deleted)?, !left))
}

/// Deletes the account. No later account gets its numbers.
async fn delete_account(tx: &Transaction<'_>, user: &str) -> Result<u64> {
    let raise = "select errand.raise_account_start(account.seq)
        from (select seq from errand.account where user_id = $1 for update) as account";
    tx.query_typed(raise, &[(&user, Type::TEXT)]).await.map_err(|error| refused(&error))?;
    let delete = "with gone as (delete from errand.account where user_id = $1 returning 1) select count(*) from gone";
    let row = tx.query_typed_one(delete, &[(&user, Type::TEXT)]).await.map_err(|error| refused(&error))?;
    Ok(u64::try_from(row.try_get::<_, i64>(0)?)?)
}

/// Clears the user's id where it is the place of a step. That step starts again from the beginning.
///
/// In a transaction of its own, because a step locks its place while it waits for the lock on a user's writes.
async fn clear_places(client: &mut Client, user: &str) -> Result<()> {
    let tx = client.transaction().await?;
    tx.batch_execute(SET_LOCK_TIMEOUT).await?;
    for table in tables(&tx).await? {
        let Rows::Place { user: column, beside } = table.rows else { continue };
        let others: String = beside.iter().map(|other| format!(", {other} = null")).collect();
        let clear = format!("update {} set {column} = null{others} where {column} = $1", table.name);
        tx.query_typed(&clear, &[(&user, Type::TEXT)]).await.map_err(|error| refused(&error))?;
    }
    tx.commit().await?;
    Ok(())
}

/// Analyzes the tables again, because the planner's statistics contain samples of the rows.
async fn forget_samples(client: &Client) -> Result<()> {
    for table in super::TABLES {
        if let Rows::OfUser { .. } = table.rows {
            client
                .batch_execute(&format!("analyze {}", table.name))
                .await
                .map_err(|error| refused(&error).context("all rows are gone; run it again for the statistics"))?;
        }
    }
    Ok(())
}
