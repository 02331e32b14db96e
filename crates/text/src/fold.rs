//! Folding: texts that differ in case, in compatibility forms or in optional marks become one text.

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_script::{Script, UnicodeScript};

/// The maximum of a sort key, in bytes. An entry of a b-tree index of PostgreSQL has at most 2,704 bytes.
const MAX_SORT_KEY: usize = 1600;

/// The key of a text in a sort: the folded text without white space around it, cut to 1,600 bytes. It is the text itself if nothing is
/// left, because a list begins behind the empty key.
///
/// The database compares keys bytewise.
pub fn sort_key(text: &str) -> String {
    let folded = folded(text, usize::MAX);
    let key = match folded.trim() {
        "" => text,
        key => key,
    };
    key.get(..key.floor_char_boundary(MAX_SORT_KEY)).unwrap_or(key).to_owned()
}

/// A folded text, in Normalization Form C.
///
/// Texts that are a compatibility caseless match (Unicode Standard, section 3.13, D146) have the same folded text. It also
/// has no ignorable characters, no optional marks and one form of each apostrophe, extra letter and alef. Composition comes
/// last, because バ must not begin with ハ, nor 각 with 가. `limit` is the maximum of characters before marks are dropped and
/// composed. ASCII has no limit.
///
/// Most characters of most texts are ASCII, which needs no tables. A character in ASCII is only looked up if another one that may be a
/// mark follows.
pub(crate) fn folded(text: &str, limit: usize) -> String {
    let mut folded = String::with_capacity(text.len());
    let (mut rest, mut room) = (text, limit);
    while !rest.is_empty() && room > 0 {
        let ascii = rest.bytes().take_while(u8::is_ascii).count();
        let alone = if ascii == rest.len() { ascii } else { ascii.saturating_sub(1) };
        let (alone, others) = rest.split_at(alone.min(room));
        folded.extend(alone.chars().map(|c| c.to_ascii_lowercase()));
        room -= alone.len();
        // The first one may be ASCII.
        let end = others.char_indices().skip(1).find(|(_, c)| c.is_ascii()).map_or(others.len(), |(at, _)| at);
        let (others, behind) = others.split_at(end);
        fold_by_tables(others, &mut room, &mut folded);
        rest = behind;
    }
    folded
}

/// Folds a text that begins with no mark, or with one that follows nothing.
fn fold_by_tables(text: &str, room: &mut usize, folded: &mut String) {
    let mut part = String::with_capacity(text.len());
    let mut after_optional = true;
    for c in text.nfd().default_case_fold().nfkd().default_case_fold().nfkd().take(*room) {
        *room -= 1;
        if is_ignorable(c) || c == TATWEEL || (c == HIGH_HAMZA && part.ends_with(ALEF)) {
            continue;
        }
        if c.general_category_group() != GeneralCategoryGroup::Mark {
            after_optional = has_optional_marks(c);
        } else if is_optional(c, after_optional) {
            continue;
        }
        match respelled(c) {
            Some(letters) => part.push_str(letters),
            None => part.push(c),
        }
    }
    folded.extend(part.nfc());
}

const ALEF: char = '\u{627}';
/// A line that stretches an Arabic word.
const TATWEEL: char = '\u{640}';
/// With an alef it is the compatibility decomposition of U+0675.
const HIGH_HAMZA: char = '\u{674}';

/// Other letters for a character that Unicode does not decompose.
fn respelled(c: char) -> Option<&'static str> {
    Some(match c {
        '‘' | '’' | '‛' | 'ʻ' | 'ʼ' => "'",
        'æ' => "ae",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ı' => "i",
        'ł' => "l",
        'ø' => "o",
        'œ' => "oe",
        'ŧ' => "t",
        'þ' => "th",
        // Alefs: wasla, and a wavy hamza above and below.
        '\u{671}'..='\u{673}' => "\u{627}",
        _ => return None,
    })
}

/// Whether the marks after a character only refine it, unless they are of another script.
///
/// Symbols, digits, punctuation and blanks are of the script Common (Unicode Standard Annex #24).
fn has_optional_marks(base: char) -> bool {
    matches!(
        base.script(),
        Script::Arabic | Script::Common | Script::Cyrillic | Script::Greek | Script::Hebrew | Script::Latin
    )
}

