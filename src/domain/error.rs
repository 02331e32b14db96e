//! The errors of errand, free of HTTP. What a client may read and what only the log may are separate.

/// Why an operation has no answer. `api::problem` decides the status of each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The input is not what the contract asks for; every mistake that was found is named.
    #[error("invalid input")]
    Invalid(Vec<Invalid>),
    /// There is no such thing, or the caller may not know of it: the two are not told apart.
    #[error("not found")]
    NotFound,
    /// The precondition that the client set does not hold.
    #[error("precondition failed")]
    PreconditionFailed,
    /// An earlier request with the same key did the write, and its resource is gone since.
    #[error("gone")]
    Gone,
    /// The client gave this write a key that stands for another one.
    #[error("idempotency key reused")]
    KeyReused,
    /// The write that the key stands for is still being done.
    #[error("in flight")]
    InFlight,
    /// The caller has as much in flight as one may have; nothing was changed.
    #[error("too many requests")]
    TooManyRequests,
    /// More is in flight than the database can answer in time; nothing was changed.
    #[error("overload: too many operations are in flight")]
    Overloaded {
        /// When to come again, in seconds.
        retry_after: u64,
    },
    /// The database cannot answer now; nothing was changed. The text is for the log.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// Something between errand and PostgreSQL mixes up prepared statements; nothing was changed, and nothing may be sent any more.
    /// The text is for the log.
    #[error("unsafe pooler: {0}")]
    UnsafePooler(String),
    /// The database has other functions than this errand calls; nothing was changed. The text is for the log.
    #[error("schema mismatch: {0}")]
    SchemaMismatch(String),
    /// The database may or may not have done what it was asked. The text is for the log.
    #[error("outcome unknown: {0}")]
    OutcomeUnknown(String),
    /// A mistake of errand's own. The text is for the log.
    #[error("internal: {0}")]
    Internal(String),
}

/// One mistake in the input: where it is, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// Where the mistake is.
    pub place: Place,
    /// What is wrong, for the person who writes the client.
    pub detail: String,
}

/// Where in a request a mistake is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the body: a JSON pointer (RFC 6901); empty for the whole body.
    Body(String),
    /// A parameter of the path or of the query string.
    Parameter(String),
    /// A header field.
    Header(&'static str),
}

impl Invalid {
    /// A mistake in the body, at a JSON pointer.
    pub fn body(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { place: Place::Body(pointer.into()), detail: detail.into() }
    }

    /// A mistake in a parameter of the path or the query string.
    pub fn parameter(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { place: Place::Parameter(name.into()), detail: detail.into() }
    }

    /// A mistake in a header field.
    pub fn header(name: &'static str, detail: impl Into<String>) -> Self {
        Self { place: Place::Header(name), detail: detail.into() }
    }
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(vec![invalid])
    }
}
