//! errand as a Spin component of WASI 0.2, for Spin 3.5 to 4.0: the component's entry point, its variables, the database over
//! Spin's outbound PostgreSQL, and issuers' keys over its outbound HTTP and its key-value store.
//!
//! Each request gets an instance of its own. So nothing is shared among requests, and a call of the host may block.

mod database;
mod keys;
mod message;

use std::io::Write;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use axum::Router;
use axum::body::Body;
use errand::{Adapters, Ambient};
use http::Request;
use spin_sdk::http::{IncomingRequest, ResponseOutparam};
use spin_sdk::variables;
use tower_service::Service;
use uuid::Uuid;

use database::SpinDatabase;
use keys::SpinKeys;

const AMBIENT: Ambient = Ambient { now: SystemTime::now, clock: Instant::now, new_id: Uuid::now_v7, log };

#[cfg(target_family = "wasm")]
#[allow(unsafe_code, reason = "the code of the macro")]
mod entry {
    use spin_sdk::http::{IncomingRequest, ResponseOutparam};

    #[spin_sdk::http_component]
    async fn handle(request: IncomingRequest, out: ResponseOutparam) {
        super::answer(request, out).await;
    }
}

/// Answers a request.
pub async fn answer(request: IncomingRequest, out: ResponseOutparam) {
    let response = match message::request(request) {
        Ok(request) => {
            let Ok(response) = router(&request).call(request).await;
            response
        }
        Err(_) => message::refusal(),
    };
    message::respond(response, out).await;
}

fn router(request: &Request<Body>) -> Router {
    let database = SpinDatabase::new(variable("database_url").unwrap_or_default());
    let adapters = Adapters { database: Arc::new(database), keys: Arc::new(SpinKeys::default()) };
    errand::service_for((request.method(), request.uri().path()), variable, adapters, AMBIENT)
}

/// The value of a variable; `None` if spin.toml does not grant it to the component.
fn variable(name: &str) -> Option<String> {
    match variables::get(name) {
        Ok(value) => Some(value),
        Err(error) => {
            AMBIENT.report(errand::Event::NoVariable, &format!("{name}: {error}"));
            None
        }
    }
}

/// Writes a line in one call, because all instances write to the same stream, and `eprintln!` writes the newline in a second call.
fn log(line: &str) {
    _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}
