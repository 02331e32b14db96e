//! The kinds of problems: each is a code, with one title and one status.

use http::StatusCode;

/// Makes the enum of the table.
macro_rules! codes {
    ($($code:ident: $word:literal, $title:literal, $status:ident;)+) => {
        /// The kind of a problem, as a word that does not change. `/docs/problems` explains each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $(#[doc = $title] $code,)+
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$code),+];

            const fn row(self) -> (&'static str, &'static str, StatusCode) {
                match self {
                    $(Self::$code => ($word, $title, StatusCode::$status),)+
                }
            }
        }
    };
}

codes! {
    InvalidInput: "invalid_input", "Invalid input", BAD_REQUEST;
    Unauthorized: "unauthorized", "Unauthorized", UNAUTHORIZED;
    InvalidToken: "invalid_token", "Unauthorized", UNAUTHORIZED;
    Forbidden: "forbidden", "Forbidden", FORBIDDEN;
    InsufficientScope: "insufficient_scope", "Forbidden", FORBIDDEN;
    NotFound: "not_found", "Not found", NOT_FOUND;
    MethodNotAllowed: "method_not_allowed", "Method not allowed", METHOD_NOT_ALLOWED;
    NotAcceptable: "not_acceptable", "Not acceptable", NOT_ACCEPTABLE;
    InFlight: "in_flight", "Request in flight", CONFLICT;
    Gone: "gone", "Gone", GONE;
    PreconditionFailed: "precondition_failed", "Precondition failed", PRECONDITION_FAILED;
    PayloadTooLarge: "payload_too_large", "Payload too large", PAYLOAD_TOO_LARGE;
    UnsupportedMediaType: "unsupported_media_type", "Unsupported media type", UNSUPPORTED_MEDIA_TYPE;
    IdempotencyKeyReused: "idempotency_key_reused", "Idempotency key reused", UNPROCESSABLE_ENTITY;
    TooManyRequests: "too_many_requests", "Too many requests", TOO_MANY_REQUESTS;
    Internal: "internal", "Internal error", INTERNAL_SERVER_ERROR;
    Unavailable: "unavailable", "Service unavailable", SERVICE_UNAVAILABLE;
    UnsafePooler: "unsafe_pooler", "Unsafe pooler", SERVICE_UNAVAILABLE;
    SchemaMismatch: "schema_mismatch", "Schema mismatch", SERVICE_UNAVAILABLE;
    OutcomeUnknown: "outcome_unknown", "Outcome unknown", SERVICE_UNAVAILABLE;
}

impl Code {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        self.row().0
    }

    /// What it is called in `title`.
    pub const fn title(self) -> &'static str {
        self.row().1
    }

    /// The status of the response.
    pub const fn status(self) -> StatusCode {
        self.row().2
    }

    /// Whether the same request may succeed a little later.
    pub(super) const fn is_passing(self) -> bool {
        matches!(self, Self::InFlight) || matches!(self.status().as_u16(), 429 | 503)
    }
}
