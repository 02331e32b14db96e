//! How Spin reports the error of a running statement. Spin 3.5 returns a structure with the SQLSTATE. Later versions return text for
//! `query`: from 4.0 on the `Debug` output of that structure, in 3.6 PostgreSQL's message without the SQLSTATE.

use errand::data::DatabaseError;

/// The error in a text.
#[derive(Debug, PartialEq)]
pub(super) enum Refusal {
    /// With the SQLSTATE.
    Known(DatabaseError),
    /// Without the SQLSTATE: the text.
    Unknown(String),
}

/// The prefixes of the texts of Spin 4.0 and of 3.6. Other texts report a broken connection, or a row that Spin cannot convert.
const STRUCTURE: &str = "Error::QueryFailed(QueryError::DbError(DbError {";
const WORDS: &str = "db error";

impl Refusal {
    /// Parses a text.
    pub(super) fn of(text: String) -> Self {
        if text.starts_with(WORDS) {
            return Self::Unknown(text);
        }
        let structure = text.strip_prefix(STRUCTURE).and_then(structure);
        // No error of PostgreSQL: the connection broke during the statement.
        Self::Known(structure.unwrap_or(DatabaseError::Lost(text)))
    }
}

/// `Debug` escapes quotation marks within values, so the labels cannot occur in a value.
fn structure(text: &str) -> Option<DatabaseError> {
    Some(DatabaseError::Refused {
        sqlstate: value(text, "\", code: \"")?,
        constraint: value(text, "(\"constraint\", \""),
        message: value(text, "\", message: \"")?,
    })
}

/// The value after the label. Escapes stay.
fn value(text: &str, label: &str) -> Option<String> {
    let (_, rest) = text.split_once(label)?;
    let mut escaped = false;
    let end = rest.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })?;
    rest.get(..end).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_structure_is_read_and_no_value_in_it_is_taken_for_a_part() {
        let of_40 = r#"Error::QueryFailed(QueryError::DbError(DbError { as-text: "Error { code: SqlState(E23514), detail: Some(\\\", code: \\\"00000\\\") }", severity: "ERROR", code: "23514", message: "of \"task\"", detail: Some("(\"constraint\", \"other\")"), extras: [("constraint", "task_due_range"), ("file", "execMain.c")] }))"#;
        let expected = DatabaseError::Refused {
            sqlstate: "23514".to_owned(),
            constraint: Some("task_due_range".to_owned()),
            message: r#"of \"task\""#.to_owned(),
        };
        assert_eq!(Refusal::of(of_40.to_owned()), Refusal::Known(expected));
    }

    #[test]
    fn words_leave_the_reason_open_and_all_else_is_a_loss() {
        let of_36 = "db error: ERROR: canceling statement due to lock timeout";
        assert_eq!(Refusal::of(of_36.to_owned()), Refusal::Unknown(of_36.to_owned()));
        for lost in [
            "connection closed",
            "query result exceeds limit of 1 bytes",
            "Error::QueryFailed(QueryError::Text(\"closed\"))",
        ] {
            assert_eq!(Refusal::of(lost.to_owned()), Refusal::Known(DatabaseError::Lost(lost.to_owned())));
        }
    }
}
