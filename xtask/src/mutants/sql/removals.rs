//! Mutants that leave something out: a condition, a lock, a statement, a right.

use super::{
    code::{Code, Edit, Statement},
    lexer::Kind,
    operators::ends_between,
};

/// A clause of a query ends before one of these.
const CLAUSES: [&str; 9] = ["order", "limit", "returning", "group", "union", "for", "loop", "into", ";"];
/// So does a condition that is a part of an expression.
const PARTS: [&str; 7] = ["then", "else", "when", "end", ",", "where", ":="];
/// A condition begins behind one of these.
const BEGINNINGS: [&str; 11] = ["where", "when", "if", "elsif", "then", "else", ":=", ",", "select", "return", "on"];
/// A statement in a function begins behind one of these.
const BEFORE_STATEMENTS: [&str; 6] = [";", "then", "begin", "else", "loop", "case"];
/// Statements in a function that can be left out.
const STATEMENTS: [&str; 5] = ["perform", "delete", "raise", "execute", "revoke"];
/// Statements of a file that can be left out: what they make is not named by the others.
const DEFINITIONS: [&str; 7] = ["alter", "grant", "revoke", "do", "index", "policy", "trigger"];

/// All of them in a file.
pub(crate) fn edits(code: &Code<'_>) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut in_body = false;
    for (index, token) in code.tokens.iter().enumerate() {
        if token.kind == Kind::Tag {
            in_body = !in_body;
        }
        match token.text {
            "and" if token.kind == Kind::Word && !ends_between(code, index) => {
                conditions(code, index, true, &mut edits)
            }
            "or" if code.text(index + 1) != "replace" && code.before(index) != "insert" => {
                conditions(code, index, false, &mut edits);
            }
            "where" => edits.extend(filter(code, index)),
            "for" if code.text(index + 1) == "update" => edits.push(code.edit("lock", index, index + 2, "")),
            "on" if code.text(index + 1) == "conflict" => {
                let end = code.forward(index, |at| ["returning", ";"].contains(&code.text(at)));
                edits.push(code.edit("conflict", index, end, ""));
            }
            "order" if code.text(index + 1) == "by" => {
                let end = code.forward(index, |at| CLAUSES.contains(&code.text(at)) && at > index);
                edits.push(code.edit("order", index, end, ""));
            }
            "distinct" if code.before(index) == "select" => edits.push(code.edit("distinct", index, index + 1, "")),
            "union" if code.text(index + 1) == "all" => edits.push(code.edit("union", index + 1, index + 2, "")),
            "coalesce" | "nullif" if code.text(index + 1) == "(" => edits.extend(default(code, index)),
            "announce" if code.text(index + 1) == "(" && index >= 3 && code.before(index - 2) == ":=" => {
                edits.push(code.edit("announcement", index - 2, index + 1, ""));
            }
            "set" if updates(code, index) => assignments(code, index, &mut edits),
            "constraint" if code.text(index + 1) != "=" => edits.extend(item(code, "constraint", index)),
            "if" if in_body && begins_statement(code, index) => branches(code, index, &mut edits),
            ":=" if in_body => edits.extend(assignment(code, index)),
            word if in_body && STATEMENTS.contains(&word) => edits.extend(statement(code, index)),
            _ => {}
        }
    }
    for statement in code.statements() {
        definition(code, statement, &mut edits);
    }
    edits
}

/// One side of `and` or `or`.
fn conditions(code: &Code<'_>, index: usize, conjunction: bool, edits: &mut Vec<Edit>) {
    // `or` binds less than `and`: what is on its side may have an `and` in it.
    let separates =
        |at: usize| code.text(at) == "or" || conjunction && code.text(at) == "and" && !ends_between(code, at);
    let operator = if conjunction { "conjunct" } else { "disjunct" };
    let end = code.forward(index + 1, |at| separates(at) || ends_condition(code, at));
    edits.push(code.edit(operator, index, end, ""));
    let begin = code.backward(index, |at| separates(at) || BEGINNINGS.contains(&code.text(at)));
    let first = begin.map_or(0, |at| at + 1);
    // The one before has left it out already.
    if first < index && begin.is_none_or(|at| code.text(at) != if conjunction { "and" } else { "or" }) {
        edits.push(code.edit(operator, first, index + 1, ""));
    }
}

fn ends_condition(code: &Code<'_>, at: usize) -> bool {
    CLAUSES.contains(&code.text(at)) || PARTS.contains(&code.text(at)) || is_more_conditions(code, at)
}

/// A place that `format` fills with further conditions.
fn is_more_conditions(code: &Code<'_>, at: usize) -> bool {
    code.kind(at) == Some(Kind::Parameter) && code.text(at).ends_with("$s") && code.before(at) == ")"
}

