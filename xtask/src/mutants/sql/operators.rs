//! Mutants that put another operator, word or value in the place of one token.

use super::{
    code::{Code, Edit},
    lexer::Kind,
};

/// Before one of these, `+` and `-` are signs.
const NO_OPERANDS: [&str; 8] = ["select", "return", "then", "else", "when", "and", "or", "not"];
/// What a role may not do; without `no`, it may.
const FORBIDDEN: [&str; 5] = ["noinherit", "nosuperuser", "nobypassrls", "nocreatedb", "nocreaterole"];

/// All of them in a file.
pub(crate) fn edits(code: &Code<'_>) -> Vec<Edit> {
    let mut edits = Vec::new();
    for (index, token) in code.tokens.iter().enumerate() {
        let mut swap = |operator, length, replacement: &str| {
            edits.push(code.edit(operator, index, index + length, replacement));
        };
        match token.kind {
            Kind::Symbol => {
                if let Some((operator, replacement)) = symbol(code, index) {
                    swap(operator, 1, replacement);
                }
            }
            Kind::Word => {
                if let Some((operator, length, replacement)) = word(code, index) {
                    swap(operator, length, &replacement);
                }
            }
            // How full a page is when it is written says nothing of what is in it.
            Kind::Number if !code.has(index.saturating_sub(2), &["fillfactor", "="]) => {
                for replacement in neighbours(token.text) {
                    swap("number", 1, &replacement);
                }
            }
            Kind::Text => {
                let quotes = if token.text.starts_with("''") && token.text.len() > 2 { "''" } else { "'" };
                let inner = token.text.strip_prefix(quotes).and_then(|text| text.strip_suffix(quotes));
                for (operator, replacement) in inner.map(value).unwrap_or_default() {
                    swap(operator, 1, &format!("{quotes}{replacement}{quotes}"));
                }
            }
            _ => {}
        }
    }
    edits
}

fn symbol(code: &Code<'_>, index: usize) -> Option<(&'static str, &'static str)> {
    Some(match code.text(index) {
        "=" if !assigns(code, index) => ("comparison", "<>"),
        "<>" | "!=" => ("comparison", "="),
        "<" => ("comparison", "<="),
        "<=" => ("comparison", "<"),
        ">" => ("comparison", ">="),
        ">=" => ("comparison", ">"),
        "@>" => ("comparison", "<@"),
        "?|" => ("comparison", "?&"),
        "+" if has_left_operand(code, index) => ("arithmetic", "-"),
        "-" if has_left_operand(code, index) => ("arithmetic", "+"),
        _ => return None,
    })
}

fn word(code: &Code<'_>, index: usize) -> Option<(&'static str, usize, String)> {
    let called = code.text(index + 1) == "(";
    let (operator, length, replacement) = match code.text(index) {
        "and" if !ends_between(code, index) => ("and/or", 1, "or"),
        "or" if !["replace", "update", "delete"].contains(&code.text(index + 1)) => ("and/or", 1, "and"),
        "true" => ("true/false", 1, "false"),
        "false" => ("true/false", 1, "true"),
        "off" if code.before(index) == "=" => ("true/false", 1, "on"),
        "on" if code.before(index) == "=" => ("true/false", 1, "off"),
        "asc" => ("order", 1, "desc"),
        "desc" => ("order", 1, "asc"),
        "greatest" if called => ("greatest/least", 1, "least"),
        "least" if called => ("greatest/least", 1, "greatest"),
        "any" if called => ("any/all", 1, "all"),
        "all" if called => ("any/all", 1, "any"),
        "now" if called => ("clock", 1, "clock_timestamp"),
        "clock_timestamp" if called => ("clock", 1, "now"),
        "is" if code.text(index + 1) == "null" => ("negation", 2, "is not null"),
        "is" if code.has(index, &["is", "distinct", "from"]) => ("negation", 3, "is not distinct from"),
        // `if not exists` of a definition is another word's.
        "not" if code.text(index + 1) != "exists" || called_after(code, index) => ("negation", 1, ""),
        "exists" if called && code.before(index) != "not" => ("negation", 1, "not exists"),
        role if FORBIDDEN.contains(&role) => {
            return Some(("role", 1, role.trim_start_matches("no").to_owned()));
        }
        _ => return None,
    };
    Some((operator, length, replacement.to_owned()))
}

