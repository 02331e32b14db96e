//! What Spin says of a statement that PostgreSQL refused while it ran. Spin 3.5 gives a structure with the SQLSTATE. Later ones give a
//! text for `query`: from 4.0 on that structure as Rust's `Debug` writes it, in 3.6 PostgreSQL's words without the SQLSTATE.

use errand::data::DatabaseError;

/// What a text tells.
#[derive(Debug, PartialEq)]
pub(super) enum Refusal {
    /// All that there is to know.
    Told(DatabaseError),
    /// That PostgreSQL refused the statement, and not why.
    Untold(String),
}

/// How the texts of Spin 4.0 and of 3.6 begin. Others tell of the connection, or of a row that is no value of Spin's.
const STRUCTURE: &str = "Error::QueryFailed(QueryError::DbError(DbError {";
const WORDS: &str = "db error";

impl Refusal {
    /// Reads a text.
    pub(super) fn of(text: String) -> Self {
        if text.starts_with(WORDS) {
            return Self::Untold(text);
        }
        let structure = text.strip_prefix(STRUCTURE).and_then(structure);
        // PostgreSQL said nothing: the connection broke under the statement.
        Self::Told(structure.unwrap_or(DatabaseError::Lost(text)))
    }
}

/// In a text that `Debug` writes, a quotation mark within a value has a backslash before it; so what is looked for is no part of one.
fn structure(text: &str) -> Option<DatabaseError> {
    Some(DatabaseError::Refused {
        sqlstate: value(text, "\", code: \"")?,
        constraint: value(text, "(\"constraint\", \""),
        message: value(text, "\", message: \"")?,
    })
}

/// The value behind the label, up to its end; escapes stay.
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
        assert_eq!(Refusal::of(of_40.to_owned()), Refusal::Told(expected));
    }

    #[test]
    fn words_leave_the_reason_open_and_all_else_is_a_loss() {
        let of_36 = "db error: ERROR: canceling statement due to lock timeout";
        assert_eq!(Refusal::of(of_36.to_owned()), Refusal::Untold(of_36.to_owned()));
        for lost in [
            "connection closed",
            "query result exceeds limit of 1 bytes",
            "Error::QueryFailed(QueryError::Text(\"closed\"))",
        ] {
            assert_eq!(Refusal::of(lost.to_owned()), Refusal::Told(DatabaseError::Lost(lost.to_owned())));
        }
    }
}
