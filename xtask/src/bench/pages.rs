//! What a page of a list costs, in each order: the first, and one in the middle, reached as a client reaches it.

use std::fmt::Write;

use anyhow::{Context, Result};
use serde::Serialize;

use super::{
    client::ask,
    data::{Data, Size},
    load::{Measured, Wrk},
    peer::Running,
    scenario::{Cell, Scenario},
};

/// Seconds for each figure.
const EACH: u64 = 1;
/// The largest page there is: fewest requests on the way to the middle.
const STRIDE: u32 = 500;
/// The values of `sort`.
const ORDERS: [&str; 10] = [
    "created_at",
    "-created_at",
    "updated_at",
    "-updated_at",
    "due",
    "-due",
    "priority",
    "-priority",
    "title",
    "-title",
];

/// How long 50 tasks take in an order.
#[derive(Debug, Serialize)]
pub(super) struct Pages {
    tasks: u32,
    order: &'static str,
    first: Measured,
    middle: Measured,
}

/// Measures the pages of a user who has so many tasks.
pub(super) async fn measure(wrk: &Wrk, data: &Data, server: &Running, size: Size) -> Result<Vec<Pages>> {
    let plan = data.plan(&[size]).await?;
    wrk.plan(&plan)?;
    let mut columns = plan.split('\t');
    let (Some(user), Some(token)) = (columns.next(), columns.next()) else { anyhow::bail!("the plan has no user") };
    let mut found = Vec::new();
    for order in ORDERS {
        let cursor = middle(server.port, (user, token), size.tasks, order).await?;
        let first = format!("?limit=50&sort={order}");
        let middle = format!("{first}&cursor={cursor}");
        let mut measured = Vec::new();
        for query in [&first, &middle] {
            let cell = Cell { connections: 1, scenario: Scenario::Page };
            measured.push(wrk.run_with(server.port, cell, EACH, (server.pid(), data.pid()), query).await?);
            super::settle(&[server.pid(), data.pid()]).await;
        }
        let [first, middle] = measured.as_slice() else { anyhow::bail!("two figures were expected") };
        eprintln!(
            "{:>9} tasks, {order:<12} first page: p50 {:>6.2} ms, in the middle: p50 {:>6.2} ms, {} errors",
            size.tasks,
            first.p50 / 1e3,
            middle.p50 / 1e3,
            first.errors + middle.errors
        );
        found.push(Pages { tasks: size.tasks, order, first: *first, middle: *middle });
    }
    Ok(found)
}

/// The cursor behind the first half of the tasks.
async fn middle(port: u16, (user, token): (&str, &str), tasks: u32, order: &str) -> Result<String> {
    let mut cursor = String::new();
    for _ in 0..(tasks / 2).div_ceil(STRIDE) {
        let from = if cursor.is_empty() { String::new() } else { format!("&cursor={cursor}") };
        let path = format!("/api/{user}/tasks?limit={STRIDE}&sort={order}{from}");
        let answer = ask(port, token, "GET", &path, "", "").await?;
        let next = answer.body.get("next_cursor").and_then(|next| next.as_str());
        cursor = next.with_context(|| format!("GET {path} leads no further: {}", answer.body))?.to_owned();
    }
    Ok(cursor)
}

/// All orders, for each number of tasks.
pub(super) fn table(text: &mut String, pages: &[Pages]) -> std::fmt::Result {
    let mut counts: Vec<u32> = pages.iter().map(|page| page.tasks).collect();
    counts.dedup();
    write!(text, "\n## Pages of 50 by order (p50 ms, one connection)\n\n| sort |")?;
    for tasks in &counts {
        write!(text, " {tasks} tasks: first | middle |")?;
    }
    writeln!(text, "\n|---|{}", "---:|".repeat(2 * counts.len()))?;
    for order in ORDERS {
        write!(text, "| `{order}` |")?;
        for page in pages.iter().filter(|page| page.order == order) {
            write!(text, " {:.2} | {:.2} |", page.first.p50 / 1e3, page.middle.p50 / 1e3)?;
        }
        writeln!(text)?;
    }
    Ok(())
}
