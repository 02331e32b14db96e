//! What a list searches for, derived from its filters.

use serde::Serialize;

use super::Filter;

/// The conditions of the filters `q` and `tags` on folded texts and their terms (`errand_text`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Search {
    /// Patterns of SQL's `LIKE`. The folded texts of a task match each of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    patterns: Vec<String>,
    /// Beginnings of terms. The index has a term of the task with each of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    terms: Vec<String>,
}

impl Search {
    /// The search of a list with these filters.
    pub(super) fn of(filter: &Filter) -> Self {
        let words = filter.q.as_deref().and_then(errand_text::query);
        let (patterns, mut terms) = words.map(|query| (query.patterns, query.terms)).unwrap_or_default();
        terms.extend(filter.tags.iter().flat_map(|tag| errand_text::tag_terms(tag)));
        Self { patterns, terms }
    }

    /// Whether there are words or symbols to search for.
    pub(super) fn has_patterns(&self) -> bool {
        !self.patterns.is_empty()
    }

    /// Whether no filter is a search.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
