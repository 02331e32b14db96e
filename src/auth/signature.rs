//! Keys that are ready to verify, and what they verify (RFC 7518, RFC 8032, RFC 8037).

mod rsa;

use hmac::{Hmac, KeyInit, Mac};
use p256::ecdsa::Error;
use p256::ecdsa::signature::Verifier;
use sha2::Sha256;

use super::algorithm::Algorithm;
pub(super) use rsa::RsaKey;

/// A key of one kind. Making one checks it; signatures are verified without doing that again.
pub(super) enum VerifyingKey {
    /// A shared secret.
    Secret(Box<Hmac<Sha256>>),
    Rsa(RsaKey),
    P256(Box<p256::ecdsa::VerifyingKey>),
    P384(Box<p384::ecdsa::VerifyingKey>),
    Ed25519(Box<ed25519_dalek::VerifyingKey>),
}

impl VerifyingKey {
    /// A shared secret of any length (RFC 2104).
    pub(super) fn secret(secret: &[u8]) -> Result<Self, &'static str> {
        let mac = Hmac::new_from_slice(secret);
        mac.map(|mac| Self::Secret(Box::new(mac))).map_err(|_| "cannot be the key of an HMAC")
    }

    /// A point of P-256, as 32 bytes each of `x` and `y`.
    pub(super) fn p256(x: &[u8], y: &[u8]) -> Result<Self, &'static str> {
        let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&uncompressed(x, y, 32)?);
        key.map(|key| Self::P256(Box::new(key))).map_err(|_| NO_POINT)
    }

    /// A point of P-384, as 48 bytes each of `x` and `y`.
    pub(super) fn p384(x: &[u8], y: &[u8]) -> Result<Self, &'static str> {
        let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(&uncompressed(x, y, 48)?);
        key.map(|key| Self::P384(Box::new(key))).map_err(|_| NO_POINT)
    }

    /// A point of Ed25519, as 32 bytes.
    pub(super) fn ed25519(x: &[u8]) -> Result<Self, &'static str> {
        let point: &[u8; 32] = x.try_into().map_err(|_| "it has the wrong length")?;
        match ed25519_dalek::VerifyingKey::from_bytes(point) {
            // For a point of small order, signatures can be forged without the private key.
            Ok(key) if !key.is_weak() => Ok(Self::Ed25519(Box::new(key))),
            _ => Err("it is not a point of its curve, or a weak one"),
        }
    }

    /// Whether signatures of this algorithm may be verified with this key.
    pub(super) fn fits(&self, algorithm: Algorithm) -> bool {
        matches!(
            (self, algorithm),
            (Self::Secret(_), Algorithm::Hs256)
                | (Self::Rsa(_), Algorithm::Rs256 | Algorithm::Ps256)
                | (Self::P256(_), Algorithm::Es256)
                | (Self::P384(_), Algorithm::Es384)
                | (Self::Ed25519(_), Algorithm::EdDsa)
        )
    }

    /// Whether the signature of this algorithm is that of this key. HMACs are compared in constant time.
    pub(super) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match (self, algorithm) {
            (Self::Secret(mac), Algorithm::Hs256) => {
                let mac = Hmac::clone(mac).chain_update(message);
                mac.verify_slice(signature).is_ok()
            }
            (Self::Rsa(key), Algorithm::Rs256) => key.verifies_pkcs1(message, signature),
            (Self::Rsa(key), Algorithm::Ps256) => key.verifies_pss(message, signature),
            (Self::P256(key), Algorithm::Es256) => {
                verifies(&**key, message, p256::ecdsa::Signature::from_slice(signature))
            }
            (Self::P384(key), Algorithm::Es384) => {
                verifies(&**key, message, p384::ecdsa::Signature::from_slice(signature))
            }
            (Self::Ed25519(key), Algorithm::EdDsa) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            _ => false,
        }
    }
}

const NO_POINT: &str = "it is not a point of its curve";

/// A point as SEC 1, section 2.3.3, has it without compression.
fn uncompressed(x: &[u8], y: &[u8], length: usize) -> Result<Vec<u8>, &'static str> {
    match x.len() == length && y.len() == length {
        true => Ok([&[0x04], x, y].concat()),
        false => Err("its coordinates have the wrong length"),
    }
}

/// A signature as JSON Web Signatures have it: two numbers of the size of the curve (RFC 7518, section 3.4).
fn verifies<S>(key: &impl Verifier<S>, message: &[u8], signature: Result<S, Error>) -> bool {
    signature.is_ok_and(|signature| key.verify(message, &signature).is_ok())
}

#[cfg(test)]
mod tests;
