//! JSON as a body, text by text. The names are those of the cases of JSONTestSuite (github.com/nst/JSONTestSuite), the
//! texts are written anew: `y_` is JSON and must be understood, `n_` is none and must be refused, and about `i_` RFC 8259
//! leaves the decision to each parser. What errand has decided is in the table `DECIDED`.

use serde_json::Value;

use crate::support::{Reply, User};

/// What is JSON; whether it is a task is another matter.
const GOOD: &[(&str, &[u8])] = &[
    ("y_array_arraysWithSpaces", b"[[]   ]"),
    ("y_array_empty-string", b"[\"\"]"),
    ("y_array_empty", b"[]"),
    ("y_array_ending_with_newline", b"[\"b\"]\n"),
    ("y_array_false", b"[false]"),
    ("y_array_heterogeneous", b"[null, 2, \"2\", {}]"),
    ("y_array_null", b"[null]"),
    ("y_array_with_1_and_newline", b"[2\n]"),
    ("y_array_with_leading_space", b" [2]"),
    ("y_array_with_several_null", b"[2,null,null,null,3]"),
    ("y_array_with_trailing_space", b"[3] "),
    ("y_number", b"[234e56]"),
    ("y_number_0e+1", b"[0e+2]"),
    ("y_number_0e1", b"[0e2]"),
    ("y_number_after_space", b"[ 5]"),
    (
        "y_number_double_close_to_zero",
        b"[-0.00000000000000000000000000000000000000000000000000000000000000000000000000002]",
    ),
    ("y_number_int_with_exp", b"[30e1]"),
    ("y_number_minus_zero", b"[-0]"),
    ("y_number_negative_int", b"[-321]"),
    ("y_number_negative_one", b"[-1]"),
    ("y_number_negative_zero", b"[-0.0]"),
    ("y_number_real_capital_e", b"[2E33]"),
    ("y_number_real_capital_e_neg_exp", b"[2E-3]"),
    ("y_number_real_capital_e_pos_exp", b"[2E+3]"),
    ("y_number_real_exponent", b"[456e78]"),
    ("y_number_real_fraction_exponent", b"[456.123e78]"),
    ("y_number_real_neg_exp", b"[2e-3]"),
    ("y_number_real_pos_exponent", b"[2e+3]"),
    ("y_number_simple_int", b"[321]"),
    ("y_number_simple_real", b"[321.123456]"),
    ("y_object", b"{\"a\":\"b\",\"c\":1}"),
    ("y_object_basic", b"{\"a\":\"b\"}"),
    ("y_object_duplicated_key", b"{\"x\":1,\"x\":2}"),
    ("y_object_duplicated_key_and_value", b"{\"x\":1,\"x\":1}"),
    ("y_object_empty", b"{}"),
    ("y_object_empty_key", b"{\"\":1}"),
    ("y_object_escaped_null_in_key", b"{\"a\\u0000b\":1}"),
    ("y_object_extreme_numbers", b"{\"least\":-1.0e+30,\"most\":1.0e+30}"),
    (
        "y_object_long_strings",
        b"{\"x\":[{\"y\":\"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\"}],\"y\":\"zzzzzzzzzzzzzzzzzzzzzzzzzzzz\"}",
    ),
    ("y_object_simple", b"{\"a\":[]}"),
    ("y_object_string_unicode", b"{\"a\":\"\\u017e\\u0169v\\u0117\"}"),
    ("y_object_with_newlines", b"{\n\"a\":\n\"b\"\n}"),
    ("y_string_1_2_3_bytes_UTF-8_sequences", b"[\"\\u0061\\u017e\\u12ae\"]"),
    ("y_string_accepted_surrogate_pair", b"[\"\\uD83D\\uDE86\"]"),
    ("y_string_accepted_surrogate_pairs", b"[\"\\ud83d\\ude86\\ud83d\\ude87\"]"),
    ("y_string_allowed_escapes", b"[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"),
    ("y_string_backslash_and_u_escaped_zero", b"[\"\\\\u0000\"]"),
    ("y_string_backslash_doublequotes", b"[\"\\\"\"]"),
    ("y_string_comments", b"[\"x/*y*/z//w\"]"),
    ("y_string_double_escape_a", b"[\"\\\\b\"]"),
    ("y_string_double_escape_n", b"[\"\\\\r\"]"),
    ("y_string_escaped_control_character", b"[\"\\u0013\"]"),
    ("y_string_escaped_noncharacter", b"[\"\\uFFFE\"]"),
    ("y_string_in_array", b"[\"xyz\"]"),
    ("y_string_in_array_with_leading_space", b"[ \"xyz\"]"),
    ("y_string_last_surrogates_1_and_2", b"[\"\\uDBFF\\uDFFE\"]"),
    ("y_string_nbsp_uescaped", b"[\"a\\u00A0b\"]"),
    ("y_string_nonCharacterInUTF-8_U+10FFFF", b"[\"\xf4\x8f\xbf\xbf\"]"),
    ("y_string_nonCharacterInUTF-8_U+FFFF", b"[\"\xef\xbf\xbf\"]"),
    ("y_string_null_escape", b"[\"\\u0000\"]"),
    ("y_string_one-byte-utf-8", b"[\"\\u002d\"]"),
    ("y_string_pi", "[\"\u{3c1}\"]".as_bytes()),
    ("y_string_reservedCharacterInUTF-8_U+1BFFF", "[\"\u{1bfff}\"]".as_bytes()),
    ("y_string_simple_ascii", b"[\"ascii \"]"),
    ("y_string_space", b"\" \""),
    ("y_string_surrogates_U+1D11E_MUSICAL_SYMBOL_G_CLEF", b"[\"\\uD834\\uDD1E\"]"),
    ("y_string_three-byte-utf-8", b"[\"\\u0822\"]"),
    ("y_string_two-byte-utf-8", b"[\"\\u0124\"]"),
    ("y_string_u+2028_line_sep", "[\"\u{2028}\"]".as_bytes()),
    ("y_string_u+2029_par_sep", "[\"\u{2029}\"]".as_bytes()),
    ("y_string_uEscape", b"[\"\\u0062\\u30CF\\u30EA\"]"),
    ("y_string_uescaped_newline", b"[\"new\\u000Aline\"]"),
    ("y_string_unescaped_char_delete", b"[\"\x7f\"]"),
    ("y_string_unicode", b"[\"\\uA665\"]"),
    ("y_string_unicodeEscapedBackslash", b"[\"\\u005C\"]"),
    ("y_string_unicode_2", "[\"\u{17e}\u{1f686}\u{9999}\"]".as_bytes()),
    ("y_string_unicode_U+10FFFE_nonchar", b"[\"\\uDBFF\\uDFFE\"]"),
    ("y_string_unicode_U+1FFFE_nonchar", b"[\"\\uD83F\\uDFFE\"]"),
    ("y_string_unicode_U+200B_ZERO_WIDTH_SPACE", b"[\"\\u200B\"]"),
    ("y_string_unicode_U+2064_invisible_plus", b"[\"\\u2064\"]"),
    ("y_string_unicode_U+FDD0_nonchar", b"[\"\\uFDD0\"]"),
    ("y_string_unicode_U+FFFE_nonchar", b"[\"\\uFFFE\"]"),
    ("y_string_unicode_escaped_double_quote", b"[\"\\u0022\"]"),
    ("y_string_utf8", "[\"\u{20ac}\u{1d11e}\"]".as_bytes()),
    ("y_string_with_del_character", b"[\"b\x7fb\"]"),
    ("y_structure_lonely_false", b"false"),
    ("y_structure_lonely_int", b"24"),
    ("y_structure_lonely_negative_real", b"-0.2"),
    ("y_structure_lonely_null", b"null"),
    ("y_structure_lonely_string", b"\"xyz\""),
    ("y_structure_lonely_true", b"true"),
    ("y_structure_string_empty", b"\"\""),
    ("y_structure_trailing_newline", b"[\"b\"]\n"),
    ("y_structure_true_in_array", b"[true]"),
    ("y_structure_whitespace_array", b" [] "),
];