/// A whole `where`.
fn filter(code: &Code<'_>, index: usize) -> Option<Edit> {
    let end = code.forward(index + 1, |at| CLAUSES.contains(&code.text(at)) || is_more_conditions(code, at));
    // What follows begins with `and`.
    let goes_on = is_more_conditions(code, end) || code.kind(end) == Some(Kind::Quote) && code.text(end + 1) == "||";
    Some(code.edit("where", index, end, if goes_on { "where true" } else { "" }))
        .filter(|edit| code.source.get(edit.start..edit.end) != Some("where true"))
}

/// The second argument.
fn default(code: &Code<'_>, index: usize) -> Option<Edit> {
    let close = code.partner(index + 1)?;
    let comma = code.forward(index + 2, |at| code.text(at) == ",");
    let first = code.source.get(code.tokens.get(index + 2)?.start..code.tokens.get(comma.checked_sub(1)?)?.end)?;
    (comma < close).then(|| code.edit("default", index, close + 1, &format!("({first})")))
}

/// Whether this `set` is that of an `update`.
fn updates(code: &Code<'_>, index: usize) -> bool {
    (1..=6)
        .filter_map(|back| index.checked_sub(back))
        .map(|at| code.text(at))
        .take_while(|text| *text != ";")
        .any(|text| text == "update")
}

/// Each assignment of an `update`, where there are several.
fn assignments(code: &Code<'_>, index: usize, edits: &mut Vec<Edit>) {
    let mut first = index + 1;
    loop {
        let end = code.forward(first, |at| [",", "where", "returning", ";"].contains(&code.text(at)));
        let is_last = code.text(end) != ",";
        if !is_last {
            edits.push(code.edit("assignment", first, end + 1, ""));
        } else if first > index + 1 {
            edits.push(code.edit("assignment", first - 1, end, ""));
        }
        if is_last {
            return;
        }
        first = end + 1;
    }
}

/// An item of a list, with the comma before it.
fn item(code: &Code<'_>, operator: &'static str, index: usize) -> Option<Edit> {
    let comma = index.checked_sub(1).filter(|before| code.text(*before) == ",")?;
    let end = code.forward(index, |at| code.text(at) == ",");
    Some(code.edit(operator, comma, end, ""))
}

fn begins_statement(code: &Code<'_>, index: usize) -> bool {
    BEFORE_STATEMENTS.contains(&code.before(index))
}

/// An `if` whose branch is never taken, and one whose branch is always taken.
fn branches(code: &Code<'_>, index: usize, edits: &mut Vec<Edit>) {
    let then = code.forward(index + 1, |at| code.text(at) == "then");
    let (mut depth, mut at, mut has_else) = (1, then, false);
    while depth > 0 && at < code.tokens.len() {
        at += 1;
        match code.text(at) {
            "end" if code.text(at + 1) == "if" => depth -= 1,
            "if" if begins_statement(code, at) => depth += 1,
            "else" if depth == 1 && code.before(at) == ";" => has_else = true,
            _ => {}
        }
    }
    edits.push(code.edit("branch", index + 1, then, "true"));
    if has_else {
        edits.push(code.edit("branch", index + 1, then, "false"));
    } else {
        edits.push(code.edit("branch", index, at + 3, ""));
    }
}

/// `name := value;`, but not in a declaration.
fn assignment(code: &Code<'_>, index: usize) -> Option<Edit> {
    let mut first = index.checked_sub(1)?;
    while code.before(first) == "." {
        first = first.checked_sub(2)?;
    }
    begins_statement(code, first).then_some(())?;
    statement_from(code, "statement", first)
}

fn statement(code: &Code<'_>, index: usize) -> Option<Edit> {
    begins_statement(code, index).then_some(())?;
    statement_from(code, "statement", index)
}

fn statement_from(code: &Code<'_>, operator: &'static str, first: usize) -> Option<Edit> {
    let end = code.forward(first, |at| code.text(at) == ";");
    // To leave out the only statement of a branch is to leave out the branch.
    let alone = code.before(first) == "then" && code.has(end + 1, &["end", "if"]);
    (!alone).then(|| code.edit(operator, first, end + 1, ""))
}

