//! Text that clients send: what PostgreSQL can keep, at a price that does not grow faster than its length.

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

#[cfg(test)]
mod tests {
    use super::*;

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