/// Whether folding drops a mark. `after_optional` is whether the character that it follows has optional marks.
fn is_optional(mark: char, after_optional: bool) -> bool {
    match mark {
        // The keycap, and the voicing marks of kana.
        '\u{20e3}' | '\u{3099}' | '\u{309a}' => false,
        // Arabic vowel signs. Unicode gives them the script Inherited, because Syriac has them too.
        '\u{64b}'..='\u{655}' | '\u{670}' => true,
        _ => match mark.script() {
            // Points, accents, vowel signs and Quranic marks.
            Script::Arabic | Script::Hebrew => true,
            Script::Common | Script::Cyrillic | Script::Greek | Script::Inherited | Script::Latin => after_optional,
            _ => false,
        },
    }
}

/// Whether a character is a format (`Cf`) or ignored by default (`Default_Ignorable_Code_Point`; Unicode Standard, section
/// 5.21).
pub fn is_ignorable(c: char) -> bool {
    matches!(
        c,
        '\u{34f}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{2065}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{e0000}'..='\u{e0fff}'
    ) || c.general_category() == GeneralCategory::Format
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn folded(text: &str) -> String {
        super::folded(text, usize::MAX)
    }

    #[test]
    fn what_is_ignorable_is_what_unicode_says() {
        let unicode = regex::Regex::new(r"^[\p{Cf}\p{Default_Ignorable_Code_Point}]$").unwrap();
        for c in '\0'..=char::MAX {
            assert_eq!(is_ignorable(c), unicode.is_match(c.encode_utf8(&mut [0; 4])), "{:x}", u32::from(c));
        }
    }

    #[test]
    fn ascii_folds_like_other_text() {
        for c in '\0'..='\x7f' {
            assert_eq!(folded(&format!("{c}ß")), folded(&c.to_string()) + "ss");
        }
    }

    #[test]
    fn a_character_folds_like_its_capital_and_its_small_letter() {
        // Unicode 17 added these. caseless knows Unicode 16.
        let unknown = ['\u{a7ce}'..='\u{a7d5}', '\u{16ea0}'..='\u{16ed3}'];
        for c in ('\0'..=char::MAX).filter(|c| !unknown.iter().any(|range| range.contains(c))) {
            for other in [c.to_uppercase().to_string(), c.to_lowercase().to_string()] {
                if !other.chars().eq([c]) {
                    assert_eq!(folded(&other), folded(&c.to_string()), "{c}: {:x}", u32::from(c));
                }
            }
        }
    }

    #[test]
    fn marks_stay_where_they_are_letters() {
        for text in
            ["हिन्दी", "ไทยน้ี", "ខ្មែរ", "မြန်မာ", "བོད་ཡིག", "ব্যাংলা", "தமிழ்", "が", "ー\u{309a}", "1\u{20e3}", "ก\u{331}"]
        {
            assert_eq!(folded(text), text);
        }
    }

    #[test]
    fn marks_are_ordered_before_one_becomes_a_letter() {
        // U+0345 folds to ι. The two texts are canonically equivalent.
        assert_eq!(folded("ก\u{345}\u{331}"), "ก\u{331}ι");
        assert_eq!(folded("ก\u{331}\u{345}"), "ก\u{331}ι");
    }

    #[test]
    fn a_high_hamza_is_part_of_an_alef_only() {
        assert_eq!(folded("\u{675}ب\u{674}"), "اب\u{674}");
    }

    #[test]
    fn optional_marks_go() {
        for (text, expected) in [
            ("e\u{301}é", "ee"),
            ("й\u{483}", "и"),
            ("ά", "α"),
            ("שָׁלוֹם", "שלום"),
            ("و\u{610}ق\u{6d6}", "وق"),
            ("ك\u{64e}ت\u{651}ا\u{670}ب", "كتاب"),
            ("ܐ\u{64e}", "ܐ"),
            ("1\u{301}", "1"),
            ("€\u{20dd}", "€"),
            ("\u{301}", ""),
            (" \u{301}", " "),
        ] {
            assert_eq!(folded(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn folding_again_changes_nothing(text in any::<String>()) {
            let once = folded(&text);
            prop_assert_eq!(folded(&once), once);
        }

        #[test]
        fn a_text_folds_like_its_parts(text in "([a-c .\u{301}\u{345}\u{3099}éßΣアก가\u{1100}\u{1161}\u{640}\u{674}\u{627}]{0,12})") {
            let mut whole = String::new();
            fold_by_tables(&text, &mut usize::MAX.clone(), &mut whole);
            prop_assert_eq!(folded(&text), whole);
        }

        #[test]
        fn equivalent_texts_fold_alike(text in any::<String>()) {
            let expected = folded(&text);
            prop_assert_eq!(folded(&text.nfd().collect::<String>()), expected.as_str());
            prop_assert_eq!(folded(&text.nfkc().collect::<String>()), expected);
        }
    }
}
