//! The search text of a field: the words that it is found by.
//!
//! A *chunk* is a maximal row of characters that are not separators. A blank follows it. U+0001 stands before each run of
//! word characters in it, so that a search can ask for the beginning of a word. After a chunk with other characters come
//! its *pairs*, so that the index has a term for each place that a search can begin at.

use std::collections::BTreeSet;

use crate::class::{Class, Run, runs};
use crate::fold::folded;
use crate::left;

/// Stands before a word and before a pair.
pub(crate) const MARK: char = '\u{1}';

/// How many decomposed characters are searched for each character of the text. Folding makes up to 18 of one.
const MAX_GROWTH: usize = 4;

/// From this piece on, a text has no more pairs. Its first 64 pieces are in the index, and the database searches the text of a task with
/// more.
const MAX_PIECES: usize = 65;

/// A short text may grow to this many characters.
const MIN_LIMIT: usize = 64;

/// The search text of a field: its chunks, each with a blank and its pairs.
///
/// The search text of several texts is the concatenation of theirs. The chunks end after 4 decomposed characters for
/// each character of the text, or after 64 if that is more.
pub fn search_text(text: &str) -> String {
    // A word and its mark and blank.
    let mut searched = String::with_capacity(text.len() + text.len() / 2 + 2);
    let mut pieces = 0;
    each_chunk(text, |chunk| write(chunk, &mut pieces, &mut searched));
    searched
}

/// The parts of the search text, each of one chunk.
pub(crate) fn chunks(text: &str) -> Vec<String> {
    let mut pieces = 0;
    let mut chunks = Vec::new();
    each_chunk(text, |chunk| {
        let mut searched = String::new();
        write(chunk, &mut pieces, &mut searched);
        chunks.push(searched);
    });
    chunks
}

/// Passes the runs of each chunk of a text.
fn each_chunk(text: &str, pass: impl FnMut(&[Run<'_>])) {
    let limit = text.chars().count().saturating_mul(MAX_GROWTH).max(MIN_LIMIT);
    let folded = folded(text, limit);
    let runs = runs(&folded);
    runs.split(|run| run.class == Class::Separator).filter(|chunk| !chunk.is_empty()).for_each(pass);
}

/// Writes a chunk, a blank, and the pairs of the chunk with a blank after each. Counts the pieces.
fn write(chunk: &[Run<'_>], pieces: &mut usize, searched: &mut String) {
    for run in chunk {
        if run.class == Class::Word {
            searched.push(MARK);
            *pieces += 1;
        }
        searched.push_str(run.text);
    }
    searched.push(' ');
    let others = || chunk.iter().filter(|run| run.class != Class::Word);
    if others().next().is_none() {
        return;
    }
    for pair in distinct(others().flat_map(pairs)).take(MAX_PIECES.saturating_sub(*pieces)) {
        *pieces += 1;
        searched.push(MARK);
        searched.push_str(pair);
        searched.push(' ');
    }
}

/// Each character of a run with the next one.
fn pairs<'a>(run: &Run<'a>) -> impl Iterator<Item = &'a str> {
    let text = run.text;
    text.char_indices().filter_map(|(at, _)| text.get(at..)).map(|rest| left(rest, 2))
}

/// The texts without repetitions.
pub(crate) fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    let mut seen = BTreeSet::new();
    texts.filter(move |text| seen.insert(*text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_text_has_chunks_and_pairs() {
        for (text, expected) in [
            ("Book the train!", "\u{1}book \u{1}the \u{1}train "),
            ("C++ a+b", "\u{1}c++ \u{1}++ \u{1}+ \u{1}a+\u{1}b \u{1}+ "),
            ("電車の切", "電車の切 \u{1}電車 \u{1}車の \u{1}の切 \u{1}切 "),
            ("東京2020", "東京\u{1}2020 \u{1}東京 \u{1}京 "),
            ("5€", "\u{1}5€ \u{1}€ "),
            ("🎉車", "🎉車 \u{1}🎉 \u{1}車 "),
            ("abc 電", "\u{1}abc 電 \u{1}電 "),
            ("=====", "===== \u{1}== \u{1}= "),
            (" -- ", ""),
            ("", ""),
        ] {
            assert_eq!(search_text(text), expected, "{text}");
        }
    }

    #[test]
    fn a_search_text_is_bounded() {
        // Each folds to 18 characters. A blank follows the last chunk.
        for (length, expected) in [(1, 18), (3, 54), (4, 64), (16, 64), (18, 72), (5000, 20_000)] {
            let text = search_text(&"\u{fdfa}".repeat(length));
            assert_eq!(text.chars().filter(|c| *c != MARK).count(), expected + 1, "{length}");
        }
        // The chunks have at most 40,000 characters here, and their pairs four times as many.
        for c in ["\u{301}", "=", "電", "\u{3300}", "\u{1100}", "\u{fdfa}"] {
            assert!(search_text(&c.repeat(10_000)).chars().count() <= 200_100);
        }
    }
}
