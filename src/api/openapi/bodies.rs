//! The bodies of requests, described. What really reads them is `domain`, which keeps apart what is absent and what is
//! null; a property test sends these through it.
#![expect(dead_code, reason = "the fields describe members of JSON objects; nothing is kept in them")]

use utoipa::ToSchema;
use utoipa::openapi::schema::{ArrayBuilder, Schema, SchemaType};
use utoipa::openapi::{ObjectBuilder, RefOr, Type};

use crate::domain::Priority;

/// A new task. What is absent gets its default.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "title": "Book the train",
    "priority": "high",
    "due": {"date": "2026-12-01", "time": "09:30", "time_zone": "Europe/Vilnius"},
    "tags": ["travel"]
}))]
pub(in crate::api) struct NewTask {
    #[schema(schema_with = title)]
    title: String,
    #[schema(schema_with = description, required = false)]
    description: Option<String>,
    /// Whether it is done.
    #[serde(default)]
    completed: bool,
    priority: Option<Priority>,
    due: Option<NewDue>,
    #[schema(schema_with = tags, required = false)]
    tags: Option<Vec<String>>,
}

/// A whole task, as it was read or with these members alone. What is absent gets its default, whatever it was before.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "Book the train", "completed": true}))]
pub(in crate::api) struct Replacement {
    #[schema(schema_with = title)]
    title: String,
    #[schema(schema_with = description, required = false)]
    description: Option<String>,
    /// Whether it is done.
    completed: bool,
    priority: Option<Priority>,
    due: Option<NewDue>,
    #[schema(schema_with = tags, required = false)]
    tags: Option<Vec<String>>,
    #[schema(schema_with = ignored, required = false)]
    id: (),
    #[schema(schema_with = ignored, required = false)]
    owner_id: (),
    #[schema(schema_with = ignored, required = false)]
    completed_at: (),
    #[schema(schema_with = ignored, required = false)]
    due_at: (),
    #[schema(schema_with = ignored, required = false)]
    version: (),
    #[schema(schema_with = ignored, required = false)]
    created_at: (),
    #[schema(schema_with = ignored, required = false)]
    updated_at: (),
    #[schema(schema_with = ignored, required = false)]
    etag: (),
}

/// A JSON merge patch (RFC 7396): what is absent stays, null clears.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"description": null, "priority": "high"}))]
pub(in crate::api) struct TaskPatch {
    #[schema(schema_with = title, required = false)]
    title: Option<String>,
    #[schema(schema_with = description, required = false)]
    description: Option<String>,
    /// Whether it is done; null for not.
    completed: Option<bool>,
    priority: Option<Priority>,
    due: Option<DuePatch>,
    #[schema(schema_with = tags, required = false)]
    tags: Option<Vec<String>>,
}

/// The state that a task gets.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"completed": true}))]
pub(in crate::api) struct Completion {
    /// Whether it is done.
    completed: bool,
}

/// When a task is due: a whole day wherever the user is, or a time of day in a time zone.
#[derive(ToSchema)]
#[serde(untagged)]
#[schema(example = json!({"date": "2026-12-01"}))]
pub(super) enum NewDue {
    Day(DueDay),
    Time(DueTime),
}

/// A whole day.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DueDay {
    #[schema(schema_with = date)]
    date: String,
    #[schema(schema_with = null, required = false)]
    time: (),
    #[schema(schema_with = null, required = false)]
    time_zone: (),
}

/// A time of day in a time zone. A time that the zone's clocks leap over is refused.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DueTime {
    #[schema(schema_with = date)]
    date: String,
    #[schema(schema_with = time)]
    time: String,
    #[schema(schema_with = time_zone)]
    time_zone: String,
}

/// A change of a due date, merged member by member. With what stays, it must be a day, or a time in a time zone.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"date": "2026-12-02"}))]
pub(super) struct DuePatch {
    #[schema(schema_with = date, required = false)]
    date: Option<String>,
    #[schema(schema_with = nullable_time, required = false)]
    time: Option<String>,
    #[schema(schema_with = nullable_time_zone, required = false)]
    time_zone: Option<String>,
}

/// Any character but NUL.
const CHARACTERS: &str = r"^[^\u0000]*$";
/// What cannot be seen, for a class of characters: white space, controls, formats and what is ignorable by default, as in
/// `text.rs`, up to U+FFFF, because not every dialect of regular expressions has the others.
pub(super) const UNSEEN: &str = r"\u0000-\u0020\u007f-\u00a0\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb";
const CLOCK: &str = "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$";
/// What registries of formats do not have: whether there is such a zone, PostgreSQL's copy of the IANA database decides.
const ZONE: &str = "iana-time-zone";

/// At least one character that can be seen, and no NUL.
fn not_blank() -> String {
    format!(r"^[^\u0000]*[^{UNSEEN}][^\u0000]*$")
}

fn title() -> Schema {
    let title = text().min_length(Some(1)).max_length(Some(255)).pattern(Some(not_blank()));
    title
        .description(Some("1 to 255 characters, of which one can be seen; white space around them is cut off. At most 30 combining marks in a row."))
        .examples(["Book the train"])
        .into()
}

fn description() -> Schema {
    let description = nullable(text()).max_length(Some(10_000)).pattern(Some(CHARACTERS));
    description.description(Some("Up to 10,000 characters, at most 30 combining marks in a row.")).into()
}

fn tags() -> RefOr<Schema> {
    let tag = text().min_length(Some(1)).max_length(Some(50)).pattern(Some(not_blank()));
    let tags = ArrayBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Array, Type::Null]))
        .items(tag)
        .max_items(Some(20))
        .unique_items(true)
        .description(Some("Up to 20 labels of 1 to 50 characters, kept in their order. White space around them is cut off, and they become \
            Normalization Form C; they must be different ones then."));
    Schema::from(tags).into()
}

/// What only the server changes.
fn ignored() -> Schema {
    ObjectBuilder::new().schema_type(SchemaType::AnyValue).read_only(true).description(Some("Ignored.")).into()
}

fn date() -> Schema {
    let date = text().format(Some(utoipa::openapi::SchemaFormat::KnownFormat(utoipa::openapi::KnownFormat::Date)));
    date.description(Some("A calendar day, years 1 to 9999.")).examples(["2026-12-01"]).into()
}

fn time() -> Schema {
    text().pattern(Some(CLOCK)).description(Some("`HH:MM` or `HH:MM:SS`.")).examples(["09:30"]).into()
}

fn nullable_time() -> Schema {
    nullable(text()).pattern(Some(CLOCK)).description(Some("`HH:MM` or `HH:MM:SS`.")).examples(["09:30"]).into()
}

fn time_zone() -> Schema {
    zone(text())
}

fn nullable_time_zone() -> Schema {
    zone(nullable(text()))
}

fn zone(schema: ObjectBuilder) -> Schema {
    schema
        .format(Some(utoipa::openapi::SchemaFormat::Custom(ZONE.to_owned())))
        .max_length(Some(100))
        .description(Some("The name of an IANA time zone, such as `Europe/Vilnius` or `UTC`."))
        .examples(["Europe/Vilnius"])
        .into()
}

fn null() -> Schema {
    ObjectBuilder::new().schema_type(Type::Null).into()
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn nullable(schema: ObjectBuilder) -> ObjectBuilder {
    schema.schema_type(SchemaType::from_iter([Type::String, Type::Null]))
}