/// What is no JSON.
const BAD: &[(&str, &[u8])] = &[
    ("n_array_1_true_without_comma", b"[2 true]"),
    ("n_array_a_invalid_utf8", b"[b\xe5]"),
    ("n_array_colon_instead_of_comma", b"[\"\": 2]"),
    ("n_array_comma_after_close", b"[\"\"],"),
    ("n_array_comma_and_number", b"[,2]"),
    ("n_array_double_comma", b"[2,,3]"),
    ("n_array_double_extra_comma", b"[\"y\",,]"),
    ("n_array_extra_close", b"[\"y\"]]"),
    ("n_array_extra_comma", b"[\"y\",]"),
    ("n_array_incomplete", b"[\"y\""),
    ("n_array_incomplete_invalid_value", b"[y"),
    ("n_array_inner_array_no_comma", b"[4[5]]"),
    ("n_array_invalid_utf8", b"[\xff]"),
    ("n_array_items_separated_by_semicolon", b"[2:3]"),
    ("n_array_just_comma", b"[,]"),
    ("n_array_just_minus", b"[-]"),
    ("n_array_missing_value", b"[   , \"\"]"),
    ("n_array_newlines_unclosed", b"[\"b\",\n5\n,2,"),
    ("n_array_number_and_comma", b"[2,]"),
    ("n_array_number_and_several_commas", b"[2,,]"),
    ("n_array_spaces_vertical_tab_formfeed", b"[\"\x0bb\"\\f]"),
    ("n_array_star_inside", b"[*]"),
    ("n_array_unclosed", b"[\"\""),
    ("n_array_unclosed_trailing_comma", b"[2,"),
    ("n_array_unclosed_with_new_lines", b"[2,\n2\n,2"),
    ("n_array_unclosed_with_object_inside", b"[{}"),
    ("n_incomplete_false", b"[fals]"),
    ("n_incomplete_null", b"[nul]"),
    ("n_incomplete_true", b"[tru]"),
    ("n_multidigit_number_then_00", b"456\0"),
    ("n_number_++", b"[++4567]"),
    ("n_number_+1", b"[+2]"),
    ("n_number_+Inf", b"[+Inf]"),
    ("n_number_-01", b"[-02]"),
    ("n_number_-1.0.", b"[-2.0.]"),
    ("n_number_-2.", b"[-3.]"),
    ("n_number_-NaN", b"[-NaN]"),
    ("n_number_.-1", b"[.-2]"),
    ("n_number_.2e-3", b"[.3e-4]"),
    ("n_number_0.1.2", b"[0.2.3]"),
    ("n_number_0.3e+", b"[0.4e+]"),
    ("n_number_0.3e", b"[0.4e]"),
    ("n_number_0.e1", b"[0.e2]"),
    ("n_number_0_capital_E+", b"[0E+]"),
    ("n_number_0_capital_E", b"[0E]"),
    ("n_number_0e+", b"[0e+]"),
    ("n_number_0e", b"[0e]"),
    ("n_number_1.0e+", b"[2.0e+]"),
    ("n_number_1.0e-", b"[2.0e-]"),
    ("n_number_1.0e", b"[2.0e]"),
    ("n_number_1_000", b"[2 000.0]"),
    ("n_number_1eE2", b"[2eE3]"),
    ("n_number_2.e+3", b"[3.e+4]"),
    ("n_number_2.e-3", b"[3.e-4]"),
    ("n_number_2.e3", b"[3.e4]"),
    ("n_number_9.e+", b"[8.e+]"),
    ("n_number_Inf", b"[Inf]"),
    ("n_number_NaN", b"[NaN]"),
    ("n_number_U+FF11_fullwidth_digit_one", "[\u{ff12}]".as_bytes()),
    ("n_number_expression", b"[2+3]"),
    ("n_number_hex_1_digit", b"[0x2]"),
    ("n_number_hex_2_digits", b"[0x43]"),
    ("n_number_infinity", b"[Infinity]"),
    ("n_number_invalid+-", b"[0e+-2]"),
    ("n_number_invalid-negative-real", b"[-456.456bar]"),
    ("n_number_invalid-utf-8-in-bigger-int", b"[456\xe5]"),
    ("n_number_invalid-utf-8-in-exponent", b"[2e2\xe5]"),
    ("n_number_invalid-utf-8-in-int", b"[0\xe5]"),
    ("n_number_minus_infinity", b"[-Infinity]"),
    ("n_number_minus_sign_with_trailing_garbage", b"[-bar]"),
    ("n_number_minus_space_1", b"[- 2]"),
    ("n_number_neg_int_starting_with_zero", b"[-023]"),
    ("n_number_neg_real_without_int_part", b"[-.456]"),
    ("n_number_neg_with_garbage_at_end", b"[-2y]"),
    ("n_number_real_garbage_after_e", b"[2eb]"),
    ("n_number_real_with_invalid_utf8_after_e", b"[2e\xe5]"),
    ("n_number_real_without_fractional_part", b"[2.]"),
    ("n_number_starting_with_dot", b"[.456]"),
    ("n_number_with_alpha", b"[2.3b-4]"),
    ("n_number_with_alpha_char", b"[2.9123e5d]"),
    ("n_number_with_leading_zero", b"[023]"),
    ("n_object_bad_value", b"{\"y\":falseish}"),
    ("n_object_bracket_key", b"{[: \"y\"}"),
    ("n_object_comma_instead_of_colon", b"{\"y\", null}"),
    ("n_object_double_colon", b"{\"y\"::\"c\"}"),
    ("n_object_emoji", "{\u{1f686}}".as_bytes()),
    ("n_object_garbage_at_end", b"{\"b\":\"b\" 456}"),
    ("n_object_key_with_single_quotes", b"{key: 'value'}"),
    ("n_object_lone_continuation_byte_in_key_and_trailing_comma", b"{\"\xbf\":\"0\",}"),
    ("n_object_missing_colon", b"{\"b\" c}"),
    ("n_object_missing_key", b"{:\"c\"}"),
    ("n_object_missing_semicolon", b"{\"b\" \"c\"}"),
    ("n_object_missing_value", b"{\"b\":"),
    ("n_object_no-colon", b"{\"b\""),
    ("n_object_non_string_key", b"{2:2}"),
    ("n_object_non_string_key_but_huge_number_instead", b"{9999E9999:2}"),
    ("n_object_repeated_null_null", b"{null:null,null:null}"),
    ("n_object_several_trailing_commas", b"{\"id\":1,,,,,}"),
    ("n_object_single_quote", b"{'b':0}"),
    ("n_object_trailing_comma", b"{\"id\":1,}"),
    ("n_object_trailing_comment", b"{\"b\":\"c\"}/**/"),
    ("n_object_trailing_comment_open", b"{\"b\":\"c\"}/**//"),
    ("n_object_trailing_comment_slash_open", b"{\"b\":\"c\"}//"),
    ("n_object_trailing_comment_slash_open_incomplete", b"{\"b\":\"c\"}/"),
    ("n_object_two_commas_in_a_row", b"{\"b\":\"c\",,\"d\":\"e\"}"),
    ("n_object_unquoted_key", b"{b: \"c\"}"),
    ("n_object_unterminated-value", b"{\"b\":\"b"),
    ("n_object_with_single_string", b"{\"bar\":\"foo\",\"b\"}"),
    ("n_object_with_trailing_garbage", b"{\"b\":\"c\"}#"),
    ("n_single_space", b" "),
    ("n_string_1_surrogate_then_escape", b"[\"\\uD801\\\"]"),
    ("n_string_1_surrogate_then_escape_u", b"[\"\\uD801\\u\"]"),
    ("n_string_1_surrogate_then_escape_u1", b"[\"\\uD801\\u2\"]"),
    ("n_string_1_surrogate_then_escape_u1x", b"[\"\\uD801\\u2y\"]"),
    ("n_string_accentuated_char_no_quotes", "[\u{17e}]".as_bytes()),
    ("n_string_backslash_00", b"[\"\\\0\"]"),
    ("n_string_escape_x", b"[\"\\x01\"]"),
    ("n_string_escaped_backslash_bad", b"[\"\\\\\\\"]"),
    ("n_string_escaped_ctrl_char_tab", b"[\"\\\t\"]"),
    ("n_string_escaped_emoji", "[\"\\\u{1f686}\"]".as_bytes()),
    ("n_string_incomplete_escape", b"[\"\\\"]"),
    ("n_string_incomplete_escaped_character", b"[\"\\u00B\"]"),
    ("n_string_incomplete_surrogate", b"[\"\\uD835\\uDd\"]"),
    ("n_string_incomplete_surrogate_escape_invalid", b"[\"\\uD801\\uD801\\y\"]"),
    ("n_string_invalid-utf-8-in-escape", b"[\"\\u\xe5\"]"),
    ("n_string_invalid_backslash_esc", b"[\"\\b\\q\"]"),
    ("n_string_invalid_unicode_escape", b"[\"\\urstu\"]"),
    ("n_string_invalid_utf8_after_escape", b"[\"\\\xe5\"]"),
    ("n_string_leading_uescaped_thinspace", b"[\\u0020\"asd\"]"),
    ("n_string_no_quotes_with_bad_escape", b"[\\r]"),
    ("n_string_single_doublequote", b"\""),
    ("n_string_single_quote", b"['a single quote']"),
    ("n_string_single_string_no_double_quotes", b"xyz"),
    ("n_string_start_escape_unclosed", b"[\"\\"),
    ("n_string_unescaped_ctrl_char", b"[\"b\0b\"]"),
    ("n_string_unescaped_newline", b"[\"one\ntwo\"]"),
    ("n_string_unescaped_tab", b"[\"\t\"]"),
    ("n_string_unicode_CapitalU", b"\"\\UB66D\""),
    ("n_string_with_trailing_garbage", b"\"\"y"),
    ("n_structure_U+2060_word_joined", "[\u{2060}]".as_bytes()),
    ("n_structure_UTF8_BOM_no_data", b"\xef\xbb\xbf"),
    ("n_structure_angle_bracket_.", b"<.>"),
    ("n_structure_angle_bracket_null", b"[<null>]"),
    ("n_structure_array_trailing_garbage", b"[2]y"),
    ("n_structure_array_with_extra_array_close", b"[2]]"),
    ("n_structure_array_with_unclosed_string", b"[\"bcd]"),
    ("n_structure_ascii-unicode-identifier", "b\u{e5}".as_bytes()),
    ("n_structure_capitalized_True", b"[True]"),
    ("n_structure_close_unopened_array", b"2]"),
    ("n_structure_comma_instead_of_closing_brace", b"{\"y\": true,"),
    ("n_structure_double_array", b"[][]"),
    ("n_structure_end_array", b"]"),
    ("n_structure_incomplete_UTF8_BOM", b"\xef\xbb{}"),
    ("n_structure_lone-invalid-utf-8", b"\xe5"),
    ("n_structure_lone-open-bracket", b"["),
    ("n_structure_no_data", b""),
    ("n_structure_null-byte-outside-string", b"[\0]"),
    ("n_structure_number_with_trailing_garbage", b"3@"),
    ("n_structure_object_followed_by_closing_object", b"{}}"),
    ("n_structure_object_unclosed_no_value", b"{\"\":"),
    ("n_structure_object_with_comment", b"{\"b\":/*why*/\"c\"}"),
    ("n_structure_object_with_trailing_garbage", b"{\"b\": true} \"y\""),
    ("n_structure_open_array_apostrophe", b"['"),
    ("n_structure_open_array_comma", b"[,"),
    ("n_structure_open_array_open_object", b"[{"),
    ("n_structure_open_array_open_string", b"[\"b"),
    ("n_structure_open_array_string", b"[\"b\""),
    ("n_structure_open_object", b"{"),
    ("n_structure_open_object_close_array", b"{]"),
    ("n_structure_open_object_comma", b"{,"),
    ("n_structure_open_object_open_array", b"{["),
    ("n_structure_open_object_open_string", b"{\"b"),
    ("n_structure_open_object_string_with_apostrophes", b"{'b'"),
    ("n_structure_open_open", b"[\"\\{[\"\\{[\"\\{"),
    ("n_structure_single_eacute", b"\xe9"),
    ("n_structure_single_star", b"*"),
    ("n_structure_trailing_#", b"{\"b\":\"c\"}#{}"),
    ("n_structure_uescaped_LF_before_string", b"[\\u000A\"\"]"),
    ("n_structure_unclosed_array", b"[2"),
    ("n_structure_unclosed_array_partial_null", b"[ true, nul"),
    ("n_structure_unclosed_array_unfinished_false", b"[ false, fals"),
    ("n_structure_unclosed_array_unfinished_true", b"[ true, tru"),
    ("n_structure_unclosed_object", b"{\"bsd\":\"bsd\""),
    ("n_structure_unicode-identifier", "\u{e5}".as_bytes()),
    ("n_structure_whitespace_U+2060_word_joiner", "\u{2060}".as_bytes()),
    ("n_structure_whitespace_formfeed", b"[\x0c]"),
    ("not in the suite: a task with something behind it", b"{\"title\":\"t\"} {}"),
    ("not in the suite: a task with a form feed behind it", b"{\"title\":\"t\"}\x0c"),
];

