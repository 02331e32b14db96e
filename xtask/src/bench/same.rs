//! Whether the peers answer alike: no speed is compared of servers that do different things.

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::{
    client::{Answer, ask},
    peer::Running,
};

/// How many users are looked at among those with the same number of tasks, and how many tasks of each.
const USERS: usize = 4;
const TASKS: usize = 6;
/// What differs between two creations of the same task.
const FRESH: [&str; 3] = ["id", "created_at", "updated_at"];

/// A user of the plan.
struct User<'a> {
    id: &'a str,
    token: &'a str,
    /// Entity tags of lists, with commas between.
    tags: &'a str,
    /// How many tasks the user has.
    count: &'a str,
    /// Ids, each with the entity tags of the task.
    tasks: Vec<(&'a str, &'a str)>,
}

/// Compares the answers of every server with those of the first. Leaves a few written tasks behind, as the scenarios do.
pub(crate) async fn check(servers: &[Running], plan: &str) -> Result<usize> {
    let users: Vec<User<'_>> = plan.lines().filter_map(user).collect();
    let mut compared = 0;
    let alike = users.chunk_by(|one, next| one.count == next.count);
    for user in alike.flat_map(|alike| alike.iter().step_by((alike.len() / USERS).max(1))) {
        let mut asked = vec![
            ("?limit=50".to_owned(), None),
            ("?completed=false&priority=high,medium&sort=due&limit=50".to_owned(), None),
            ("?limit=50&q=kit".to_owned(), None),
            ("?limit=50".to_owned(), Some(user.tags)),
        ];
        let step = (user.tasks.len() / TASKS).max(1);
        for (id, tags) in user.tasks.iter().step_by(step) {
            asked.push((format!("/{id}"), None));
            asked.push((format!("/{id}"), Some(*tags)));
        }
        for (rest, known) in asked {
            let path = format!("/api/{}/tasks{rest}", user.id);
            let condition = known
                .map(|known| format!("If-None-Match: \"{}\"\r\n", known.replace(',', "\", \"")))
                .unwrap_or_default();
            let mut answers = Vec::new();
            for server in servers {
                let answer = ask(server.port, user.token, "GET", &path, &condition, "").await?;
                let expected = if known.is_some() { 304 } else { 200 };
                if answer.status != expected {
                    bail!("{} answers {} to GET {path}, not {expected}", server.peer.title(), answer.status);
                }
                answers.push(without_tags(without_cursor(answer)));
            }
            agree(servers, &answers, &path)?;
            compared += answers.len();
        }
    }
    if let Some(user) = users.first() {
        compared += writes(servers, user).await?;
    }
    Ok(compared)
}

/// The same writes through every server, each read back through every other.
async fn writes(servers: &[Running], user: &User<'_>) -> Result<usize> {
    let path = format!("/api/{}/tasks", user.id);
    let body = r#"{"title":"Collect parcel 1","description":"From the shop at the corner","priority":"medium","tags":["home","post"],"due":{"date":"2026-12-01","time":"09:30","time_zone":"Europe/Vilnius"}}"#;
    let (mut created, mut changed) = (Vec::new(), Vec::new());
    for server in servers {
        let answer = ask(server.port, user.token, "POST", &path, "", body).await?;
        let Some(id) = answer.body.get("id").and_then(Value::as_str).map(str::to_owned) else {
            bail!("{} creates no task: {answer:?}", server.peer.title());
        };
        let one = format!("{path}/{id}");
        let patch = r#"{"title":"Call again 1","priority":"high"}"#;
        ask(server.port, user.token, "PATCH", &one, "", patch).await?;
        let done =
            ask(server.port, user.token, "PATCH", &format!("{one}/complete"), "", r#"{"completed":true}"#).await?;
        let done = without_tags(done);
        let mut read = vec![done.clone()];
        for other in servers {
            read.push(without_tags(ask(other.port, user.token, "GET", &one, "", "").await?));
        }
        if let Some(other) = read.iter().find(|answer| **answer != done) {
            bail!("what {} wrote reads differently: {done:?} and {other:?}", server.peer.title());
        }
        created.push(without_fresh(without_tags(answer)));
        changed.push(without_fresh(done));
    }
    agree(servers, &created, "a new task")?;
    agree(servers, &changed, "a changed task")?;
    Ok(created.len() * (2 + servers.len()))
}

fn agree(servers: &[Running], answers: &[Answer], what: &str) -> Result<()> {
    let (Some(first), Some(model)) = (answers.first(), servers.first()) else { return Ok(()) };
    for (answer, server) in answers.iter().zip(servers) {
        if answer != first {
            bail!(
                "{} and {} answer {what} differently:\n{}\n{}",
                model.peer.title(),
                server.peer.title(),
                json!([first.status, first.etag, first.body]),
                json!([answer.status, answer.etag, answer.body])
            );
        }
    }
    Ok(())
}

/// Entity tags are opaque, too, and errand's are in its documents.
fn without_tags(mut answer: Answer) -> Answer {
    answer.etag = answer.etag.map(|_| "there is one".to_owned());
    if let Some(task) = answer.body.as_object_mut() {
        task.remove("etag");
    }
    for task in answer.body.get_mut("tasks").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(task) = task.as_object_mut() {
            task.remove("etag");
        }
    }
    answer
}

/// Cursors are opaque: only whether there is one can be compared.
fn without_cursor(mut answer: Answer) -> Answer {
    if let Some(cursor) = answer.body.get_mut("next_cursor")
        && cursor.is_string()
    {
        *cursor = json!("there is one");
    }
    answer
}

fn without_fresh(mut answer: Answer) -> Answer {
    if let Some(task) = answer.body.as_object_mut() {
        task.retain(|field, _| !FRESH.contains(&field.as_str()));
        if let Some(at) = task.get_mut("completed_at").filter(|at| at.is_string()) {
            *at = json!("some time");
        }
    }
    answer
}

fn user(line: &str) -> Option<User<'_>> {
    let mut fields = line.split('\t');
    let (id, token, tags, count) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let tasks = fields.next()?.split(' ').zip(fields.next()?.split(' ')).collect();
    Some(User { id, token, tags, count, tasks })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_plan_names_each_task_with_its_own_tags() {
        let line = "user-1\ttoken\t7,ab-7\t100\tid-1 id-2\t1,ab-3 2,ab-5";
        let user = user(line).unwrap();
        assert_eq!((user.id, user.token, user.tags, user.count), ("user-1", "token", "7,ab-7", "100"));
        assert_eq!(user.tasks, [("id-1", "1,ab-3"), ("id-2", "2,ab-5")]);
        assert!(super::user("user-1\ttoken\t7,ab-7\t100").is_none());
    }
}
