//! Mutants of the migrations: `*.up.sql`, the functions and `access.sql`. Each is tried on a copy of the folder with one change, from
//! which the tests make their databases, so that nothing is built for it. Functions that are made from a text have the mutants of that text.

mod code;
mod killers;
mod lexer;
mod operators;
mod removals;
mod worker;

use std::collections::HashMap;
use std::fs;

use anyhow::{Context, Result};
pub(crate) use worker::{Suite, Worker};

use super::{
    ledger,
    mutant::{self, How, Mutant},
};
use crate::sql::{MADE, TEMPLATE, task_orders};
use crate::workspace;
use code::{Code, Edit};

/// All mutants, in the order of the files.
pub(crate) async fn list() -> Result<Vec<Mutant>> {
    let root = workspace::root()?;
    let mut mutants = Vec::new();
    for file in ledger::files(&["migrations", TEMPLATE]).await? {
        // What takes a migration back is run by nothing that errand serves.
        if file.ends_with(".sql") && !file.ends_with(".down.sql") && file != MADE {
            let source = fs::read_to_string(root.join(&file)).with_context(|| format!("cannot read {file}"))?;
            mutants.extend(if file == TEMPLATE { of_template(&source) } else { of_file(&file, &source) });
        }
    }
    let mut mutants = of_latest_functions(mutants);
    mutant::number(&mut mutants);
    Ok(mutants)
}

/// Those of the text that functions are made from, with the file that each makes. What makes none is no mutant.
fn of_template(source: &str) -> Vec<Mutant> {
    let part = |mutant: &Mutant| {
        let above = source.lines().take(mutant.first_line).filter_map(|line| line.strip_prefix("--- "));
        above.last().unwrap_or_default().to_owned()
    };
    let made = |mutant: Mutant| {
        let How::Text(template) = &mutant.how else { return None };
        let how = How::Text(task_orders(template).ok()?);
        let within = if function(&mutant.within).is_some() { mutant.within.clone() } else { part(&mutant) };
        Some(Mutant { how, within, ..mutant })
    };
    of_file(TEMPLATE, source).into_iter().filter_map(made).collect()
}

/// Leaves out the functions that a later file replaces: nothing that errand serves runs them.
fn of_latest_functions(mut mutants: Vec<Mutant>) -> Vec<Mutant> {
    let mut latest = HashMap::new();
    for mutant in &mutants {
        if let Some(function) = function(&mutant.within) {
            latest.insert(function.to_owned(), mutant.file.clone());
        }
    }
    mutants.retain(|mutant| function(&mutant.within).is_none_or(|function| latest.get(function) == Some(&mutant.file)));
    mutants
}

/// The function that a statement makes.
fn function(within: &str) -> Option<&str> {
    ["create function ", "create or replace function "].into_iter().find_map(|start| within.strip_prefix(start))
}

fn of_file(file: &str, source: &str) -> Vec<Mutant> {
    let code = Code::new(source);
    let mut edits = operators::edits(&code);
    edits.extend(removals::edits(&code));
    // The mutant of a policy that is `true` would change nothing.
    edits.retain(|edit| source.get(edit.start..edit.end) != Some(edit.replacement.as_str()));
    edits.sort_by_key(|edit| (edit.start, edit.end));
    edits.dedup_by(|one, other| (one.start, one.end, &one.replacement) == (other.start, other.end, &other.replacement));
    let statements = code.statements();
    let within = |edit: &Edit| {
        let around = statements
            .iter()
            .find(|statement| code.tokens.get(statement.last).is_some_and(|last| edit.start < last.end));
        around.map(|statement| code.title(*statement)).unwrap_or_default()
    };
    let line_of = |place: usize| source.get(..place).map_or(0, |text| text.matches('\n').count());
    let mutants = edits.iter().map(|edit| {
        let first = line_of(edit.start);
        Mutant {
            file: file.to_owned(),
            first_line: first + 1,
            last_line: line_of(edit.end) + 1,
            within: within(edit),
            text: source.lines().nth(first).unwrap_or_default().trim().to_owned(),
            operator: edit.operator.to_owned(),
            change: change(source, edit),
            how: How::Text(edit.applied(source)),
            ordinal: 1,
        }
    });
    mutants.collect()
}

