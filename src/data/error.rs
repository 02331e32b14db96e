//! The errors of a database call, and their meaning. Adapters report, this file judges.

use crate::domain::{Cause, CauseCode, Error, Invalid};

/// Why a database call failed. The texts are for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseError {
    /// PostgreSQL refused the statement and rolled it back.
    #[error("SQLSTATE {sqlstate}: {message}")]
    Refused {
        /// Five characters (PostgreSQL manual, appendix A).
        sqlstate: String,
        /// The constraint that the statement violated, if any.
        constraint: Option<String>,
        /// PostgreSQL's message.
        message: String,
    },
    /// No connection could be opened.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// The statement was sent, and the connection broke before the answer.
    #[error("no answer: {0}")]
    Lost(String),
    /// The deadline passed before or after the statement was sent.
    #[error("the deadline passed {}", if *sent { "before the answer came" } else { "before there was a connection" })]
    Deadline {
        /// Whether the database may have received the statement.
        sent: bool,
    },
    /// The answer has an unexpected form, or the runtime refused the parameters.
    #[error("malformed: {0}")]
    Malformed(String),
}

impl DatabaseError {
    /// Whether PostgreSQL rolled the statement back for a transient reason: a serialization failure, a deadlock, or the replacement of a
    /// function during its lookup (an internal error, a result of another type, an undefined function).
    pub(super) fn was_rolled_back_by_chance(&self) -> bool {
        const TRANSIENT: [&str; 5] = ["40001", "40P01", "XX000", "0A000", "42883"];
        matches!(self, Self::Refused { sqlstate, .. } if TRANSIENT.contains(&sqlstate.as_str()))
    }

    /// Whether the statement ran into the lock timeout, or a lock was not available (`lock_not_available`).
    pub fn met_a_lock(&self) -> bool {
        matches!(self, Self::Refused { sqlstate, .. } if sqlstate == "55P03")
    }

    /// Whether PostgreSQL cancelled the statement (`query_canceled`): at a time limit, by an operator's command, or rarely at a lock
    /// timeout in the moment in which the wait ends.
    pub(super) fn was_cancelled(&self) -> bool {
        matches!(self, Self::Refused { sqlstate, .. } if sqlstate == "57014")
    }

    /// Whether the session lacks a statement that was prepared in it, or has another one of that name (`invalid_sql_statement_name`,
    /// `duplicate_prepared_statement`). A pooler has then replaced one session with another.
    pub(super) fn proves_an_unsafe_pooler(&self) -> bool {
        self.cause_code() == CauseCode::UnsafePooler
    }

    fn cause_code(&self) -> CauseCode {
        match self {
            Self::Refused { sqlstate, .. } => {
                let refusal = REFUSALS.iter().find(|(start, _)| sqlstate.starts_with(start));
                refusal.map_or(CauseCode::Internal, |(_, code)| *code)
            }
            Self::Unreachable(text) if NO_CONNECTION_LEFT.iter().any(|words| text.contains(words)) => {
                CauseCode::TooManyConnections
            }
            Self::Unreachable(_) => CauseCode::NoConnection,
            Self::Lost(_) => CauseCode::ConnectionLost,
            Self::Deadline { sent: true } => CauseCode::NoAnswerInTime,
            Self::Deadline { sent: false } => CauseCode::NoConnectionInTime,
            Self::Malformed(_) => CauseCode::Internal,
        }
    }

    /// Whether the error is specific to this statement (rather than to the connection or server), so that other calls of a batch
    /// may still succeed.
    pub fn is_statement_error(&self) -> bool {
        match self {
            // One call of the batch may have been too slow.
            Self::Refused { .. } => {
                self.was_cancelled()
                    || !matches!(Error::from(self.clone()), Error::Unavailable(_) | Error::UnsafePooler(_))
            }
            Self::Malformed(_) => true,
            Self::Unreachable(_) | Self::Lost(_) | Self::Deadline { .. } => false,
        }
    }

    /// Whether the connection broke, so that a retry over a new connection may succeed.
    pub(super) fn broke_the_connection(&self) -> bool {
        match self {
            Self::Lost(_) => true,
            Self::Refused { sqlstate, .. } => sqlstate.starts_with("57P0") || sqlstate.starts_with("08"),
            _ => false,
        }
    }
}

