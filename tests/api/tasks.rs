//! Tasks, by operation. What holds for every route alike is beside this folder (`tests/README.md`).

mod boundaries;
mod complete_task;
mod create_task;
mod delete_task;
mod due;
mod due_order;
mod get_task;
mod list_tasks;
mod patch_task;
mod replace_task;
mod search;
mod search_costs;

use serde_json::{Value, json};

/// A new task with a value for each field.
fn full() -> Value {
    json!({"title": "Whole", "description": "text", "completed": true, "priority": "high", "tags": ["a", "b"],
        "due": {"date": "2026-12-01", "time": "09:30", "time_zone": "Europe/Vilnius"}})
}