fn called_after(code: &Code<'_>, index: usize) -> bool {
    code.text(index + 2) == "("
}

/// Whether `=` gives something a value, as in `set a = 1`, `using errcode = 'x'`, `with (fillfactor = 50)`.
fn assigns(code: &Code<'_>, index: usize) -> bool {
    let begins = code.backward(index, |before| {
        let text = code.text(before);
        [",", "set", "using", ";", "where", "and", "or", "when", "if", "on", "select"].contains(&text)
    });
    let Some(begins) = begins else { return false };
    match code.text(begins) {
        "set" | "using" => true,
        "(" => code.before(begins) == "with",
        // The list's first item says what the list is.
        "," => assigns(code, begins),
        _ => false,
    }
}

fn has_left_operand(code: &Code<'_>, index: usize) -> bool {
    let Some(before) = index.checked_sub(1) else { return false };
    match code.kind(before) {
        Some(Kind::Word) => !NO_OPERANDS.contains(&code.text(before)),
        Some(Kind::Number | Kind::Text | Kind::Parameter) => true,
        Some(Kind::Symbol) => [")", "]"].contains(&code.text(before)),
        _ => false,
    }
}

/// Whether this `and` is that of `between ... and ...`.
pub(super) fn ends_between(code: &Code<'_>, index: usize) -> bool {
    let before = code.backward(index, |before| {
        ["between", "and", "or", "where", "when", "if", ",", ";"].contains(&code.text(before))
    });
    before.is_some_and(|before| code.text(before) == "between")
}

/// One more and one less; nothing below zero.
fn neighbours(number: &str) -> Vec<String> {
    let Ok(number) = number.parse::<u64>() else { return Vec::new() };
    let below = number.checked_sub(1);
    std::iter::once(number + 1).chain(below).map(|number| number.to_string()).collect()
}

