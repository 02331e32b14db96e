//! Request bodies: of the right type, within the limit, and whole.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::problem::Problem;
use crate::domain::Invalid;

/// The octets of a body of `application/json`.
pub(super) struct JsonBody(pub(super) Bytes);

/// The octets of a body of `application/json` or `application/merge-patch+json` (RFC 7396).
pub(super) struct MergePatchBody(pub(super) Bytes);

/// The same, or no body at all.
pub(super) struct OptionalBody(pub(super) Bytes);

/// The longest body that is read, in octets.
pub(super) const LONGEST: usize = 64 * 1024;

impl<S: Sync> FromRequest<S> for JsonBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !has_type(request.headers(), &["application/json"]) {
            return Err(Problem::unsupported_media_type("application/json"));
        }
        read(request).await.map(Self)
    }
}

impl<S: Sync> FromRequest<S> for MergePatchBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        check_merge_patch_type(request.headers())?;
        read(request).await.map(Self)
    }
}

impl<S: Sync> FromRequest<S> for OptionalBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let headers = request.headers().clone();
        let body = read(request).await?;
        if !body.is_empty() {
            check_merge_patch_type(&headers)?;
        }
        Ok(Self(body))
    }
}

fn check_merge_patch_type(headers: &HeaderMap) -> Result<(), Problem> {
    if has_type(headers, &["application/merge-patch+json", "application/json"]) {
        Ok(())
    } else {
        Err(Problem::unsupported_media_type("application/merge-patch+json or application/json"))
    }
}

/// Whether the body is declared as one of these, and in no other character encoding than UTF-8.
fn has_type(headers: &HeaderMap, types: &[&str]) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next().and_then(|value| value.to_str().ok()), values.next()) else {
        return false;
    };
    let mut parts = value.split(';').map(str::trim);
    let named = parts.next().is_some_and(|name| types.iter().any(|known| name.eq_ignore_ascii_case(known)));
    named
        && parts.filter_map(|parameter| parameter.split_once('=')).all(|(name, value)| {
            !name.eq_ignore_ascii_case("charset") || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
        })
}

async fn read(request: Request) -> Result<Bytes, Problem> {
    let declared = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > LONGEST as u64) {
        return Err(Problem::too_large(LONGEST));
    }
    let body: Body = request.into_body();
    match Limited::new(body, LONGEST).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Problem::too_large(LONGEST)),
        Err(_) => Err(Invalid::body("", "The body did not arrive whole.").into()),
    }
}
