//! Request bodies: of the right type, within the limit, and whole.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::problem::Problem;
use crate::domain::Invalid;

/// The bytes of a body of `application/json`.
pub(super) struct JsonBody(pub(super) Bytes);

/// The bytes of a body of `application/json` or `application/merge-patch+json` (RFC 7396).
pub(super) struct MergePatchBody(pub(super) Bytes);

/// The same, or no body at all.
pub(super) struct OptionalBody(pub(super) Bytes);

/// The types of a merge patch, as `Accept-Patch` has them (RFC 5789, section 3.1).
pub(super) const PATCH_TYPES: HeaderValue = HeaderValue::from_static("application/merge-patch+json, application/json");
/// RFC 5789
pub(super) const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// The longest content of a body, in bytes of UTF-8.
pub(super) const LONGEST: usize = 64 * 1024;
/// The longest body that is read, in bytes: each byte of ASCII may be written as an escape of six, and a little stands around.
const LONGEST_ESCAPED: usize = 400 * 1024;

impl<S: Sync> FromRequest<S> for JsonBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        check_encoding(request.headers())?;
        if !has_type(request.headers(), &["application/json"]) {
            return Err(Problem::unsupported_media_type("application/json"));
        }
        read(request).await.map(Self)
    }
}

impl<S: Sync> FromRequest<S> for MergePatchBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        check_merge_patch(request.headers())?;
        read(request).await.map(Self)
    }
}

impl<S: Sync> FromRequest<S> for OptionalBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let headers = request.headers().clone();
        let body = read(request).await?;
        if !body.is_empty() {
            check_merge_patch(&headers)?;
        }
        Ok(Self(body))
    }
}

fn check_merge_patch(headers: &HeaderMap) -> Result<(), Problem> {
    let typed = || match has_type(headers, &["application/merge-patch+json", "application/json"]) {
        true => Ok(()),
        false => Err(Problem::unsupported_media_type("application/merge-patch+json or application/json")),
    };
    check_encoding(headers).and_then(|()| typed()).map_err(|problem| problem.with_header(ACCEPT_PATCH, PATCH_TYPES))
}

/// No encoding is taken apart here (RFC 9110, section 8.4).
fn check_encoding(headers: &HeaderMap) -> Result<(), Problem> {
    let identity =
        |value: &HeaderValue| value.to_str().is_ok_and(|value| value.trim().eq_ignore_ascii_case("identity"));
    match headers.get_all(CONTENT_ENCODING).iter().all(identity) {
        true => Ok(()),
        false => Err(Problem::unsupported_encoding()),
    }
}

/// Whether the body is declared as one of these. JSON is UTF-8: a `charset` says nothing (RFC 8259, section 11).
fn has_type(headers: &HeaderMap, types: &[&str]) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next().and_then(|value| value.to_str().ok()), values.next()) else {
        return false;
    };
    let name = value.split(';').next().map_or(value, str::trim);
    types.iter().any(|known| name.eq_ignore_ascii_case(known))
}

async fn read(request: Request) -> Result<Bytes, Problem> {
    let declared = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > LONGEST_ESCAPED as u64) {
        return Err(Problem::too_large(LONGEST));
    }
    let body = whole(request.into_body(), declared).await?;
    if body.len() > LONGEST && content_length(&body) > LONGEST {
        return Err(Problem::too_large(LONGEST));
    }
    Ok(body)
}

/// Collects a body. A body that has its declared length is whole (RFC 9112, section 6.3): to ask for its end and for trailers would
/// cost two waits for the runtime.
async fn whole(body: Body, declared: Option<u64>) -> Result<Bytes, Problem> {
    let mut body = Limited::new(body, LONGEST_ESCAPED);
    let mut content = BytesMut::new();
    while declared.is_none_or(|length| (content.len() as u64) < length) {
        match body.frame().await {
            None => break,
            Some(Ok(frame)) => content.extend_from_slice(&frame.into_data().unwrap_or_default()),
            Some(Err(error)) if error.is::<LengthLimitError>() => return Err(Problem::too_large(LONGEST)),
            Some(Err(_)) => return Err(Invalid::body("", "The body did not arrive whole.").into()),
        }
    }
    Ok(content.freeze())
}

/// How many bytes a JSON text has when its escapes are written as what they stand for (RFC 8259, section 7).
fn content_length(mut text: &[u8]) -> usize {
    let mut length = 0;
    while let Some(at) = text.iter().position(|byte| *byte == b'\\') {
        let (escape, bytes) = match text.get(at + 1) {
            Some(b'u') => {
                let digits = text.get(at + 2..at + 6).and_then(|digits| std::str::from_utf8(digits).ok());
                match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
                    Some(0..=0x7f) => (6, 1),
                    Some(0x80..=0x7ff) => (6, 2),
                    // One half of a character that has four bytes.
                    Some(0xd800..=0xdfff) => (6, 2),
                    _ => (6, 3),
                }
            }
            _ => (2, 1),
        };
        length += at + bytes;
        text = text.get(at + escape..).unwrap_or_default();
    }
    length + text.len()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use bytes::Bytes;
    use futures::{FutureExt, StreamExt, stream};

    use super::{content_length, whole};

    #[test]
    fn a_body_with_its_declared_length_is_not_read_on() {
        let pieces =
            || stream::iter(["ab", "cd"].map(|piece| Ok::<_, std::io::Error>(Bytes::from_static(piece.as_bytes()))));
        let endless = || Body::from_stream(pieces().chain(stream::pending()));
        let read = |body, declared| whole(body, declared).now_or_never().map(|content| content.ok().unwrap());
        assert_eq!(read(endless(), Some(4)), Some(Bytes::from_static(b"abcd")));
        assert_eq!(read(endless(), Some(0)), Some(Bytes::new()));
        for declared in [Some(5), None] {
            assert_eq!(read(endless(), declared), None);
            assert_eq!(read(Body::from_stream(pieces()), declared), Some(Bytes::from_static(b"abcd")));
        }
    }

    #[test]
    fn an_escape_counts_as_what_it_stands_for() {
        for text in ["", "plain", "ž冬🚆", "a\"b\\c\n\t/", "\u{1}\u{7f}\u{80}\u{7ff}\u{800}\u{ffff}\u{10000}"] {
            let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
            assert_eq!(content_length(escaped.as_bytes()), text.len(), "{escaped}");
            assert_eq!(content_length(text.replace('\\', "").as_bytes()), text.replace('\\', "").len());
        }
        assert_eq!(content_length(br#"\n\\\/\"\b"#), 5);
        // What is no JSON has some length, too.
        for text in [&b"\\"[..], b"\\u", b"\\u00", b"\\u\xff\xff\xff\xff"] {
            assert!(content_length(text) <= 3);
        }
    }
}
