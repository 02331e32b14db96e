//! A task, its fields, and the bodies of its writes.

mod completed;
mod description;
mod folded;
mod priority;
mod tags;
mod title;

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use self::completed::Completed;
pub use self::description::Description;
use self::folded::folded;
pub use self::priority::Priority;
pub use self::tags::Tags;
pub use self::title::Title;
use super::fields::{
    About, Body, Components, Create, Declaration, Document, Field, FieldValue, Fields, Mode, Patch, Replace, Required,
    schema,
};
use super::{Due, Invalid, Operation};

/// A task as clients see it. The database writes this JSON itself; the type documents it, and the tests read every
/// answer through it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(description = "A task.")]
pub struct Task {
    /// UUID version 7, unless the client chose it.
    pub id: Uuid,
    /// The user that the task belongs to: the `sub` of the token that created it.
    #[schema(example = "alice")]
    pub owner_id: String,
    /// 1 to 255 characters.
    #[schema(min_length = 1, max_length = 255, example = "Book the train")]
    pub title: String,
    /// Up to 10,000 characters.
    #[schema(required, max_length = 10000)]
    pub description: Option<String>,
    /// Whether it is done.
    pub completed: bool,
    /// When it was done: RFC 3339, UTC.
    #[schema(required, format = "date-time")]
    pub completed_at: Option<String>,
    /// How urgent it is.
    pub priority: Priority,
    /// When it is due, as written.
    #[schema(required)]
    pub due: Option<Due>,
    /// The instant of `due`, RFC 3339, UTC; null for a whole day.
    #[schema(required, format = "date-time", example = "2026-12-01T07:30:00Z")]
    pub due_at: Option<String>,
    /// Labels in the order that they were given.
    #[schema(max_items = 20, example = json!(["travel"]))]
    pub tags: Vec<String>,
    /// Counts the writes of this task from 1.
    #[schema(minimum = 1)]
    pub version: i64,
    /// RFC 3339, UTC.
    #[schema(format = "date-time", example = "2026-11-22T18:59:12.123456Z")]
    pub created_at: String,
    /// RFC 3339, UTC.
    #[schema(format = "date-time", example = "2026-11-22T19:04:00.000001Z")]
    pub updated_at: String,
    /// The entity tag of this state, as `ETag` has it, for `If-Match` and `If-None-Match`.
    #[schema(example = "\"9f86d081884c7d65-41\"")]
    pub etag: String,
}

/// The body of POST.
pub type NewTask = Body<Task, Create>;

/// The body of PUT.
pub type Replacement = Body<Task, Replace>;

/// The body of PATCH: a JSON merge patch (RFC 7396).
pub type TaskPatch = Body<Task, Patch>;

/// The body of `PATCH .../complete`: the new state; `None` toggles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Completion(pub Option<bool>);

/// A write of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskOperation {
    /// Makes a task.
    Create(NewTask),
    /// Replaces a task, or makes it where [`Precondition::must_be_absent`](super::Precondition::must_be_absent) is set.
    Put(Replacement),
    /// Changes some fields of a task.
    Patch(TaskPatch),
    /// Completes or reopens a task.
    Complete(Completion),
    /// Deletes a task.
    Delete,
}

impl From<TaskOperation> for Operation {
    fn from(operation: TaskOperation) -> Self {
        match operation {
            TaskOperation::Create(task) => Self::new("task.create", "create_task", folded(task)),
            TaskOperation::Put(task) => Self::new("task.put", "replace_task", folded(task)),
            TaskOperation::Patch(patch) => Self::new("task.patch", "patch_task", folded(patch)),
            TaskOperation::Complete(completion) => Self::new("task.complete", "complete_task", completion),
            TaskOperation::Delete => Self::new("task.delete", "delete_task", Document::default()),
        }
    }
}

