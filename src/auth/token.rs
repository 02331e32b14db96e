//! Parsing of the compact form of a token (RFC 7515, section 7.1). Nothing here is verified yet.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer};

use super::algorithm::Algorithm;
use super::verifier::Refusal;

/// The maximum size of a token.
const MAX_TOKEN_BYTES: usize = 8 * 1024;
/// The maximum nesting of the JSON in a token.
const MAX_JSON_DEPTH: u32 = 32;

/// A token's parts.
pub(super) struct Token<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
    pub(super) typ: Option<String>,
    /// What is signed.
    pub(super) message: &'a str,
    pub(super) signature: Vec<u8>,
    payload: &'a str,
}

/// The members of a header that errand reads. It ignores those that name a key's location (`jku`, `x5u`) or contain a key (`jwk`,
/// `x5c`), because a token must not choose its key.
#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default, deserialize_with = "present")]
    kid: Option<String>,
    #[serde(default, deserialize_with = "present")]
    typ: Option<String>,
    #[serde(default, deserialize_with = "present")]
    crit: Option<serde::de::IgnoredAny>,
}

impl<'a> Token<'a> {
    /// Parses a token.
    pub(super) fn parse(text: &'a str) -> Result<Self, Refusal> {
        if text.len() > MAX_TOKEN_BYTES {
            return Err(Refusal::Invalid("it is too long"));
        }
        let malformed = Refusal::Invalid("it is not a signed JSON Web Token");
        let Some((message, signature)) = text.rsplit_once('.') else { return Err(malformed) };
        let Some((header, payload)) = message.split_once('.') else { return Err(malformed) };
        if payload.contains('.') || signature.is_empty() {
            return Err(malformed);
        }
        let header: Header = decode(header).ok_or(malformed)?;
        if header.crit.is_some() {
            return Err(Refusal::Invalid("it needs an extension that is not known here"));
        }
        let algorithm = Algorithm::parse(&header.alg).ok_or(Refusal::Invalid("its algorithm is not accepted"))?;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).map_err(|_| malformed)?;
        Ok(Self { algorithm, kid: header.kid, typ: header.typ, message, signature, payload })
    }

    /// The claims. Call this only after the signature was verified.
    pub(super) fn claims<T: for<'de> Deserialize<'de>>(&self) -> Result<T, Refusal> {
        decode(self.payload).ok_or(Refusal::Invalid("its claims are not as they must be"))
    }
}

/// Parses a segment: a JSON object in base64url without padding. A duplicate of a member that is read is an error.
fn decode<T: for<'de> Deserialize<'de>>(segment: &str) -> Option<T> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(segment).ok()?;
    // Members that are skipped must be UTF-8, too.
    let text = std::str::from_utf8(&bytes).ok()?;
    // Serde would also accept an array of the members' values.
    let is_object = text.trim_ascii_start().starts_with('{');
    if is_object && is_shallow(&bytes) { serde_json::from_str(text).ok() } else { None }
}

/// Whether the nesting is within the limit. Serde has no limit for members that it skips.
fn is_shallow(json: &[u8]) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_u32, false, false);
    json.iter().all(|byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth = depth.saturating_add(1),
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth <= MAX_JSON_DEPTH
    })
}

/// Deserializes a member that may be absent, but not null.
pub(super) fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
