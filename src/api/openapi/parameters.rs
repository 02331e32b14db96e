//! The parameters of operations, described. What really reads them is `caller`, `conditional`, `negotiation` and
//! `domain::ListQuery`.

use crate::domain::INVISIBLE;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn, ParameterStyle};
use utoipa::openapi::schema::{ArrayBuilder, Schema};
use utoipa::openapi::{KnownFormat, ObjectBuilder, OneOfBuilder, RefOr, Required, SchemaFormat, Type};

/// Whose tasks.
pub(in crate::api) struct UserPath;
/// Which task.
pub(in crate::api) struct TaskPath;
/// What a reader may have already.
pub(in crate::api) struct ReadHeaders;
/// How a write is answered.
pub(in crate::api) struct AnswerHeaders;
/// What a writer expects of the task.
pub(in crate::api) struct GuardHeaders;
/// What makes a write safe to repeat.
pub(in crate::api) struct IdempotencyKey;
/// What a list can be asked for.
pub(in crate::api) struct ListParameters;

impl IntoParams for UserPath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let user_id = text().min_length(Some(1)).max_length(Some(255));
        let text = "The caller's user id, the `sub` of the token; `me` stands for it.";
        vec![path("user_id", text, user_id).example(Some("me".into())).build()]
    }
}

impl IntoParams for TaskPath {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut parameters = UserPath::into_params(place);
        let id = text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)));
        parameters.push(path("id", "The task's id.", id).build());
        parameters
    }
}

impl IntoParams for ReadHeaders {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = "Entity tags that the client has; the answer is 304 when it is one of them.";
        vec![header("If-None-Match", text, entity_tags()).build()]
    }
}

impl IntoParams for AnswerHeaders {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let meaning = "`return=minimal` asks for an answer without a body (RFC 7240).";
        let prefer = header("Prefer", meaning, text()).example(Some("return=representation".into()));
        vec![prefer.build()]
    }
}

impl IntoParams for GuardHeaders {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let states =
            "Entity tags of the states that may be written to, or `*` for any; 412 when the task is in another.";
        let absent =
            "`*`: there must be no such task yet. PUT needs it to create one; no other write can be met with it.";
        vec![
            header("If-Match", states, entity_tags()).build(),
            header("If-None-Match", absent, text().enum_values(Some(["*"]))).build(),
        ]
    }
}

impl IntoParams for IdempotencyKey {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let meaning = "A name for this write, of the client's making: sent again with it within a day, the write is not \
                       done again but answered as before. 1 to 255 visible ASCII characters, in double quotes or not.";
        // Not quoted at the beginning; quoted there alone; a lone quote; quoted at both ends.
        let key = text().pattern(Some(r#"^([!#-~][!-~]{0,254}|"[!-~]{0,253}[!#-~]|"|"[!-~]{1,255}")$"#));
        vec![header("Idempotency-Key", meaning, key).build()]
    }
}

impl IntoParams for ListParameters {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let limit = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(500));
        let orders = ["created_at", "updated_at", "due", "priority", "title"];
        let reversed = ["-created_at", "-updated_at", "-due", "-priority", "-title"];
        let sort = text().enum_values(Some(orders.into_iter().chain(reversed))).default(Some("created_at".into()));
        let priority = text().enum_values(Some(["none", "low", "medium", "high"]));
        // One tag, or several with commas between. Each has 50 characters at most, and one that can be seen among the first 25: a
        // regular expression cannot say that it may be any one.
        let one = format!(r"[^\u0000,]{{0,24}}[^,{INVISIBLE}][^\u0000,]{{0,25}}");
        let tag = text().pattern(Some(format!("^{one}(,{one})*$")));
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
                "The order; a leading `-` reverses it. `created_at` and `updated_at` are newest first, `due` soonest first, \
                 `priority` high first. Tasks without a due date come last.",
                sort,
            ),
            query("completed", "Done, or not.", boolean()),
            query(
                "priority",
                "Any of these; repeated, or with commas between.",
                Schema::from(ArrayBuilder::new().items(priority)),
            )
            .style(Some(ParameterStyle::Form))
            .explode(Some(true)),
            query(
                "tag",
                "All of these; repeated, or with commas between.",
                Schema::from(ArrayBuilder::new().items(tag)),
            )
            .style(Some(ParameterStyle::Form))
            .explode(Some(true)),
            query("due_before", "Due on an earlier day, or before an instant.", date_or_instant()),
            query("due_after", "Due on a later day, or after an instant.", date_or_instant()),
            query("overdue", "Open and past due, or not so. Such a list has no ETag: it depends on the clock.", boolean()),
            query("updated_since", "Changed at this instant or later.", instant()),
            query(
                "q",
                "Words; each must begin a word of the title, the description or the tags. Case and accents do not matter.",
                words,
            ),
            query(
                "count",
                "`exact` adds `total`, the number of tasks on all pages.",
                text().enum_values(Some(["exact"])),
            ),
        ]
        .map(ParameterBuilder::build)
        .to_vec()
    }
}

/// `X-Request-Id`, which every operation takes.
pub(super) fn request_id() -> Parameter {
    let meaning = "A name for this request; taken over when it has 1 to 128 letters, digits and `-_.`, else replaced.";
    header("X-Request-Id", meaning, text()).build()
}

fn path(name: &str, description: &str, schema: ObjectBuilder) -> ParameterBuilder {
    parameter(name, ParameterIn::Path, description, schema).required(Required::True)
}

fn header(name: &str, description: &str, schema: ObjectBuilder) -> ParameterBuilder {
    parameter(name, ParameterIn::Header, description, schema)
}

fn query(name: &str, description: &str, schema: impl Into<RefOr<Schema>>) -> ParameterBuilder {
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

fn entity_tags() -> ObjectBuilder {
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

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}