/// The meaning of a refusal by PostgreSQL, by the beginning of the SQLSTATE. The first match counts. The statement is rolled back. Any other
/// refusal is a bug, or a value that only PostgreSQL can check.
pub const REFUSALS: &[(&str, CauseCode)] = &[
    ("26000", CauseCode::UnsafePooler),
    ("42P05", CauseCode::UnsafePooler),
    // The function, the type of the interface or the schema does not exist.
    ("42883", CauseCode::SchemaMismatch),
    ("42704", CauseCode::SchemaMismatch),
    ("3F000", CauseCode::SchemaMismatch),
    ("25006", CauseCode::ReadOnly),
    ("57014", CauseCode::StatementTimeout),
    ("55P03", CauseCode::LockTimeout),
    ("40001", CauseCode::TransactionConflict),
    ("40P01", CauseCode::TransactionConflict),
    ("57P0", CauseCode::SessionEnded),
    ("08", CauseCode::SessionEnded),
    ("53100", CauseCode::DiskFull),
    ("53300", CauseCode::TooManyConnections),
    ("53", CauseCode::OutOfResources),
];

/// The messages of PostgreSQL and PgBouncer when they have no connection left. Drivers report only the text.
const NO_CONNECTION_LEFT: [&str; 3] = ["too many clients", "too many connections", "remaining connection slots"];

impl From<DatabaseError> for Error {
    fn from(error: DatabaseError) -> Self {
        if let DatabaseError::Refused { sqlstate, constraint, .. } = &error {
            match (sqlstate.as_str(), constraint.as_deref()) {
                (_, Some(constraint)) if let Some(invalid) = mistake(constraint) => return invalid.into(),
                // Another request with the key was committed while this one waited.
                ("23505", Some("idempotency_pkey")) => return Self::InFlight,
                // Another request created the resource meanwhile.
                ("23505", _) => return Self::PreconditionFailed,
                // A value that only PostgreSQL can check.
                (state, _) if state.starts_with("22") => {
                    return Invalid::body("", "The database cannot keep one of the values.").into();
                }
                _ => {}
            }
        }
        let cause = Cause::new(error.cause_code(), error.to_string());
        match cause.code {
            CauseCode::UnsafePooler => Self::UnsafePooler(cause.text),
            CauseCode::SchemaMismatch => Self::SchemaMismatch(cause.text),
            CauseCode::Internal => Self::Internal(cause.text),
            CauseCode::ConnectionLost | CauseCode::NoAnswerInTime => Self::OutcomeUnknown(cause),
            _ => Self::Unavailable(cause),
        }
    }
}

/// The mistakes of clients that only the database detects, by constraint.
fn mistake(constraint: &str) -> Option<Invalid> {
    Some(match constraint {
        "task_due_zone_known" => Invalid::body("/due/time_zone", "Unknown time zone."),
        "list_time_zone_known" => Invalid::parameter("time_zone", "Unknown time zone."),
        "task_due_time_exists" => Invalid::body(
            "/due/time",
            "There is no such time on that day in that zone: clocks are set forward over it.",
        ),
        "task_due_range" => Invalid::body("/due/date", "Must be within the years 1 to 9999 in UTC."),
        "task_due_parts" => Invalid::body("/due", "Needs a date; time and time_zone only come together."),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(sqlstate: &str) -> DatabaseError {
        DatabaseError::Refused { sqlstate: sqlstate.to_owned(), constraint: None, message: "secret".to_owned() }
    }

    #[test]
    fn a_constraint_names_the_place_of_the_mistake() {
        let of = |constraint: &str| {
            let constraint = Some(constraint.to_owned());
            DatabaseError::Refused { sqlstate: "23514".to_owned(), constraint, message: String::new() }.into()
        };
        for (constraint, place) in [
            ("task_due_zone_known", "/due/time_zone"),
            ("task_due_time_exists", "/due/time"),
            ("task_due_range", "/due/date"),
            ("task_due_parts", "/due"),
        ] {
            let Error::Invalid(mistakes) = of(constraint) else { panic!("{constraint}") };
            assert_eq!(mistakes[0].place, crate::domain::Place::Body(place.to_owned()));
        }
        assert!(matches!(of("task_completed_at"), Error::Internal(_)));
    }

    #[test]
    fn who_was_asked_together_goes_alone_when_another_may_have_been_the_cause() {
        let malformed = DatabaseError::Malformed(String::new());
        for error in [refused("22P02"), refused("42501"), refused("XX000"), refused("57014"), malformed] {
            assert!(error.is_statement_error(), "{error}");
        }
        for error in [refused("55P03"), refused("53200"), refused("26000"), DatabaseError::Lost(String::new())] {
            assert!(!error.is_statement_error(), "{error}");
        }
    }
}
