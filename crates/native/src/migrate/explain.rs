//! Turns PostgreSQL's refusal of a file into a message that says where and why.

use anyhow::anyhow;
use tokio_postgres::error::ErrorPosition;

use super::SqlFile;

/// `migrations/0002_tags.up.sql:12:5: relation "tag" does not exist (SQLSTATE 42P01)`, the line, and PostgreSQL's hints.
pub(super) fn explain(file: &SqlFile, error: &tokio_postgres::Error) -> anyhow::Error {
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
    for (label, more) in [("detail: ", db.detail()), ("hint:   ", db.hint()), ("where:  ", db.where_())] {
        if let Some(more) = more {
            text.push_str(&format!("\n  {label}{more}"));
        }
    }
    text.push_str("\nNothing of this file was applied; what ran before it stays.");
    anyhow!(text)
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
