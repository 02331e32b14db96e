//! What a search finds.

use errand_text::{query, search_text, sort_key};

/// Whether a search finds a text: its search text contains what each `LIKE` pattern asks for.
fn finds(search: &str, text: &str) -> bool {
    let text = search_text(text);
    query(search).is_some_and(|query| query.patterns.iter().all(|pattern| text.contains(&contained(pattern))))
}

/// The text that a pattern `%text%` looks for.
fn contained(pattern: &str) -> String {
    let mut text = String::new();
    let mut escaped = false;
    for c in pattern.trim_start_matches('%').strip_suffix('%').unwrap_or_default().chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            escaped = false;
            text.push(c);
        }
    }
    text
}

#[track_caller]
fn found(cases: &[(&str, &str)]) {
    for (search, text) in cases {
        assert!(finds(search, text), "{search:?} should find {text:?}: {:?} {:?}", query(search), search_text(text));
    }
}

#[track_caller]
fn not_found(cases: &[(&str, &str)]) {
    for (search, text) in cases {
        assert!(
            !finds(search, text),
            "{search:?} should not find {text:?}: {:?} {:?}",
            query(search),
            search_text(text)
        );
    }
}

/// Texts that find each other, and that are the same to a sort.
#[track_caller]
fn alike(texts: &[&str]) {
    for one in texts {
        for other in texts {
            found(&[(one, other)]);
            assert_eq!(sort_key(one), sort_key(other), "{one:?} and {other:?}");
        }
    }
}

#[test]
fn a_word_is_found_from_its_beginning_on() {
    found(&[("train", "Book the train!"), ("tra", "Book the train!"), ("train book", "Book the train!")]);
    not_found(&[("rain", "Book the train!"), ("trains", "Book the train!"), ("train car", "Book the train!")]);
}

#[test]
fn a_word_begins_after_punctuation() {
    found(&[("bar", "foo-bar"), ("bar", "foo_bar"), ("bar", "foo/bar.baz"), ("baz", "foo/bar.baz"), ("bar", "“bar”")]);
    found(&[("foo-bar", "foo bar"), ("user@example.com", "mail to user@example.com"), ("example", "user@example.com")]);
    not_found(&[("ar", "foo-bar")]);
}

#[test]
fn case_is_folded() {
    alike(&["ΒΟΡΡΑΣ", "Βορράς", "βορρας"]);
    alike(&["STRASSE", "Straße", "STRAẞE", "strasse"]);
    alike(&["İstanbul", "istanbul", "ISTANBUL", "ıstanbul"]);
}

#[test]
fn compatibility_forms_are_folded() {
    alike(&["meeting", "𝐦𝐞𝐞𝐭𝐢𝐧𝐠", "𝕄𝔼𝔼𝕋𝕀ℕ𝔾", "ｍｅｅｔｉｎｇ", "ⓜⓔⓔⓣⓘⓝⓖ"]);
    alike(&["office", "oﬃce", "ofﬁce"]);
    alike(&["Ⅳ", "iv"]);
}

#[test]
fn extra_letters_are_folded() {
    alike(&["sœur", "soeur", "SŒUR"]);
    alike(&["Øre", "ore", "ǿre"]);
    alike(&["Łódź", "lodz"]);
    alike(&["Þórður", "thordur"]);
    alike(&["Đà Nẵng", "da nang"]);
    alike(&["Ħal Ŧ", "hal t"]);
    alike(&["Ærø", "aero"]);
}

#[test]
fn optional_marks_are_folded() {
    alike(&["é", "e\u{301}", "e", "É"]);
    alike(&["ёлка", "елка", "Ёлка", "е\u{308}лка"]);
    alike(&["Tiếng Việt", "tieng viet", "TIẾNG VIỆT"]);
    alike(&["שָׁלוֹם", "שלום"]);
    alike(&["كِتَابٌ", "كتاب", "كــتاب"]);
    alike(&["أحمد", "احمد", "ٱحمد", "إحمد", "آحمد", "ٲحمد", "ٳحمد", "ٵحمد", "ا\u{674}حمد"]);
}

#[test]
fn a_mark_that_is_a_letter_counts() {
    found(&[("हिन्", "हिन्दी"), ("हिन्दी", "हिन्दी में")]);
    not_found(&[("दी", "हिन्दी"), ("हन", "हिन्दी"), ("दिन", "दान")]);
}

#[test]
fn kana_are_found_anywhere_and_whole() {
    found(&[
        ("バス", "夜行バスの"),
        ("ガス", "ｶﾞｽ"),
        ("ｶﾞｽ", "都市ガス代"),
        ("スープ", "ハム・スープ"),
        ("ー", "スープ"),
    ]);
    not_found(&[("バス", "ハム・スープ"), ("ハ", "バス"), ("か", "が"), ("ス", "ズ")]);
}

