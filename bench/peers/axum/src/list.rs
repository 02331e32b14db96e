//! Reads: a task, and a page of tasks.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::App;
use crate::answer::{Refusal, is_known, not_modified, tag, tagged};
use crate::task::{COLUMNS, Priority, Task};
use crate::token::Caller;

#[derive(Deserialize)]
pub struct Filters {
    limit: Option<usize>,
    sort: Option<String>,
    completed: Option<bool>,
    priority: Option<String>,
    q: Option<String>,
}

#[derive(Serialize)]
struct Page {
    tasks: Vec<Task>,
    next_cursor: Option<String>,
}

pub async fn get_task(
    State(app): State<App>,
    Caller(user): Caller,
    Path((_, id)): Path<(String, Uuid)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let client = app.pool.get().await?;
    let text = format!("select {COLUMNS} from errand.task where user_id = $1 and id = $2");
    let statement = client.prepare_cached(&text).await?;
    let row = client.query_opt(&statement, &[&user, &id]).await?;
    let task = Task::read(&row.ok_or(Refusal::Status(StatusCode::NOT_FOUND))?)?;
    let tag = tag(task.version);
    Ok(if is_known(&headers, &tag) { not_modified(tag) } else { tagged(StatusCode::OK, tag, &task) })
}

pub async fn list_tasks(
    State(app): State<App>,
    Caller(user): Caller,
    Query(filters): Query<Filters>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let bad = || Refusal::Status(StatusCode::BAD_REQUEST);
    let limit = filters.limit.unwrap_or(100);
    if !(1..=500).contains(&limit) {
        return Err(bad());
    }
    let priorities = filters.priority.as_deref().map(|words| {
        words.split(',').map(|word| Priority::parse(word).map(Priority::number)).collect::<Option<Vec<_>>>()
    });
    let priorities = priorities.map(|found| found.ok_or_else(bad)).transpose()?;
    let words = filters.q.as_deref().map(prefixes).filter(|words| !words.is_empty());
    // One more tells whether there is a next page.
    let wanted = limit as i64 + 1;
    let mut text = format!("select {COLUMNS} from errand.task where user_id = $1");
    let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&user, &wanted];
    if let Some(completed) = &filters.completed {
        parameters.push(completed);
        text += &format!(" and completed = ${}", parameters.len());
    }
    if let Some(priorities) = &priorities {
        parameters.push(priorities);
        text += &format!(" and priority = any(${})", parameters.len());
    }
    if let Some(words) = &words {
        parameters.push(words);
        text += &format!(" and words @@ ${}::text::tsquery", parameters.len());
    }
    text += match filters.sort.as_deref() {
        Some("due") => " order by due_key, id limit $2",
        _ => " order by created_at desc, id desc limit $2",
    };
    let client = app.pool.get().await?;
    let number = client.prepare_cached("select seq from errand.account where user_id = $1").await?;
    let number = client.query_opt(&number, &[&user]).await?;
    let tag = tag(number.map_or(Ok(0), |row| row.try_get(0))?);
    if is_known(&headers, &tag) {
        return Ok(not_modified(tag));
    }
    let statement = client.prepare_cached(&text).await?;
    let rows = client.query(&statement, &parameters).await?;
    drop(client);
    let tasks = rows.iter().take(limit).map(Task::read).collect::<Result<Vec<_>, _>>()?;
    let last = tasks.last().filter(|_| rows.len() > limit);
    let next_cursor = last.map(|last| format!("{}_{}", last.created_at.timestamp_micros(), last.id.simple()));
    Ok(tagged(StatusCode::OK, tag, &Page { tasks, next_cursor }))
}

/// The words of a search as a tsquery of their beginnings.
fn prefixes(q: &str) -> String {
    let text = q.to_lowercase().replace('\'', " ");
    text.split_whitespace().map(|word| format!("'{word}':*")).collect::<Vec<_>>().join(" & ")
}
