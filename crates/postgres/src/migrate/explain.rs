//! Turns PostgreSQL's refusal of a file into a message that says where and why.

use anyhow::{Error, anyhow};
use tokio_postgres::error::{DbError, ErrorPosition, SqlState};

use super::SqlFile;

/// What to do about a function whose shape has changed.
pub(super) const NEW_NAME: &str = "a running component may be calling the old function: give the new one a new name, and keep the old one \
    until a later version (CONTRIBUTING.md, \"A database function\"). One that was never released can be dropped by hand: \
    `cargo xtask db psql`.";

/// `migrations/0002_tags.up.sql:12:5: relation "tag" does not exist (SQLSTATE 42P01)`, the line, and PostgreSQL's hints.
pub(super) fn migration(file: &SqlFile, error: &tokio_postgres::Error) -> Error {
    explain(file, error, DbError::hint, "Nothing of this file was applied; what ran before it stays.")
}

/// The same for a file of the functions, which are replaced together or not at all.
pub(super) fn function(file: &SqlFile, error: &tokio_postgres::Error) -> Error {
    explain(file, error, function_hint, "No function was replaced; the migrations that ran before stay.")
}

/// PostgreSQL's message with its detail, for a statement that is in no file.
pub(crate) fn reasons(error: &tokio_postgres::Error) -> Error {
    match error.as_db_error() {
        Some(db) => anyhow!("{} (SQLSTATE {}){}", db.message(), db.code().code(), more(&[("detail: ", db.detail())])),
        None => anyhow!("the connection failed: {error}"),
    }
}

/// PostgreSQL's hint, or a better one for what the unit of functions does not allow.
fn function_hint(db: &DbError) -> Option<&str> {
    let code = db.code();
    if *code == SqlState::INVALID_FUNCTION_DEFINITION && db.hint().is_some_and(|hint| hint.contains("DROP ")) {
        // Other return type, other OUT parameters, other names of parameters. To drop the function would break its callers.
        Some(NEW_NAME)
    } else if *code == SqlState::DUPLICATE_FUNCTION {
        Some("functions are replaced in place: write `create or replace function`")
    } else if *code == SqlState::DUPLICATE_OBJECT || *code == SqlState::DUPLICATE_TABLE {
        Some("types, tables and views belong in a numbered migration; these files are run again at every change")
    } else {
        db.hint()
    }
}

fn explain(file: &SqlFile, error: &tokio_postgres::Error, hint: fn(&DbError) -> Option<&str>, outcome: &str) -> Error {
    let Some(db) = error.as_db_error() else {
        return anyhow!("{}: the connection failed: {error}; nothing of this file was applied", file.path);
    };
    let place = match db.position() {
        Some(ErrorPosition::Original(position)) => place(&file.text, *position),
        _ => None,
    };
    let mut text = match &place {
        Some((line, column, _)) => format!("{}:{line}:{column}: ", file.path),
        None => format!("{}: ", file.path),
    };
    text.push_str(&format!("{} (SQLSTATE {})", db.message(), db.code().code()));
    if let Some((line, _, content)) = place {
        text.push_str(&format!("\n    {line} | {content}"));
    }
    if let Some(ErrorPosition::Internal { query, .. }) = db.position() {
        text.push_str(&format!("\n  in:     {}", query.trim()));
    }
    text.push_str(&more(&[("detail: ", db.detail()), ("hint:   ", hint(db)), ("where:  ", db.where_())]));
    anyhow!("{text}\n{outcome}")
}

/// A line for each part that is there.
fn more(parts: &[(&str, Option<&str>)]) -> String {
    parts.iter().filter_map(|(label, text)| Some(format!("\n  {label}{}", (*text)?))).collect()
}

/// Line, column (both from 1) and the line's text at a position that counts characters from 1.
fn place(text: &str, position: u32) -> Option<(usize, usize, &str)> {
    let mut left = usize::try_from(position).ok()?.checked_sub(1)?;
    for (index, line) in text.split('\n').enumerate() {
        let length = line.chars().count();
        if left <= length {
            return Some((index + 1, left + 1, line.trim_end()));
        }
        left -= length + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn a_position_counts_characters_not_bytes() {
        assert_eq!(place("-- ąčę\nselect x;", 15), Some((2, 8, "select x;")));
        assert_eq!(place("select 1", 99), None);
    }
}
