//! The errors of errand, free of HTTP. What a client may read and what only the log may are separate.

use super::Cause;

/// Why an operation has no answer. `api::problem` decides the status of each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The input breaks the contract; every error in it is named.
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
    Unavailable(Cause),
    /// Something between errand and PostgreSQL mixes up prepared statements; nothing was changed, and nothing may be sent any more.
    /// The text is for the log.
    #[error("unsafe pooler: {0}")]
    UnsafePooler(String),
    /// The database has other functions than this errand calls; nothing was changed. The text is for the log.
    #[error("schema mismatch: {0}")]
    SchemaMismatch(String),
    /// The database may or may not have done what it was asked. The text is for the log.
    #[error("outcome unknown: {0}")]
    OutcomeUnknown(Cause),
    /// A bug in errand. The text is for the log.
    #[error("internal: {0}")]
    Internal(String),
}

/// One error in the input: its place, and how to fix it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// Where the error is.
    pub place: Place,
    /// What is wrong, for the person who writes the client.
    pub detail: String,
}

/// A place in a request.
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
    /// An error in the body, at a JSON pointer.
    pub fn body(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { place: Place::Body(pointer.into()), detail: detail.into() }
    }

    /// An error in a parameter of the path or the query string.
    pub fn parameter(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { place: Place::Parameter(name.into()), detail: detail.into() }
    }

    /// An error in a header field.
    pub fn header(name: &'static str, detail: impl Into<String>) -> Self {
        Self { place: Place::Header(name), detail: detail.into() }
    }
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(vec![invalid])
    }
}

/// Collects every error of an input, each at its place. A parser takes the collector and returns `Option`: with `None`, it has added
/// at least one error.
#[derive(Debug)]
pub struct Errors<'a> {
    path: Path<'a>,
    list: &'a mut Vec<Invalid>,
}

/// The way to a place, which becomes text only for an error.
#[derive(Debug, Clone, Copy)]
enum Path<'a> {
    Body,
    Member(&'a Path<'a>, &'a str),
    Parameter(&'a str),
}

impl Errors<'_> {
    /// Runs a parser from the root of the body; fails with all errors, if it added any.
    pub fn collect<T>(parse: impl FnOnce(&mut Errors<'_>) -> Option<T>) -> Result<T, Vec<Invalid>> {
        let mut list = Vec::new();
        match parse(&mut Errors { path: Path::Body, list: &mut list }) {
            Some(value) if list.is_empty() => Ok(value),
            _ => Err(list),
        }
    }

    /// The same collector at a member of the object here, or at an item of the array here.
    pub fn at<'a>(&'a mut self, member: &'a str) -> Errors<'a> {
        Errors { path: Path::Member(&self.path, member), list: self.list }
    }

    /// The same collector at a parameter of the path or the query string.
    pub fn at_parameter<'a>(&'a mut self, name: &'a str) -> Errors<'a> {
        Errors { path: Path::Parameter(name), list: self.list }
    }

    /// Adds an error at this place.
    pub fn add(&mut self, detail: impl Into<String>) {
        self.list.push(Invalid { place: self.path.place(), detail: detail.into() });
    }

    /// Adds an error at this place, as the result of a parser.
    pub fn refuse<T>(&mut self, detail: impl Into<String>) -> Option<T> {
        self.add(detail);
        None
    }

    /// The number of errors so far, at any place.
    pub fn count(&self) -> usize {
        self.list.len()
    }
}

impl Path<'_> {
    fn place(&self) -> Place {
        match self {
            Self::Body => Place::Body(String::new()),
            Self::Parameter(name) => Place::Parameter((*name).to_owned()),
            Self::Member(parent, name) => match parent.place() {
                // A reference token of a JSON pointer (RFC 6901, section 3).
                Place::Body(pointer) => {
                    Place::Body(format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")))
                }
                parameter => parameter,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_at_the_place_of_its_collector() {
        let errors = Errors::collect(|errors| {
            errors.add("a");
            let mut operation = errors.at("operations");
            let mut operation = operation.at("3");
            operation.at("a/b~c").add("b");
            operation.add("c");
            errors.at_parameter("limit").refuse::<()>("d")
        });
        let expected = [
            Invalid::body("", "a"),
            Invalid::body("/operations/3/a~1b~0c", "b"),
            Invalid::body("/operations/3", "c"),
            Invalid::parameter("limit", "d"),
        ];
        assert_eq!(errors, Err(expected.to_vec()));
    }

    #[test]
    fn a_value_with_errors_is_no_value() {
        assert_eq!(Errors::collect(|_| Some(1)), Ok(1));
        let errors = Errors::collect(|errors| {
            errors.at("title").add("a");
            Some(1)
        });
        assert_eq!(errors, Err(vec![Invalid::body("/title", "a")]));
    }
}