/// A statement of the file, or a part of what it grants or fences.
fn definition(code: &Code<'_>, statement: Statement, edits: &mut Vec<Edit>) {
    let Statement { first, last } = statement;
    let (verb, thing) = (code.text(first), code.text(first + 1));
    if DEFINITIONS.contains(&verb) || DEFINITIONS.contains(&thing) {
        edits.push(code.edit("definition", first, last + 1, ""));
    }
    if verb == "grant" {
        let mut at = first + 1;
        while ["select", "insert", "update", "delete"].contains(&code.text(at)) {
            let is_last = code.text(at + 1) != ",";
            if !is_last {
                edits.push(code.edit("right", at, at + 2, ""));
            } else if at > first + 1 {
                edits.push(code.edit("right", at - 1, at + 1, ""));
            }
            at += 2;
        }
    }
    if thing == "policy" {
        for at in first..last {
            if ["using", "check"].contains(&code.text(at)) && code.text(at + 1) == "(" {
                edits.extend(code.partner(at + 1).map(|close| code.edit("policy", at + 1, close + 1, "(true)")));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts with one mutant of a kind each, with single spaces.
    fn without(operator: &str, source: &str) -> Vec<String> {
        let edits = edits(&Code::new(source)).into_iter().filter(|edit| edit.operator == operator);
        edits.map(|edit| edit.applied(source).split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    }

    #[test]
    fn each_condition_of_a_chain_is_left_out() {
        let source = "select where a = 1 and (b or c) and d is null order by e";
        assert_eq!(
            without("conjunct", source),
            [
                "select where a = 1 and d is null order by e",
                "select where (b or c) and d is null order by e",
                "select where a = 1 and (b or c) order by e",
            ]
        );
        assert_eq!(without("disjunct", "if a and b or c then"), ["if a and b then", "if c then"]);
        assert_eq!(without("conjunct", "when a between 1 and 2 then"), [""; 0]);
        assert_eq!(without("conjunct", "concat(' and a < 1')"), ["concat(' ')"]);
        assert_eq!(
            without("conjunct", "'select where a and (b) %3$s order by c'"),
            ["'select where a %3$s order by c'", "'select where (b) %3$s order by c'"]
        );
    }

    #[test]
    fn a_filter_is_left_out() {
        assert_eq!(without("where", "delete from a where b = (c); d"), ["delete from a ; d"]);
        assert_eq!(without("where", "(select a where b) d"), ["(select a ) d"]);
        assert_eq!(without("where", "select a where b for update;"), ["select a for update;"]);
        assert_eq!(without("where", "'select a where (b) %7$s'"), ["'select a where true %7$s'"]);
        assert_eq!(without("where", "'select a where true' || b"), [""; 0]);
    }

    #[test]
    fn locks_and_conflicts_are_left_out() {
        assert_eq!(without("lock", "select a for update;"), ["select a ;"]);
        assert_eq!(
            without("conflict", "insert into a values (1) on conflict (b) do update set c = d returning e"),
            ["insert into a values (1) returning e"]
        );
    }

    #[test]
    fn parts_of_a_query_are_left_out() {
        assert_eq!(without("order", "select a order by b desc limit 3"), ["select a limit 3"]);
        assert_eq!(without("distinct", "select distinct a"), ["select a"]);
        assert_eq!(without("distinct", "a is distinct from b"), [""; 0]);
        assert_eq!(without("union", "(a) union all (b)"), ["(a) union (b)"]);
        assert_eq!(without("default", "coalesce((select a, b), 0) x"), ["((select a, b)) x"]);
    }

    #[test]
    fn an_assignment_is_left_out() {
        assert_eq!(
            without("assignment", "update a as b set c = f(1, 2), d = e where g"),
            ["update a as b set d = e where g", "update a as b set c = f(1, 2) where g"]
        );
        assert_eq!(without("assignment", "alter role x set a = 1, b = 2;"), [""; 0]);
        assert_eq!(
            without("statement", "$$ declare a int := 1; begin b.c := 2; d := 3; end $$"),
            ["$$ declare a int := 1; begin d := 3; end $$", "$$ declare a int := 1; begin b.c := 2; end $$"]
        );
    }

    #[test]
    fn a_branch_is_never_or_always_taken() {
        assert_eq!(
            without("branch", "$$ begin if a then return; end if; b; end $$"),
            ["$$ begin if true then return; end if; b; end $$", "$$ begin b; end $$"]
        );
        assert_eq!(
            without("branch", "$$ begin if a then b; else c; end if; end $$"),
            ["$$ begin if true then b; else c; end if; end $$", "$$ begin if false then b; else c; end if; end $$"]
        );
        assert_eq!(without("branch", "$$ begin if a then if b then c; end if; d; end if; end $$").len(), 4);
    }

    #[test]
    fn a_statement_is_left_out_once() {
        assert_eq!(without("statement", "$$ begin perform f(1); end $$"), ["$$ begin end $$"]);
        assert_eq!(without("statement", "$$ begin if a then perform f(1); end if; end $$"), [""; 0]);
        assert_eq!(
            without("announcement", "$$ declare c text := errand.announce(p); begin end $$"),
            ["$$ declare c text := (p); begin end $$"]
        );
    }

    #[test]
    fn fences_and_rights_are_left_out() {
        assert_eq!(without("definition", "alter table a force row level security; b;"), ["b;"]);
        assert_eq!(
            without("right", "grant select, insert on a to b;"),
            ["grant insert on a to b;", "grant select on a to b;"]
        );
        assert_eq!(
            without("policy", "create policy a on b using (c) with check (d);"),
            ["create policy a on b using (true) with check (d);", "create policy a on b using (c) with check (true);"]
        );
        assert_eq!(
            without("constraint", "create table a (b int, constraint c check (b > 0), d int);"),
            ["create table a (b int, d int);"]
        );
    }
}
