//! The terms of a search are necessary conditions: each text that it finds has, for each of them, a term that begins with it.

use errand_text::{query, search_text, tag_terms};
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// The terms of a search text: each piece after a U+0001 without the blanks at its end, cut to 32 characters.
fn terms(search_text: &str) -> Vec<String> {
    search_text.split('\u{1}').skip(1).map(|piece| piece.trim_end_matches(' ').chars().take(32).collect()).collect()
}

/// The same terms of a tag. U+0002 follows a term if a blank follows the piece.
fn terms_of_tag(search_text: &str) -> Vec<String> {
    let ends = search_text.split('\u{1}').skip(1).map(|piece| piece.ends_with(' '));
    terms(search_text).into_iter().zip(ends).map(|(term, ends)| term + if ends { "\u{2}" } else { "" }).collect()
}

/// The terms of a task as `errand.task_pieces` and `errand.change_terms` of the migrations derive them.
fn terms_of_task(title: &str, tags: &str, description: &str) -> Vec<String> {
    let texts = format!("{title}{description}").trim_end_matches(' ').replace(" \u{1}", "\u{1}");
    let pieces = texts + &tags.replace(' ', "\u{2}");
    pieces.split('\u{1}').skip(1).map(|piece| piece.chars().take(33).collect()).collect()
}

fn has_a_term(terms: &[String], beginning: &str) -> bool {
    terms.iter().any(|term| term.starts_with(beginning))
}

/// Whether the search text matches a pattern `%text%`.
fn matches(search_text: &str, pattern: &str) -> bool {
    let text = pattern.trim_start_matches('%').strip_suffix('%').unwrap_or_default();
    search_text.contains(&text.replace("\\%", "%"))
}

/// Short texts of characters that are near each other in search, so that substrings of one are in the other.
fn text() -> impl Strategy<Value = String> {
    let characters: Vec<char> =
        "aab1ßÉœ \u{301}\u{308}ハバパｶ\u{ff9e}ー\u{3099}電車กน้ำ\u{331}हि़न्한각🎉👍🏽+#%€\u{20e3}¨½㌀"
            .chars()
            .chain("  -_.'’\\\u{ad}\u{200d}\u{1}\u{2}".chars())
            .collect();
    let single = select(characters).prop_map(String::from);
    let long = select(&["a", "電", "+", "한", "aa b"][..]).prop_map(|text| text.repeat(31));
    proptest::collection::vec(prop_oneof![40 => single, 1 => long, 1 => any::<char>().prop_map(String::from)], 0..24)
        .prop_map(|parts| parts.concat())
}

/// The part of a text between two places.
fn part(text: &str, from: Index, to: Index) -> String {
    let length = text.chars().count() + 1;
    let (from, to) = (from.index(length), to.index(length));
    text.chars().skip(from.min(to)).take(from.abs_diff(to)).collect()
}

/// Whether a search finds the text that has these terms, or `None` if there is nothing to search for.
fn check(search: &str, search_text: &str, terms: &[String]) -> Result<Option<bool>, TestCaseError> {
    let Some(query) = query(search) else { return Ok(None) };
    prop_assert!(!query.patterns.is_empty() && !query.terms.is_empty() && query.terms.len() <= 16);
    let found = query.patterns.iter().all(|pattern| matches(search_text, pattern));
    // The database looks at the whole text of a task with more pieces.
    for term in query.terms.iter().filter(|_| found && terms.len() < 64) {
        prop_assert!(has_a_term(terms, term), "{search:?} in {search_text:?}: none of {terms:?} begins with {term:?}");
    }
    Ok(Some(found))
}

