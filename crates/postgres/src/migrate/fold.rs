//! A step over the data of all users: the texts of tasks are folded, and the index of their terms is made anew, where an account has tasks
//! without folded texts (migration 0014). They are from before the migration, or of an older component. In small transactions, with the
//! place in the ledger: what ends early goes on there.

use anyhow::{Context, Result};
use errand_text::{search_text, sort_key};
use tokio_postgres::{
    Client, Transaction,
    types::{ToSql, Type},
};

use super::{
    begin, explain,
    step::{BRIEFLY, LEDGER, hold},
};
use crate::{address::Address, connect::connect};

/// The step's name in `errand_meta.step`, and that of the policy that it makes.
const NAME: &str = "fold";
/// How many users are listed at once.
const USERS: i64 = 500;
/// How many tasks a transaction folds, and how many rows of the index another one removes. A user's other writes wait for it.
const TASKS: i32 = 500;
const ROWS: i32 = 10_000;

/// How far the step is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoldProgress {
    /// Users whose tasks are all folded now, and were not before.
    pub users: i64,
    /// Tasks that were looked at.
    pub tasks: i64,
}

/// The user whose tasks are being folded, and the last task that is.
#[derive(Debug, Clone, Default)]
struct Place {
    user: Option<String>,
    task: Option<String>,
}

/// Folds the texts of all tasks that have no folded texts, from the beginning or from where an earlier run ended. Tells its progress after
/// each transaction; `told` says whether to go on.
///
/// # Errors
///
/// When the database cannot be reached or refuses. What was committed stays, and the next run goes on behind it.
pub async fn fold(address: &Address, mut told: impl FnMut(&FoldProgress) -> bool) -> Result<FoldProgress> {
    let mut client = connect(address).await?;
    let mut progress = FoldProgress::default();
    let mut place = take_up(&mut client).await?;
    let mut last = None;
    loop {
        let users = unfolded_users(&client, last.as_deref()).await?;
        if users.is_empty() {
            finish(&mut client).await?;
            return Ok(progress);
        }
        for user in users {
            if place.user.as_deref() != Some(&user) {
                while !begin_user(&mut client, &mut place, &user).await? {
                    if !told(&progress) {
                        return Ok(progress);
                    }
                }
            }
            loop {
                let tasks = some_tasks(&mut client, &mut place).await?;
                let done = tasks < i64::from(TASKS);
                progress.tasks += tasks;
                progress.users += i64::from(done);
                if !told(&progress) {
                    return Ok(progress);
                }
                if done {
                    break;
                }
            }
            last = Some(user);
        }
    }
}

/// Finds where the step is, and lets this login see the accounts with unfolded tasks while it lasts: under forced row-level security the
/// owner sees nobody.
async fn take_up(client: &mut Client) -> Result<Place> {
    let tx = begin(client).await?;
    tx.batch_execute(&format!(
        "{LEDGER};
         insert into errand_meta.step (name) values ('{NAME}') on conflict do nothing;
         update errand_meta.step set ended_at = null where name = '{NAME}';
         {BRIEFLY};
         drop policy if exists {NAME} on errand.account;
         create policy {NAME} on errand.account for select to current_user using (not folded)"
    ))
    .await
    .map_err(|error| {
        explain::reasons(&error)
            .context("the step could not begin; migrate the database first, or try again if its tables were busy")
    })?;
    let row = tx
        .query_typed_one(
            "select last_user, last_task::text from errand_meta.step where name = $1",
            &[(&NAME, Type::TEXT)],
        )
        .await?;
    let place = Place { user: row.try_get(0)?, task: row.try_get(1)? };
    tx.commit().await?;
    Ok(place)
}

async fn finish(client: &mut Client) -> Result<()> {
    let tx = begin(client).await?;
    tx.batch_execute(&format!(
        "{BRIEFLY};
         drop policy if exists {NAME} on errand.account;
         update errand_meta.step set ended_at = now(), last_user = null, last_task = null where name = '{NAME}'"
    ))
    .await
    .map_err(|error| explain::reasons(&error).context("all tasks are folded; run the step again to end it"))?;
    tx.commit().await?;
    Ok(())
}