impl Fields for Task {
    const NOUN: &'static str = "A task";
    const READ_ONLY: &'static [&'static str] =
        &["id", "owner_id", "completed_at", "due_at", "version", "created_at", "updated_at", "etag"];

    fn fields<F: Field>() -> Vec<F> {
        vec![
            F::new::<Title>("title", Required::Always),
            F::new::<Description>("description", Required::Never),
            F::new::<Completed>("completed", Required::ToReplace),
            F::new::<Priority>("priority", Required::Never),
            F::new::<Due>("due", Required::Never),
            F::new::<Tags>("tags", Required::Never),
        ]
    }

    fn about(mode: Mode) -> About {
        match mode {
            Mode::Create => About {
                name: "NewTask",
                description: "A new task. What is absent gets its default.",
                example: json!({
                    "title": "Book the train",
                    "priority": "high",
                    "due": {"date": "2026-12-01", "time": "09:30", "time_zone": "Europe/Vilnius"},
                    "tags": ["travel"]
                }),
            },
            Mode::Replace => About {
                name: "Replacement",
                description: "A whole task, as it was read or with these members alone. What is absent gets its default, \
                              whatever it was before.",
                example: json!({"title": "Book the train", "completed": true}),
            },
            Mode::Patch => About {
                name: "TaskPatch",
                description: "A JSON merge patch (RFC 7396): what is absent stays, null clears.",
                example: json!({"description": null, "priority": "high"}),
            },
        }
    }
}

impl Fields for Completion {
    const NOUN: &'static str = "The body";
    const MISSING: &'static str = "The field is required, unless there is no body at all.";

    fn fields<F: Field>() -> Vec<F> {
        vec![F::new::<Completed>("completed", Required::Always)]
    }

    fn about(_: Mode) -> About {
        About { name: "Completion", description: "The state that a task gets.", example: json!({"completed": true}) }
    }
}

impl Completion {
    /// Parses the body; an empty one toggles.
    pub fn parse(body: &[u8]) -> Result<Self, Vec<Invalid>> {
        if body.is_empty() {
            return Ok(Self(None));
        }
        let document = Declaration::of::<Self>().parse_text(body, Mode::Replace)?;
        Ok(Self(document.get("completed").map(|completed| *completed == FieldValue::Bool(true))))
    }
}

impl From<Completion> for Document {
    fn from(completion: Completion) -> Self {
        let mut document = Self::default();
        if let Some(completed) = completion.0 {
            document.add("completed", FieldValue::Bool(completed));
        }
        document
    }
}

impl PartialSchema for Completion {
    fn schema() -> RefOr<Schema> {
        schema::object::<Self>(Mode::Replace, &mut Components::new())
    }
}

impl ToSchema for Completion {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    fn document(body: impl Into<Document>) -> Value {
        serde_json::to_value(body.into()).unwrap()
    }

    #[test]
    fn a_new_task_has_every_field() {
        let defaults = json!({"title": "t", "description": null, "completed": false, "priority": 0, "due_date": null,
            "due_time": null, "due_zone": null, "tags": []});
        let created = document(NewTask::parse(br#"{"title":" t "}"#).unwrap());
        let replaced = document(Replacement::parse(br#"{"title":"t","completed":false,"due":null}"#).unwrap());
        assert_eq!(created, replaced);
        for (name, value) in defaults.as_object().unwrap() {
            assert_eq!(created.get(name), Some(value), "{name}");
        }
    }

    #[test]
    fn a_patch_has_the_fields_that_it_names() {
        let patch = |body: &str| document(TaskPatch::parse(body.as_bytes()).unwrap());
        assert_eq!(patch("{}"), json!({}));
        let cleared = r#"{"description":null,"completed":null,"priority":null,"due":null,"tags":null}"#;
        let defaults = json!({"description": null, "completed": false, "priority": 0, "due_date": null, "due_time": null,
            "due_zone": null, "tags": []});
        assert_eq!(patch(cleared), defaults);
        assert_eq!(patch(r#"{"due":{"time":"10:00"},"priority":"high"}"#), json!({"due_time": "10:00", "priority": 3}));
    }

    #[test]
    fn a_completion_has_the_state_or_none() {
        assert_eq!(document(Completion::parse(b"").unwrap()), json!({}));
        assert_eq!(document(Completion::parse(br#"{"completed":true}"#).unwrap()), json!({"completed": true}));
    }

    #[test]
    fn a_task_has_the_declared_members() {
        let members = |schema| {
            let schema = serde_json::to_value::<RefOr<Schema>>(schema).unwrap();
            schema["properties"].as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>()
        };
        assert_eq!(members(Task::schema()), members(Replacement::schema()));
    }
}
