//! errand as a Spin component of WASI 0.3: the component's entry point, its variables, the database over Spin's outbound PostgreSQL,
//! and issuers' keys over its outbound HTTP and its key-value store.

mod batching;
mod connections;
mod database;
mod keys;
mod message;
mod pool;
mod timers;
mod wait_queue;
mod write_locks;

use std::io::Write;
use std::sync::{Arc, OnceLock};
use std::time::{Instant, SystemTime};

use axum::Router;
use axum::body::Body;
use http::Request;
use spin_sdk::variables;
use spin_sdk::wasip3::exports::http::handler::Guest;
use spin_sdk::wasip3::http::types;
use tower_service::Service;
use uuid::Uuid;

use database::SpinDatabase;
use errand::config::VARIABLES;
use errand::{Adapters, Ambient, Config};
use keys::SpinKeys;
use message::Unreadable;

/// The router of this instance, built by its first request.
static ROUTER: OnceLock<Router> = OnceLock::new();

const AMBIENT: Ambient = Ambient { now: SystemTime::now, clock: Instant::now, new_id: Uuid::now_v7, log };

/// The component.
#[derive(Debug)]
pub struct Component;

// No other target has the names of its symbols.
#[cfg(target_family = "wasm")]
spin_sdk::wasip3::http::service::export!(Component);

impl Guest for Component {
    async fn handle(request: types::Request) -> Result<types::Response, types::ErrorCode> {
        let Ok(answer) = match message::request(request) {
            Ok(request) => router().await.call(request).await,
            Err(Unreadable::Length) => errand::api::too_large_router(AMBIENT).call(Request::new(Body::empty())).await,
            Err(Unreadable::Head) => Ok(message::refusal()),
        };
        message::response(answer)
    }
}

async fn router() -> Router {
    match ROUTER.get() {
        Some(router) => router.clone(),
        None => {
            let router = start().await;
            ROUTER.get_or_init(|| router).clone()
        }
    }
}

async fn start() -> Router {
    let mut values = Vec::with_capacity(VARIABLES.len());
    for name in Config::names() {
        values.push((name, variable(name).await));
    }
    let database = SpinDatabase::new(variable("database_url").await.unwrap_or_default());
    let adapters = Adapters { database: Arc::new(database), keys: Arc::new(SpinKeys::default()) };
    errand::service(|name| values.iter().find(|(known, _)| *known == name)?.1.clone(), adapters, AMBIENT)
}

/// The value of a variable; `None` if spin.toml does not grant it to the component.
async fn variable(name: &str) -> Option<String> {
    match variables::get(name).await {
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
