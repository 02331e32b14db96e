//! The configuration of authentication, and its checks: an unsafe configuration is refused.

use super::algorithm::Algorithm;
use super::keys::{Key, KeySet};
use crate::ConfigError;

/// Which tokens are accepted. Each field is the variable `jwt_` and its name. An empty one is not configured.
#[derive(Clone, Default)]
pub struct AuthConfig {
    /// The shared secret of HS256 tokens, at least 32 bytes; or the current one and the previous one, with a comma between
    /// them.
    pub secret: String,
    /// The issuer's public keys: a JWKS (RFC 7517).
    pub jwks: String,
    /// Where the issuer publishes its JWKS.
    pub jwks_url: String,
    /// The `iss` that a token must have.
    pub issuer: String,
    /// The `aud` that a token must have, alone or among others.
    pub audience: String,
    /// The algorithms that are accepted, with commas between them; all that the keys are good for when empty.
    pub algorithms: String,
    /// The `typ` that the header of a token must have, such as `at+jwt`. When empty: `JWT`, `at+jwt` or none, and no ID
    /// token.
    pub token_type: String,
    /// `on`: a token with scopes is limited to them. `required`: a token without scopes may do nothing.
    pub scopes: String,
    /// The public URL, for the metadata (RFC 9728).
    pub resource: String,
}

/// The scopes, for reading and for writing.
pub const SCOPES: [&str; 2] = ["tasks:read", "tasks:write"];

/// The minimum size of a shared secret: that of the hash output (RFC 7518, section 3.2).
const MIN_SECRET_BYTES: usize = 32;

/// The configuration without the keys.
pub(super) struct Rules {
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) issuer: Option<String>,
    pub(super) audience: Option<String>,
    pub(super) token_type: Option<String>,
    pub(super) scoping: Scoping,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scoping {
    Off,
    On,
    Required,
}

/// Where asymmetric keys come from.
pub(super) enum Published {
    Nowhere,
    Inline(KeySet),
    Url(String),
}

impl AuthConfig {
    /// The shared secrets: none, one, or two during a rotation.
    pub(super) fn shared(&self) -> Result<Vec<Key>, ConfigError> {
        if self.secret.is_empty() {
            return Ok(Vec::new());
        }
        if self.secret.len() < MIN_SECRET_BYTES {
            return Err(error("jwt_secret", format!("must have at least {MIN_SECRET_BYTES} bytes")));
        }
        // A secret may contain commas. So the whole value is a secret, and the parts beside each comma are two if both are long enough.
        let mut secrets = vec![self.secret.as_str()];
        for (comma, _) in self.secret.match_indices(',') {
            let (current, previous) = (&self.secret[..comma], &self.secret[comma + 1..]);
            let two = [current.trim(), previous.trim()];
            if two.iter().all(|secret| secret.len() >= MIN_SECRET_BYTES) {
                secrets.extend(two);
            }
        }
        let keys = secrets.into_iter().map(|secret| Key::secret(secret.as_bytes()));
        keys.collect::<Result<_, _>>().map_err(|problem| error("jwt_secret", problem))
    }

    /// The issuer's keys, or where they are.
    pub(super) fn published(&self) -> Result<Published, ConfigError> {
        match (self.jwks.is_empty(), self.jwks_url.is_empty()) {
            (true, true) if self.secret.is_empty() => {
                Err(error("jwt_secret", "is empty, and so are jwt_jwks and jwt_jwks_url: no token could be verified"))
            }
            (true, true) => Ok(Published::Nowhere),
            (false, false) => Err(error("jwt_jwks", "and jwt_jwks_url are both set: which one counts?")),
            (false, true) => {
                let keys = KeySet::parse(self.jwks.as_bytes()).map_err(|problem| error("jwt_jwks", problem))?;
                Ok(Published::Inline(keys))
            }
            (true, false) => match is_safe(&self.jwks_url) {
                true => Ok(Published::Url(self.jwks_url.clone())),
                false => Err(error("jwt_jwks_url", "must be an https URL (http on this machine alone)")),
            },
        }
    }

