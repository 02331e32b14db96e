//! Every operation of the API. A resource has the entries of its operations in its own file. An entry registers the handler, describes it
//! in openapi.json, and is read by the tests of access.

use std::sync::Arc;

use axum::routing::MethodRouter;
use http::Method;

use super::openapi::Document;
use crate::App;

/// A path of the API, with its methods.
pub struct Route {
    /// The path template.
    pub path: &'static str,
    /// Whether it answers without a token.
    pub public: bool,
    /// By method; GET answers HEAD, too.
    pub(super) handlers: &'static [(Method, Add)],
}

/// Adds the handler of a method.
pub(super) type Add = fn(MethodRouter<Arc<App>>) -> MethodRouter<Arc<App>>;

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

/// Makes the table for the router of a module's operations, and the function that describes them. The component calls only the table, so the
/// linker leaves the description out of it.
macro_rules! operations {
    ($tag:literal: $meaning:literal; $($path:expr, public: $public:literal => {
        $($(#[doc = $text:literal])+ $method:ident $handler:ident;)+
    })+) => {
        pub(super) const ROUTES: &[$crate::api::Route] = &[$($crate::api::Route {
            path: $path,
            public: $public,
            handlers: &[$((
                http::Method::$method,
                |route| route.on(axum::routing::MethodFilter::$method, $handler),
            ),)+],
        },)+];

        /// Adds every operation to the description. The name of the handler is the id, the text above it the summary and the description.
        pub(super) fn describe(document: &mut $crate::api::openapi::Document) {
            document.add_tag($tag, $meaning);
            $($(document.add($path, http::Method::$method, ($tag, stringify!($handler)), &[$($text),+], $handler);)+)+
        }
    };
}
pub(super) use operations;

/// Puts the operations of these modules together.
macro_rules! modules {
    ($($module:ident),+ $(,)?) => {
        /// Every route, but for a second place of the metadata (`BEFORE_PATH` in `api/metadata.rs`).
        pub fn routes() -> impl Iterator<Item = &'static Route> {
            [$(super::$module::ROUTES),+].into_iter().flatten()
        }

        /// Adds every operation to the description.
        pub(super) fn describe(document: &mut Document) {
            $(super::$module::describe(document);)+
        }
    };
}

modules! {
    tasks,
    service,
}
