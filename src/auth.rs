//! From a bearer token to a caller (RFC 6750, RFC 7519).
//!
//! A [`Caller`] is proof that a token was verified: [`Verifier::verify`] is the only way to one, and without one there
//! is no way to the data. Pure: the time is passed in.

mod claims;
mod verifier;

pub use verifier::{AuthConfig, Refusal, Verifier};

/// A verified user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    user_id: String,
}

impl Caller {
    /// The `sub` of the token: 1 to 255 characters.
    pub fn user_id(&self) -> &str {
        &self.user_id
    }
}
