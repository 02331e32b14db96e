//! Text that clients send: what PostgreSQL can store, checked in time linear in its length.

use unicode_normalization::UnicodeNormalization;
use utoipa::openapi::{ObjectBuilder, Type};

use super::Errors;

/// Checks that PostgreSQL can store a text, and that the text is in the Stream-Safe Text Format (Unicode Standard Annex #15,
/// section 13): at most 30 non-starters in a row, counted after decomposition.
///
/// Sorting a row of n marks takes up to n² steps, and no written language needs more than 30.
pub(super) fn check(text: &str, errors: &mut Errors<'_>) -> Option<()> {
    if text.contains('\0') {
        return errors.refuse("Must not have NUL characters.");
    }
    if !text.is_ascii() && !text.chars().stream_safe().eq(text.chars()) {
        return errors.refuse("Must not have more than 30 combining marks in a row.");
    }
    Some(())
}

/// Checks that a text has at most `max` characters.
pub(super) fn check_length(text: &str, max: usize, errors: &mut Errors<'_>) -> Option<()> {
    match text.chars().count() {
        length if length > max => errors.refuse(format!("Must have at most {max} characters, not {length}.")),
        _ => Some(()),
    }
}

/// A text in Normalization Form C.
pub(super) fn composed(text: &str) -> String {
    if text.is_ascii() { text.to_owned() } else { text.nfc().collect() }
}

/// Whether a text has no visible character: only white space, controls, formats (`Cf`), and characters that are ignored by default
/// (Unicode Standard, section 5.21).
pub(super) fn is_invisible(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || c.is_control() || errand_text::is_ignorable(c))
}

/// The invisible characters up to U+FFFF as a class of a regular expression. Not every dialect has the others.
pub(crate) const INVISIBLE: &str = r"\u0000-\u0020\u007f-\u00a0\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb";

/// The schema of a string of at most `max` characters, none of them NUL.
pub(super) fn schema(max: usize) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).max_length(Some(max)).pattern(Some(r"^[^\u0000]*$"))
}

/// The same, of a string with a visible character.
pub(super) fn visible_schema(max: usize) -> ObjectBuilder {
    let pattern = format!(r"^[^\u0000]*[^{INVISIBLE}][^\u0000]*$");
    schema(max).min_length(Some(1)).pattern(Some(pattern))
}

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

    #[test]
    fn the_pattern_has_the_invisible_characters() {
        let pattern = regex::Regex::new(&format!("^[{INVISIBLE}]$")).unwrap();
        for c in '\0'..='\u{ffff}' {
            assert_eq!(is_invisible(&c.to_string()), pattern.is_match(&c.to_string()), "{:x}", u32::from(c));
        }
    }

    const NUL: Option<&str> = Some("Must not have NUL characters.");
    const MARKS: Option<&str> = Some("Must not have more than 30 combining marks in a row.");

    fn error(text: &str) -> Option<String> {
        Errors::collect(|errors| check(text, errors)).err().map(|mut errors| errors.remove(0).detail)
    }

    #[test]
    fn thirty_marks_may_follow_each_other() {
        for (text, expected) in [
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
            assert_eq!(error(&text).as_deref(), expected, "{text:?}");
        }
    }
}
