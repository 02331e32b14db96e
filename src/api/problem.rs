//! Errors as clients see them: problem details (RFC 9457). Every status but a success is decided here.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{ACCEPT_ENCODING, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use serde::{Deserialize, Serialize};

use crate::auth::{Access, Refusal};
use crate::domain::{Error, Invalid, Place};

/// A problem on its way out. It travels in the extensions of a response; `respond::finish` writes the body.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    title: &'static str,
    detail: Box<str>,
    errors: Vec<Invalid>,
    /// For the log: what no client may read.
    pub(super) cause: Option<Box<str>>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// The body of a problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Where this kind of problem is explained: a URI reference.
    #[schema(format = "uri-reference", example = "/docs/problems#invalid_input")]
    pub r#type: String,
    /// The kind of problem, in words.
    #[schema(example = "Invalid input")]
    pub title: String,
    /// The status code of the response.
    #[schema(minimum = 400, maximum = 599, example = 400)]
    pub status: u16,
    /// This problem, in words.
    pub detail: String,
    /// The kind of problem, as a word that does not change.
    #[schema(example = "invalid_input")]
    pub code: String,
    /// The `X-Request-Id` of the response, to be named when asking for help.
    pub request_id: String,
    /// For invalid input, each mistake.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Mistake>,
}

/// One mistake in the input. One of `pointer`, `parameter` and `header` says where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Mistake {
    /// A JSON pointer into the body (RFC 6901); empty for the whole body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "/title")]
    pub pointer: Option<String>,
    /// A parameter of the path or the query string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub parameter: Option<String>,
    /// A header field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub header: Option<String>,
    /// What is wrong.
    pub detail: String,
}

/// The mistakes that one answer names at most: a body full of mistakes must not be answered with a larger one.
const MOST_MISTAKES: usize = 100;
/// How long a client should wait before it tries again, in seconds.
const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("1");

impl Problem {
    fn new(status: StatusCode, code: &'static str, title: &'static str, detail: impl Into<Box<str>>) -> Self {
        Self { status, code, title, detail: detail.into(), errors: Vec::new(), cause: None, headers: Vec::new() }
    }

