//! What parameters are described with, and the parameters of lists and of every operation.

use crate::domain::{INVISIBLE, MAX_PAGE_SIZE, Order};
use utoipa::openapi::path::{ParameterBuilder, ParameterIn, ParameterStyle};
use utoipa::openapi::schema::{ArrayBuilder, Schema};
use utoipa::openapi::{KnownFormat, ObjectBuilder, OneOfBuilder, RefOr, Required, SchemaFormat, Type};

/// The parameters of the list of tasks. `domain::ListQuery` reads them.
pub(in crate::api) fn of_tasks() -> [ParameterBuilder; 13] {
    let limit = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(MAX_PAGE_SIZE));
    let sort = text().enum_values(Some(Order::parameters())).default(Some("created_at".into()));
    let priority = text().enum_values(Some(["none", "low", "medium", "high"]));
    // At most 50 characters, and one that can be seen among the first 25: a regular expression cannot say that it may be any one.
    let tag = text().pattern(Some(format!(r"^[^\u0000]{{0,24}}[^{INVISIBLE}][^\u0000]{{0,25}}$")));
    let words = text().max_length(Some(200)).pattern(Some(r"^[^\u0000]*$"));
    [
        query(
            "limit",
            "How many tasks a page has at most. It ends earlier at 1 MiB, and with filters when it has passed 20,000 tasks, \
                 whether any of them matched or not: `next_cursor` alone says whether there is more.",
            limit.default(Some(100.into())),
        ),
        query(
            "cursor",
            "Where the page begins: `next_cursor` of the page before, with the same `sort` and filters.",
            text(),
        ),
        query(
            "sort",
            "The order; a leading `-` reverses it. `created_at` and `updated_at` are newest first, `priority` high first. `due` is by \
                 the date as written, then tasks with a time before whole days, then by the instant; tasks without a due date come last.",
            sort,
        ),
        query("completed", "Done, or not.", boolean()),
        query(
            "priority",
            "Any of these; repeated, or with commas between that are not percent-encoded.",
            Schema::from(ArrayBuilder::new().items(priority)),
        )
        .style(Some(ParameterStyle::Form))
        .explode(Some(true)),
        query(
            "tag",
            "All of these; repeated, or with commas between. A comma of a tag is percent-encoded (`%2C`).",
            Schema::from(ArrayBuilder::new().items(tag)),
        )
        .style(Some(ParameterStyle::Form))
        .explode(Some(true)),
        query(
            "time_zone",
            "The IANA time zone whose midnight ends a day for `overdue`, and for dates in `due_before` and `due_after`. Without one it \
                 is UTC. A list with such a date and a zone has no ETag.",
            text()
                .max_length(Some(100))
                .format(Some(SchemaFormat::Custom("iana-time-zone".into())))
                .examples(["Europe/Vilnius"]),
        ),
        query(
            "due_before",
            "Due on an earlier day, or before an instant. A task with a time is due on the day of its instant in `time_zone`.",
            date_or_instant(),
        ),
        query("due_after", "Due on a later day, or after an instant.", date_or_instant()),
        query("overdue", "Open and past due, or not so. Such a list has no ETag: it depends on the clock.", boolean()),
        query("updated_since", "Changed at this instant or later.", instant()),
        query(
            "q",
            "Words and symbols. Each word must begin a word of the title, the description or the tags; in scripts without spaces, and \
                 for symbols, it may stand anywhere. Case and optional marks do not matter (Unicode's rules). There must be a letter, a \
                 digit or a symbol.",
            words,
        ),
        query("count", "`exact` adds `total`, the number of tasks on all pages.", text().enum_values(Some(["exact"]))),
    ]
}

/// `X-Request-Id`, which every operation takes.
pub(super) fn request_id() -> ParameterBuilder {
    let meaning = "A name for this request; taken over when it has 1 to 128 letters, digits and `-_.`, else replaced.";
    header("X-Request-Id", meaning, text())
}

/// A segment of the path.
pub(in crate::api) fn path(name: &str, description: &str, schema: ObjectBuilder) -> ParameterBuilder {
    parameter(name, ParameterIn::Path, description, schema).required(Required::True)
}

/// A header field.
pub(in crate::api) fn header(name: &str, description: &str, schema: ObjectBuilder) -> ParameterBuilder {
    parameter(name, ParameterIn::Header, description, schema)
}

/// A parameter of the query string.
pub(in crate::api) fn query(name: &str, description: &str, schema: impl Into<RefOr<Schema>>) -> ParameterBuilder {
    parameter(name, ParameterIn::Query, description, schema)
}

fn parameter(name: &str, place: ParameterIn, description: &str, schema: impl Into<RefOr<Schema>>) -> ParameterBuilder {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(schema))
}

/// The value of `If-Match` and `If-None-Match`.
pub(in crate::api) fn entity_tags() -> ObjectBuilder {
    // RFC 9110, section 8.8.3, in ASCII.
    text().pattern(Some(r#"^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$"#)).examples(["\"9f86d081884c7d65-41\""])
}

fn date_or_instant() -> Schema {
    let date = text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)));
    Schema::OneOf(OneOfBuilder::new().item(date).item(instant()).build())
}

fn instant() -> ObjectBuilder {
    text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
}

fn boolean() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Boolean)
}

pub(in crate::api) fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}
