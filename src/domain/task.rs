//! A task, and the bodies that make and change one.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::due::DuePatch;
use super::json::pointer;
use super::{Due, Invalid, Json, text};

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Title(String);

/// Up to 10,000 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Description(String);

/// Up to 20 different labels of 1 to 50 characters each, without white space around them, in Normalization Form C.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tags(Vec<String>);

/// Everything that a client says of a task: the body of POST and of PUT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTask {
    fields: TaskPatch,
}

/// What a client changes of a task: the body of PATCH, a JSON merge patch (RFC 7396). What is `None` stays.
///
/// Serialized, it is the document that the database functions take.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TaskPatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<Title>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Option<Description>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_number")]
    priority: Option<Priority>,
    #[serde(flatten)]
    due: DuePatch,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Tags>,
}

/// The body of `PATCH .../complete`: a state, or none for the one that it is not in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Completion(pub Option<bool>);

impl Priority {
    /// Parses the word for it.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "none" => Some(Self::None),
            "low" => Some(Self::Low),
            "medium" => Some(Self::Medium),
            "high" => Some(Self::High),
            _ => None,
        }
    }

    /// The number that the database keeps for it, 0 to 3.
    pub fn number(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Low => 1,
            Self::Medium => 2,
            Self::High => 3,
        }
    }
}

impl Serialize for Priority {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        })
    }
}

impl Title {
    /// Parses a title; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let title = text.trim();
        match title.chars().count() {
            _ if text::is_invisible(title) => Err("Must not be empty.".to_owned()),
            0..=255 => text::checked(title).map(Self),
            length => Err(format!("Must have at most 255 characters, not {length}.")),
        }
    }

    /// The title.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Description {
    /// Parses a description; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.chars().count() {
            0..=10_000 => text::checked(text).map(Self),
            length => Err(format!("Must have at most 10000 characters, not {length}.")),
        }
    }
}

impl Tags {
    /// Parses a list of tags; every mistake goes to `mistakes`.
    fn parse(items: Vec<Json>, mistakes: &mut Vec<Invalid>) -> Self {
        if items.len() > 20 {
            let detail = format!("Must have at most 20 tags, not {}.", items.len());
            mistakes.push(Invalid::body("/tags", detail));
            return Self::default();
        }
        let mut tags = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            let mistake = match item {
                Json::String(tag) => match Self::parse_one(&tag) {
                    Ok(tag) if tags.contains(&tag) => "The tag stands here twice.".to_owned(),
                    Ok(tag) => {
                        tags.push(tag);
                        continue;
                    }
                    Err(detail) => detail,
                },
                other => format!("Must be a string, not {}.", other.kind()),
            };
            mistakes.push(Invalid::body(format!("/tags/{index}"), mistake));
        }
        Self(tags)
    }

    /// Parses one tag, which is the same tag however its marks are encoded (Normalization Form C, Unicode Standard Annex #15);
    /// the error says what is wrong with it.
    pub fn parse_one(text: &str) -> Result<String, String> {
        if let Some(mistake) = text::mistake(text) {
            return Err(mistake.to_owned());
        }
        let tag = text::composed(text.trim());
        match tag.chars().count() {
            1..=50 if text::is_invisible(&tag) => Err("Must not be empty.".to_owned()),
            1..=50 => Ok(tag),
            length => Err(format!("Must have 1 to 50 characters, not {length}.")),
        }
    }
}

/// What the server alone decides.
const READ_ONLY: [&str; 8] =
    ["id", "owner_id", "completed_at", "due_at", "version", "created_at", "updated_at", "etag"];

impl NewTask {
    /// Parses the body of POST: `title` is required, what is absent becomes its default.
    pub fn parse(body: &[u8]) -> Result<Self, Vec<Invalid>> {
        Self::parse_members(body, &["title"], &[])
    }

    /// Parses the body of PUT: `title` and `completed` are required, what is absent becomes its default. A task can be sent
    /// back as it was read: what is read-only is ignored.
    pub fn parse_replacement(body: &[u8]) -> Result<Self, Vec<Invalid>> {
        Self::parse_members(body, &["title", "completed"], &READ_ONLY)
    }

    fn parse_members(body: &[u8], required: &[&str], ignored: &[&str]) -> Result<Self, Vec<Invalid>> {
        let mut mistakes = Vec::new();
        let members = members(Json::parse(body).map_err(|mistake| vec![mistake])?)?;
        for name in required {
            if !members.iter().any(|(member, _)| member == name) {
                mistakes.push(Invalid::body(format!("/{name}"), "The field is required."));
            }
        }
        let mut fields = TaskPatch::default();
        for (name, value) in unique(members, &mut mistakes) {
            match name.as_str() {
                name if ignored.contains(&name) => {}
                "due" => {
                    if let Some(due) = Due::parse(value, &mut mistakes) {
                        fields.due =
                            DuePatch { date: Some(Some(due.date)), time: Some(due.time), zone: Some(due.time_zone) };
                    }
                }
                "completed" if value == Json::Null => {
                    mistakes.push(Invalid::body("/completed", "Must be true or false, not null."));
                }
                _ => fields.set(&name, value, &mut mistakes),
            }
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        fields.description.get_or_insert_default();
        if fields.due == DuePatch::default() {
            fields.due = DuePatch::NONE;
        }
        fields.completed.get_or_insert_default();
        fields.priority.get_or_insert_default();
        fields.tags.get_or_insert_default();
        Ok(Self { fields })
    }
}

/// The document that the database functions take: every field is in it.
impl Serialize for NewTask {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.fields.serialize(serializer)
    }
}

