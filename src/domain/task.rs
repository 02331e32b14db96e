//! A task, its fields, and the bodies of its writes.

use serde::{Deserialize, Serialize, Serializer};
use serde_json::json;
use utoipa::openapi::{ArrayBuilder, ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use super::fields::{
    self, About, Body, Components, Create, Declaration, Document, Field, FieldType, FieldValue, Fields, Mode, Patch,
    Replace, Required, schema,
};
use super::{Due, Errors, Invalid, Json, text};

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

/// How urgent a task is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Not said
    #[default]
    None,
    /// Low
    Low,
    /// Medium
    Medium,
    /// High
    High,
}

/// 1 to 255 characters, without white space around them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title(String);

/// Up to 10,000 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description(String);

/// Whether a task is done.
struct Completed;

/// Up to 20 different labels of 1 to 50 characters each, without white space around them, in Normalization Form C.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags(Vec<String>);

/// The body of POST.
pub type NewTask = Body<Task, Create>;

/// The body of PUT.
pub type Replacement = Body<Task, Replace>;

/// The body of PATCH: a JSON merge patch (RFC 7396).
pub type TaskPatch = Body<Task, Patch>;

/// The body of `PATCH .../complete`: the new state; `None` toggles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Completion(pub Option<bool>);

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

impl Title {
    const MAX_CHARACTERS: usize = 255;

    /// Parses a title.
    pub fn parse(text: &str, errors: &mut Errors<'_>) -> Option<Self> {
        let title = text.trim();
        if text::is_invisible(title) {
            return errors.refuse("Must not be empty.");
        }
        text::check_length(title, Self::MAX_CHARACTERS, errors)?;
        text::check(title, errors)?;
        Some(Self(title.to_owned()))
    }

    /// The title.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FieldType for Title {
    fn default() -> Option<FieldValue> {
        None
    }

    fn parse(json: Json, _: Mode, errors: &mut Errors<'_>) -> Option<FieldValue> {
        let text = json.text("a string", errors)?;
        Self::parse(&text, errors).map(|title| FieldValue::Text(title.0))
    }

    fn schema(_: Mode, _: &mut Components) -> RefOr<Schema> {
        let title = text::visible_schema(Self::MAX_CHARACTERS)
            .description(Some(
                "1 to 255 characters, of which one can be seen; white space around them is cut off. At most 30 combining marks in \
                 a row.",
            ))
            .examples(["Book the train"]);
        Schema::from(title).into()
    }
}

impl Description {
    const MAX_CHARACTERS: usize = 10_000;

    /// Parses a description.
    pub fn parse(text: String, errors: &mut Errors<'_>) -> Option<Self> {
        text::check_length(&text, Self::MAX_CHARACTERS, errors)?;
        text::check(&text, errors)?;
        Some(Self(text))
    }
}

impl FieldType for Description {
    fn default() -> Option<FieldValue> {
        Some(FieldValue::Null)
    }

    fn parse(json: Json, _: Mode, errors: &mut Errors<'_>) -> Option<FieldValue> {
        let text = json.text("null or a string", errors)?;
        Self::parse(text, errors).map(|description| FieldValue::Text(description.0))
    }

    fn schema(_: Mode, _: &mut Components) -> RefOr<Schema> {
        let description = text::schema(Self::MAX_CHARACTERS)
            .description(Some("Up to 10,000 characters, at most 30 combining marks in a row."));
        Schema::from(description).into()
    }
}

impl FieldType for Completed {
    fn default() -> Option<FieldValue> {
        Some(FieldValue::Bool(false))
    }

    fn parse(json: Json, _: Mode, errors: &mut Errors<'_>) -> Option<FieldValue> {
        match json {
            Json::Bool(completed) => Some(FieldValue::Bool(completed)),
            other => other.refuse("true or false", errors),
        }
    }

    fn schema(mode: Mode, _: &mut Components) -> RefOr<Schema> {
        let description = if mode == Mode::Patch { "Whether it is done; null for not." } else { "Whether it is done." };
        Schema::from(ObjectBuilder::new().schema_type(Type::Boolean).description(Some(description))).into()
    }
}

impl Priority {
    /// The priority with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::None),
            "low" => Some(Self::Low),
            "medium" => Some(Self::Medium),
            "high" => Some(Self::High),
            _ => None,
        }
    }

    /// The number that the database stores, 0 to 3.
    pub fn number(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Low => 1,
            Self::Medium => 2,
            Self::High => 3,
        }
    }
}

impl FieldType for Priority {
    fn default() -> Option<FieldValue> {
        Some(FieldValue::Number(Self::None.number()))
    }

    fn parse(json: Json, _: Mode, errors: &mut Errors<'_>) -> Option<FieldValue> {
        let name = json.text("one of none, low, medium and high", errors)?;
        match Self::from_name(&name) {
            Some(priority) => Some(FieldValue::Number(priority.number())),
            None => errors.refuse("Must be one of none, low, medium and high."),
        }
    }