#[test]
fn hangul_is_found_by_whole_syllables() {
    found(&[("회의", "회의록"), ("\u{1112}\u{116c}의", "회의록")]);
    not_found(&[("가", "각"), ("록", "회의록")]);
}

#[test]
fn a_word_in_a_text_without_spaces_is_found() {
    found(&[
        ("電車", "明日の朝電車の切符を買う"),
        ("ประชุม", "พรุ่งนี้ประชุมทีม"),
        ("ປະຊຸມ", "ມື້ອື່ນປະຊຸມທີມ"),
        ("ប្រជុំ", "ថ្ងៃស្អែកប្រជុំក្រុម"),
        ("အစည်းအဝေး", "မနက်ဖြန်အစည်းအဝေးရှိတယ်"),
        ("東京2020", "祝東京2020"),
        ("2020", "東京2020"),
    ]);
    not_found(&[("電車", "電気と車"), ("電車", "電 車"), ("020", "東京2020")]);
}

#[test]
fn symbols_are_found_and_tell_texts_apart() {
    found(&[
        ("🎉", "party🎉"),
        ("🎉", "👍🎉👍"),
        ("👍", "👍🏽"),
        ("❤️", "I ❤ it"),
        ("€", "5 €"),
        ("5€", "15€ or 5€"),
        ("C#", "learn c#"),
        ("C++", "modern C++20"),
        ("C+", "C++"),
        ("c", "C++"),
        ("100%", "100% cotton"),
        ("1️⃣", "1⃣"),
        ("1", "1️⃣"),
        ("a%b", "a%b"),
    ]);
    not_found(&[
        ("🎉", "party"),
        ("👍🏽", "👍"),
        ("€", "5 $"),
        ("5€", "15€"),
        ("C#", "C"),
        ("C#", "C++"),
        ("C++", "C+"),
        ("C++", "C + +"),
        ("a%b", "axb"),
        ("100%", "1000"),
        ("1️⃣", "1"),
    ]);
}

#[test]
fn ignorable_characters_vanish() {
    alike(&[
        "wordwise",
        "word\u{ad}wise",
        "word\u{200c}wise",
        "word\u{200d}wise",
        "\u{feff}word\u{200b}wise\u{34f}",
        "word\u{2060}wise",
    ]);
    alike(&["👩\u{200d}🚀", "👩🚀"]);
    alike(&["☎", "☎\u{fe0f}", "☎\u{fe0e}"]);
}

#[test]
fn apostrophes_are_alike() {
    alike(&["don't", "don’t", "donʼt", "don‘t", "don‛t", "donʻt", "don＇t", "DON’T"]);
    found(&[("don", "don’t"), ("l'été", "demain l’ete"), ("été", "l’été")]);
}

#[test]
fn a_text_of_separators_has_nothing_to_search_for() {
    for text in
        ["", "  ", "...", "-", "'", "’", "\u{200b}", "\u{301}", "_", "\\", "\0", "\u{1}", "\u{10ffff}", "\u{e000}"]
    {
        assert_eq!(query(text), None, "{text:?}");
        assert_eq!(search_text(text), "", "{text:?}");
    }
}

#[test]
fn a_long_word_counts_to_its_end() {
    let word = "x".repeat(300);
    found(&[(&format!("{word}a"), &format!("{word}abc"))]);
    not_found(&[(&format!("{word}a"), &format!("{word}b"))]);
}

#[test]
fn a_text_finds_itself() {
    found(&[("Tom & Jerry’s «50 %» ÷ 東京タワー: 1️⃣/½!", "Tom & Jerry’s «50 %» ÷ 東京タワー: 1️⃣/½!")]);
}

#[test]
fn a_sort_key_keeps_a_title_whole() {
    for c in ['x', 'é', '電', '🎉', 'ﷺ'] {
        let title: String = std::iter::repeat_n(c, 254).chain(['z']).collect();
        assert_eq!(sort_key(&title).ends_with('z'), c != 'ﷺ', "{c}");
    }
    assert_eq!(sort_key(&"🎉".repeat(255)).chars().count(), 255);
}

#[test]
fn a_sort_key_is_cut_at_a_character() {
    assert_eq!(sort_key(&"x".repeat(2000)).len(), 1600);
    assert_eq!(sort_key(&"電".repeat(2000)).len(), 1599);
    assert_eq!(sort_key(&"🎉".repeat(2000)).len(), 1600);
}

#[test]
fn a_sort_key_keeps_punctuation_and_inner_blanks() {
    assert_eq!(sort_key("\u{3000} Rock ’n’  Roll!\n"), "rock 'n'  roll!");
    // No key is empty.
    assert_eq!((sort_key(" \t"), sort_key("\u{301}")), (" \t".to_owned(), "\u{301}".to_owned()));
}
