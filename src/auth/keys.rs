//! Keys and key sets (RFC 7517).
//!
//! A set with one bad key is refused as a whole: if an issuer publishes a weak key, a private one, or two with the same `kid`, its other keys
//! are not trusted either. Keys for other purposes (encryption, other curves) are skipped.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::algorithm::Algorithm;
use super::signature::{RsaKey, VerifyingKey};

/// A digest of a key, which stays the same when the set is fetched again.
pub(super) type KeyId = [u8; 32];

/// A key that verifies signatures.
pub(super) struct Key {
    pub(super) id: KeyId,
    kid: Option<String>,
    /// The only algorithm that it may be used with (`alg`).
    algorithm: Option<Algorithm>,
    verifying: VerifyingKey,
}

/// The keys of an issuer.
pub(super) struct KeySet(Vec<Key>);

/// The maximum number of keys in a set.
const MAX_KEYS: usize = 100;

#[derive(Deserialize)]
struct Document {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    r#use: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    /// A private part.
    d: Option<serde::de::IgnoredAny>,
    k: Option<serde::de::IgnoredAny>,
}

impl Key {
    /// A shared secret.
    pub(super) fn secret(secret: &[u8]) -> Result<Self, &'static str> {
        Ok(Self {
            id: Sha256::digest(secret).into(),
            kid: None,
            algorithm: Some(Algorithm::Hs256),
            verifying: VerifyingKey::secret(secret)?,
        })
    }

    /// Whether signatures of this algorithm may be verified with this key.
    pub(super) fn fits(&self, algorithm: Algorithm) -> bool {
        self.algorithm.is_none_or(|only| only == algorithm) && self.verifying.fits(algorithm)
    }

    /// Whether the signature is that of this key.
    pub(super) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        self.fits(algorithm) && self.verifying.verifies(algorithm, message, signature)
    }
}

impl KeySet {
    /// Parses a JWKS. The error says what is wrong with it.
    pub(super) fn parse(document: &[u8]) -> Result<Self, String> {
        let document: Document = serde_json::from_slice(document).map_err(|error| format!("is no JWKS: {error}"))?;
        if document.keys.len() > MAX_KEYS {
            return Err(format!("has more than {MAX_KEYS} keys"));
        }
        let mut keys: Vec<Key> = Vec::new();
        for jwk in &document.keys {
            let name = jwk.kid.as_deref().unwrap_or("without kid").escape_debug();
            let Some(key) = jwk.key().map_err(|problem| format!("has a bad key ({name}): {problem}"))? else {
                continue;
            };
            if key.kid.is_some() && keys.iter().any(|other| other.kid == key.kid) {
                return Err(format!("has two keys with the same kid ({name})"));
            }
            keys.push(key);
        }
        match keys.is_empty() {
            true => Err("has no key that errand can use".to_owned()),
            false => Ok(Self(keys)),
        }
    }

    /// The key for the header of a token: the one with its `kid`, or without a `kid` the only key that fits.
    pub(super) fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<&Key> {
        let mut fitting =
            self.0.iter().filter(|key| key.fits(algorithm) && (kid.is_none() || key.kid.as_deref() == kid));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Some(key),
            _ => None,
        }
    }

    /// Whether there is a key with this `kid`, for any algorithm.
    pub(super) fn knows(&self, kid: &str) -> bool {
        self.0.iter().any(|key| key.kid.as_deref() == Some(kid))
    }

    /// Whether the set has the key with this digest.
    pub(super) fn has(&self, id: &KeyId) -> bool {
        self.0.iter().any(|key| key.id == *id)
    }
}

impl Jwk {
    /// The key; `None` if it is for another purpose or algorithm.
    fn key(&self) -> Result<Option<Key>, &'static str> {
        if self.d.is_some() || self.k.is_some() || self.kty == "oct" {
            return Err("it is a secret, and secrets are not published");
        }
        let algorithm = match self.alg.as_deref().map(Algorithm::parse) {
            Some(None) => return Ok(None),
            Some(known) => known,
            None => None,
        };
        let verifies = self.key_ops.as_ref().is_none_or(|operations| operations.iter().any(|one| one == "verify"));
        if self.r#use.as_deref().is_some_and(|purpose| purpose != "sig") || !verifies {
            return Ok(None);
        }
        let verifying = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => VerifyingKey::Rsa(RsaKey::new(&part(&self.n)?, &part(&self.e)?)?),
            ("EC", Some("P-256")) => VerifyingKey::p256(&part(&self.x)?, &part(&self.y)?)?,
            ("EC", Some("P-384")) => VerifyingKey::p384(&part(&self.x)?, &part(&self.y)?)?,
            ("OKP", Some("Ed25519")) => VerifyingKey::ed25519(&part(&self.x)?)?,
            _ => return Ok(None),
        };
        let key = Key { id: self.id(), kid: self.kid.clone(), algorithm, verifying };
        match algorithm.is_none_or(|algorithm| key.fits(algorithm)) {
            true => Ok(Some(key)),
            false => Err("its alg does not fit its kty and crv"),
        }
    }

    fn id(&self) -> KeyId {
        let mut hash = Sha256::new();
        for part in [&self.kid, &self.alg, &self.crv, &self.x, &self.y, &self.n, &self.e] {
            // The lengths separate the parts, so that different keys have different inputs.
            let part = part.as_deref().unwrap_or_default();
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}

/// The bytes of a member.
fn part(text: &Option<String>) -> Result<Vec<u8>, &'static str> {
    let text = text.as_deref().ok_or("a part of it is missing")?;
    BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| "a part of it is not base64url")
}

#[cfg(test)]
mod tests;
