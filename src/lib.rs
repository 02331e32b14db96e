//! errand: a multi-tenant task API for the edge.
//!
//! The way of a request: [`api`] matches the route, [`auth`] turns the bearer token into a `Caller`, [`domain`] parses
//! the input, [`mod@service`] applies the rule, [`data`] makes one database call, and [`api`] writes the response. Calls go
//! down only. The crate knows no runtime: an adapter passes it a [`data::Database`], an [`auth::KeySource`], a clock and a
//! source of ids. `crates/spin` makes a Spin component of it, `crates/native` a native server.
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

pub mod api;
pub mod auth;
pub mod config;
pub mod data;
pub mod domain;
pub mod service;

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use uuid::Uuid;

pub use api::router;
pub use config::{Config, ConfigError};

/// What the application gets from outside: tests and runtimes differ in it.
#[derive(Clone, Copy)]
pub struct Ambient {
    /// The time now.
    pub now: fn() -> SystemTime,
    /// A clock that only runs forward, for deadlines.
    pub clock: fn() -> Instant,
    /// A new id, UUID version 7 (RFC 9562).
    pub new_id: fn() -> Uuid,
    /// Takes one line of the log.
    pub log: fn(&str),
}

/// What the log tells of beside requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The configuration is refused: every request gets 503.
    RefusingToServe,
    /// The runtime did not give the value of a variable.
    NoVariable,
    /// The issuer's keys could not be fetched.
    NoJwks,
    /// This instance does not use the keys that other instances fetched.
    NoSharedJwks,
    /// The runtime did not take a response.
    NoResponse,
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 5] =
        [Self::RefusingToServe, Self::NoVariable, Self::NoJwks, Self::NoSharedJwks, Self::NoResponse];

    /// What it is called in the log. Metrics count by it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RefusingToServe => "refusing to serve",
            Self::NoVariable => "no variable",
            Self::NoJwks => "no JWKS",
            Self::NoSharedJwks => "no shared JWKS",
            Self::NoResponse => "no response",
        }
    }
}

/// The ways to other machines, made once per runtime.
pub struct Adapters {
    /// The database.
    pub database: Arc<dyn data::Database>,
    /// Where issuers publish their keys.
    pub keys: Arc<dyn auth::KeySource>,
}

/// The application: all that the handlers share. Nothing in it belongs to a request.
pub struct App {
    pub(crate) ambient: Ambient,
    pub(crate) log: api::Log,
    pub(crate) verifier: auth::Verifier,
    pub(crate) data: data::Data,
    pub(crate) cors: api::Cors,
}

impl App {
    /// Puts the application together. Fails when it could not serve safely with this configuration.
    pub fn new(config: Config, adapters: Adapters, ambient: Ambient) -> Result<Self, ConfigError> {
        let Adapters { database, keys } = adapters;
        Ok(Self {
            ambient,
            log: api::Log {
                ambient,
                access: config.access_log,
                key: config.log_key.into(),
                timing: config.server_timing,
            },
            verifier: auth::Verifier::new(&config.auth, keys, ambient)?,
            data: data::Data::new(database, ambient.clock, config.database_deadline),
            cors: api::Cors::new(config.cors_origins)?,
        })
    }
}

/// The service for these variables: the API, or 503 for everything when it could not be served safely with them.
pub fn service(get: impl FnMut(&str) -> Option<String>, adapters: Adapters, ambient: Ambient) -> axum::Router {
    service_with(get, adapters, ambient, api::router)
}

/// The same for one request, for a runtime that makes a service for each. What cannot match its method and path is not made.
pub fn service_for(
    (method, path): (&http::Method, &str),
    get: impl FnMut(&str) -> Option<String>,
    adapters: Adapters,
    ambient: Ambient,
) -> axum::Router {
    service_with(get, adapters, ambient, |app| api::router_for(app, method, path))
}

fn service_with(
    get: impl FnMut(&str) -> Option<String>,
    adapters: Adapters,
    ambient: Ambient,
    router: impl FnOnce(Arc<App>) -> axum::Router,
) -> axum::Router {
    match Config::from_variables(get).and_then(|config| App::new(config, adapters, ambient)) {
        Ok(app) => router(Arc::new(app)),
        Err(error) => api::refusing_router(&error, ambient),
    }
}
