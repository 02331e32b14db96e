//! The classes of folded characters.

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_script::{Script, UnicodeScript};

/// How a character takes part in search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// It is found from the beginning of its run on.
    Word,
    /// Its script has no spaces between words. It is found anywhere.
    Unspaced,
    /// It is found anywhere, like 🎉 or the plus signs of C++.
    Symbol,
    /// It is not found.
    Separator,
}

impl Class {
    /// The class of a folded character. `before` is the class of the character before it.
    fn of(c: char, before: Self) -> Self {
        match c {
            'a'..='z' | '0'..='9' => Self::Word,
            // The tables say the same of ASCII, and most texts are ASCII.
            '$' | '+' | '<'..='>' | '^' | '`' | '|' | '~' => Self::Symbol,
            '#' | '%' | '&' | '@' | '§' | '¶' | '†' | '‡' | '‰' | '‱' | '※' | KEYCAP => Self::Symbol,
            '\0'..='\x7f' => Self::Separator,
            _ => match c.general_category_group() {
                GeneralCategoryGroup::Letter | GeneralCategoryGroup::Mark | GeneralCategoryGroup::Number => {
                    Self::of_script(c, before)
                }
                GeneralCategoryGroup::Symbol => Self::Symbol,
                _ => Self::Separator,
            },
        }
    }

    fn of_script(c: char, before: Self) -> Self {
        match c.script() {
            Script::Han
            | Script::Hiragana
            | Script::Katakana
            | Script::Khmer
            | Script::Lao
            | Script::Myanmar
            | Script::New_Tai_Lue
            | Script::Tai_Le
            | Script::Tai_Tham
            | Script::Thai => Self::Unspaced,
            Script::Common if is_cjk(c) => Self::Unspaced,
            // A mark of several scripts is of the script of what it follows (Unicode Standard Annex #24, section 5.2).
            Script::Inherited if before != Self::Separator => before,
            _ => Self::Word,
        }
    }
}

/// Encloses the character before it, like the digit in 1️⃣.
const KEYCAP: char = '\u{20e3}';

/// The letters and numbers of script Common that have only Han, Hiragana and Katakana in their `Script_Extensions`.
fn is_cjk(c: char) -> bool {
    matches!(c, '〆' | '〱'..='〵' | '〼' | 'ー' | '\u{1d360}'..='\u{1d371}')
}

/// A maximal row of characters of one class.
pub(crate) struct Run<'a> {
    pub(crate) class: Class,
    pub(crate) text: &'a str,
}

/// Divides a folded text into runs.
pub(crate) fn runs(text: &str) -> Vec<Run<'_>> {
    let mut runs = Vec::new();
    let mut class = Class::Separator;
    let mut start = 0;
    for (at, c) in text.char_indices() {
        let next = Class::of(c, class);
        if next != class {
            runs.extend(text.get(start..at).map(|text| Run { class, text }));
            (class, start) = (next, at);
        }
    }
    runs.extend(text.get(start..).map(|text| Run { class, text }));
    runs
}

#[cfg(test)]
mod tests {
    use unicode_normalization::UnicodeNormalization;

    use super::*;

    #[test]
    fn the_common_letters_of_cjk_are_those_of_unicode() {
        let cjk = [Script::Han, Script::Hiragana, Script::Katakana];
        for c in ('\0'..=char::MAX).filter(|c| [*c].into_iter().nfkd().eq([*c]) && c.is_alphanumeric()) {
            let scripts = c.script_extension();
            let expected = c.script() == Script::Common && scripts.iter().all(|script| cjk.contains(&script));
            assert_eq!(is_cjk(c), expected, "{:x}", u32::from(c));
        }
    }

    #[test]
    fn each_character_has_a_class() {
        for (class, characters) in [
            (Class::Word, "az09αяאا한ხ٣९ि\u{3099}"),
            (Class::Unspaced, "車々〇あアー〆ไ๓ລខ្မ၃ᥐᦀᨠ"),
            (Class::Symbol, "+<=>^`|~$€©🎉🏽\u{20e3}⁄#%&@§¶†‡‰‱※"),
            (Class::Separator, " \n\u{1}-_.,/\\:;!?\"'«()[]{}、。・་፡"),
        ] {
            for c in characters.chars() {
                assert_eq!(Class::of(c, Class::Separator), class, "{c}");
            }
        }
    }

    #[test]
    fn a_mark_of_several_scripts_continues_the_run() {
        for text in ["ก\u{331}ก", "か\u{3099}", "ა\u{301}ა"] {
            assert_eq!(runs(text).into_iter().filter(|run| run.class != Class::Separator).count(), 1, "{text}");
        }
    }
}
