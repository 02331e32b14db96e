//! Verification of a token against the configured keys.

use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::algorithm::Algorithm;
use super::cache::{Cache, Verified};
use super::claims::{Claims, seconds};
use super::config::{AuthConfig, Published, Rules, Scoping, bare};
use super::keys::{Key, KeyId, KeySet};
use super::published::{Newer, PublishedKeys};
use super::token::Token;
use super::{Caller, KeySource, Moment};
use crate::{Ambient, ConfigError};

/// The keys and the rules.
pub struct Verifier {
    /// The current secret, and perhaps the previous one.
    shared: Vec<Key>,
    issuer_keys: IssuerKeys,
    rules: Rules,
    resource: Option<String>,
    cache: Cache,
}

enum IssuerKeys {
    None,
    Inline(Arc<KeySet>),
    Url(Box<PublishedKeys>),
}

/// Why authentication failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It has no token.
    Missing,
    /// Its token is invalid. The text says why, and reveals nothing that its bearer does not know.
    Invalid(&'static str),
    /// Its token could not be checked, because there are no keys of the issuer.
    Unavailable,
    /// The key of its token is unknown, and may be a new one. The issuer can be asked again after this time.
    UnknownKey(Duration),
}

/// How many key sets a token is checked with, each newer than the last.
const MAX_KEY_SETS: usize = 3;

impl Verifier {
    /// Checks the configuration. An unsafe one is an error.
    pub fn new(config: &AuthConfig, source: Arc<dyn KeySource>, ambient: Ambient) -> Result<Self, ConfigError> {
        Ok(Self {
            shared: config.shared()?,
            issuer_keys: match config.published()? {
                Published::Nowhere => IssuerKeys::None,
                Published::Inline(keys) => IssuerKeys::Inline(Arc::new(keys)),
                Published::Url(url) => IssuerKeys::Url(Box::new(PublishedKeys::new(url, source, ambient))),
            },
            rules: config.rules()?,
            resource: config.resource()?,
            cache: Cache::default(),
        })
    }

    /// The `iss` of the tokens that are accepted, where it is configured.
    pub fn issuer(&self) -> Option<&str> {
        self.rules.issuer.as_deref()
    }

    /// The configured public URL, without a trailing slash.
    pub fn resource(&self) -> Option<&str> {
        self.resource.as_deref()
    }

    /// Whether scopes are checked.
    pub fn has_scopes(&self) -> bool {
        self.rules.scoping != Scoping::Off
    }

    /// Turns the value of an `Authorization` header into a caller.
    pub async fn verify(&self, authorization: &str, now: Moment) -> Result<Caller, Refusal> {
        let text = bearer(authorization).ok_or(Refusal::Missing)?;
        let digest = Sha256::digest(text).into();
        let at = seconds(now.wall);
        if let Some(known) = self.cache.get(&digest, at)
            && self.still_has(&known.key, now).await?
        {
            return Ok(known.caller);
        }
        let token = Token::parse(text)?;
        if !self.rules.algorithms.contains(&token.algorithm) {
            return Err(Refusal::Invalid("its algorithm is not accepted"));
        }
        self.accept_type(token.typ.as_deref())?;
        let key = match token.algorithm {
            Algorithm::Hs256 => {
                // A shared secret has no `kid`, so that of the token is ignored.
                if self.shared.is_empty() {
                    return Err(Refusal::Invalid("its key is not known"));
                }
                let key = self.shared.iter().find_map(|key| check(key, &token).ok());
                key.ok_or(Refusal::Invalid("its signature is wrong"))?
            }
            _ => self.verify_with_issuer_keys(&token, now).await?,
        };
        let claims: Claims = token.claims()?;
        let expires = claims.expires();
        let caller = claims.into_caller(&self.rules, now.wall)?;
        self.cache.insert(digest, Verified { caller: caller.clone(), at, expires, key });
        Ok(caller)
    }

    async fn verify_with_issuer_keys(&self, token: &Token<'_>, now: Moment) -> Result<KeyId, Refusal> {
        let mut keys = self.keys(now).await?;
        for _ in 0..MAX_KEY_SETS {
            if let Some(key) = keys.find(token.kid.as_deref(), token.algorithm) {
                return check(key, token);
            }
            // Refetching helps only for an unknown `kid`: a known key with another algorithm will not change, and a token without a
            // `kid` names no key to look for.
            let unknown = token.kid.as_deref().filter(|kid| !keys.knows(kid));
            match (&self.issuer_keys, unknown) {
                (IssuerKeys::Url(published), Some(_)) => match published.newer_than(&keys, now).await {
                    Newer::Keys(newer) => keys = newer,
                    Newer::Unchanged => break,
                    Newer::RetryAfter(wait) => return Err(Refusal::UnknownKey(wait)),
                },
                _ => break,
            }
        }
        Err(Refusal::Invalid("its key is not known"))
    }

    async fn keys(&self, now: Moment) -> Result<Arc<KeySet>, Refusal> {
        match &self.issuer_keys {
            IssuerKeys::None => Err(Refusal::Invalid("its key is not known")),
            IssuerKeys::Inline(keys) => Ok(Arc::clone(keys)),
            IssuerKeys::Url(published) => published.get(now).await.ok_or(Refusal::Unavailable),
        }
    }

    /// Whether the key that verified a token earlier is still valid.
    async fn still_has(&self, id: &KeyId, now: Moment) -> Result<bool, Refusal> {
        match self.shared.iter().any(|shared| shared.id == *id) {
            true => Ok(true),
            false => Ok(self.keys(now).await?.has(id)),
        }
    }

    /// Accepts only the `typ` of an access token (RFC 8725, section 3.11).
    fn accept_type(&self, typ: Option<&str>) -> Result<(), Refusal> {
        let typ = typ.map(bare);
        let accepted = match &self.rules.token_type {
            Some(only) => typ.is_some_and(|typ| typ.eq_ignore_ascii_case(only)),
            None => typ.is_none_or(|typ| ["JWT", "at+jwt"].iter().any(|one| typ.eq_ignore_ascii_case(one))),
        };
        if accepted { Ok(()) } else { Err(Refusal::Invalid("it is not an access token")) }
    }
}

fn check(key: &Key, token: &Token<'_>) -> Result<KeyId, Refusal> {
    match key.verifies(token.algorithm, token.message.as_bytes(), &token.signature) {
        true => Ok(key.id),
        false => Err(Refusal::Invalid("its signature is wrong")),
    }
}

/// The token of a `Bearer` header; the scheme's case does not matter (RFC 9110, section 11.1).
fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    let token = token.trim_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests;
