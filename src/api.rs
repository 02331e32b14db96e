//! HTTP: the operations, the form of requests, and the form of answers.

mod answer;
mod body;
mod caller;
mod code;
mod conditional;
mod cors;
mod health;
mod log;
mod metadata;
mod negotiation;
pub mod openapi;
mod problem;
mod query;
mod respond;
mod routes;
mod service;
mod tasks;
mod write;

use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{Method, StatusCode};

pub use code::Code;
pub use cors::Cors;
pub(crate) use log::{Log, Observed};
pub use problem::ProblemBody;
pub use routes::{Route, routes};
pub use tasks::TaskList;

use crate::domain::{Cause, CauseCode};
use crate::{Ambient, App, ConfigError, Event};
use problem::Problem;

/// The API as one service.
pub fn router(app: Arc<App>) -> Router {
    router_of(app, |_| true, None)
}

/// The same for one request, without the routes that cannot match its path and without the handlers of other methods. For runtimes that
/// make a router for each request.
pub fn router_for(app: Arc<App>, method: &Method, path: &str) -> Router {
    router_of(app, |template| may_match(template, path), Some(method))
}

/// Whether a template may match a path: a parameter matches any segment. The router decides.
fn may_match(template: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    for part in template.split('/') {
        match segments.next() {
            Some(_) if part.starts_with("{*") => return true,
            Some(segment) if part.starts_with('{') || part == segment => {}
            _ => return false,
        }
    }
    segments.next().is_none()
}

fn router_of(app: Arc<App>, wanted: impl Fn(&str) -> bool, only: Option<&Method>) -> Router {
    let mut router = Router::new();
    for route in routes().filter(|route| wanted(route.path)) {
        router = router.route(route.path, route.method_router(only));
    }
    if wanted(metadata::BEFORE_PATH) {
        router = router.route(metadata::BEFORE_PATH, get(metadata::get_metadata_before_path));
    }
    let router = router.fallback(|| async { Problem::no_route() }).method_not_allowed_fallback(method_not_allowed);
    // The state first, because adding it to a router with layers costs more.
    let mut router = router.with_state(Arc::clone(&app));
    let finish = from_fn_with_state(app.log.clone(), respond::finish);
    if app.cors.is_on() {
        router = router.layer(from_fn_with_state(app, cors::allow));
    }
    router.layer(finish)
}

/// OPTIONS is answered for every path; axum adds `Allow` to this answer as to the refusal.
async fn method_not_allowed(request: Request) -> Response {
    if *request.method() != Method::OPTIONS {
        return Problem::method_not_allowed().into_response();
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    if routes().any(|route| Some(route.path) == path && route.answers(&Method::PATCH)) {
        response.headers_mut().insert(body::ACCEPT_PATCH, body::PATCH_TYPES);
    }
    response
}

/// The router for a configuration that is refused: everything but `/health/live` is 503. Only the log has the reason.
pub fn refusing_router(error: &ConfigError, ambient: Ambient) -> Router {
    ambient.report(Event::RefusingToServe, &error.to_string());
    Router::new()
        .route("/health/live", get(health::live))
        .fallback(|| async {
            let cause = "the configuration is refused; an earlier line says why";
            Problem::unready(Cause::new(CauseCode::Configuration, cause))
        })
        .layer(from_fn_with_state(Log::of_failures(ambient), respond::finish))
}

/// The router for a request whose body is longer than the runtime can count: the SDK of Spin cannot count 2^63 bytes.
pub fn too_large_router(ambient: Ambient) -> Router {
    Router::new()
        .fallback(|| async { Problem::too_large(body::MAX_BODY_BYTES) })
        .layer(from_fn_with_state(Log::of_failures(ambient), respond::finish))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_the_templates_that_it_may_match() {
        let matching = |path: &str| {
            let templates = routes().map(|route| route.path).chain([metadata::BEFORE_PATH]);
            templates.filter(|template| may_match(template, path)).collect::<Vec<_>>()
        };
        let none: [&str; 0] = [];
        for (path, templates) in [
            ("/api/me/tasks", &["/api/{user_id}/tasks"][..]),
            ("/api/tasks/tasks", &["/api/{user_id}/tasks"]),
            ("/api//tasks", &["/api/{user_id}/tasks"]),
            ("/api/me/tasks/1", &["/api/{user_id}/tasks/{id}"]),
            ("/api/me/tasks/", &["/api/{user_id}/tasks/{id}"]),
            ("/api/me/tasks/1/complete", &["/api/{user_id}/tasks/{id}/complete"]),
            ("/health/ready", &["/health/ready"]),
            (metadata::PATH, &[metadata::PATH]),
            ("/.well-known/oauth-protected-resource/a/b", &[metadata::BEFORE_PATH]),
            ("/api/me/tasks/1/complete/", &none),
            ("/", &none),
            ("", &none),
        ] {
            assert_eq!(matching(path), templates, "{path}");
        }
    }
}
