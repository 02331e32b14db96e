//! Conditions on search texts and on their index terms.
//!
//! A *piece* of a search text is what stands between a U+0001 and the next. Its index term is its first 33 characters, without
//! blanks at the end. A search asks for the first 32.

use std::cmp::Reverse;

use crate::left;
use crate::search::{MARK, chunks, distinct, search_text};

/// The maximum of a term, in characters.
const MAX_TERM: usize = 32;

/// The maximum of terms in a query.
const MAX_TERMS: usize = 16;

/// A search. A text is found if its search text matches each pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Patterns of SQL's `LIKE` with the default escape character, at least one.
    pub patterns: Vec<String>,
    /// Conditions that an index can answer, 1 to 16: each text that is found has, for each of these, a term that begins with it.
    pub terms: Vec<String>,
}

/// The search for a text, or `None` if the text has only separators.
pub fn query(text: &str) -> Option<Query> {
    let chunks = chunks(text);
    let marked = chunks.iter().filter_map(|chunk| chunk.split(' ').next());
    let patterns: Vec<_> = distinct(marked).map(pattern).collect();
    let pieces = chunks.iter().flat_map(|chunk| chunk.split(MARK).skip(1));
    let mut terms: Vec<_> = distinct(pieces.map(|piece| left(piece.trim_end(), MAX_TERM))).collect();
    terms.sort_by_key(|term| Reverse(term.chars().count()));
    terms.truncate(MAX_TERMS);
    (!patterns.is_empty()).then(|| Query { patterns, terms: terms.into_iter().map(str::to_owned).collect() })
}

/// The beginnings of terms of an exact tag: each task with the tag has, for each of these, a term that begins with it. There is none if
/// the tag has only separators.
///
/// In the terms of tags, U+0002 stands for the blank after a piece, so another piece that begins alike has another term, unless the piece
/// has more than 32 characters.
pub fn tag_terms(tag: &str) -> Vec<String> {
    let text = search_text(tag);
    let pieces = text.split(MARK).skip(1).filter_map(|piece| piece.strip_suffix(' '));
    distinct(pieces.filter(|piece| !piece.contains(' '))).map(whole).collect()
}

/// The term of a whole piece, or its beginning.
fn whole(piece: &str) -> String {
    match left(piece, MAX_TERM) {
        term if term.len() < piece.len() => term.to_owned(),
        term => format!("{term}\u{2}"),
    }
}

/// The pattern of the texts that contain a text.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '\\' | '%' | '_') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_escapes_what_is_special() {
        assert_eq!(pattern(r"a\%_b"), r"%a\\\%\_b%");
    }
}