async fn unfolded_users(client: &Client, last: Option<&str>) -> Result<Vec<String>> {
    let sql = "select user_id from errand.account
        where not folded and ($1::text is null or user_id > $1) order by user_id limit $2";
    let rows = client.query_typed(sql, &[(&last, Type::TEXT), (&USERS, Type::INT8)]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// One transaction that removes rows of the user's index. Whether none is left.
async fn begin_user(client: &mut Client, place: &mut Place, user: &str) -> Result<bool> {
    let tx = client.transaction().await?;
    // Another run would remove what this one adds.
    hold(&tx, NAME, place.user.as_deref(), place.task.as_deref()).await?;
    let parameters: [(&(dyn ToSql + Sync), Type); 2] = [(&user, Type::TEXT), (&ROWS, Type::INT4)];
    let row = tx
        .query_typed_one("select errand.begin_folding($1, $2)", &parameters)
        .await
        .map_err(|error| explain::reasons(&error).context(format!("the index of {user} could not be removed")))?;
    let done: bool = row.try_get(0)?;
    let next = Place { user: done.then(|| user.to_owned()), task: None };
    remember(&tx, &next).await?;
    tx.commit().await.context("some rows could not be removed")?;
    *place = next;
    Ok(done)
}

/// One transaction that folds some of a user's tasks behind a place. Returns how many.
async fn some_tasks(client: &mut Client, place: &mut Place) -> Result<i64> {
    let user = place.user.clone().unwrap_or_default();
    let tx = client.transaction().await?;
    hold(&tx, NAME, place.user.as_deref(), place.task.as_deref()).await?;
    let ids = fold_some(&tx, &user, place.task.as_deref())
        .await
        .map_err(|error| explain::reasons(&error).context(format!("the tasks of {user} could not be folded")))?;
    let tasks = i64::try_from(ids.len())?;
    let next = match tasks < i64::from(TASKS) {
        true => Place::default(),
        false => Place { user: Some(user), task: ids.into_iter().next_back() },
    };
    remember(&tx, &next).await?;
    tx.commit().await.context("some tasks could not be committed")?;
    *place = next;
    Ok(tasks)
}

async fn fold_some(tx: &Transaction<'_>, user: &str, last: Option<&str>) -> Result<Vec<String>, tokio_postgres::Error> {
    let rows = tx
        .query_typed(
            "select id::text, title, tags, coalesce(description, '') from errand.tasks_to_fold($1, $2::text::uuid, $3)",
            &[(&user, Type::TEXT), (&last, Type::TEXT), (&TASKS, Type::INT4)],
        )
        .await?;
    let mut columns: [Vec<String>; 5] = Default::default();
    for row in &rows {
        let [ids, title_keys, title_texts, tags_texts, description_texts] = &mut columns;
        let title: &str = row.try_get(1)?;
        ids.push(row.try_get(0)?);
        title_keys.push(sort_key(title));
        title_texts.push(search_text(title));
        tags_texts.push(row.try_get::<_, Vec<&str>>(2)?.into_iter().map(search_text).collect());
        description_texts.push(search_text(row.try_get(3)?));
    }
    let done = rows.len() < TASKS as usize;
    let [ids, title_keys, title_texts, tags_texts, description_texts] = &columns;
    tx.query_typed(
        "select errand.fold_tasks($1, $2::text[]::uuid[], $3, $4, $5, $6, $7)",
        &[
            (&user, Type::TEXT),
            (ids, Type::TEXT_ARRAY),
            (title_keys, Type::TEXT_ARRAY),
            (title_texts, Type::TEXT_ARRAY),
            (tags_texts, Type::TEXT_ARRAY),
            (description_texts, Type::TEXT_ARRAY),
            (&done, Type::BOOL),
        ],
    )
    .await?;
    let [ids, ..] = columns;
    Ok(ids)
}

async fn remember(tx: &Transaction<'_>, place: &Place) -> Result<()> {
    tx.query_typed(
        "update errand_meta.step set last_user = $2, last_task = $3::text::uuid where name = $1",
        &[(&NAME, Type::TEXT), (&place.user, Type::TEXT), (&place.task, Type::TEXT)],
    )
    .await?;
    Ok(())
}
