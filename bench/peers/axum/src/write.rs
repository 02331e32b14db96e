//! Writes. Each is one statement, so one round trip: the number of the user's write, and the task.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Deserializer};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::App;
use crate::answer::{Refusal, tag, tagged};
use crate::task::{COLUMNS, Due, Priority, Task};
use crate::token::Caller;

/// Numbers the user's writes, so that a list's entity tag is one number.
const STAMP: &str = "with stamp as (
    insert into errand.account as account (user_id, seq, last_at) values ($1, 1, clock_timestamp())
    on conflict (user_id) do update set seq = account.seq + 1, last_at = clock_timestamp()
    returning seq, last_at)";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewTask {
    title: String,
    description: Option<String>,
    #[serde(default)]
    completed: bool,
    #[serde(default)]
    priority: Priority,
    due: Option<Due>,
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    title: Option<String>,
    #[serde(default, deserialize_with = "present")]
    description: Option<Option<String>>,
    completed: Option<bool>,
    priority: Option<Priority>,
    #[serde(default, deserialize_with = "present")]
    due: Option<Option<Due>>,
    tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
pub struct Completion {
    completed: bool,
}

pub async fn create_task(
    State(app): State<App>,
    Caller(user): Caller,
    Json(task): Json<NewTask>,
) -> Result<Response, Refusal> {
    checked(&task.title)?;
    let (due_date, due_time, due_zone) = parts(task.due.as_ref());
    let text = format!(
        "{STAMP}
        insert into errand.task (user_id, id, seq, created_at, updated_at, completed_at, completed, priority, due_date,
            due_time, due_zone, tags, title, description)
        select $1, $2, stamp.seq, stamp.last_at, stamp.last_at, case when $3 then stamp.last_at end, $3, $4, $5, $6, $7,
            $8, $9, $10
        from stamp
        returning {COLUMNS}"
    );
    let client = app.pool.get().await?;
    let statement = client.prepare_cached(&text).await?;
    let row = client
        .query_one(
            &statement,
            &[
                &user,
                &Uuid::now_v7(),
                &task.completed,
                &task.priority.number(),
                &due_date,
                &due_time,
                &due_zone,
                &task.tags,
                &task.title,
                &task.description,
            ],
        )
        .await?;
    drop(client);
    let task = Task::read(&row)?;
    let location = format!("/api/{user}/tasks/{}", task.id);
    let answer = tagged(StatusCode::CREATED, tag(task.version), &task);
    Ok(([(header::LOCATION, location)], answer).into_response())
}

pub async fn patch_task(
    State(app): State<App>,
    Caller(user): Caller,
    Path((_, id)): Path<(String, Uuid)>,
    Json(changes): Json<Changes>,
) -> Result<Response, Refusal> {
    if let Some(title) = &changes.title {
        checked(title)?;
    }
    let priority = changes.priority.map(Priority::number);
    let due = changes.due.as_ref().map(|due| parts(due.as_ref()));
    let mut sets: Vec<(&str, &(dyn ToSql + Sync))> = Vec::new();
    if let Some(title) = &changes.title {
        sets.push(("title", title));
    }
    if let Some(description) = &changes.description {
        sets.push(("description", description));
    }
    if let Some(priority) = &priority {
        sets.push(("priority", priority));
    }
    if let Some((date, time, zone)) = &due {
        sets.extend([("due_date", date as &(dyn ToSql + Sync)), ("due_time", time), ("due_zone", zone)]);
    }
    if let Some(tags) = &changes.tags {
        sets.push(("tags", tags));
    }
    change(&app, &user, id, &sets, changes.completed).await
}

pub async fn complete_task(
    State(app): State<App>,
    Caller(user): Caller,
    Path((_, id)): Path<(String, Uuid)>,
    Json(Completion { completed }): Json<Completion>,
) -> Result<Response, Refusal> {
    change(&app, &user, id, &[], Some(completed)).await
}

async fn change(
    app: &App,
    user: &String,
    id: Uuid,
    sets: &[(&str, &(dyn ToSql + Sync))],
    completed: Option<bool>,
) -> Result<Response, Refusal> {
    let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![user, &id];
    let mut text = format!("{STAMP} update errand.task set ");
    for (column, value) in sets {
        parameters.push(*value);
        text += &format!("{column} = ${}, ", parameters.len());
    }
    text += match completed {
        Some(true) => "completed = true, completed_at = coalesce(task.completed_at, stamp.last_at), ",
        Some(false) => "completed = false, completed_at = null, ",
        None => "",
    };
    text += "seq = stamp.seq, version = task.version + 1, updated_at = stamp.last_at
        from stamp where task.user_id = $1 and task.id = $2 returning ";
    text += COLUMNS;
    let client = app.pool.get().await?;
    let statement = client.prepare_cached(&text).await?;
    let row = client.query_opt(&statement, &parameters).await?;
    drop(client);
    let task = Task::read(&row.ok_or(Refusal::Status(StatusCode::NOT_FOUND))?)?;
    Ok(tagged(StatusCode::OK, tag(task.version), &task))
}

fn checked(title: &str) -> Result<(), Refusal> {
    match (1..=255).contains(&title.chars().count()) {
        true => Ok(()),
        false => Err(Refusal::Status(StatusCode::BAD_REQUEST)),
    }
}

type Parts<'a> = (Option<chrono::NaiveDate>, Option<&'a str>, Option<&'a str>);

fn parts(due: Option<&Due>) -> Parts<'_> {
    due.map_or((None, None, None), |due| (Some(due.date), due.time.as_deref(), due.time_zone.as_deref()))
}

/// Null clears a field, and its absence keeps it: an outer `Some` for what is there.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
