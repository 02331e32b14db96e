//! Errors as clients see them: problem details (RFC 9457). Every status but a success is decided here, by a [`Code`].

use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT_ENCODING, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use serde::{Deserialize, Serialize};

use super::code::Code;
use super::openapi;
use crate::auth::{Access, Refusal};
use crate::domain::{Cause, CauseCode, Error, Invalid, Place};

/// A problem on its way out. It travels in the extensions of a response; `respond::finish` writes the body.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub(super) code: Code,
    detail: Box<str>,
    errors: Vec<Invalid>,
    /// For the log alone.
    pub(super) cause: Option<Box<Cause>>,
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
    #[schema(schema_with = openapi::code)]
    pub code: String,
    /// The `X-Request-Id` of the response, to be named when asking for help.
    pub request_id: String,
    /// For invalid input, each error.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<InputError>,
}

/// One error in the input. One of `pointer`, `parameter` and `header` says where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InputError {
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

/// The maximum number of errors that one answer names: a body full of errors must not be answered with a larger one.
const MAX_ERRORS: usize = 100;
/// How long a client should wait before it tries again, in seconds.
const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("1");

impl Problem {
    /// A problem without a cause. If the same request may succeed a little later, `Retry-After` says so.
    pub(super) fn new(code: Code, detail: impl Into<Box<str>>) -> Self {
        let headers = if code.is_passing() { vec![(RETRY_AFTER, RETRY_SECONDS)] } else { Vec::new() };
        Self { code, detail: detail.into(), errors: Vec::new(), cause: None, headers }
    }

