//! The description of the API (OpenAPI 3.1), made from the code: each handler says what it takes and gives, and here
//! the parts come together.
//!
//! Clients get the committed copy, `openapi.json`: a test keeps it equal to [`document`], so that nothing of the making
//! is in the component.

mod compact;
mod parameters;
mod responses;

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};
use http::{StatusCode, header};
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::link::Link;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, OpenApi, RefOr, Response as Described};
use utoipa::{Modify, OpenApi as _, ToSchema};

pub(super) use crate::domain::{Completion, NewTask, Replacement, TaskPatch};
pub(super) use parameters::{
    AnswerHeaders, GuardHeaders, IdempotencyKey, ListParameters, ReadHeaders, TaskPath, UserPath,
};
pub(super) use responses::{
    Forbidden, InFlight, Internal, InvalidInput, KeyReused, NotAcceptable, NotFound, PayloadTooLarge,
    PreconditionFailed, TooManyRequests, Unauthorized, Unavailable, UnsupportedMediaType,
};

/// The committed copy, which is laid out for people.
const COPY: &str = include_str!("../../openapi.json");
/// What clients get of it.
static TEXT: [u8; compact::length(COPY)] = compact::compact(COPY);

/// How the service is.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes JSON that is written by hand")]
pub(super) struct Health {
    /// `live` or `ready`.
    #[schema(example = "ready")]
    status: String,
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "errand",
        description = "A multi-tenant task API. Tasks belong to the user that the bearer token names (its `sub`); in \
                       paths, `me` stands for that user. Errors are problem details (RFC 9457) and [explained one by \
                       one](/docs/problems). Writes can be guarded with `If-Match`, lists are paged by `next_cursor`.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    paths(
        super::tasks::list_tasks,
        super::tasks::create_task,
        super::tasks::get_task,
        super::tasks::replace_task,
        super::tasks::patch_task,
        super::tasks::delete_task,
        super::tasks::complete_task,
        super::health::live,
        super::health::ready,
        get_openapi,
        super::metadata::get_resource_metadata,
    ),
    components(
        schemas(NewTask, Replacement, TaskPatch, Completion, super::problem::ProblemBody),
        responses(
            Forbidden, InFlight, Internal, InvalidInput, KeyReused, NotAcceptable, NotFound, PayloadTooLarge, PreconditionFailed,
            TooManyRequests, Unauthorized, Unavailable, UnsupportedMediaType,
        ),
    ),
    modifiers(&Bearer, &RequestIds, &OptionalBodies, &Links),
    tags(
        (name = "tasks", description = "The caller's tasks"),
        (name = "service", description = "The service itself; needs no token"),
    ),
)]
struct Document;

/// The description of the API.
pub fn document() -> OpenApi {
    Document::openapi()
}

/// The description of the API
///
/// OpenAPI 3.1, this very document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "service",
    params(ReadHeaders),
    responses(
        (status = 200, description = "The document.", body = Object, headers(
            ("ETag" = String, description = "The entity tag of this document."),
            ("Cache-Control" = String, description = "Anyone may keep it for five minutes."),
        )),
        (status = 304, description = "The client has this document.", headers(
            ("ETag" = String, description = "The entity tag of this document."),
        )),
    ),
)]
pub(super) async fn get_openapi(headers: HeaderMap) -> Response {
    let etag = format!("\"{:016x}\"", const { fingerprint(&TEXT) });
    let had = headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    let unchanged = had.map(|tag| tag.trim().trim_start_matches("W/")).any(|tag| tag == "*" || tag == etag);
    let mut response =
        if unchanged { StatusCode::NOT_MODIFIED.into_response() } else { TEXT.as_slice().into_response() };
    let headers = response.headers_mut();
    headers.remove(CONTENT_TYPE);
    if !unchanged {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    headers.extend(HeaderValue::try_from(etag).ok().map(|etag| (ETAG, etag)));
    // The document is no secret: pages of any origin may read it.
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// FNV-1a: tells one document from another; computed while compiling.
const fn fingerprint(mut bytes: &[u8]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    while let [byte, rest @ ..] = bytes {
        hash = (hash ^ *byte as u64).wrapping_mul(0x0100_0000_01b3);
        bytes = rest;
    }
    hash
}

/// Declares the tokens.
struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("A JSON Web Token of the configured issuer. Locally: `cargo xtask token alice`."));
        let components = document.components.get_or_insert_with(Components::new);
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme.build()));
    }
}

/// Every operation takes `X-Request-Id`, and every response has it; and `Server-Timing`, where the operator wants that.
struct RequestIds;

impl Modify for RequestIds {
    fn modify(&self, document: &mut OpenApi) {
        let add = |response: &mut RefOr<Described>| {
            if let RefOr::T(response) = response {
                let described = HeaderBuilder::new()
                    .schema(Some(utoipa::openapi::Object::with_type(utoipa::openapi::Type::String)))
                    .description(Some("Names this request in errand's log: the client's own value, or a new one."));
                response.headers.insert("X-Request-Id".to_owned(), described.build().into());
                let described = HeaderBuilder::new()
                    .schema(Some(utoipa::openapi::Object::with_type(utoipa::openapi::Type::String)))
                    .description(Some("Where the operator asks for it: how long the parts of the answer took."));
                response.headers.insert("Server-Timing".to_owned(), described.build().into());
            }
        };
        for operation in operations(document) {
            operation.parameters.get_or_insert_default().push(parameters::request_id().into());
            operation.responses.responses.values_mut().for_each(add);
        }
        if let Some(components) = &mut document.components {
            components.responses.values_mut().for_each(add);
        }
    }
}

/// Completing a task needs no body; the attribute of a handler cannot say so of a body of several types.
struct OptionalBodies;

impl Modify for OptionalBodies {
    fn modify(&self, document: &mut OpenApi) {
        for operation in operations(document) {
            if let (Some("complete_task"), Some(RefOr::T(body))) =
                (operation.operation_id.as_deref(), &mut operation.request_body)
            {
                body.required = Some(utoipa::openapi::Required::False);
            }
        }
    }
}

/// From the task that a write answers with, a client can go on to all that can be done with it.
struct Links;

impl Modify for Links {
    fn modify(&self, document: &mut OpenApi) {
        for operation in operations(document) {
            for (status, response) in &mut operation.responses.responses {
                let RefOr::T(response) = response else { continue };
                if status != "201" {
                    continue;
                }
                for target in ["get_task", "replace_task", "patch_task", "complete_task", "delete_task"] {
                    let link = Link::builder()
                        .operation_id(target)
                        .parameter("user_id", "$request.path.user_id")
                        .parameter("id", "$response.body#/id");
                    response.links.insert(target.to_owned(), RefOr::T(link.build()));
                }
            }
        }
    }
}

fn operations(document: &mut OpenApi) -> impl Iterator<Item = &mut Operation> {
    document.paths.paths.values_mut().flat_map(|path| {
        [&mut path.get, &mut path.put, &mut path.post, &mut path.patch, &mut path.delete].into_iter().flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::fingerprint;

    /// From the reference code of FNV's authors.
    #[test]
    fn a_fingerprint_is_fnv_1a() {
        for (text, hash) in
            [("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8)]
        {
            assert_eq!(fingerprint(text.as_bytes()), hash, "{text}");
        }
    }
}
