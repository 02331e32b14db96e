//! The problems that operations answer with, described once. Their examples are made by the code that makes the
//! problems.

use std::collections::BTreeMap;

use utoipa::ToResponse;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::{
    Content, ContentBuilder, Object, Ref, RefOr, Response, ResponseBuilder, Type, example::ExampleBuilder,
};

use crate::api::body::LONGEST;
use crate::api::problem::Problem;
use crate::auth::{Access, Refusal};
use crate::domain::{Error, Invalid};

/// The request id of the examples.
const REQUEST_ID: &str = "019ab3c4-5d6e-7f80-9a1b-2c3d4e5f6071";

macro_rules! problems {
    ($($name:ident: $description:literal, [$($header:literal: $meaning:literal),*], [$($problem:expr),+];)+) => {$(
        #[doc = $description]
        pub(in crate::api) struct $name;

        impl<'r> ToResponse<'r> for $name {
            fn response() -> (&'r str, RefOr<Response>) {
                let headers = [$(($header, $meaning)),*];
                (stringify!($name), problem($description, &headers, vec![$($problem.into()),+]).into())
            }
        }
    )+};
}

problems! {
    InvalidInput: "The input is not what the operation takes; `errors` names every mistake.", [], [
        vec![
            Invalid::body("/title", "Must not be empty."),
            Invalid::body("/due/date", "Must be a day that exists, as YYYY-MM-DD."),
        ],
        Invalid::parameter("limit", "Must be a number from 1 to 500.")
    ];
    Unauthorized: "There is no token, or not a good one.",
        ["WWW-Authenticate": "`Bearer`, with `error=\"invalid_token\"` where a token was sent."],
        [Refusal::Missing, Refusal::Invalid("it has expired")];
    Forbidden: "The token is of another user than the path, or has scopes and not the one for this.",
        ["WWW-Authenticate": "Where a scope is missing: `Bearer` with `error=\"insufficient_scope\"` and the `scope`."],
        [Problem::forbidden(), Problem::insufficient_scope(Access::Write)];
    NotFound: "There is no such task, or it is another user's: the two are not told apart.", [], [Error::NotFound];
    NotAcceptable: "`Accept` leaves out `application/json`.", [], [Problem::not_acceptable("application/json")];
    InFlight: "The first request with this `Idempotency-Key` is still being done.",
        ["Retry-After": "When to try again, in seconds."], [Error::InFlight];
    KeyReused: "The `Idempotency-Key` came with another request before.", [], [Error::KeyReused];
    PreconditionFailed: "The task is not in the state that `If-Match` or `If-None-Match` asks for.", [],
        [Error::PreconditionFailed];
    PayloadTooLarge: "The body is longer than 64 KiB, its escapes counted as what they stand for.", [], [Problem::too_large(LONGEST)];
    UnsupportedMediaType: "The body is not of a type that the operation takes, or has a `Content-Encoding`.",
        ["Accept-Patch": "Of PATCH: the types that it takes.", "Accept-Encoding": "Where there was an encoding: `identity`."],
        [Problem::unsupported_media_type("application/json"), Problem::unsupported_encoding()];
    TooManyRequests: "Of the caller's slow requests, or writes that wait for another one, as many are being done as may be.",
        ["Retry-After": "When to try again, in seconds."], [Error::TooManyRequests];
    Internal: "Something went wrong on errand's side.", [], [Error::Internal(String::new())];
    Unavailable: "The service cannot answer now.", ["Retry-After": "When to try again, in seconds."],
        [Error::Unavailable(String::new()), Error::OutcomeUnknown(String::new())];
}

fn problem(description: &str, headers: &[(&str, &str)], examples: Vec<Problem>) -> Response {
    let examples = examples.iter().enumerate().map(|(index, problem)| {
        let body = problem.body(REQUEST_ID);
        let name = if index == 0 { body.code.clone() } else { format!("{}_{}", body.code, index + 1) };
        (name, ExampleBuilder::new().summary(body.detail.clone()).value(serde_json::to_value(body).ok()).build())
    });
    let content: Content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .examples_from_iter(examples.collect::<BTreeMap<_, _>>())
        .build();
    headers
        .iter()
        .fold(ResponseBuilder::new().description(description), |response, (name, meaning)| {
            response.header(*name, header(meaning))
        })
        .content("application/problem+json", content)
        .build()
}

fn header(meaning: &str) -> Header {
    HeaderBuilder::new().schema(Some(Object::with_type(Type::String))).description(Some(meaning)).build()
}
