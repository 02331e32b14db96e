//! What a database call can fail with, and what each failure means. Adapters report; only this file judges.

use crate::domain::{Error, Invalid};

/// Why a database call has no answer. The texts are for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseError {
    /// PostgreSQL refused the statement; nothing of it remains.
    #[error("SQLSTATE {sqlstate}: {message}")]
    Refused {
        /// Five characters (PostgreSQL manual, appendix A).
        sqlstate: String,
        /// The constraint that the statement ran into, when it is one.
        constraint: Option<String>,
        /// PostgreSQL's own words.
        message: String,
    },
    /// There was no connection to send the statement on.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// The statement was sent, and no answer came: the connection broke, or the deadline passed.
    #[error("no answer: {0}")]
    Lost(String),
    /// The answer is not one that the statement can have, or the runtime refused the parameters.
    #[error("malformed: {0}")]
    Malformed(String),
}

impl From<DatabaseError> for Error {
    fn from(error: DatabaseError) -> Self {
        match &error {
            DatabaseError::Refused { sqlstate, constraint, .. } => {
                if let Some(mistake) = constraint.as_deref().and_then(mistake) {
                    return mistake.into();
                }
                match sqlstate.as_str() {
                    "23505" => Self::Conflict,
                    // Shutting down, too many connections, read-only, statement or lock timeout, serialization, deadlock.
                    "57P01" | "57P02" | "57P03" | "53300" | "25006" | "57014" | "55P03" | "40001" | "40P01" => {
                        Self::Unavailable(error.to_string())
                    }
                    state if state.starts_with("08") || state.starts_with("53") => Self::Unavailable(error.to_string()),
                    // A value that only PostgreSQL could tell to be wrong.
                    state if state.starts_with("22") => {
                        Invalid::body("", "The database cannot keep one of the values.").into()
                    }
                    _ => Self::Internal(error.to_string()),
                }
            }
            DatabaseError::Unreachable(_) => Self::Unavailable(error.to_string()),
            DatabaseError::Lost(_) => Self::OutcomeUnknown(error.to_string()),
            DatabaseError::Malformed(_) => Self::Internal(error.to_string()),
        }
    }
}

/// The mistakes that only the database can see, by the constraint that caught them.
fn mistake(constraint: &str) -> Option<Invalid> {
    Some(match constraint {
        "task_due_zone_known" => Invalid::body("/due/time_zone", "Unknown time zone."),
        "task_due_time_exists" => Invalid::body(
            "/due/time",
            "There is no such time on that day in that zone: clocks are set forward over it.",
        ),
        "task_due_range" => Invalid::body("/due/date", "Must be within the years 1 to 9999 in UTC."),
        "task_due_parts" => Invalid::body("/due", "Needs a date; time and time_zone only come together."),
        _ => return None,
    })
}
