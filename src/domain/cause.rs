//! Why the service failed, for the log: a word that metrics count by, and a text that people read.

use std::fmt;

/// Makes the enum of the table.
macro_rules! causes {
    ($($(#[doc = $doc:literal])+ $cause:ident = $word:literal,)+) => {
        /// The kind of a failure, as a word that does not change. Metrics and alerts count by it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum CauseCode {
            $($(#[doc = $doc])+ $cause,)+
        }

        impl CauseCode {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$cause),+];

            /// The word for it.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$cause => $word,)+
                }
            }
        }
    };
}

causes! {
    /// No connection to the database could be made.
    NoConnection = "no_connection",
    /// No connection was free before the deadline.
    NoConnectionInTime = "no_connection_in_time",
    /// The database or its pooler has no connection left.
    TooManyConnections = "too_many_connections",
    /// The database did not answer before the deadline.
    NoAnswerInTime = "no_answer_in_time",
    /// The connection broke before the answer.
    ConnectionLost = "connection_lost",
    /// The database, or a pooler, ended the session: a restart, mostly.
    SessionEnded = "session_ended",
    /// `statement_timeout`.
    StatementTimeout = "statement_timeout",
    /// `lock_timeout`.
    LockTimeout = "lock_timeout",
    /// A serialization failure or a deadlock, twice.
    TransactionConflict = "transaction_conflict",
    /// The database takes no writes.
    ReadOnly = "read_only",
    /// The disk of the database is full.
    DiskFull = "disk_full",
    /// The database lacks memory or another resource.
    OutOfResources = "out_of_resources",
    /// More is in flight than the database can answer in time.
    Overload = "overload",
    /// A pooler mixes up prepared statements.
    UnsafePooler = "unsafe_pooler",
    /// The database has other functions than this version calls.
    SchemaMismatch = "schema_mismatch",
    /// The issuer's keys could not be fetched.
    NoKeys = "no_keys",
    /// A token names a key that is unknown, and the issuer may not be asked again yet.
    UnknownKey = "unknown_key",
    /// The configuration is refused.
    Configuration = "configuration",
    /// A bug.
    Internal = "internal",
}

/// Why the service failed. For the log alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The kind.
    pub code: CauseCode,
    /// The whole chain of causes.
    pub text: String,
}

impl Cause {
    /// A cause of this kind.
    pub fn new(code: CauseCode, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}