/// What RFC 8259 leaves to the parser, and whether errand takes it. It takes numbers of any size that a double rounds to
/// something finite, since no field has a number; it takes no text that is not Unicode, no byte order mark, and no
/// nesting beyond 128.
const DECIDED: &[(&str, bool, &[u8])] = &[
    ("i_number_double_huge_neg_exp", true, b"[123.456e-800]"),
    ("i_number_huge_exp", false, b"[0.4e00669999999999999999999999999999999999999999999999999999999999]"),
    ("i_number_neg_int_huge_exp", false, b"[-1e+9000]"),
    ("i_number_pos_double_huge_exp", false, b"[1.5e+9000]"),
    ("i_number_real_neg_overflow", false, b"[-123123e100001]"),
    ("i_number_real_pos_overflow", false, b"[123123e100001]"),
    ("i_number_real_underflow", true, b"[123e-10000001]"),
    ("i_number_too_big_neg_int", true, b"[-123123123123123123123123123124]"),
    ("i_number_too_big_pos_int", true, b"[100000000000000000001]"),
    ("i_number_very_big_negative_int", true, b"[-237462374673276894279832749832423479823246327847]"),
    ("i_object_key_lone_2nd_surrogate", false, b"{\"\\uDFAB\":0}"),
    ("i_string_1st_surrogate_but_2nd_missing", false, b"[\"\\uDADB\"]"),
    ("i_string_1st_valid_surrogate_2nd_invalid", false, b"[\"\\uD889\\u1234\"]"),
    ("i_string_UTF-16LE_with_BOM", false, b"\xff\xfe[\0\"\0\xe9\0\"\0]\0"),
    ("i_string_UTF-8_invalid_sequence", false, b"[\"\xe6\x97\xa5\xd1\x88\xfb\"]"),
    ("i_string_UTF8_surrogate_U+D800", false, b"[\"\xed\xa0\x81\"]"),
    ("i_string_incomplete_surrogate_and_escape_valid", false, b"[\"\\uD801\\n\"]"),
    ("i_string_incomplete_surrogate_pair", false, b"[\"\\uDd1ea\"]"),
    ("i_string_incomplete_surrogates_escape_valid", false, b"[\"\\uD801\\uD801\\n\"]"),
    ("i_string_invalid_lonely_surrogate", false, b"[\"\\ud801\"]"),
    ("i_string_invalid_surrogate", false, b"[\"\\ud801abc\"]"),
    ("i_string_invalid_utf-8", false, b"[\"\xfe\"]"),
    ("i_string_inverted_surrogates_U+1D11E", false, b"[\"\\uDd1e\\uD834\"]"),
    ("i_string_iso_latin_1", false, b"[\"\xe8\"]"),
    ("i_string_lone_second_surrogate", false, b"[\"\\uDFAB\"]"),
    ("i_string_lone_utf8_continuation_byte", false, b"[\"\x82\"]"),
    ("i_string_not_in_unicode_range", false, b"[\"\xf4\xbf\xbf\xbe\"]"),
    ("i_string_overlong_sequence_2_bytes", false, b"[\"\xc0\xae\"]"),
    ("i_string_overlong_sequence_6_bytes", false, b"[\"\xfc\x83\xbf\xbf\xbf\xbe\"]"),
    ("i_string_overlong_sequence_6_bytes_null", false, b"[\"\xfc\x80\x80\x80\x80\x80\"]"),
    ("i_string_truncated-utf-8", false, b"[\"\xe0\xfe\"]"),
    ("i_string_utf16BE_no_BOM", false, b"\0[\0\"\0\xe8\0\"\0]"),
    ("i_string_utf16LE_no_BOM", false, b"[\0\"\0\xe8\0\"\0]\0"),
    ("i_structure_UTF-8_BOM_empty_object", false, b"\xef\xbb\xbf{}"),
];

