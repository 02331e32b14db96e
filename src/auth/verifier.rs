//! Verification of a token against the configured keys.

use std::time::SystemTime;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};

use super::Caller;
use super::claims::Claims;
use crate::ConfigError;

/// Whose tokens are accepted.
#[derive(Clone, Default)]
pub struct AuthConfig {
    /// The shared secret of HS256 tokens, at least 32 octets.
    pub secret: String,
    /// The `iss` that a token must have.
    pub issuer: Option<String>,
    /// The `aud` that a token must have, alone or among others.
    pub audience: Option<String>,
}

/// The keys and the rules.
pub struct Verifier {
    key: DecodingKey,
    validation: Validation,
}

/// Why a request is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It has no token.
    Missing,
    /// It has a token that is not good. The text says why, and nothing that its bearer does not know.
    Invalid(&'static str),
}

/// The longest token that is looked at, in octets.
const LONGEST: usize = 8 * 1024;
/// RFC 7518, section 3.2: a key of the same size as the hash output, or larger.
const SHORTEST_SECRET: usize = 32;

impl Verifier {
    /// Takes the configuration in; a secret that could be guessed is refused.
    pub fn new(config: AuthConfig) -> Result<Self, ConfigError> {
        if config.secret.len() < SHORTEST_SECRET {
            return Err(ConfigError {
                variable: "jwt_secret",
                problem: format!("must have at least {SHORTEST_SECRET} octets"),
            });
        }
        let mut validation = Validation::new(Algorithm::HS256);
        // The times are compared with the clock that is passed in.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.required_spec_claims = ["exp", "sub"].map(str::to_owned).into();
        match config.issuer {
            Some(issuer) => {
                validation.set_issuer(&[issuer]);
                validation.required_spec_claims.insert("iss".to_owned());
            }
            None => validation.iss = None,
        }
        match config.audience {
            Some(audience) => {
                validation.set_audience(&[audience]);
                validation.required_spec_claims.insert("aud".to_owned());
            }
            None => validation.validate_aud = false,
        }
        Ok(Self { key: DecodingKey::from_secret(config.secret.as_bytes()), validation })
    }

    /// Turns the value of an `Authorization` header into a caller.
    pub fn verify(&self, authorization: &str, now: SystemTime) -> Result<Caller, Refusal> {
        let token = bearer(authorization).ok_or(Refusal::Missing)?;
        if token.len() > LONGEST {
            return Err(Refusal::Invalid("the token is too long"));
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| Refusal::Invalid("not a JSON Web Token"))?;
        if header.alg != Algorithm::HS256 {
            return Err(Refusal::Invalid("the algorithm is not accepted"));
        }
        let data = jsonwebtoken::decode::<Claims>(token, &self.key, &self.validation)
            .map_err(|error| Refusal::Invalid(reason(error.kind())))?;
        data.claims.into_caller(now)
    }
}

/// The token of a `Bearer` header; the scheme's case does not matter (RFC 9110, section 11.1).
fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    let token = token.trim_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn reason(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidSignature => "the signature is wrong",
        ErrorKind::InvalidIssuer => "the issuer is not accepted",
        ErrorKind::InvalidAudience => "the audience is not accepted",
        ErrorKind::MissingRequiredClaim(_) => "a required claim is missing",
        _ => "not a valid JSON Web Token",
    }
}

impl std::fmt::Debug for AuthConfig {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("AuthConfig")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jsonwebtoken::{EncodingKey, Header};
    use serde_json::{Value, json};

    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000)
    }

    fn verify(claims: Value) -> Result<Caller, Refusal> {
        let config = AuthConfig {
            secret: SECRET.to_owned(),
            issuer: Some("https://issuer".to_owned()),
            audience: Some("errand".to_owned()),
        };
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        let token = jsonwebtoken::encode(&Header::default(), &claims, &key).unwrap();
        Verifier::new(config).unwrap().verify(&format!("Bearer {token}"), now())
    }

    fn claims() -> Value {
        json!({"sub": "alice", "exp": 1_000_100, "iss": "https://issuer", "aud": ["other", "errand"]})
    }

    #[test]
    fn a_good_token_names_its_caller() {
        assert_eq!(verify(claims()).unwrap().user_id(), "alice");
    }

    #[test]
    fn each_claim_is_checked() {
        let changes = [
            json!({"exp": 999_940}),
            json!({"exp": null}),
            json!({"exp": "1000100"}),
            json!({"exp": 1e300}),
            json!({"exp": 1_000_100.5}),
            json!({"exp": -1}),
            json!({"sub": null}),
            json!({"sub": ""}),
            json!({"sub": 5}),
            json!({"sub": "a\u{0}"}),
            json!({"sub": "a".repeat(256)}),
            json!({"nbf": 1_000_061}),
            json!({"iat": 1_000_061}),
            json!({"iss": "https://issuer/"}),
            json!({"iss": null}),
            json!({"aud": "x"}),
            json!({"aud": []}),
            json!({"aud": null}),
        ];
        for change in changes {
            let mut claims = claims();
            for (name, value) in change.as_object().unwrap() {
                claims[name] = value.clone();
            }
            assert!(matches!(verify(claims), Err(Refusal::Invalid(_))), "{change}");
        }
    }

    #[test]
    fn clocks_may_differ_by_a_minute() {
        for change in [("exp", 999_941), ("nbf", 1_000_060), ("iat", 1_000_060)] {
            let mut claims = claims();
            claims[change.0] = change.1.into();
            assert!(verify(claims).is_ok(), "{change:?}");
        }
    }

    #[test]
    fn a_short_secret_is_refused() {
        let config = AuthConfig { secret: "x".repeat(31), ..AuthConfig::default() };
        assert_eq!(Verifier::new(config).err().unwrap().variable, "jwt_secret");
    }

    #[test]
    fn the_scheme_has_no_case_and_the_token_is_needed() {
        assert_eq!(bearer("bEARER abc"), Some("abc"));
        for header in ["", "Bearer", "Bearer ", "Basic abc", "abc"] {
            assert_eq!(bearer(header), None, "{header}");
        }
    }
}
