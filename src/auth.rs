//! From a bearer token to a caller (RFC 6750, RFC 7519, RFC 8725).
//!
//! A [`Caller`] is proof that a token was verified: [`Verifier::verify`] is the only way to one, and without one there
//! is no access to the data. Pure: the time is passed in, and so is the [`KeySource`], which fetches an issuer's keys and has the store
//! that instances share.

mod algorithm;
mod cache;
mod claims;
mod config;
mod keys;
mod published;
mod signature;
mod token;
mod verifier;

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant, SystemTime};

pub use config::{AuthConfig, SCOPES};
pub use verifier::{Refusal, Verifier};

/// A verified user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    user_id: String,
    reads: bool,
    writes: bool,
}

/// The kind of access that a scope allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing changes.
    Read,
    /// Something may change.
    Write,
}

/// When a request arrived, by both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// The time of day, for the claims of tokens.
    pub wall: SystemTime,
    /// The monotonic clock, for ages and waits.
    pub steady: Instant,
}

/// The future of a document. The error is the cause.
pub type FetchFuture<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, String>> + Send + 'a>>;
/// The future of a value in a store. The error is the cause.
pub type ReadFuture<'a> = Pin<Box<dyn Future<Output = Result<Option<Vec<u8>>, String>> + Send + 'a>>;
/// The future of a write to a store. The error is the cause.
pub type WriteFuture<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;
/// The future of [`KeySource::sleep`].
pub type SleepFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Access to an issuer's published keys. Implemented once per runtime.
pub trait KeySource: Send + Sync {
    /// Gets the document at `url` within [`FETCH_TIMEOUT`]. Any status but 200, redirects among them, and a document of more than
    /// [`MAX_JWKS_BYTES`] is an error.
    fn fetch<'a>(&'a self, url: &'a str) -> FetchFuture<'a>;
    /// Waits for this long. Requests that wait for the fetch of another request poll, because one request of a component cannot wake
    /// another.
    fn sleep(&self, time: Duration) -> SleepFuture;
    /// The store that the instances of this application share, if there is one.
    fn shared(&self) -> Option<&dyn SharedStore> {
        None
    }
}

/// A key-value store that the instances of an application share. It may lose values, and it has no compare-and-swap.
pub trait SharedStore: Send + Sync {
    /// The unique name of this instance.
    fn instance(&self) -> &str;
    /// The value of a key, within [`STORE_TIMEOUT`].
    fn read<'a>(&'a self, key: &'a str) -> ReadFuture<'a>;
    /// Replaces the value of a key, within [`STORE_TIMEOUT`].
    fn write<'a>(&'a self, key: &'a str, value: Vec<u8>) -> WriteFuture<'a>;
}

/// The maximum size of a JWKS.
pub const MAX_JWKS_BYTES: usize = 256 * 1024;
/// How long fetching a JWKS may take.
pub const FETCH_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a call of a shared store may take.
pub const STORE_TIMEOUT: Duration = Duration::from_millis(500);

impl Moment {
    /// This moment plus a duration.
    fn later(self, time: Duration) -> Self {
        Self {
            wall: self.wall.checked_add(time).unwrap_or(self.wall),
            steady: self.steady.checked_add(time).unwrap_or(self.steady),
        }
    }
}

impl Caller {
    /// The `sub` of the token: 1 to 255 characters.
    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    /// Whether the token's scopes allow this.
    pub fn may(&self, access: Access) -> bool {
        match access {
            Access::Read => self.reads,
            Access::Write => self.writes,
        }
    }
}

#[cfg(test)]
impl Caller {
    /// A caller without a token, for unit tests.
    pub(crate) fn unverified(user_id: &str) -> Self {
        Self { user_id: user_id.to_owned(), reads: true, writes: true }
    }
}

impl Access {
    /// The scope that allows this.
    pub fn scope(self) -> &'static str {
        match self {
            Self::Read => SCOPES[0],
            Self::Write => SCOPES[1],
        }
    }
}
