//! `Idempotency-Key`: a client that does not know what became of a write sends it again, and it is done once.

use http::header::{HeaderMap, HeaderName};

use crate::domain::{IdempotencyKey, Invalid, KeyedRequest};

/// The client's key for a write.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Marks an answer that was given before.
pub(super) const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The key of a request, if it has one.
pub(super) fn idempotency_key(
    headers: &HeaderMap,
    request: &KeyedRequest<'_>,
) -> Result<Option<IdempotencyKey>, Invalid> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let key = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => value.to_str().ok(),
        (Some(_), Some(_)) => None,
    };
    key.and_then(|key| IdempotencyKey::parse(key, request))
        .map(Some)
        .ok_or_else(|| Invalid::header("Idempotency-Key", "Must be one key of 1 to 255 visible ASCII characters."))
}
