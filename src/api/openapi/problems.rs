//! The problems that operations answer with, described once. Their examples are made by the code that makes the problems.

use std::collections::BTreeMap;

use http::StatusCode;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::AnyOfBuilder;
use utoipa::openapi::{
    ContentBuilder, Object, Ref, RefOr, Response, ResponseBuilder, Schema, Type, example::ExampleBuilder,
};

use super::operation::Header;
use super::parameters::text;
use crate::api::body::MAX_BODY_BYTES;
use crate::api::code::Code;
use crate::api::problem::Problem;
use crate::auth::{Access, Refusal};
use crate::domain::{Cause, CauseCode, Error, Invalid, MAX_PAGE_SIZE};

/// The request id of the examples.
const REQUEST_ID: &str = "019ab3c4-5d6e-7f80-9a1b-2c3d4e5f6071";
const RETRY_AFTER: Header = ("Retry-After", "When to try again, in seconds.");

/// The name of the component that describes the problems of a status.
pub(super) fn name(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "InvalidInput",
        StatusCode::UNAUTHORIZED => "Unauthorized",
        StatusCode::FORBIDDEN => "Forbidden",
        StatusCode::NOT_FOUND => "NotFound",
        StatusCode::NOT_ACCEPTABLE => "NotAcceptable",
        StatusCode::CONFLICT => "InFlight",
        StatusCode::GONE => "Gone",
        StatusCode::PRECONDITION_FAILED => "PreconditionFailed",
        StatusCode::PAYLOAD_TOO_LARGE => "PayloadTooLarge",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "UnsupportedMediaType",
        StatusCode::UNPROCESSABLE_ENTITY => "KeyReused",
        StatusCode::TOO_MANY_REQUESTS => "TooManyRequests",
        StatusCode::SERVICE_UNAVAILABLE => "Unavailable",
        _ => "Internal",
    }
}

/// Every component, by its name.
pub(super) fn components() -> impl Iterator<Item = (String, Response)> {
    let cause = || Cause::new(CauseCode::Internal, "");
    let table: [(&str, &[Header], Vec<Problem>); 14] = [
        (
            "The input is not what the operation takes; `errors` names every error.",
            &[],
            vec![
                Problem::from(vec![
                    Invalid::body("/title", "Must not be empty."),
                    Invalid::body("/due/date", "Must be a day that exists, as YYYY-MM-DD."),
                ]),
                Invalid::parameter("limit", format!("Must be a number from 1 to {MAX_PAGE_SIZE}.")).into(),
            ],
        ),
        (
            "There is no token, or not a good one.",
            &[("WWW-Authenticate", "`Bearer`, with `error=\"invalid_token\"` where a token was sent.")],
            vec![Refusal::Missing.into(), Refusal::Invalid("it has expired").into()],
        ),
        (
            "The token is of another user than the path, or has scopes and not the one for this.",
            &[(
                "WWW-Authenticate",
                "Where a scope is missing: `Bearer` with `error=\"insufficient_scope\"` and the `scope`.",
            )],
            vec![Problem::forbidden(), Problem::insufficient_scope(Access::Write)],
        ),
        (
            "There is no such resource, or it is another user's: the two are not told apart.",
            &[],
            vec![Error::NotFound.into()],
        ),
        ("`Accept` leaves out `application/json`.", &[], vec![Problem::not_acceptable("application/json")]),
        (
            "The first request with this `Idempotency-Key` is still being done.",
            &[RETRY_AFTER],
            vec![Error::InFlight.into()],
        ),
        (
            "The write was done when this `Idempotency-Key` came first; what it wrote is gone now.",
            &[],
            vec![Error::Gone.into()],
        ),
        (
            "The resource is not in the state that `If-Match` or `If-None-Match` asks for.",
            &[],
            vec![Error::PreconditionFailed.into()],
        ),
        (
            "The body is longer than 64 KiB, its escapes counted as what they stand for.",
            &[],
            vec![Problem::too_large(MAX_BODY_BYTES)],
        ),
        (
            "The body is not of a type that the operation takes, or has a `Content-Encoding`.",
            &[
                ("Accept-Patch", "Of PATCH: the types that it takes."),
                ("Accept-Encoding", "Where there was an encoding: `identity`."),
            ],
            vec![Problem::unsupported_media_type("application/json"), Problem::unsupported_encoding()],
        ),
        ("The `Idempotency-Key` came with another request before.", &[], vec![Error::KeyReused.into()]),
        (
            "Of the caller's slow requests, or writes that wait for another one, as many are being done as may be.",
            &[RETRY_AFTER],
            vec![Error::TooManyRequests.into()],
        ),
        ("Something went wrong on errand's side.", &[], vec![Error::Internal(String::new()).into()]),
        (
            "The service cannot answer now.",
            &[RETRY_AFTER],
            vec![Error::Unavailable(cause()).into(), Error::OutcomeUnknown(cause()).into()],
        ),
    ];
    table.into_iter().map(|(description, headers, problems)| {
        let status = problems.first().map_or(StatusCode::INTERNAL_SERVER_ERROR, |problem| problem.code.status());
        (name(status).to_owned(), response(description, headers, &problems))
    })
}

fn response(description: &str, headers: &[Header], problems: &[Problem]) -> Response {
    let examples = problems.iter().enumerate().map(|(index, problem)| {
        let body = problem.body(REQUEST_ID);
        let name = if index == 0 { body.code.clone() } else { format!("{}_{}", body.code, index + 1) };
        (name, ExampleBuilder::new().summary(body.detail.clone()).value(serde_json::to_value(body).ok()).build())
    });
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .examples_from_iter(examples.collect::<BTreeMap<_, _>>());
    let mut response =
        ResponseBuilder::new().description(description).content("application/problem+json", content.build()).build();
    response.headers = headers.iter().map(|header| described(*header)).collect();
    add_common_headers(&mut response);
    response
}

/// Every response has `X-Request-Id`, and `Server-Timing` if the operator wants that.
pub(super) fn add_common_headers(response: &mut Response) {
    let headers = [
        ("X-Request-Id", "Names this request in errand's log: the client's own value, or a new one."),
        ("Server-Timing", "Where the operator asks for it: how long the parts of the answer took."),
    ];
    response.headers.extend(headers.map(described));
}

/// A header field of a response.
pub(super) fn described((name, meaning): Header) -> (String, RefOr<utoipa::openapi::header::Header>) {
    let header = HeaderBuilder::new().schema(Some(Object::with_type(Type::String))).description(Some(meaning)).build();
    (name.to_owned(), header.into())
}

/// The schema of `code`: the words of today, and any that may come.
pub(in crate::api) fn code() -> Schema {
    let words = Code::ALL.iter().map(|code| code.word());
    AnyOfBuilder::new()
        .item(text().enum_values(Some(words)))
        .item(text())
        .description(Some(
            "The kind of problem, as a word that does not change. Others may come: then `status` says what to do.",
        ))
        .examples(["invalid_input"])
        .into()
}
