//! Unicode folding of titles, search words and queries.
//!
//! [`sort_key`] is the key of a sort. [`search_text`] is what the database stores of a field for search. [`query()`] and
//! [`tag_terms`] are the conditions on it. Each function is pure and takes time linear in its input, except that adjacent
//! marks and distinct parts are sorted. The database derives the index terms.
#![warn(missing_docs)]

mod class;
mod fold;
mod query;
mod search;

pub use fold::{is_ignorable, sort_key};
pub use query::{Query, query, tag_terms};
pub use search::search_text;

/// The first `length` characters of a text, like SQL's `left`.
fn left(text: &str, length: usize) -> &str {
    text.char_indices().nth(length).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}