    pub(super) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.retain(|(other, _)| *other != name);
        self.headers.push((name, value));
        self
    }

    fn because(mut self, cause: String) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// There is no such path.
    pub(super) fn no_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "Not found", "There is nothing at this path.")
    }

    /// The path does not know the method.
    pub(super) fn method_not_allowed() -> Self {
        let detail = "The path does not answer this method; the Allow header has those that it does.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Method not allowed", detail)
    }

    /// The client accepts nothing that errand has.
    pub(super) fn not_acceptable(has: &str) -> Self {
        let detail = format!("The Accept header leaves out {has}, which is all that there is here.");
        Self::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", "Not acceptable", detail)
    }

    /// The body is of a type that the operation does not read.
    pub(super) fn unsupported_media_type(takes: &'static str) -> Self {
        let detail = format!("The Content-Type must be {takes}.");
        let title = "Unsupported media type";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", title, detail)
    }

    /// The body is compressed, or the like.
    pub(super) fn unsupported_encoding() -> Self {
        let detail = "The body must be sent as it is: errand reads no Content-Encoding.";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "Unsupported media type", detail)
            .with_header(ACCEPT_ENCODING, HeaderValue::from_static("identity"))
    }

    /// The body is too long.
    pub(super) fn too_large(limit: usize) -> Self {
        let detail = format!("The body may have {limit} bytes at most, its escapes counted as what they stand for.");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", "Payload too large", detail)
    }

    /// The path is of another user.
    pub(super) fn forbidden() -> Self {
        let detail = "The token is of another user than the path: use its sub there, or me.";
        Self::new(StatusCode::FORBIDDEN, "forbidden", "Forbidden", detail)
    }

    /// The token has scopes, and not the one for this.
    pub(super) fn insufficient_scope(access: Access) -> Self {
        let scope = access.scope();
        let challenge = format!(r#"Bearer error="insufficient_scope", scope="{scope}""#);
        let detail = format!("The token must have the scope {scope}.");
        Self::new(StatusCode::FORBIDDEN, "insufficient_scope", "Forbidden", detail).challenging(challenge)
    }

    fn challenging(mut self, challenge: String) -> Self {
        self.headers.retain(|(name, _)| name != WWW_AUTHENTICATE);
        self.with_header(WWW_AUTHENTICATE, challenge.try_into().unwrap_or(HeaderValue::from_static("Bearer")))
    }

    /// Adds a parameter to the challenge, if there is one.
    pub(super) fn with_challenge_parameter(self, name: &str, value: &str) -> Self {
        let challenge = self.headers.iter().find(|(other, _)| *other == WWW_AUTHENTICATE);
        let Some(challenge) = challenge.and_then(|(_, value)| value.to_str().ok()) else {
            return self;
        };
        let separator = if challenge == "Bearer" { " " } else { ", " };
        let challenge = format!(r#"{challenge}{separator}{name}="{value}""#);
        self.challenging(challenge)
    }

    /// The component cannot serve, for a reason that has a code of its own or for another one.
    pub(super) fn not_ready(error: Error) -> Self {
        match error {
            Error::UnsafePooler(_) | Error::SchemaMismatch(_) => error.into(),
            other => Self::unready(other.to_string()),
        }
    }

    /// The component cannot serve.
    pub(super) fn unready(cause: String) -> Self {
        let detail = "The service is not ready to serve. Try again.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Service unavailable", detail)
            .with_header(RETRY_AFTER, RETRY_SECONDS)
            .because(cause)
    }

    /// The body, for one request.
    pub(super) fn body(&self, request_id: &str) -> ProblemBody {
        let errors = self.errors.iter().take(MOST_MISTAKES).map(|Invalid { place, detail }| {
            let (mut pointer, mut parameter, mut header) = (None, None, None);
            match place {
                Place::Body(place) => pointer = Some(place.clone()),
                Place::Parameter(name) => parameter = Some(name.clone()),
                Place::Header(name) => header = Some((*name).to_owned()),
            }
            Mistake { pointer, parameter, header, detail: detail.clone() }
        });
        ProblemBody {
            r#type: format!("/docs/problems#{}", self.code),
            title: self.title.to_owned(),
            status: self.status.as_u16(),
            detail: self.detail.to_string(),
            code: self.code.to_owned(),
            request_id: request_id.to_owned(),
            errors: errors.collect(),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(errors) => {
                let detail = match errors.as_slice() {
                    [only] => only.detail.clone(),
                    several => format!("{} things are wrong with the input; errors names each.", several.len()),
                };
                let problem = Self::new(StatusCode::BAD_REQUEST, "invalid_input", "Invalid input", detail);
                Self { errors, ..problem }
            }
            Error::NotFound => Self::new(StatusCode::NOT_FOUND, "not_found", "Not found", "There is no such task."),
            Error::PreconditionFailed => {
                let detail = "The task is not in the state that If-Match or If-None-Match asks for; read it again.";
                Self::new(StatusCode::PRECONDITION_FAILED, "precondition_failed", "Precondition failed", detail)
            }
            Error::Gone => {
                let detail = "An earlier request with this Idempotency-Key was done, and its resource is gone since.";
                Self::new(StatusCode::GONE, "gone", "Gone", detail)
            }
            Error::KeyReused => {
                let detail = "The Idempotency-Key came with another request before; a new request needs a new key.";
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                Self::new(status, "idempotency_key_reused", "Idempotency key reused", detail)
            }
            Error::InFlight => {
                let detail = "The first request with this Idempotency-Key is still being done; try again.";
                Self::new(StatusCode::CONFLICT, "in_flight", "Request in flight", detail)
                    .with_header(RETRY_AFTER, RETRY_SECONDS)
            }
            Error::TooManyRequests => {
                let detail = "Of your slow requests, or writes that wait for another one, as many are being done as may be; try again.";
                Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", "Too many requests", detail)
                    .with_header(RETRY_AFTER, RETRY_SECONDS)
            }
            Error::Unavailable(cause) => {
                let detail = "The service cannot answer now, and nothing was changed. Try again.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Service unavailable", detail)
                    .with_header(RETRY_AFTER, RETRY_SECONDS)
                    .because(cause)
            }
            Error::Overloaded { retry_after } => {
                Self::from(Error::Unavailable(error.to_string())).with_header(RETRY_AFTER, retry_after.into())
            }
            Error::UnsafePooler(cause) => {
                let detail = "What stands between the service and its database mixes up statements, so none is sent. \
                              Nothing was changed.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unsafe_pooler", "Unsafe pooler", detail)
                    .with_header(RETRY_AFTER, RETRY_SECONDS)
                    .because(cause)
            }
            Error::SchemaMismatch(cause) => {
                let detail = "The service and its database are of versions that do not fit. Nothing was changed.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "schema_mismatch", "Schema mismatch", detail)
                    .with_header(RETRY_AFTER, RETRY_SECONDS)
                    .because(cause)
            }
            Error::OutcomeUnknown(cause) => {
                let detail =
                    "No answer came in time; a write may have happened or not. Read again before you repeat it.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "outcome_unknown", "Outcome unknown", detail)
                    .with_header(RETRY_AFTER, RETRY_SECONDS)
                    .because(cause)
            }
            Error::Internal(cause) => {
                let detail = "Something went wrong on this side. The request_id helps to find out what.";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error", detail).because(cause)
            }
        }
    }
}

impl From<Invalid> for Problem {
    fn from(invalid: Invalid) -> Self {
        Error::from(invalid).into()
    }
}

impl From<Vec<Invalid>> for Problem {
    fn from(errors: Vec<Invalid>) -> Self {
        Error::Invalid(errors).into()
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let title = "Unauthorized";
        match refusal {
            Refusal::Missing => {
                let detail = "Send a token: Authorization: Bearer <JWT>.";
                Self::new(StatusCode::UNAUTHORIZED, "unauthorized", title, detail)
                    .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
            }
            Refusal::Invalid(reason) => {
                let detail = format!("The token is refused: {reason}.");
                Self::new(StatusCode::UNAUTHORIZED, "invalid_token", title, detail)
                    .challenging(format!(r#"Bearer error="invalid_token", error_description="{reason}""#))
            }
            Refusal::Unavailable => {
                Error::Unavailable("the issuer's keys cannot be had; an earlier line says why".to_owned()).into()
            }
            Refusal::UnknownKey(wait) => {
                let cause = "a key is unknown, and the issuer cannot be asked again yet".to_owned();
                // Whole seconds, and not too soon (RFC 9110, section 10.2.3).
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                Self::from(Error::Unavailable(cause)).with_header(RETRY_AFTER, seconds.max(1).into())
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.headers_mut().extend(self.headers.clone());
        response.extensions_mut().insert(self);
        response
    }
}
