//! A step over the data of all users: due instants, computed again after an update of the time zone data. In small transactions, with
//! its place in the ledger: what ends early goes on there.

use anyhow::{Context, Result};
use tokio_postgres::{Client, types::Type};

use super::{
    begin, explain,
    step::{BRIEFLY, LEDGER, hold},
};
use crate::{address::Address, connect::connect};

/// The step's name in `errand_meta.step`.
const NAME: &str = "due-at";
/// How many users are listed at once, and how many tasks a transaction looks at. A user's other writes wait for it.
const USERS: i64 = 500;
const TASKS: i32 = 500;

/// How far the step is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DueProgress {
    /// Users that were looked at.
    pub users: i64,
    /// Tasks whose instant is another one now.
    pub changed: i64,
    /// Tasks whose local time does not exist any more; their instant stays.
    pub kept: i64,
}

/// Where the step is: the last user that is done, and the one that is being done, with the last task.
struct Place {
    user: Option<String>,
    task: Option<String>,
    progress: DueProgress,
}

/// Computes the due instants of all users again, from the beginning or from where an earlier run ended. Tells its progress after each
/// transaction; `told` says whether to go on.
///
/// # Errors
///
/// When the database cannot be reached or refuses. What was committed stays, and the next run goes on behind it.
pub async fn refresh_due(address: &Address, mut told: impl FnMut(&DueProgress) -> bool) -> Result<DueProgress> {
    let mut client = connect(address).await?;
    let mut place = take_up(&mut client).await?;
    loop {
        let users = users_behind(&mut client, place.user.as_deref()).await?;
        if users.is_empty() {
            finish(&mut client).await?;
            return Ok(place.progress);
        }
        for user in users {
            while !some_tasks(&mut client, &mut place, &user).await? {
                if !told(&place.progress) {
                    return Ok(place.progress);
                }
            }
            if !told(&place.progress) {
                return Ok(place.progress);
            }
        }
    }
}

/// Notes the step, or finds where it is, and lets `errand_maintenance` see who has an account while it lasts: under forced row-level
/// security the owner sees nobody.
async fn take_up(client: &mut Client) -> Result<Place> {
    let tx = begin(client).await?;
    tx.batch_execute(&format!(
        "{LEDGER};
         delete from errand_meta.step where name = '{NAME}' and ended_at is not null;
         insert into errand_meta.step (name) values ('{NAME}') on conflict do nothing;
         {BRIEFLY};
         drop policy if exists step on errand.account;
         create policy step on errand.account for select to errand_maintenance using (true);
         grant usage on schema errand to errand_maintenance;
         grant select (user_id) on errand.account to errand_maintenance"
    ))
    .await
    .map_err(|error| {
        explain::reasons(&error)
            .context("the step could not begin; migrate the database first, or try again if its tables were busy")
    })?;
    let row = tx
        .query_typed_one(
            "select last_user, last_task::text, users, changed, kept from errand_meta.step where name = $1",
            &[(&NAME, Type::TEXT)],
        )
        .await?;
    let progress = DueProgress { users: row.try_get(2)?, changed: row.try_get(3)?, kept: row.try_get(4)? };
    let place = Place { user: row.try_get(0)?, task: row.try_get(1)?, progress };
    tx.commit().await?;
    Ok(place)
}

async fn users_behind(client: &mut Client, last: Option<&str>) -> Result<Vec<String>> {
    let tx = client.transaction().await?;
    tx.batch_execute("set local role errand_maintenance").await.map_err(|error| {
        explain::reasons(&error)
            .context("the administrator of the database must say `grant errand_maintenance to` this user")
    })?;
    let sql = "select user_id from errand.account where $1::text is null or user_id > $1 order by user_id limit $2";
    let rows = tx.query_typed(sql, &[(&last, Type::TEXT), (&USERS, Type::INT8)]).await?;
    tx.commit().await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// One transaction: some of a user's tasks, and the new place. Whether the user is done.
async fn some_tasks(client: &mut Client, place: &mut Place, user: &str) -> Result<bool> {
    let tx = client.transaction().await?;
    // Another run would do the same: the place says who was first.
    hold(&tx, NAME, place.user.as_deref(), place.task.as_deref()).await?;
    let row = tx
        .query_typed_one(
            "select last::text, changed, kept from errand.refresh_due($1, $2::text::uuid, $3)",
            &[(&user, Type::TEXT), (&place.task, Type::TEXT), (&TASKS, Type::INT4)],
        )
        .await
        .map_err(|error| explain::reasons(&error).context(format!("the tasks of {user} could not be written")))?;
    let last: Option<String> = row.try_get(0)?;
    let done = last.is_none();
    let mut progress = place.progress.clone();
    progress.changed += row.try_get::<_, i64>(1)?;
    progress.kept += row.try_get::<_, i64>(2)?;
    progress.users += i64::from(done);
    let next = Place { user: if done { Some(user.to_owned()) } else { place.user.clone() }, task: last, progress };
    tx.query_typed(
        "update errand_meta.step set last_user = $2, last_task = $3::text::uuid, users = $4, changed = $5, kept = $6 where name = $1",
        &[
            (&NAME, Type::TEXT),
            (&next.user, Type::TEXT),
            (&next.task, Type::TEXT),
            (&next.progress.users, Type::INT8),
            (&next.progress.changed, Type::INT8),
            (&next.progress.kept, Type::INT8),
        ],
    )
    .await?;
    tx.commit().await.context("some tasks could not be committed")?;
    *place = next;
    Ok(done)
}

async fn finish(client: &mut Client) -> Result<()> {
    let tx = begin(client).await?;
    tx.batch_execute(&format!(
        "{BRIEFLY};
         drop policy if exists step on errand.account;
         revoke select (user_id) on errand.account from errand_maintenance;
         update errand_meta.step set ended_at = now(), last_user = null, last_task = null where name = '{NAME}'"
    ))
    .await
    .map_err(|error| explain::reasons(&error).context("all tasks are done; run the step again to end it"))?;
    tx.commit().await?;
    Ok(())
}
