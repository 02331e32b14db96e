//! Bearer tokens. Each is verified anew: jsonwebtoken has no cache of verified ones.

use anyhow::{Context, Result};
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::{StatusCode, header, request::Parts};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;

use crate::App;
use crate::answer::Refusal;

/// Checks tokens with one key.
pub struct Verifier {
    key: DecodingKey,
    validation: Validation,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
}

/// The user of a token, whose path this is.
pub struct Caller(pub String);

impl Verifier {
    /// Takes the key as a JWK with `alg`.
    pub fn new(jwk: &str) -> Result<Self> {
        let jwk: Jwk = serde_json::from_str(jwk)?;
        let algorithm: Algorithm = jwk.common.key_algorithm.context("a key without alg")?.to_string().parse()?;
        let mut validation = Validation::new(algorithm);
        validation.leeway = 60;
        validation.validate_aud = false;
        validation.set_required_spec_claims(&["exp", "sub"]);
        Ok(Self { key: DecodingKey::from_jwk(&jwk)?, validation })
    }

    fn verify(&self, authorization: &str) -> Option<String> {
        let (scheme, token) = authorization.split_once(' ')?;
        let claims = decode::<Claims>(token, &self.key, &self.validation).ok()?.claims;
        scheme.eq_ignore_ascii_case("bearer").then_some(claims.sub)
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let authorization = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let caller = authorization.and_then(|value| app.verifier.verify(value));
        let caller = caller.ok_or(Refusal::Status(StatusCode::UNAUTHORIZED))?;
        let path = RawPathParams::from_request_parts(parts, app).await;
        let path = path.map_err(|_| Refusal::Status(StatusCode::BAD_REQUEST))?;
        let owner = path.iter().find(|(name, _)| *name == "user").map(|(_, value)| value);
        match owner.is_some_and(|owner| owner == "me" || owner == caller) {
            true => Ok(Self(caller)),
            false => Err(Refusal::Status(StatusCode::FORBIDDEN)),
        }
    }
}
