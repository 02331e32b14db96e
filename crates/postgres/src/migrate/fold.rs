//! A step over the data of all users: tasks without folded texts get them (migration 0014). An older component and rows from before the
//! migration have none. In small transactions: what ends early goes on with the tasks that are left.

use anyhow::{Context, Result};
use errand_text::{search_text, sort_key};
use tokio_postgres::{Client, Transaction, types::Type};

use super::{begin, explain};
use crate::{address::Address, connect::connect};

/// How many users are listed at once, and how many tasks a transaction folds. A user's other writes wait for it.
const USERS: i64 = 500;
const TASKS: i32 = 500;

/// How far the step is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoldProgress {
    /// Users whose tasks are all folded now, and were not before.
    pub users: i64,
    /// Tasks that were folded.
    pub tasks: i64,
}

/// Folds the texts of all tasks that have no folded texts. Tells its progress after each transaction; `told` says whether to go on.
///
/// # Errors
///
/// When the database cannot be reached or refuses. What was committed stays, and the next run goes on.
pub async fn fold(address: &Address, mut told: impl FnMut(&FoldProgress) -> bool) -> Result<FoldProgress> {
    let mut client = connect(address).await?;
    let mut progress = FoldProgress::default();
    show_accounts(&mut client).await?;
    let mut last = None;
    loop {
        let users = unfolded_users(&client, last.as_deref()).await?;
        if users.is_empty() {
            hide_accounts(&mut client).await?;
            return Ok(progress);
        }
        for user in &users {
            let mut place = None;
            loop {
                let (tasks, done) = some_tasks(&mut client, user, &mut place).await?;
                progress.tasks += tasks;
                progress.users += i64::from(done);
                if !told(&progress) {
                    return Ok(progress);
                }
                if done {
                    break;
                }
            }
        }
        last = users.into_iter().next_back();
    }
}

/// Lets this login see the accounts with unfolded tasks: under forced row-level security the owner sees nobody.
///
/// A policy is made and dropped under a lock of the whole table, and every write of every user waits behind who waits for it. So that
/// ends soon, and is tried again by the operator.
async fn show_accounts(client: &mut Client) -> Result<()> {
    let tx = begin(client).await?;
    tx.batch_execute(
        "set local lock_timeout = '1s';
         drop policy if exists fold on errand.account;
         create policy fold on errand.account for select to current_user using (not folded)",
    )
    .await
    .map_err(|error| {
        explain::reasons(&error)
            .context("the step could not begin; migrate the database first, or try again if its tables were busy")
    })?;
    tx.commit().await?;
    Ok(())
}

async fn hide_accounts(client: &mut Client) -> Result<()> {
    let tx = begin(client).await?;
    tx.batch_execute("set local lock_timeout = '1s'; drop policy if exists fold on errand.account")
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

/// One transaction: some of a user's tasks behind a place, the id of a task. How many they were, and whether the user is done.
async fn some_tasks(client: &mut Client, user: &str, place: &mut Option<String>) -> Result<(i64, bool)> {
    let tx = client.transaction().await?;
    let tasks = fold_some(&tx, user, place)
        .await
        .map_err(|error| explain::reasons(&error).context(format!("the tasks of {user} could not be folded")))?;
    tx.commit().await.context("some tasks could not be committed")?;
    Ok((i64::try_from(tasks)?, tasks < usize::try_from(TASKS)?))
}

async fn fold_some(
    tx: &Transaction<'_>,
    user: &str,
    place: &mut Option<String>,
) -> Result<usize, tokio_postgres::Error> {
    let rows = tx
        .query_typed(
            "select id::text, title, tags, coalesce(description, '') from errand.unfolded_tasks($1, $2::text::uuid, $3)",
            &[(&user, Type::TEXT), (&*place, Type::TEXT), (&TASKS, Type::INT4)],
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
    *place = ids.last().cloned();
    Ok(rows.len())
}