/// On one line, and not longer than what is changed.
fn change(source: &str, edit: &Edit) -> String {
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let before = one_line(source.get(edit.start..edit.end).unwrap_or_default());
    match one_line(&edit.replacement).as_str() {
        "" => format!("without `{before}`"),
        after => format!("`{before}` -> `{after}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutant_says_where_it_is_and_what_it_changes() {
        let source =
            "-- a\ncreate function api.f() returns int as $$\nbegin\n    return 1\n        where a;\nend\n$$;\n";
        let mutants = of_file("migrations/functions/a.sql", source);
        let shown: Vec<_> =
            mutants.iter().map(|m| (m.first_line, m.last_line, m.text.as_str(), m.change.as_str())).collect();
        assert_eq!(
            shown,
            [
                (4, 4, "return 1", "`1` -> `2`"),
                (4, 4, "return 1", "`1` -> `0`"),
                (5, 5, "where a;", "without `where a`"),
            ]
        );
        assert!(mutants.iter().all(|mutant| mutant.within == "create function api.f"));
    }

    #[test]
    fn what_changes_nothing_is_no_mutant() {
        let mutants = of_file("a.sql", "create policy everyone on a using (true) with check (b);\n");
        let changes: Vec<_> = mutants.iter().map(|mutant| mutant.change.as_str()).collect();
        assert!(changes.contains(&"`(b)` -> `(true)`") && !changes.contains(&"`(true)` -> `(true)`"), "{changes:?}");
    }

    #[test]
    fn a_function_that_a_later_file_replaces_has_none() {
        let function =
            |name: &str| format!("create or replace function api.{name}() returns int as $$\nselect 1\n$$;\n");
        let first = format!("{}{}", function("f").replace("or replace ", ""), function("g"));
        let mut mutants = of_file("1.sql", &first);
        mutants.extend(of_file("2.sql", &function("f")));
        let left = of_latest_functions(mutants);
        let mut places: Vec<_> = left.iter().map(|mutant| (mutant.file.as_str(), mutant.within.as_str())).collect();
        places.dedup();
        let of = |name: &str| format!("create or replace function api.{name}");
        assert_eq!(places, [("1.sql", of("g").as_str()), ("2.sql", of("f").as_str())]);
    }

    #[test]
    fn the_migrations_have_mutants_of_every_kind() {
        let all = [
            include_str!("../../../migrations/0001_tasks.up.sql"),
            include_str!("../../../migrations/functions/errand/caller.sql"),
            include_str!("../../../migrations/functions/errand/task.sql"),
            include_str!("../../../migrations/functions/task_list.sql"),
        ];
        let mut mutants: Vec<_> = all.iter().flat_map(|source| of_file("a.sql", source)).collect();
        mutants.extend(of_template(include_str!("../sql/task_orders.sql")));
        for operator in [
            "and/or",
            "any/all",
            "announcement",
            "arithmetic",
            "assignment",
            "bound",
            "branch",
            "clock",
            "comparison",
            "conflict",
            "conjunct",
            "constraint",
            "default",
            "definition",
            "disjunct",
            "distinct",
            "greatest/least",
            "lock",
            "negation",
            "number",
            "order",
            "policy",
            "right",
            "role",
            "statement",
            "true/false",
            "union",
            "where",
            "window",
        ] {
            assert!(mutants.iter().any(|mutant| mutant.operator == operator), "{operator}");
        }
        for mutant in &mutants {
            assert!(!mutant.within.is_empty() && !mutant.text.is_empty(), "{}", mutant.shown());
        }
    }
}
