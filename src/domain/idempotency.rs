//! Writes that a client may repeat without doing them twice (draft-ietf-httpapi-idempotency-key-header).

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// The key that a client gave a request, and a digest of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// 1 to 255 visible ASCII characters. The keys of two users have nothing to do with each other.
    pub key: String,
    /// A digest of the request. A key with another digest is refused, because it stands for another request.
    pub fingerprint: String,
}

/// The request that a key stands for.
#[derive(Debug, Clone, Copy)]
pub struct KeyedRequest<'a> {
    /// The operation's id, such as `create_task`.
    pub operation: &'a str,
    /// The id in the path; empty where the path has none.
    pub subject: &'a str,
    /// The query string, if there is one.
    pub query: Option<&'a str>,
    /// The body as it was sent.
    pub body: &'a [u8],
}

impl IdempotencyKey {
    /// Parses the key, with or without the double quotes of a structured field; `None` where it is no key.
    pub fn parse(key: &str, request: &KeyedRequest<'_>) -> Option<Self> {
        let key = key.trim();
        let key = key.strip_prefix('"').and_then(|key| key.strip_suffix('"')).unwrap_or(key);
        let is_key = (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
        is_key.then(|| Self { key: key.to_owned(), fingerprint: request.fingerprint() })
    }
}

impl KeyedRequest<'_> {
    fn fingerprint(&self) -> String {
        let mut digest = Sha256::new().chain_update(self.operation).chain_update([0]).chain_update(self.subject);
        if let Some(query) = self.query.filter(|query| !query.is_empty()) {
            digest = digest.chain_update("?").chain_update(query);
        }
        BASE64_URL_SAFE_NO_PAD.encode(digest.chain_update([0]).chain_update(self.body).finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREATE: KeyedRequest<'_> = KeyedRequest { operation: "create_task", subject: "", query: None, body: b"{}" };

    #[test]
    fn a_key_may_be_quoted() {
        let plain = IdempotencyKey::parse("8e03978e-40d5", &CREATE).unwrap();
        assert_eq!(IdempotencyKey::parse("\"8e03978e-40d5\"", &CREATE).unwrap(), plain);
        for key in ["", "\"\"", "a b", "a\nb", "ž", &"a".repeat(256)] {
            assert_eq!(IdempotencyKey::parse(key, &CREATE), None, "{key}");
        }
    }

    #[test]
    fn another_request_has_another_fingerprint() {
        let requests = [
            CREATE,
            KeyedRequest { operation: "patch_task", ..CREATE },
            KeyedRequest { subject: "a", ..CREATE },
            KeyedRequest { query: Some("a"), ..CREATE },
            KeyedRequest { query: Some("b"), ..CREATE },
            KeyedRequest { body: b"{ }", ..CREATE },
        ];
        let fingerprints: std::collections::HashSet<_> = requests.iter().map(KeyedRequest::fingerprint).collect();
        assert_eq!(fingerprints.len(), requests.len());
        assert_eq!(KeyedRequest { query: Some(""), ..CREATE }.fingerprint(), CREATE.fingerprint());
    }

    /// Keys are kept for a day, so the digest may not change with a version.
    #[test]
    fn a_fingerprint_is_the_same_in_every_version() {
        // As a shell has it: printf 'create_task\0\0{}' | sha256sum | xxd -r -p | base64 | tr +/ -_ | tr -d =
        assert_eq!(CREATE.fingerprint(), "GnDiQYgDcRkrHTvhV1rsxMjjBcVH_f5RpydylXHjy7c");
    }
}