/// Other values in the place of one that is a number, a length of time, a bound, a direction or an operator.
fn value(text: &str) -> Vec<(&'static str, String)> {
    let one = |operator, replacement: &str| vec![(operator, replacement.to_owned())];
    match text {
        "infinity" => return one("bound", "-infinity"),
        "-infinity" => return one("bound", "infinity"),
        "asc" => return one("order", "desc"),
        "desc" => return one("order", "asc"),
        "<" => return one("comparison", "<="),
        ">" => return one("comparison", ">="),
        _ => {}
    }
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    if unit.is_empty() {
        return neighbours(number).into_iter().map(|number| ("number", number)).collect();
    }
    if text.starts_with('-')
        && let Ok(negative) = text.parse::<i64>()
    {
        return [negative + 1, negative - 1].iter().map(|number| ("number", number.to_string())).collect();
    }
    if number.is_empty() {
        return Vec::new();
    }
    if unit.trim_start().chars().all(|c| c.is_ascii_lowercase()) {
        return neighbours(number).into_iter().map(|number| ("window", format!("{number}{unit}"))).collect();
    }
    if unit.starts_with(":") {
        return neighbours(number).into_iter().map(|hour| ("bound", format!("{hour:0>2}{unit}"))).collect();
    }
    match text.split_once("-01 ") {
        // A date and a time: the day after.
        Some((month, time)) if unit.starts_with('-') => one("bound", &format!("{month}-02 {time}")),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts with one mutant each.
    fn mutated(source: &str) -> Vec<String> {
        edits(&Code::new(source)).into_iter().map(|edit| edit.applied(source)).collect()
    }

    #[test]
    fn comparisons_are_turned() {
        assert_eq!(mutated("a = b"), ["a <> b"]);
        assert_eq!(mutated("a <> b"), ["a = b"]);
        assert_eq!(mutated("a < b and c"), ["a <= b and c", "a < b or c"]);
        assert_eq!(mutated("a <= b"), ["a < b"]);
        assert_eq!(mutated("a > b"), ["a >= b"]);
        assert_eq!(mutated("a >= b"), ["a > b"]);
        assert_eq!(mutated("a @> b"), ["a <@ b"]);
        assert_eq!(mutated("a ?| b"), ["a ?& b"]);
        assert_eq!(mutated("format('x', '<')"), ["format('x', '<=')"]);
    }

    #[test]
    fn an_assignment_is_no_comparison() {
        for source in [
            "update x set a = b",
            "update x set a = (b), c = d",
            "alter role x set jit = y",
            "raise exception using errcode = 'a', message = 'b'",
            "create table x () with (fillfactor = 50)",
        ] {
            assert_eq!(mutated(source), [""; 0], "{source}");
        }
        assert_eq!(mutated("update x set a = b where c = d"), ["update x set a = b where c <> d"]);
        assert_eq!(mutated("policy using (a = b)"), ["policy using (a <> b)"]);
    }

    #[test]
    fn sums_are_turned_and_signs_are_not() {
        assert_eq!(mutated("a + b"), ["a - b"]);
        assert_eq!(mutated("(a) - b"), ["(a) + b"]);
        assert_eq!(mutated("return - b"), [""; 0]);
    }

    #[test]
    fn and_and_or_are_swapped() {
        assert_eq!(mutated("a or b"), ["a and b"]);
        assert_eq!(mutated("create or replace function x"), [""; 0]);
        assert_eq!(mutated("before insert or update on x"), [""; 0]);
        assert_eq!(mutated("a between b and c"), [""; 0]);
        assert_eq!(mutated("a between b and c and d"), ["a between b and c or d"]);
    }

    #[test]
    fn truth_is_swapped() {
        assert_eq!(mutated("set_config('a', b, true)"), ["set_config('a', b, false)"]);
        assert_eq!(mutated("false"), ["true"]);
        assert_eq!(mutated("set enable_sort = off"), ["set enable_sort = on"]);
    }

    #[test]
    fn orders_and_bounds_are_turned() {
        assert_eq!(mutated("a asc, b desc"), ["a desc, b desc", "a asc, b asc"]);
        assert_eq!(mutated("f('desc', 'infinity')"), ["f('asc', 'infinity')", "f('desc', '-infinity')"]);
        assert_eq!(mutated("greatest(a, least_id)"), ["least(a, least_id)"]);
        assert_eq!(mutated("a = any (b)"), ["a <> any (b)", "a = all (b)"]);
        assert_eq!(mutated("now()"), ["clock_timestamp()"]);
    }

    #[test]
    fn negations_come_and_go() {
        assert_eq!(mutated("a is null"), ["a is not null"]);
        assert_eq!(mutated("a is not null"), ["a is  null"]);
        assert_eq!(mutated("a is distinct from b"), ["a is not distinct from b"]);
        assert_eq!(mutated("not found"), [" found"]);
        assert_eq!(mutated("if exists (b)"), ["if not exists (b)"]);
        assert_eq!(mutated("if not exists (b)"), ["if  exists (b)"]);
        assert_eq!(mutated("create table if not exists b"), [""; 0]);
        assert_eq!(mutated("create role x nobypassrls"), ["create role x bypassrls"]);
    }

    #[test]
    fn numbers_and_windows_move_by_one() {
        assert_eq!(mutated("limit 501"), ["limit 502", "limit 500"]);
        assert_eq!(mutated("a[0]"), ["a[1]"]);
        assert_eq!(mutated("interval '24 hours'"), ["interval '25 hours'", "interval '23 hours'"]);
        assert_eq!(mutated("x := '4s'"), ["x := '5s'", "x := '3s'"]);
        assert_eq!(mutated("time '24:00'"), ["time '25:00'", "time '23:00'"]);
        assert_eq!(mutated("f('4', '-1')"), ["f('5', '-1')", "f('3', '-1')", "f('4', '0')", "f('4', '-2')"]);
        assert_eq!(mutated("'0001-01-01 00:00+00'"), ["'0001-01-02 00:00+00'"]);
    }

    #[test]
    fn texts_for_people_stay() {
        assert_eq!(mutated("message := 'no such 1 < 2 and true'"), [""; 0]);
        assert_eq!(mutated("'HH24:MI:SS' || 'INSERT'"), [""; 0]);
        assert_eq!(mutated("'00000000-0000-0000-0000-000000000000'"), [""; 0]);
    }

    #[test]
    fn what_is_in_a_string_of_sql_is_mutated_there() {
        assert_eq!(mutated("' and a < ''infinity'''").len(), 3);
        assert_eq!(mutated("'select ''infinity'''"), ["'select ''-infinity'''"]);
    }
}
