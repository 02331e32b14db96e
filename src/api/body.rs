//! Request bodies: of the right type, within the limit, whole, and parsed.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use utoipa::ToSchema;
use utoipa::openapi::Required;

use super::code::Code;
use super::openapi::{Describe, Operation};
use super::problem::Problem;
use crate::App;
use crate::domain::{self, BodyMode, Completion, Fields, Invalid};

/// What the bytes of a body are parsed into.
pub(super) trait Content: ToSchema + Sized {
    /// Parses the bytes, or names every error in them.
    fn parse(body: &[u8]) -> Result<Self, Vec<Invalid>>;
}

/// A body of `application/json`, with its bytes as they were sent.
pub(super) struct Json<T>(pub(super) T, pub(super) Bytes);

/// A body of `application/json` or `application/merge-patch+json` (RFC 7396), with its bytes as they were sent.
pub(super) struct MergePatch<T>(pub(super) T, pub(super) Bytes);

/// The same, or no body at all.
pub(super) struct OptionalMergePatch<T>(pub(super) T, pub(super) Bytes);

const JSON: &str = "application/json";
const MERGE_PATCH_JSON: &str = "application/merge-patch+json";
/// The types of a merge patch, as `Accept-Patch` has them (RFC 5789, section 3.1).
pub(super) const PATCH_TYPES: HeaderValue = HeaderValue::from_static("application/merge-patch+json, application/json");
/// RFC 5789
pub(super) const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// The maximum length of a body's content, in bytes of UTF-8.
pub(super) const MAX_BODY_BYTES: usize = 64 * 1024;
/// The maximum length of a body as it is sent, in bytes. An escape of one byte takes six.
const MAX_RAW_BODY_BYTES: usize = 400 * 1024;

impl<R: Fields, M: BodyMode> Content for domain::Body<R, M> {
    fn parse(body: &[u8]) -> Result<Self, Vec<Invalid>> {
        Self::parse(body)
    }
}

impl Content for Completion {
    fn parse(body: &[u8]) -> Result<Self, Vec<Invalid>> {
        Self::parse(body)
    }
}

impl<T: Content> FromRequest<Arc<App>> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Arc<App>) -> Result<Self, Problem> {
        check_encoding(request.headers())?;
        if !has_type(request.headers(), &[JSON]) {
            return Err(Problem::unsupported_media_type(JSON));
        }
        let body = read(request).await?;
        Ok(Self(T::parse(&body)?, body))
    }
}

impl<T: Content> FromRequest<Arc<App>> for MergePatch<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Arc<App>) -> Result<Self, Problem> {
        check_merge_patch(request.headers())?;
        let body = read(request).await?;
        Ok(Self(T::parse(&body)?, body))
    }
}

impl<T: Content> FromRequest<Arc<App>> for OptionalMergePatch<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Arc<App>) -> Result<Self, Problem> {
        let headers = request.headers().clone();
        let body = read(request).await?;
        if !body.is_empty() {
            check_merge_patch(&headers)?;
        }
        Ok(Self(T::parse(&body)?, body))
    }
}

impl<T: Content> Describe for Json<T> {
    fn describe(operation: &mut Operation) {
        describe::<T>(operation, &[JSON], Required::True);
    }
}

impl<T: Content> Describe for MergePatch<T> {
    fn describe(operation: &mut Operation) {
        describe::<T>(operation, &[MERGE_PATCH_JSON, JSON], Required::True);
    }
}

impl<T: Content> Describe for OptionalMergePatch<T> {
    fn describe(operation: &mut Operation) {
        describe::<T>(operation, &[MERGE_PATCH_JSON, JSON], Required::False);
    }
}

fn describe<T: Content>(operation: &mut Operation, media_types: &[&str], required: Required) {
    operation.takes_body::<T>(media_types, required);
    operation.refuses(&[Code::InvalidInput, Code::PayloadTooLarge, Code::UnsupportedMediaType]);
}

fn check_merge_patch(headers: &HeaderMap) -> Result<(), Problem> {
    let typed = || match has_type(headers, &[MERGE_PATCH_JSON, JSON]) {
        true => Ok(()),
        false => Err(Problem::unsupported_media_type("application/merge-patch+json or application/json")),
    };
    check_encoding(headers).and_then(|()| typed()).map_err(|problem| problem.with_header(ACCEPT_PATCH, PATCH_TYPES))
}

/// Refuses a body with a `Content-Encoding` (RFC 9110, section 8.4).
fn check_encoding(headers: &HeaderMap) -> Result<(), Problem> {
    let identity =
        |value: &HeaderValue| value.to_str().is_ok_and(|value| value.trim().eq_ignore_ascii_case("identity"));
    match headers.get_all(CONTENT_ENCODING).iter().all(identity) {
        true => Ok(()),
        false => Err(Problem::unsupported_encoding()),
    }
}

/// Whether the body is declared as one of these. A `charset` is ignored, because JSON is always UTF-8 (RFC 8259, section 11).
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
    if declared.is_some_and(|length| length > MAX_RAW_BODY_BYTES as u64) {
        return Err(Problem::too_large(MAX_BODY_BYTES));
    }
    let body = whole(request.into_body(), declared).await?;
    if body.len() > MAX_BODY_BYTES && content_length(&body) > MAX_BODY_BYTES {
        return Err(Problem::too_large(MAX_BODY_BYTES));
    }
    Ok(body)
}

/// Collects a body. A body that has its declared length is whole (RFC 9112, section 6.3): to ask for its end and for trailers would
/// cost two waits for the runtime.
async fn whole(body: Body, declared: Option<u64>) -> Result<Bytes, Problem> {
    let mut body = Limited::new(body, MAX_RAW_BODY_BYTES);
    let mut content = BytesMut::new();
    while declared.is_none_or(|length| (content.len() as u64) < length) {
        match body.frame().await {
            None => break,
            Some(Ok(frame)) => content.extend_from_slice(&frame.into_data().unwrap_or_default()),
            Some(Err(error)) if error.is::<LengthLimitError>() => return Err(Problem::too_large(MAX_BODY_BYTES)),
            Some(Err(_)) => return Err(Invalid::body("", "The body did not arrive whole.").into()),
        }
    }
    Ok(content.freeze())
}

/// The length of a JSON text in bytes, with each escape counted as the character that it stands for (RFC 8259, section 7).
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
