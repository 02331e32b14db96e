//! Cross-origin requests (the Fetch standard, section 3.3): which origins' pages may call the API.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HeaderName, HeaderValue,
    ORIGIN, VARY,
};
use http::{Method, StatusCode};

use crate::App;
use crate::config::ConfigError;

/// The origins that are allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cors {
    /// Any. Tokens come in a header that only a page's own code can set, so a page has only the rights that it was given.
    Any,
    /// These.
    Only(Vec<String>),
}

const EXPOSED: HeaderValue = HeaderValue::from_static(
    "ETag, Idempotency-Replayed, Location, Link, Preference-Applied, Retry-After, WWW-Authenticate, X-Request-Id",
);
const EXPOSED_WITH_TIMING: HeaderValue = HeaderValue::from_static(
    "ETag, Idempotency-Replayed, Location, Link, Preference-Applied, Retry-After, Server-Timing, WWW-Authenticate, \
     X-Request-Id",
);
/// Lets a page's own measurements have the times of `Server-Timing` (W3C Resource Timing, section 4.5.1).
const TIMING_ALLOW_ORIGIN: HeaderName = HeaderName::from_static("timing-allow-origin");
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");
const HEADERS: HeaderValue = HeaderValue::from_static(
    "Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, Prefer, Traceparent, X-Request-Id",
);
/// How long a browser may remember the answer to a preflight, in seconds: two hours, the most that any honours.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

impl Cors {
    /// Parses the variable: origins with commas between them, `*`, or nothing.
    pub fn new(origins: String) -> Result<Self, ConfigError> {
        let origins: Vec<_> = origins.split(',').map(str::trim).filter(|origin| !origin.is_empty()).collect();
        if origins == ["*"] {
            return Ok(Self::Any);
        }
        for origin in &origins {
            let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            if !host.is_some_and(|host| !host.is_empty() && !host.contains(['/', ' ', '*'])) {
                let problem =
                    format!("has {origin:?}, which is no origin: scheme and host, such as https://app.example");
                return Err(ConfigError { variable: "cors_origins", problem });
            }
        }
        Ok(Self::Only(origins.into_iter().map(str::to_owned).collect()))
    }

    /// Whether any origin is allowed.
    pub(super) fn is_on(&self) -> bool {
        *self != Self::Only(Vec::new())
    }

    fn allows(&self, origin: &HeaderValue) -> bool {
        match self {
            Self::Any => true,
            Self::Only(origins) => origins.iter().any(|known| known.as_bytes() == origin.as_bytes()),
        }
    }
}

/// Answers preflights, and lets pages of allowed origins read the other answers. For where [`Cors::is_on`].
pub(super) async fn allow(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(ORIGIN).filter(|origin| app.cors.allows(origin)).cloned();
    let preflight =
        request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = match (&origin, preflight) {
        (Some(_), true) => {
            let mut response = StatusCode::NO_CONTENT.into_response();
            let headers = response.headers_mut();
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
            headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
            response
        }
        _ => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        if app.log.timing {
            headers.insert(TIMING_ALLOW_ORIGIN, origin.clone());
        }
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, if app.log.timing { EXPOSED_WITH_TIMING } else { EXPOSED });
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_named_exactly() {
        let cors = Cors::new("https://app.example, http://localhost:5173".to_owned()).unwrap();
        assert!(cors.allows(&HeaderValue::from_static("http://localhost:5173")));
        for origin in ["https://app.example.evil", "http://app.example", "null", "https://app.example:444"] {
            assert!(!cors.allows(&HeaderValue::from_static(origin)), "{origin}");
        }
        assert!(!Cors::new(String::new()).unwrap().allows(&HeaderValue::from_static("null")));
        assert!(Cors::new(" * ".to_owned()).unwrap().allows(&HeaderValue::from_static("https://anyone.example")));
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for origin in ["app.example", "https://app.example/", "https://*.example", "https://a, *"] {
            assert!(Cors::new(origin.to_owned()).is_err(), "{origin}");
        }
    }
}