impl Serialize for Completion {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.map(|completed| ("completed", completed)))
    }
}

impl TaskPatch {
    /// Parses the body of PATCH.
    pub fn parse(body: &[u8]) -> Result<Self, Vec<Invalid>> {
        let mut mistakes = Vec::new();
        let mut patch = Self::default();
        let members = members(Json::parse(body).map_err(|mistake| vec![mistake])?)?;
        for (name, value) in unique(members, &mut mistakes) {
            if name == "due" {
                let clears = value == Json::Null;
                patch.due = DuePatch::parse(value, &mut mistakes);
                if !clears && patch.due.date == Some(None) && mistakes.is_empty() {
                    mistakes.push(Invalid::body("/due/date", "A due date needs a date; to clear it, set due to null."));
                }
            } else {
                patch.set(&name, value, &mut mistakes);
            }
        }
        if mistakes.is_empty() { Ok(patch) } else { Err(mistakes) }
    }

    /// Sets one field other than `due`. Null clears: the field gets its default.
    fn set(&mut self, name: &str, value: Json, mistakes: &mut Vec<Invalid>) {
        let detail = match (name, value) {
            ("title", Json::String(text)) => match Title::parse(&text) {
                Ok(title) => return self.title = Some(title),
                Err(detail) => detail,
            },
            ("title", other) => format!("Must be a string, not {}.", other.kind()),
            ("description", Json::Null) => return self.description = Some(None),
            ("description", Json::String(text)) => match Description::parse(&text) {
                Ok(description) => return self.description = Some(Some(description)),
                Err(detail) => detail,
            },
            ("description", other) => format!("Must be null or a string, not {}.", other.kind()),
            ("completed", Json::Null) => return self.completed = Some(false),
            ("completed", Json::Bool(completed)) => return self.completed = Some(completed),
            ("completed", other) => format!("Must be true or false, not {}.", other.kind()),
            ("priority", Json::Null) => return self.priority = Some(Priority::None),
            ("priority", Json::String(word)) => match Priority::parse(&word) {
                Some(priority) => return self.priority = Some(priority),
                None => "Must be one of none, low, medium and high.".to_owned(),
            },
            ("priority", other) => format!("Must be one of none, low, medium and high, not {}.", other.kind()),
            ("tags", Json::Null) => return self.tags = Some(Tags::default()),
            ("tags", Json::Array(items)) => return self.tags = Some(Tags::parse(items, mistakes)),
            ("tags", other) => format!("Must be an array of strings, not {}.", other.kind()),
            (name, _) if READ_ONLY.contains(&name) => "The field is read-only.".to_owned(),
            _ => "Unknown field. A task has title, description, completed, priority, due and tags.".to_owned(),
        };
        mistakes.push(Invalid::body(pointer("", name), detail));
    }
}

impl Completion {
    /// Parses the body of `PATCH .../complete`; an empty one toggles.
    pub fn parse(body: &[u8]) -> Result<Self, Vec<Invalid>> {
        if body.is_empty() {
            return Ok(Self(None));
        }
        let mut mistakes = Vec::new();
        let mut completed = None;
        let members = members(Json::parse(body).map_err(|mistake| vec![mistake])?)?;
        if !members.iter().any(|(name, _)| name == "completed") {
            mistakes.push(Invalid::body("/completed", "The field is required, unless there is no body at all."));
        }
        for (name, value) in unique(members, &mut mistakes) {
            match (name.as_str(), value) {
                ("completed", Json::Bool(value)) => completed = Some(value),
                ("completed", other) => {
                    let detail = format!("Must be true or false, not {}.", other.kind());
                    mistakes.push(Invalid::body("/completed", detail));
                }
                _ => mistakes.push(Invalid::body(pointer("", &name), "Unknown field. The body has completed.")),
            }
        }
        if mistakes.is_empty() { Ok(Self(completed)) } else { Err(mistakes) }
    }
}

fn members(json: Json) -> Result<Vec<(String, Json)>, Vec<Invalid>> {
    match json {
        Json::Object(members) => Ok(members),
        other => Err(vec![Invalid::body("", format!("The body must be a JSON object, not {}.", other.kind()))]),
    }
}

/// The members whose name stands in the object once; of the others, one mistake each.
fn unique(members: Vec<(String, Json)>, mistakes: &mut Vec<Invalid>) -> Vec<(String, Json)> {
    let mut seen = HashSet::with_capacity(members.len());
    let (kept, twice): (Vec<_>, Vec<_>) = members.into_iter().partition(|(name, _)| seen.insert(name.clone()));
    for (name, _) in twice {
        mistakes.push(Invalid::body(pointer("", &name), "The field stands here twice."));
    }
    kept
}

fn as_number<S: serde::Serializer>(priority: &Option<Priority>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_some(&priority.map(Priority::number))
}