    fn schema(_: Mode, components: &mut Components) -> RefOr<Schema> {
        schema::component("Priority", <Self as PartialSchema>::schema(), components)
    }
}

impl Serialize for Priority {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        })
    }
}

impl Tags {
    const MAX_TAGS: usize = 20;
    const MAX_CHARACTERS: usize = 50;

    fn parse(items: Vec<Json>, errors: &mut Errors<'_>) -> Option<Self> {
        if items.len() > Self::MAX_TAGS {
            return errors.refuse(format!("Must have at most {} tags, not {}.", Self::MAX_TAGS, items.len()));
        }
        let mut tags = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            let index = index.to_string();
            let errors = &mut errors.at(&index);
            let tag = item.text("a string", errors).and_then(|text| Self::parse_one(&text, errors));
            match tag {
                Some(tag) if tags.contains(&tag) => errors.add("The tag stands here twice."),
                tag => tags.extend(tag),
            }
        }
        Some(Self(tags))
    }

    /// Parses one tag. Tags are equal if their Normalization Forms C are (Unicode Standard Annex #15).
    pub fn parse_one(text: &str, errors: &mut Errors<'_>) -> Option<String> {
        text::check(text, errors)?;
        let tag = text::composed(text.trim());
        match tag.chars().count() {
            1..=Self::MAX_CHARACTERS if text::is_invisible(&tag) => errors.refuse("Must not be empty."),
            1..=Self::MAX_CHARACTERS => Some(tag),
            length => errors.refuse(format!("Must have 1 to {} characters, not {length}.", Self::MAX_CHARACTERS)),
        }
    }
}

impl FieldType for Tags {
    fn default() -> Option<FieldValue> {
        Some(FieldValue::Texts(Vec::new()))
    }

    fn parse(json: Json, _: Mode, errors: &mut Errors<'_>) -> Option<FieldValue> {
        match json {
            Json::Array(items) => Self::parse(items, errors).map(|tags| FieldValue::Texts(tags.0)),
            other => other.refuse("an array of strings", errors),
        }
    }

    fn schema(_: Mode, _: &mut Components) -> RefOr<Schema> {
        let tags = ArrayBuilder::new()
            .items(text::visible_schema(Self::MAX_CHARACTERS))
            .max_items(Some(Self::MAX_TAGS))
            .unique_items(true)
            .description(Some(
                "Up to 20 labels of 1 to 50 characters, kept in their order. White space around them is cut off, and they become \
                 Normalization Form C; they must be different ones then.",
            ));
        Schema::from(tags).into()
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
        let document = fields::parse_body(body, Mode::Replace, &Declaration::of::<Self>())?;
        Ok(Self(document.get("completed").map(|completed| *completed == FieldValue::Bool(true))))
    }
}

impl Serialize for Completion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = Document::default();
        if let Some(completed) = self.0 {
            document.add("completed", FieldValue::Bool(completed));
        }
        document.serialize(serializer)
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

    fn document(body: &impl Serialize) -> Value {
        serde_json::to_value(body).unwrap()
    }

    #[test]
    fn a_new_task_has_every_field() {
        let defaults = json!({"title": "t", "description": null, "completed": false, "priority": 0, "due_date": null,
            "due_time": null, "due_zone": null, "tags": []});
        assert_eq!(document(&NewTask::parse(br#"{"title":" t "}"#).unwrap()), defaults);
        assert_eq!(document(&Replacement::parse(br#"{"title":"t","completed":false,"due":null}"#).unwrap()), defaults);
    }

    #[test]
    fn a_patch_has_the_fields_that_it_names() {
        let patch = |body: &str| document(&TaskPatch::parse(body.as_bytes()).unwrap());
        assert_eq!(patch("{}"), json!({}));
        let cleared = r#"{"description":null,"completed":null,"priority":null,"due":null,"tags":null}"#;
        let defaults = json!({"description": null, "completed": false, "priority": 0, "due_date": null, "due_time": null,
            "due_zone": null, "tags": []});
        assert_eq!(patch(cleared), defaults);
        assert_eq!(patch(r#"{"due":{"time":"10:00"},"priority":"high"}"#), json!({"due_time": "10:00", "priority": 3}));
    }

    #[test]
    fn a_completion_has_the_state_or_none() {
        assert_eq!(document(&Completion::parse(b"").unwrap()), json!({}));
        assert_eq!(document(&Completion::parse(br#"{"completed":true}"#).unwrap()), json!({"completed": true}));
    }

    #[test]
    fn a_task_has_the_declared_members() {
        let Schema::Object(task) = (match <Task as PartialSchema>::schema() {
            RefOr::T(schema) => schema,
            RefOr::Ref(_) => panic!("a reference"),
        }) else {
            panic!("no object")
        };
        let Some(Schema::Object(replacement)) = (match Replacement::schema() {
            RefOr::T(schema) => Some(schema),
            RefOr::Ref(_) => None,
        }) else {
            panic!("no object")
        };
        let names = |object: &utoipa::openapi::Object| object.properties.keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(names(&task), names(&replacement));
    }
}
