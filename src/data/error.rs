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
    /// The statement was sent, and the connection broke before its answer came.
    #[error("no answer: {0}")]
    Lost(String),
    /// The deadline passed; `sent` says whether the statement was on its way by then.
    #[error("the deadline passed {}", if *sent { "before the answer came" } else { "before there was a connection" })]
    Deadline {
        /// Whether the database may have got the statement.
        sent: bool,
    },
    /// The answer is not one that the statement can have, or the runtime refused the parameters.
    #[error("malformed: {0}")]
    Malformed(String),
}

impl DatabaseError {
    /// Whether PostgreSQL rolled the statement back for no fault of its own: serialization failure or deadlock.
    pub(super) fn was_rolled_back_by_chance(&self) -> bool {
        matches!(self, Self::Refused { sqlstate, .. } if matches!(sqlstate.as_str(), "40001" | "40P01"))
    }

    /// Whether the connection is of no use any more, so that a fresh one may fare better.
    pub(super) fn broke_the_connection(&self) -> bool {
        match self {
            Self::Lost(_) => true,
            Self::Refused { sqlstate, .. } => sqlstate.starts_with("57P0") || sqlstate.starts_with("08"),
            _ => false,
        }
    }
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
                    // Shutting down, read-only, statement or lock timeout, serialization, deadlock.
                    "57P01" | "57P02" | "57P03" | "25006" | "57014" | "55P03" | "40001" | "40P01" => {
                        Self::Unavailable(error.to_string())
                    }
                    // Connection exceptions; insufficient resources: too many connections, a full disk.
                    state if state.starts_with("08") || state.starts_with("53") => Self::Unavailable(error.to_string()),
                    // A value that only PostgreSQL could tell to be wrong.
                    state if state.starts_with("22") => {
                        Invalid::body("", "The database cannot keep one of the values.").into()
                    }
                    _ => Self::Internal(error.to_string()),
                }
            }
            DatabaseError::Unreachable(_) | DatabaseError::Deadline { sent: false } => {
                Self::Unavailable(error.to_string())
            }
            DatabaseError::Lost(_) | DatabaseError::Deadline { sent: true } => Self::OutcomeUnknown(error.to_string()),
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
