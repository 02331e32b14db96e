//! The compact form of a token (RFC 7515, section 7.1), taken apart. Nothing here is verified yet.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer};

use super::algorithm::Algorithm;
use super::verifier::Refusal;

/// The longest token that is looked at, in bytes.
const LONGEST: usize = 8 * 1024;
/// How deep the JSON in it may be nested.
const DEEPEST: u32 = 32;

/// A token's parts.
pub(super) struct Token<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
    pub(super) typ: Option<String>,
    /// What is signed.
    pub(super) message: &'a str,
    pub(super) signature: &'a str,
    payload: &'a str,
}

/// The members of a header that mean something here. Where a key is to be found (`jku`, `x5u`) or what it is (`jwk`,
/// `x5c`) is not for a token to say, so these are not even read.
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
    /// Takes a token apart.
    pub(super) fn parse(text: &'a str) -> Result<Self, Refusal> {
        if text.len() > LONGEST {
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
        Ok(Self { algorithm, kid: header.kid, typ: header.typ, message, signature, payload })
    }

    /// The claims. To be asked for after the signature was verified.
    pub(super) fn claims<T: for<'de> Deserialize<'de>>(&self) -> Result<T, Refusal> {
        decode(self.payload).ok_or(Refusal::Invalid("its claims are not as they must be"))
    }
}

/// Parses a segment: base64url without padding, of a JSON object. A member that is read and stands twice is an error.
fn decode<T: for<'de> Deserialize<'de>>(segment: &str) -> Option<T> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(segment).ok()?;
    // All of it must be text, the members that are skipped, too.
    let text = std::str::from_utf8(&bytes).ok()?;
    // To serde, a list of the members' values would be as good as the object.
    let is_object = text.trim_ascii_start().starts_with('{');
    if is_object && is_shallow(&bytes) { serde_json::from_str(text).ok() } else { None }
}

/// Whether nothing is nested deeper than any issuer has a use for. What is skipped has no limit of its own.
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
        depth <= DEEPEST
    })
}

/// For members that may be absent, but not null.
pub(super) fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
