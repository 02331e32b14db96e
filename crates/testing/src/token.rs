//! Tokens with a shared secret, made by a library that errand does not use.

use std::time::{Duration, SystemTime};

use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::prelude::*;
use serde_json::{Value, json};

/// The shared secret of the tests' tokens.
pub const SECRET: &str = "a secret for tests, and for nothing else";

/// A token for a user, signed with this secret and valid for so long.
pub fn token_for(user: &str, secret: &str, validity: Duration) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    token_signed(secret, &json!({"sub": user, "iat": now, "exp": now + validity.as_secs()}))
}

/// A token with these claims.
pub fn token_with(claims: &Value) -> String {
    token_signed(SECRET, claims)
}

/// The same, signed with another secret.
pub fn token_signed(secret: &str, claims: &Value) -> String {
    Hs256.token(&Header::empty(), &Claims::new(claims), &Hs256Key::new(secret)).unwrap()
}
