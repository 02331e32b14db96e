//! Text that clients send: what PostgreSQL can keep, at a price that does not grow faster than its length.

use std::ops::RangeInclusive;

use unicode_normalization::UnicodeNormalization;

/// Says what is wrong with a text, if anything is.
///
/// It is in the Stream-Safe Text Format (Unicode Standard Annex #15, section 13): at most 30 non-starters in a row, counted
/// after decomposition. To bring a row of n marks into their order takes up to n² steps, and no written language needs more.
pub(super) fn mistake(text: &str) -> Option<&'static str> {
    if text.contains('\0') {
        return Some("Must not have NUL characters.");
    }
    let stream_safe = text.is_ascii() || text.chars().stream_safe().eq(text.chars());
    (!stream_safe).then_some("Must not have more than 30 combining marks in a row.")
}

/// A text that is good as it is.
pub(super) fn checked(text: &str) -> Result<String, String> {
    match mistake(text) {
        Some(mistake) => Err(mistake.to_owned()),
        None => Ok(text.to_owned()),
    }
}

/// A text in Normalization Form C.
pub(super) fn composed(text: &str) -> String {
    if text.is_ascii() { text.to_owned() } else { text.nfc().collect() }
}

/// Whether nothing of a text can be seen: white space, controls, formats (`Cf`), and what is to be ignored by default where
/// it is not supported (Unicode Standard, section 5.21).
pub(super) fn is_invisible(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || c.is_control() || IGNORABLE.iter().any(|range| range.contains(&c)))
}

/// Unicode's `Cf` and `Default_Ignorable_Code_Point`.
const IGNORABLE: [RangeInclusive<char>; 25] = [
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{600}'..='\u{605}',
    '\u{61c}'..='\u{61c}',
    '\u{6dd}'..='\u{6dd}',
    '\u{70f}'..='\u{70f}',
    '\u{890}'..='\u{891}',
    '\u{8e2}'..='\u{8e2}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200b}'..='\u{200f}',
    '\u{202a}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fffb}',
    '\u{110bd}'..='\u{110bd}',
    '\u{110cd}'..='\u{110cd}',
    '\u{13430}'..='\u{1343f}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e0fff}',
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignorable_is_what_unicode_says() {
        let unicode = regex::Regex::new(r"^[\p{Cf}\p{Default_Ignorable_Code_Point}\p{White_Space}\p{Cc}]$").unwrap();
        for c in '\0'..=char::MAX {
            let text = c.to_string();
            assert_eq!(is_invisible(&text), unicode.is_match(&text), "{:x}", u32::from(c));
        }
        assert!(is_invisible("") && is_invisible("\u{200b}\u{3164} \u{ad}") && !is_invisible("\u{200b}x"));
    }

    const NUL: Option<&str> = Some("Must not have NUL characters.");
    const MARKS: Option<&str> = Some("Must not have more than 30 combining marks in a row.");

    #[test]
    fn thirty_marks_may_follow_each_other() {
        for (text, mistake_expected) in [
            (String::new(), None),
            ("Žiema, 冬, зима 🚆".to_owned(), None),
            ("a\0".to_owned(), NUL),
            (format!("a{}", "\u{301}".repeat(30)), None),
            (format!("a{}", "\u{301}".repeat(31)), MARKS),
            (format!("{}a{}", "\u{301}".repeat(30), "\u{316}".repeat(30)), None),
            // Each comes apart into two.
            (format!("a{}", "\u{344}".repeat(15)), None),
            (format!("a{}", "\u{344}".repeat(16)), MARKS),
            (format!("a{}", "\u{f73}".repeat(16)), MARKS),
            // The mark of a composed letter counts.
            (format!("é{}", "\u{301}".repeat(29)), None),
            (format!("é{}", "\u{301}".repeat(30)), MARKS),
            // A joiner that stands for nothing else begins a new row.
            (format!("a{}\u{34f}{}", "\u{301}".repeat(30), "\u{301}".repeat(30)), None),
        ] {
            assert_eq!(mistake(&text), mistake_expected, "{text:?}");
        }
    }
}