    /// The rules.
    pub(super) fn rules(&self) -> Result<Rules, ConfigError> {
        let set = |value: &String| if value.is_empty() { None } else { Some(value.clone()) };
        Ok(Rules {
            algorithms: self.algorithms()?,
            issuer: set(&self.issuer),
            audience: set(&self.audience),
            token_type: set(&self.token_type).map(|typ| bare(&typ).to_owned()),
            scoping: match self.scopes.as_str() {
                "" | "off" => Scoping::Off,
                "on" => Scoping::On,
                "required" => Scoping::Required,
                _ => return Err(error("jwt_scopes", "must be off, on or required")),
            },
        })
    }

    /// The accepted algorithms. Each must have a key, and each kind of key an algorithm.
    fn algorithms(&self) -> Result<Vec<Algorithm>, ConfigError> {
        let secret = !self.secret.is_empty();
        let published = !(self.jwks.is_empty() && self.jwks_url.is_empty());
        if self.algorithms.is_empty() {
            let symmetric = secret.then_some(Algorithm::Hs256);
            let asymmetric = Algorithm::ASYMMETRIC.into_iter().filter(|_| published);
            return Ok(symmetric.into_iter().chain(asymmetric).collect());
        }
        let mut algorithms = Vec::new();
        for name in self.algorithms.split(',').map(str::trim) {
            let problem = format!("has {name:?}; there are HS256, RS256, PS256, ES256, ES384 and EdDSA");
            algorithms.push(Algorithm::parse(name).ok_or_else(|| error("jwt_algorithms", problem))?);
        }
        let symmetric = algorithms.contains(&Algorithm::Hs256);
        let asymmetric = algorithms.iter().any(|algorithm| *algorithm != Algorithm::Hs256);
        match (symmetric == secret, asymmetric == published) {
            (true, true) => Ok(algorithms),
            (false, _) if secret => {
                Err(error("jwt_algorithms", "leaves out HS256, and jwt_secret is good for nothing else"))
            }
            (false, _) => Err(error("jwt_algorithms", "has HS256, but jwt_secret is empty")),
            (_, false) if published => Err(error("jwt_algorithms", "has no algorithm for the keys of the JWKS")),
            (_, false) => Err(error("jwt_algorithms", "has an algorithm that needs jwt_jwks or jwt_jwks_url")),
        }
    }

    /// Checks the public URL.
    pub(super) fn resource(&self) -> Result<Option<String>, ConfigError> {
        match self.resource.as_str() {
            "" => Ok(None),
            url if is_safe(url) => Ok(Some(url.trim_end_matches('/').to_owned())),
            _ => Err(error("jwt_resource", "must be an https URL (http on this machine alone)")),
        }
    }
}

/// A media type without the optional `application/` (RFC 7515, section 4.1.9).
pub(super) fn bare(typ: &str) -> &str {
    match typ.get(..12) {
        Some(prefix) if prefix.eq_ignore_ascii_case("application/") => typ.get(12..).unwrap_or_default(),
        _ => typ,
    }
}

/// Whether the URL is safe from tampering on the network: https, or this machine. Without user names and fragments.
fn is_safe(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else { return false };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return false };
    let local = matches!(authority.host(), "localhost" | "127.0.0.1" | "[::1]");
    let plain = !authority.as_str().contains('@') && !url.contains(['#', '"', '\\']) && !authority.host().is_empty();
    plain && (scheme == "https" || scheme == "http" && local)
}

fn error(variable: &'static str, problem: impl Into<String>) -> ConfigError {
    ConfigError { variable, problem: problem.into() }
}

impl std::fmt::Debug for AuthConfig {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("AuthConfig")
            .field("jwks_url", &self.jwks_url)
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .field("algorithms", &self.algorithms)
            .finish_non_exhaustive()
    }
}