    pub(super) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.retain(|(other, _)| *other != name);
        self.headers.push((name, value));
        self
    }

    fn because(mut self, cause: Cause) -> Self {
        self.cause = Some(Box::new(cause));
        self
    }

    /// There is no such path.
    pub(super) fn no_route() -> Self {
        Self::new(Code::NotFound, "There is nothing at this path.")
    }

    /// The path does not know the method.
    pub(super) fn method_not_allowed() -> Self {
        let detail = "The path does not answer this method; the Allow header has those that it does.";
        Self::new(Code::MethodNotAllowed, detail)
    }

    /// `Accept` leaves out what the operation answers with.
    pub(super) fn not_acceptable(has: &str) -> Self {
        let detail = format!("The Accept header leaves out {has}, which is all that there is here.");
        Self::new(Code::NotAcceptable, detail)
    }

    /// The body is of a type that the operation does not read.
    pub(super) fn unsupported_media_type(takes: &str) -> Self {
        Self::new(Code::UnsupportedMediaType, format!("The Content-Type must be {takes}."))
    }

    /// The body has a `Content-Encoding`.
    pub(super) fn unsupported_encoding() -> Self {
        let detail = "The body must be sent as it is: errand reads no Content-Encoding.";
        Self::new(Code::UnsupportedMediaType, detail).with_header(ACCEPT_ENCODING, HeaderValue::from_static("identity"))
    }

    /// The body is too long.
    pub(super) fn too_large(limit: usize) -> Self {
        let detail = format!("The body may have {limit} bytes at most, its escapes counted as what they stand for.");
        Self::new(Code::PayloadTooLarge, detail)
    }

    /// The path is of another user.
    pub(super) fn forbidden() -> Self {
        Self::new(Code::Forbidden, "The token is of another user than the path: use its sub there, or me.")
    }

    /// The token has scopes, and not the one for this.
    pub(super) fn insufficient_scope(access: Access) -> Self {
        let scope = access.scope();
        let challenge = format!(r#"Bearer error="insufficient_scope", scope="{scope}""#);
        let detail = format!("The token must have the scope {scope}.");
        Self::new(Code::InsufficientScope, detail).challenging(challenge)
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
        let text = error.to_string();
        let problem = Self::from(error);
        match (problem.code, &problem.cause) {
            (Code::UnsafePooler | Code::SchemaMismatch, _) => problem,
            (_, cause) => {
                Self::unready(Cause::new(cause.as_ref().map_or(CauseCode::Internal, |cause| cause.code), text))
            }
        }
    }

    /// The component cannot serve.
    pub(super) fn unready(cause: Cause) -> Self {
        Self::new(Code::Unavailable, "The service is not ready to serve. Try again.").because(cause)
    }

    /// The service cannot do it now.
    fn unavailable(cause: Cause) -> Self {
        Self::new(Code::Unavailable, "The service cannot answer now, and nothing was changed. Try again.")
            .because(cause)
    }

    /// The body, for one request.
    pub(super) fn body(&self, request_id: &str) -> ProblemBody {
        let errors = self.errors.iter().take(MAX_ERRORS).map(|Invalid { place, detail }| {
            let (mut pointer, mut parameter, mut header) = (None, None, None);
            match place {
                Place::Body(place) => pointer = Some(place.clone()),
                Place::Parameter(name) => parameter = Some(name.clone()),
                Place::Header(name) => header = Some((*name).to_owned()),
            }
            InputError { pointer, parameter, header, detail: detail.clone() }
        });
        ProblemBody {
            r#type: format!("/docs/problems#{}", self.code.word()),
            title: self.code.title().to_owned(),
            status: self.code.status().as_u16(),
            detail: self.detail.to_string(),
            code: self.code.word().to_owned(),
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
                Self { errors, ..Self::new(Code::InvalidInput, detail) }
            }
            Error::NotFound => Self::new(Code::NotFound, "There is no such resource."),
            Error::PreconditionFailed => {
                let detail = "The resource is not in the state that If-Match or If-None-Match asks for; read it again.";
                Self::new(Code::PreconditionFailed, detail)
            }
            Error::KeyReused => {
                let detail = "The Idempotency-Key came with another request before; a new request needs a new key.";
                Self::new(Code::IdempotencyKeyReused, detail)
            }
            Error::InFlight => {
                let detail = "The first request with this Idempotency-Key is still being done; try again.";
                Self::new(Code::InFlight, detail)
            }
            Error::Gone => {
                let detail = "The write was done when this Idempotency-Key came first; what it wrote is gone now.";
                Self::new(Code::Gone, detail)
            }
            Error::TooManyRequests => {
                let detail = "Of your slow requests, or writes that wait for another one, as many are being done as may be; try again.";
                Self::new(Code::TooManyRequests, detail)
            }
            Error::Unavailable(cause) => Self::unavailable(cause),
            Error::Overloaded { retry_after } => {
                let cause = Cause::new(CauseCode::Overload, error.to_string());
                Self::unavailable(cause).with_header(RETRY_AFTER, retry_after.into())
            }
            Error::UnsafePooler(cause) => {
                let detail = "What stands between the service and its database mixes up statements, so none is sent. \
                              Nothing was changed.";
                Self::new(Code::UnsafePooler, detail).because(Cause::new(CauseCode::UnsafePooler, cause))
            }
            Error::SchemaMismatch(cause) => {
                let detail = "The service and its database are of versions that do not fit. Nothing was changed.";
                Self::new(Code::SchemaMismatch, detail).because(Cause::new(CauseCode::SchemaMismatch, cause))
            }
            Error::OutcomeUnknown(cause) => {
                let detail =
                    "No answer came in time; a write may have happened or not. Read again before you repeat it.";
                Self::new(Code::OutcomeUnknown, detail).because(cause)
            }
            Error::Internal(cause) => {
                let detail = "Something went wrong on this side. The request_id helps to find out what.";
                Self::new(Code::Internal, detail).because(Cause::new(CauseCode::Internal, cause))
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
        match refusal {
            Refusal::Missing => Self::new(Code::Unauthorized, "Send a token: Authorization: Bearer <JWT>.")
                .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
            Refusal::Invalid(reason) => Self::new(Code::InvalidToken, format!("The token is refused: {reason}."))
                .challenging(format!(r#"Bearer error="invalid_token", error_description="{reason}""#)),
            Refusal::Unavailable => {
                let text = "the issuer's keys cannot be had; an earlier line says why";
                Self::unavailable(Cause::new(CauseCode::NoKeys, text))
            }
            Refusal::UnknownKey(wait) => {
                let text = "a key is unknown, and the issuer cannot be asked again yet";
                // Whole seconds, and not too soon (RFC 9110, section 10.2.3).
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                Self::unavailable(Cause::new(CauseCode::UnknownKey, text))
                    .with_header(RETRY_AFTER, seconds.max(1).into())
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        response.headers_mut().extend(self.headers.clone());
        response.extensions_mut().insert(self);
        response
    }
}
