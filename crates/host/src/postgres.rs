//! spin:postgres@4.2.0, the way Spin answers it: pools, conversions and errors.

#![expect(clippy::result_large_err, reason = "the error is the interface's, with every field of the server's")]

mod address;
mod column;
mod host;
mod parameter;
mod pool;
mod statement;
mod tls;
mod wire;

use tokio::sync::OwnedSemaphorePermit;

pub use crate::bindings::postgres::Error;
pub use pool::Pools;

/// A connection of a guest: a checkout from the pool for as long as the guest holds it.
pub struct Connection {
    client: pool::Client,
    _permit: Option<OwnedSemaphorePermit>,
}

/// What a guest has said about a connection that it will open.
pub struct ConnectionBuilder {
    address: String,
    authority: Option<tls::Authority>,
}