fn check_text(search: &str, text: &str) -> Result<Option<bool>, TestCaseError> {
    let text = search_text(text);
    check(search, &text, &terms(&text))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_found_text_has_each_term(text in text(), from in any::<Index>(), to in any::<Index>()) {
        check_text(&part(&text, from, to), &text)?;
        check_text(&part(&search_text(&text), from, to), &text)?;
    }

    #[test]
    fn a_text_that_another_search_finds_has_each_term(text in text(), search in text()) {
        check_text(&search, &text)?;
        check_text(&search, &format!("{text}{search}{text}"))?;
    }

    #[test]
    fn a_text_finds_itself_between_others(text in text(), before in text(), after in text()) {
        let found = check_text(&text, &format!("{before} {text} {after}"))?;
        prop_assert_ne!(found, Some(false));
    }

    #[test]
    fn a_found_task_has_each_term(
        texts in [text(), text(), text(), text()],
        from in any::<Index>(),
        to in any::<Index>(),
    ) {
        let [title, tag, other, description] = texts.each_ref().map(|text| search_text(text));
        let tags = tag + &other;
        let terms = terms_of_task(&title, &tags, &description);
        check(&part(&texts.join(" "), from, to), &format!("{title}{tags}{description}"), &terms)?;
        for term in texts[1..3].iter().flat_map(|tag| tag_terms(tag)) {
            prop_assert!(has_a_term(&terms, &term), "none of {terms:?} begins with {term:?}");
        }
    }

    #[test]
    fn a_tag_has_each_term(tag in text()) {
        let terms = terms_of_tag(&search_text(&tag));
        for term in tag_terms(&tag) {
            prop_assert!(has_a_term(&terms, &term), "none of {terms:?} begins with {term:?}");
        }
    }
}

fn terms_of_query(text: &str) -> Vec<String> {
    query(text).map(|query| query.terms).unwrap_or_default()
}

#[test]
fn the_longest_terms_come_first() {
    assert_eq!(terms_of_query("a the 電車"), ["the", "電車", "a", "車"]);
    assert_eq!(terms_of_query("C++ c++"), ["c++", "++", "+"]);
    assert_eq!(terms_of_query("a+b"), ["a+", "b", "+"]);
    assert_eq!(terms_of_query(&"x".repeat(40)), ["x".repeat(32)]);
}

#[test]
fn a_query_has_at_most_16_terms() {
    let words: Vec<String> = ('a'..='z').map(|c| format!("{c}{c}")).collect();
    let query = query(&format!("{} yes", words.join(" "))).unwrap();
    assert_eq!((query.patterns.len(), query.terms.len()), (27, 16));
    assert_eq!(query.terms[0], "yes");
}

#[test]
fn the_patterns_are_the_distinct_chunks() {
    let patterns = |text| query(text).unwrap().patterns;
    assert_eq!(patterns("The train the"), ["%\u{1}the%", "%\u{1}train%"]);
    assert_eq!(patterns("東京2020 +1 100%"), ["%東京\u{1}2020%", "%+\u{1}1%", "%\u{1}100\\%%"]);
}

#[test]
fn an_exact_tag_has_whole_terms() {
    assert_eq!(tag_terms("Home"), ["home\u{2}"]);
    assert_eq!(tag_terms("at home at"), ["at\u{2}", "home\u{2}"]);
    assert_eq!(tag_terms("a+b"), ["b\u{2}", "+\u{2}"]);
    assert_eq!(tag_terms("電車"), ["電車\u{2}", "車\u{2}"]);
    // The piece "abc 電" of the search text is none of a word.
    assert_eq!(tag_terms("abc 電"), ["電\u{2}"]);
    assert_eq!(tag_terms("--"), [""; 0]);
}

#[test]
fn a_tag_with_a_long_word_has_the_terms_of_its_beginning() {
    let word = "x".repeat(32);
    for end in ["y", "yy", "yyyyyyyy"] {
        assert_eq!(tag_terms(&format!("{word}{end}")), [word.as_str()]);
    }
    assert_eq!(tag_terms(&word), [format!("{word}\u{2}")]);
}

#[test]
fn the_term_of_a_longer_tag_does_not_begin_with_that_of_a_shorter_one() {
    let term = tag_terms("home").remove(0);
    assert!(has_a_term(&terms_of_tag(&search_text("home")), &term));
    for tag in ["homes", "home+", "hom", "home+b"] {
        assert!(!has_a_term(&terms_of_tag(&search_text(tag)), &term), "{tag}");
    }
}
