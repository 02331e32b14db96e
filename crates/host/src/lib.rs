//! A small, honest Spin for development and tests: it runs the same components from the same `spin.toml`, refuses what it
//! does not do, and answers as Spin would.
//!
//! A request comes in through [`server`], which hands it to the [`service`]: the router finds the component, an
//! [`instance`] of it takes the request, and what that instance holds is its [`state`]. The rest is what it takes to get
//! there ([`cli`], [`manifest`], [`runtime_config`], [`variables`], [`app`]) and what a component may ask for
//! ([`postgres`] and [`outbound_http`] within [`networking`]'s bounds, [`variables`], [`key_value`]).

#![warn(missing_docs)]

pub mod app;
pub mod bench;
pub mod bindings;
pub mod cli;
pub mod componentize;
pub mod engine;
pub mod instance;
pub mod key_value;
pub mod manifest;
pub mod networking;
pub mod outbound_http;
pub mod postgres;
pub mod request;
pub mod reuse;
pub mod routes;
pub mod runtime_config;
pub mod server;
pub mod service;
pub mod state;
pub mod stop;
pub mod template;
pub mod variables;
