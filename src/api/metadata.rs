//! OAuth 2.0 protected resource metadata (RFC 9728), by which clients find the issuer.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue};
use http::uri::Authority;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::openapi::{Describe, Operation};
use super::problem::Problem;
use crate::App;
use crate::auth::SCOPES;

/// The path of the metadata.
pub(super) const PATH: &str = "/.well-known/oauth-protected-resource";
/// Its path if the URL of this API has a path, which follows then (RFC 9728, section 3.1).
pub(super) const BEFORE_PATH: &str = "/.well-known/oauth-protected-resource/{*path}";

/// What a client needs to know before it has a token (RFC 9728, section 2).
#[derive(Serialize, ToSchema)]
pub(super) struct ResourceMetadata<'a> {
    /// The URL of this API.
    #[schema(format = "uri", example = "https://api.example")]
    resource: String,
    /// The issuers of the tokens that are accepted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["https://issuer.example"]))]
    authorization_servers: Vec<&'a str>,
    /// Where a token may be: in the `Authorization` header.
    #[schema(value_type = Vec<String>, example = json!(["header"]))]
    bearer_methods_supported: [&'a str; 1],
    /// The scopes that a token may need, where scopes mean anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<String>, required = false, example = json!(["tasks:read", "tasks:write"]))]
    scopes_supported: Option<[&'a str; 2]>,
}

/// The answer of [`get_resource_metadata`].
pub(super) struct Metadata;

impl Describe for Metadata {
    fn describe(operation: &mut Operation) {
        let metadata = operation.refer_to::<ResourceMetadata<'_>>();
        operation.answers_json(StatusCode::OK, "The metadata.", &[], metadata);
    }
}

pub(super) async fn get_resource_metadata(State(app): State<Arc<App>>, request: Request) -> Answer<Metadata> {
    let metadata = ResourceMetadata {
        resource: app.verifier.resource().map_or_else(|| as_called(&request), str::to_owned),
        // An issuer that is no URL is no authorization server that could be found.
        authorization_servers: app.verifier.issuer().into_iter().filter(|issuer| issuer.starts_with("http")).collect(),
        bearer_methods_supported: ["header"],
        scopes_supported: app.verifier.has_scopes().then_some(SCOPES),
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, serde_json::to_vec(&metadata).unwrap_or_default()).into_response().into()
}

/// The same under the URL that [`hint`] tells, and under no other one.
pub(super) async fn get_metadata_before_path(State(app): State<Arc<App>>, request: Request) -> Response {
    let told = app.verifier.resource().map(location);
    let is_told =
        told.is_some_and(|url| url.split_once(PATH).map(|(_, path)| path) == request.uri().path().strip_prefix(PATH));
    match is_told {
        true => get_resource_metadata(State(app), request).await.into_response(),
        false => Problem::no_route().into_response(),
    }
}

/// Tells a client that was turned away where to look. Only where the public URL is known: the client's word for it, the
/// `Host` header, is not to be repeated as errand's.
pub(super) fn hint(app: &App, problem: Problem) -> Problem {
    match app.verifier.resource() {
        Some(resource) => problem.with_challenge_parameter("resource_metadata", &location(resource)),
        None => problem,
    }
}

/// Where the metadata of a resource is: between the host and the path of its URL (RFC 9728, section 3.1).
fn location(resource: &str) -> String {
    let host = resource.find("://").map_or(0, |scheme| scheme + "://".len());
    let path = resource.get(host..).and_then(|rest| rest.find('/')).map_or(resource.len(), |path| host + path);
    let (origin, path) = resource.split_at_checked(path).unwrap_or((resource, ""));
    format!("{origin}{PATH}{path}")
}

/// What the client calls this place. HTTP/1.1 has it in a header, HTTP/2 and WASI have it in the URI.
fn as_called(request: &Request) -> String {
    let header = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let host = request.uri().authority().map(Authority::as_str).or(header).unwrap_or("localhost");
    let local = ["localhost", "127.0.0.1"].contains(&host.split(':').next().unwrap_or(host));
    format!("{}://{host}", if local { "http" } else { "https" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metadata_of_a_resource_with_a_path_stands_before_that_path() {
        for (resource, expected) in [
            ("https://api.example", "https://api.example/.well-known/oauth-protected-resource"),
            ("https://api.example:8443", "https://api.example:8443/.well-known/oauth-protected-resource"),
            ("https://api.example/v1", "https://api.example/.well-known/oauth-protected-resource/v1"),
            ("https://api.example/a/b", "https://api.example/.well-known/oauth-protected-resource/a/b"),
        ] {
            assert_eq!(location(resource), expected);
        }
    }
}
