//! From a bearer token to a caller (RFC 6750, RFC 7519, RFC 8725).
//!
//! A [`Caller`] is proof that a token was verified: [`Verifier::verify`] is the only way to one, and without one there
//! is no way to the data. Pure: the time is passed in, and so is the [`KeySource`] that fetches an issuer's keys and knows
//! where instances share them.

mod algorithm;
mod cache;
mod claims;
mod config;
mod keys;
mod published;
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

/// What a request wants to do, and a scope allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing changes.
    Read,
    /// Something may change.
    Write,
}

/// When a request came, by both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// The time of day, for the claims of tokens.
    pub wall: SystemTime,
    /// A clock that only runs forward, for the age of what is kept.
    pub steady: Instant,
}

/// The future of a document, or of the reason why there is none.
pub type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, String>> + Send + 'a>>;
/// The future of what is in a store, or of the reason why that is not known.
pub type Reading<'a> = Pin<Box<dyn Future<Output = Result<Option<Vec<u8>>, String>> + Send + 'a>>;
/// The future of a write's end, or of the reason why nothing was written.
pub type Writing<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;
/// The future of a moment's rest.
pub type Pausing = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The way to an issuer's published keys. Implemented once per runtime.
pub trait KeySource: Send + Sync {
    /// Gets the document at `url`: only a 200, without following redirects, at most [`LONGEST_DOCUMENT`] bytes of it,
    /// all within [`FETCH_DEADLINE`].
    fn fetch<'a>(&'a self, url: &'a str) -> Fetching<'a>;
    /// Waits for this long. Requests that wait for another one's fetch look again after each pause: in a component one
    /// request cannot wake another.
    fn pause(&self, time: Duration) -> Pausing;
    /// Where the instances of this application share what they fetched, if there is such a place.
    fn shared(&self) -> Option<&dyn SharedStore> {
        None
    }
}

/// A store that the instances of an application share. It may lose what it has, and it compares nothing when it writes.
pub trait SharedStore: Send + Sync {
    /// A name for this instance that no other one has.
    fn instance(&self) -> &str;
    /// The value of a key, within [`STORE_DEADLINE`].
    fn read<'a>(&'a self, key: &'a str) -> Reading<'a>;
    /// Replaces the value of a key, within [`STORE_DEADLINE`].
    fn write<'a>(&'a self, key: &'a str, value: Vec<u8>) -> Writing<'a>;
}

/// The longest JWKS that is read, in bytes.
pub const LONGEST_DOCUMENT: usize = 256 * 1024;
/// How long fetching a JWKS may take.
pub const FETCH_DEADLINE: Duration = Duration::from_secs(3);
/// How long a call of a shared store may take.
pub const STORE_DEADLINE: Duration = Duration::from_millis(500);

impl Moment {
    /// The moment that comes so much later.
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
    /// A caller without a token, for the unit tests of what comes after the verification.
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
