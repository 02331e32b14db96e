//! Every operation of the API. An entry registers the handler, describes it in openapi.json, and is read by the tests of access.

use std::sync::Arc;

use axum::routing::{MethodFilter, MethodRouter};
use http::Method;

use super::openapi::Document;
use super::{health, metadata, openapi, tasks};
use crate::App;

/// A path of the API, with its methods.
pub struct Route {
    /// The path template.
    pub path: &'static str,
    /// Whether it answers without a token.
    pub public: bool,
    /// By method; GET answers HEAD, too.
    handlers: &'static [(Method, Add)],
}

/// Adds the handler of a method.
type Add = fn(MethodRouter<Arc<App>>) -> MethodRouter<Arc<App>>;

impl Route {
    /// The methods that it answers, HEAD and OPTIONS aside.
    pub fn methods(&self) -> impl Iterator<Item = &'static str> {
        self.handlers.iter().map(|(method, _)| method.as_str())
    }

    pub(super) fn answers(&self, method: &Method) -> bool {
        self.handlers.iter().any(|(known, _)| known == method)
    }

    /// All its handlers; with a method that it answers, the handler of that one alone.
    pub(super) fn method_router(&self, only: Option<&Method>) -> MethodRouter<Arc<App>> {
        let only = only.map(|method| if *method == Method::HEAD { &Method::GET } else { method });
        let only = only.filter(|method| self.answers(method));
        let wanted = self.handlers.iter().filter(|(method, _)| only.is_none_or(|only| method == only));
        wanted.fold(MethodRouter::new(), |router, (_, add)| add(router))
    }
}

/// Makes the table for the router, and the function that describes it. The component calls only the table, so the linker leaves the
/// description out of it.
macro_rules! routes {
    ($($tag:literal $path:expr, public: $public:literal => {
        $($(#[doc = $text:literal])+ $method:ident $module:ident::$handler:ident;)+
    })+) => {
        /// Every route, but for a second place of the metadata (`BEFORE_PATH` in `api/metadata.rs`).
        pub const ROUTES: &[Route] = &[$(Route {
            path: $path,
            public: $public,
            handlers: &[$((Method::$method, |route| route.on(MethodFilter::$method, $module::$handler)),)+],
        },)+];

        /// Adds every operation to the description. The name of the handler is the id, the text above it the summary and the description.
        pub(super) fn describe(document: &mut Document) {
            $($({
                let names = ($tag, stringify!($handler));
                document.add($path, Method::$method, names, &[$($text),+], $module::$handler);
            })+)+
        }
    };
}

routes! {
    "tasks" "/api/{user_id}/tasks", public: false => {
        /// List tasks
        ///
        /// A page of the caller's tasks. Unknown parameters are refused. `next_cursor` leads to the next page; so does `Link`.
        GET tasks::list_tasks;
        /// Create a task
        POST tasks::create_task;
    }
    "tasks" "/api/{user_id}/tasks/{id}", public: false => {
        /// Read a task
        GET tasks::get_task;
        /// Replace a task
        ///
        /// What is absent gets its default. With `If-None-Match: *` the task is created under the id that the client chose.
        PUT tasks::replace_task;
        /// Change some fields of a task
        ///
        /// A JSON merge patch (RFC 7396).
        PATCH tasks::patch_task;
        /// Delete a task
        DELETE tasks::delete_task;
    }
    "tasks" "/api/{user_id}/tasks/{id}/complete", public: false => {
        /// Complete or reopen a task
        ///
        /// Without a body, whichever it is not.
        PATCH tasks::complete_task;
    }
    "service" "/health/live", public: true => {
        /// The component runs
        GET health::live;
    }
    "service" "/health/ready", public: true => {
        /// The service can serve
        ///
        /// The database answers, and the schema is there.
        GET health::ready;
    }
    "service" "/openapi.json", public: true => {
        /// The description of the API
        ///
        /// OpenAPI 3.1, this very document.
        GET openapi::get_openapi;
    }
    "service" metadata::PATH, public: true => {
        /// Who issues the tokens that are accepted
        ///
        /// OAuth 2.0 protected resource metadata (RFC 9728).
        GET metadata::get_resource_metadata;
    }
}
