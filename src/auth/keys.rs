//! Keys and key sets (RFC 7517).
//!
//! A set with one bad key is refused as a whole: if an issuer publishes a weak key, a private one, or two with the same `kid`, its other keys
//! are not trusted either. Keys for other purposes (encryption, other curves) are skipped.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::algorithm::Algorithm;

/// A digest of a key, which stays the same when the set is fetched again.
pub(super) type KeyId = [u8; 32];

/// A key that verifies signatures.
pub(super) struct Key {
    pub(super) id: KeyId,
    kid: Option<String>,
    kind: Kind,
    /// The only algorithm that it may be used with (`alg`).
    algorithm: Option<Algorithm>,
    decoding: DecodingKey,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Secret,
    Rsa,
    P256,
    P384,
    Ed25519,
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
    pub(super) fn secret(secret: &[u8]) -> Self {
        Self {
            id: Sha256::digest(secret).into(),
            kid: None,
            kind: Kind::Secret,
            algorithm: Some(Algorithm::Hs256),
            decoding: DecodingKey::from_secret(secret),
        }
    }

    /// Whether signatures of this algorithm may be verified with this key.
    pub(super) fn fits(&self, algorithm: Algorithm) -> bool {
        self.algorithm.is_none_or(|only| only == algorithm)
            && matches!(
                (self.kind, algorithm),
                (Kind::Secret, Algorithm::Hs256)
                    | (Kind::Rsa, Algorithm::Rs256 | Algorithm::Ps256)
                    | (Kind::P256, Algorithm::Es256)
                    | (Kind::P384, Algorithm::Es384)
                    | (Kind::Ed25519, Algorithm::EdDsa)
            )
    }

    /// Whether the signature is that of this key. HMACs are compared in constant time.
    pub(super) fn verifies(&self, algorithm: Algorithm, message: &str, signature: &str) -> bool {
        self.fits(algorithm)
            && jsonwebtoken::crypto::verify(signature, message.as_bytes(), &self.decoding, algorithm.into())
                .unwrap_or(false)
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
        let (kind, decoding) = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => (Kind::Rsa, self.rsa()?),
            ("EC", Some("P-256")) => (Kind::P256, self.elliptic(Algorithm::Es256, 32)?),
            ("EC", Some("P-384")) => (Kind::P384, self.elliptic(Algorithm::Es384, 48)?),
            ("OKP", Some("Ed25519")) => (Kind::Ed25519, self.edwards()?),
            _ => return Ok(None),
        };
        let key = Key { id: self.id(), kid: self.kid.clone(), kind, algorithm, decoding };
        match algorithm.is_none_or(|algorithm| key.fits(algorithm)) {
            true => Ok(Some(key)),
            false => Err("its alg does not fit its kty and crv"),
        }
    }

    fn rsa(&self) -> Result<DecodingKey, &'static str> {
        let (n, e) = (bytes(self.n.as_deref())?, bytes(self.e.as_deref())?);
        let n: Vec<u8> = n.into_iter().skip_while(|byte| *byte == 0).collect();
        let bits = n.first().map_or(0, |first| n.len() * 8 - first.leading_zeros() as usize);
        if !(2048..=4096).contains(&bits) {
            return Err("an RSA modulus must have 2048 to 4096 bits");
        }
        let exponent = e.iter().try_fold(0_u64, |sum, byte| Some(sum.checked_mul(256)? + u64::from(*byte)));
        match exponent {
            // The upper bound is that of the implementation. Exponents in use are smaller.
            Some(3..=0x1_ffff_ffff) if exponent.is_some_and(|e| e % 2 == 1) => {}
            _ => return Err("its exponent is not one"),
        }
        Ok(DecodingKey::from_rsa_raw_components(&n, &e))
    }

    fn elliptic(&self, algorithm: Algorithm, length: usize) -> Result<DecodingKey, &'static str> {
        let (x, y) = (bytes(self.x.as_deref())?, bytes(self.y.as_deref())?);
        if x.len() != length || y.len() != length {
            return Err("its coordinates have the wrong length");
        }
        let point: Vec<u8> = [0x04].into_iter().chain(x).chain(y).collect();
        let key = DecodingKey::from_ec_der(&point);
        // The library checks only in use whether the point is on the curve.
        match jsonwebtoken::crypto::verify("", b"", &key, algorithm.into()) {
            Ok(_) => Ok(key),
            Err(_) => Err("it is not a point of its curve"),
        }
    }

    fn edwards(&self) -> Result<DecodingKey, &'static str> {
        let x = bytes(self.x.as_deref())?;
        let point: [u8; 32] = x.as_slice().try_into().map_err(|_| "it has the wrong length")?;
        match ed25519_dalek::VerifyingKey::from_bytes(&point) {
            // For a point of small order, signatures can be forged without the private key.
            Ok(key) if !key.is_weak() => Ok(DecodingKey::from_ed_der(&point)),
            _ => Err("it is not a point of its curve, or a weak one"),
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

fn bytes(text: Option<&str>) -> Result<Vec<u8>, &'static str> {
    let text = text.ok_or("a part of it is missing")?;
    BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| "a part of it is not base64url")
}

#[cfg(test)]
mod tests;
