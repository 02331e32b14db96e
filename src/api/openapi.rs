//! The description of the API (OpenAPI 3.1), made from the code: the types of a handler describe the operation.
//!
//! Clients get the committed copy, `openapi.json`: a test keeps it equal to [`document`], so that the component has no code for making it.
//!
//! aide does the same with types, in OpenAPI 3.1. It was not taken, because its router owns the descriptions: the component would link
//! and build them. utoipa-axum does not look at the types of a handler.

mod compact;
mod operation;
pub(super) mod parameters;
mod problems;

use std::collections::BTreeMap;

use axum::response::IntoResponse;
use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH,
};
use http::{Method, StatusCode};
use utoipa::openapi::link::Link;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::{Tag, TagBuilder};
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, License, Object, OpenApi, OpenApiBuilder, Paths, RefOr, Schema, Type,
};
use utoipa::{PartialSchema, ToSchema};

use super::answer::Answer;
use super::problem::ProblemBody;
pub(super) use operation::{Describe, DescribedHandler, Header, Operation};
pub(super) use problems::code;

/// The committed copy, with indentation.
const COPY: &str = include_str!("../../openapi.json");
/// The same without white space, for clients.
static TEXT: [u8; compact::length(COPY)] = compact::compact(COPY);

/// The description of the API.
pub fn document() -> OpenApi {
    let mut document = Document::default();
    super::routes::describe(&mut document);
    document.finish()
}

/// The operations, and the schemas that they refer to.
#[derive(Default)]
pub(super) struct Document {
    paths: Paths,
    schemas: BTreeMap<String, RefOr<Schema>>,
    tags: Vec<Tag>,
    /// The path and the id of each operation.
    ids: Vec<(String, String)>,
}

impl Document {
    /// Adds a tag, with its meaning.
    pub(super) fn add_tag(&mut self, name: &str, meaning: &str) {
        self.tags.push(TagBuilder::new().name(name).description(Some(meaning)).build());
    }

    /// Adds an operation: its tag and its id, a summary with a description, and what the types of the handler say.
    pub(super) fn add<T>(
        &mut self,
        path: &str,
        method: Method,
        (tag, id): (&str, &str),
        text: &[&str],
        handler: impl DescribedHandler<T>,
    ) {
        let mut operation = Operation::new(method, tag, id, text);
        handler.describe(&mut operation);
        let (method, described, schemas) = operation.finish();
        self.ids.push((path.to_owned(), id.to_owned()));
        self.paths.add_path_operation(path, vec![method], described);
        self.schemas.extend(schemas);
    }

    /// From the answer with a new resource, a client can go on to every operation on it.
    fn link_new_resources(&mut self) {
        for (path, item) in &mut self.paths.paths {
            let of_the_resource = |other: &&(String, String)| {
                let resource = path.strip_suffix("/{id}").unwrap_or(path);
                other.0.strip_prefix(resource).is_some_and(|rest| rest.starts_with("/{id}"))
            };
            let links = self.ids.iter().filter(of_the_resource).map(|(_, id)| {
                let link = Link::builder()
                    .operation_id(id)
                    .parameter("user_id", "$request.path.user_id")
                    .parameter("id", "$response.body#/id");
                (id.clone(), RefOr::T(link.build()))
            });
            let links: BTreeMap<_, _> = links.collect();
            for operation in [&mut item.post, &mut item.put].into_iter().flatten() {
                if let Some(RefOr::T(created)) = operation.responses.responses.get_mut("201") {
                    created.links = links.clone();
                }
            }
        }
    }

    fn finish(mut self) -> OpenApi {
        self.link_new_resources();
        let mut schemas = vec![(ProblemBody::name().into_owned(), ProblemBody::schema())];
        ProblemBody::schemas(&mut schemas);
        self.schemas.extend(schemas);
        let token = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("A JSON Web Token of the configured issuer. Locally: `cargo xtask token alice`."));
        let components = ComponentsBuilder::new()
            .schemas_from_iter(self.schemas)
            .responses_from_iter(problems::components())
            .security_scheme("bearer", SecurityScheme::Http(token.build()));
        let mut license = License::new("MIT OR Apache-2.0");
        license.identifier = Some("MIT OR Apache-2.0".to_owned());
        let info = InfoBuilder::new()
            .title("errand")
            .version(env!("CARGO_PKG_VERSION"))
            .license(Some(license))
            .description(Some(
                "A multi-tenant task API. Tasks belong to the user that the bearer token names (its `sub`); in paths, `me` \
                 stands for that user. Errors are problem details (RFC 9457) and [explained one by one](/docs/problems). \
                 Writes can be guarded with `If-Match`, lists are paged by `next_cursor`.",
            ));
        OpenApiBuilder::new()
            .info(info.build())
            .paths(self.paths)
            .components(Some(components.build()))
            .tags(Some(self.tags))
            .build()
    }
}

/// The answer of [`get_openapi`].
pub(super) struct This;

impl Describe for This {
    fn describe(operation: &mut Operation) {
        let tag = ("ETag", "The entity tag of this document.");
        let kept = ("Cache-Control", "Anyone may keep it for five minutes.");
        super::conditional::describe_if_none_match(operation);
        let object = Schema::from(Object::with_type(Type::Object));
        operation.answers_json(StatusCode::OK, "The document.", &[tag, kept], object);
        operation.answers(StatusCode::NOT_MODIFIED, "The client has this document.", &[tag]);
    }
}

pub(super) async fn get_openapi(headers: HeaderMap) -> Answer<This> {
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
    // Pages of any origin may read the document, because it is public.
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response.into()
}

/// FNV-1a, computed at compile time.
const fn fingerprint(mut bytes: &[u8]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    while let [byte, rest @ ..] = bytes {
        hash = (hash ^ *byte as u64).wrapping_mul(0x0100_0000_01b3);
        bytes = rest;
    }
    hash
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