/// Those that are too long to write down, of the same kinds.
fn long() -> Vec<(&'static str, bool, Vec<u8>)> {
    let nested = |depth: usize| [b"[".repeat(depth), b"]".repeat(depth)].concat();
    vec![
        ("nested as deep as it may be", true, nested(127)),
        ("nested one deeper", false, nested(128)),
        ("i_structure_500_nested_arrays", false, nested(501)),
        ("nested 10,000 deep", false, nested(10_000)),
        (
            "nested 10,000 deep in objects",
            false,
            [br#"{"a":"#.repeat(10_000), b"1".to_vec(), b"}".repeat(10_000)].concat(),
        ),
        ("n_structure_100000_opening_arrays, as many as fit", false, b"[".repeat(64 * 1024)),
        ("n_structure_open_array_object, as often as it fits", false, b"[{\"\":".repeat(12_000)),
        ("white space alone, as much as fits", false, b" ".repeat(64 * 1024)),
        ("a number of 60,000 digits", false, b"9".repeat(60_000)),
        ("a fraction of 60,000 digits", true, [&b"0."[..], &b"9".repeat(60_000)].concat()),
        ("5,000 members", true, [b"{".to_vec(), br#""a":1,"#.repeat(5_000), b"\"a\":1}".to_vec()].concat()),
    ]
}

fn send(user: &User, body: &[u8]) -> Reply {
    user.send("POST", "/tasks", &[("content-type", "application/json")], Some(body))
}

/// Whether the text was JSON for errand. None of them is a task, so each is refused, and the refusal says where and why.
#[track_caller]
fn was_understood(name: &str, reply: &Reply) -> bool {
    assert_eq!(reply.status, 400, "{name}: {}", reply.body);
    let mistakes = reply.problem().errors;
    assert!(!mistakes.is_empty(), "{name}");
    let understood = !mistakes[0].detail.starts_with("The body is not valid JSON");
    let places: Vec<_> = reply.mistakes();
    assert!(understood || places == [""], "{name}: {places:?}");
    understood
}

#[test]
fn what_is_json_is_understood() {
    let user = User::new("json-good");
    for (name, text) in GOOD {
        assert!(was_understood(name, &send(&user, text)), "{name}");
    }
}

#[test]
fn what_is_no_json_is_refused_as_a_whole() {
    let user = User::new("json-bad");
    for (name, text) in BAD {
        assert!(!was_understood(name, &send(&user, text)), "{name}");
    }
    assert!(user.get("/tasks").list().tasks.is_empty());
}

#[test]
fn what_may_be_either_is_decided() {
    let user = User::new("json-either");
    let short = DECIDED.iter().map(|(name, taken, text)| (*name, *taken, text.to_vec()));
    for (name, taken, text) in short.chain(long()) {
        assert_eq!(was_understood(name, &send(&user, &text)), taken, "{name}");
    }
}

/// The strings among them come back as they were sent, as the description of a task.
#[test]
fn strings_come_back_as_they_were_sent() {
    let user = User::new("json-strings");
    let mut kept = 0;
    for (name, text) in GOOD.iter().filter(|(name, _)| name.starts_with("y_string")) {
        let Ok(Value::Array(strings)) = serde_json::from_slice::<Value>(text) else { continue };
        let [Value::String(string)] = strings.as_slice() else { continue };
        let written = text.trim_ascii().strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")).unwrap();
        let reply = send(&user, &[br#"{"title":"t","description":"#, written, b"}"].concat());
        if string.contains('\0') {
            assert_eq!(reply.mistakes(), ["/description"], "{name}");
            continue;
        }
        let task = reply.expect(201).task();
        let found = user.get(&format!("/tasks/{}", task.id)).task().description;
        assert_eq!(found.as_ref(), Some(string), "{name}");
        kept += 1;
    }
    assert!(kept > 40, "{kept}");
}

/// A name that stands twice is a mistake, however it is written, and at any depth that has names.
#[test]
fn a_name_that_stands_twice_is_named() {
    let user = User::new("json-twice");
    for (text, places) in [
        (r#"{"title":"a","title":"a"}"#, vec!["/title"]),
        (r#"{"title":"a","ti\u0074le":"b"}"#, vec!["/title"]),
        (r#"{"title":"a","title":null,"title":1}"#, vec!["/title", "/title"]),
        (r#"{"title":"a","due":{"date":"2026-12-01","date":null}}"#, vec!["/due/date"]),
        (r#"{"title":"a","due":null,"due":{"date":"2026-12-01"}}"#, vec!["/due"]),
    ] {
        assert_eq!(send(&user, text.as_bytes()).mistakes(), places, "{text}");
    }
    assert!(user.get("/tasks").list().tasks.is_empty());
}
