//! Writes that a client may repeat without doing them twice (draft-ietf-httpapi-idempotency-key-header).

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// The key that a client gave a write, and what the write is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeatable {
    /// 1 to 255 visible ASCII characters; each user has keys of their own.
    pub key: String,
    /// A digest of the request: a key that comes back with another one is a mistake of the client.
    pub fingerprint: String,
}

impl Repeatable {
    /// Parses the key, with or without the double quotes of a structured field; `None` where it is no key.
    pub fn parse(key: &str, method: &str, subject: &str, body: &[u8]) -> Option<Self> {
        let key = key.trim();
        let key = key.strip_prefix('"').and_then(|key| key.strip_suffix('"')).unwrap_or(key);
        if !(1..=255).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let digest = Sha256::new().chain_update(method).chain_update([0]).chain_update(subject).chain_update([0]);
        let fingerprint = BASE64_URL_SAFE_NO_PAD.encode(digest.chain_update(body).finalize());
        Some(Self { key: key.to_owned(), fingerprint })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_may_be_quoted() {
        let plain = Repeatable::parse("8e03978e-40d5", "POST", "", b"{}").unwrap();
        assert_eq!(Repeatable::parse("\"8e03978e-40d5\"", "POST", "", b"{}").unwrap(), plain);
        for key in ["", "\"\"", "a b", "a\nb", "ž", &"a".repeat(256)] {
            assert_eq!(Repeatable::parse(key, "POST", "", b"{}"), None, "{key}");
        }
    }

    #[test]
    fn another_request_has_another_fingerprint() {
        let fingerprint =
            |method, subject, body: &[u8]| Repeatable::parse("k", method, subject, body).unwrap().fingerprint;
        let first = fingerprint("POST", "a", b"b");
        for other in [fingerprint("PATCH", "a", b"b"), fingerprint("POST", "b", b"b"), fingerprint("POST", "a", b"c")] {
            assert_ne!(first, other);
        }
    }
}
