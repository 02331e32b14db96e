//! Mutants of the component's source. cargo-mutants lists, makes and judges them; which are tried, and when, is decided here.

mod outcomes;
mod tree;
mod worker;

use std::fs;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::mutant::{self, How, Mutant};
use crate::{
    process::{self, BRIEF},
    tools, workspace,
};
pub(crate) use worker::Worker;

/// The version that is installed where there is none.
const CARGO_MUTANTS: &str = "27.1.0";
/// The modules that are mutated. What is compiled for WebAssembly alone is run by no test of the native suite.
const MODULES: [&str; 5] = ["domain", "auth", "service", "data", "api"];

/// A mutant, as `cargo mutants --list --json` prints it.
#[derive(Deserialize)]
struct Listed {
    name: String,
    file: String,
    function: Option<Function>,
    genre: String,
    span: Span,
}

#[derive(Deserialize)]
struct Function {
    function_name: String,
}

#[derive(Deserialize)]
struct Span {
    start: Place,
    end: Place,
}

#[derive(Deserialize)]
struct Place {
    line: usize,
}

/// All mutants, in cargo-mutants' order.
pub(crate) async fn list() -> Result<Vec<Mutant>> {
    let root = workspace::root()?;
    let mut command = workspace::program(&program().await?)?;
    command.args(["mutants", "--no-config", "--list", "--json", "--package=errand"]);
    for module in MODULES {
        command.arg(format!("--file=src/{module}.rs")).arg(format!("--file=src/{module}/**"));
    }
    let shown = process::shown(&command);
    let json = process::capture(command, BRIEF).await;
    let json = json.with_context(|| format!("`{shown}` failed; run it by hand to see why"))?;
    parse(&json, |file| fs::read_to_string(root.join(file)).with_context(|| format!("cannot read {file}")))
}

/// cargo-mutants, installed if need be.
async fn program() -> Result<String> {
    tools::need("cargo-mutants", CARGO_MUTANTS, &["mutants", "--version"]).await
}

fn parse(json: &str, source: impl Fn(&str) -> Result<String>) -> Result<Vec<Mutant>> {
    let listed: Vec<Listed> = serde_json::from_str(json).context("cargo-mutants' list is not as it should be")?;
    let mut mutants = Vec::new();
    for Listed { name, file, function, genre, span } in listed {
        let text = source(&file)?.lines().nth(span.start.line.saturating_sub(1)).unwrap_or_default().trim().to_owned();
        mutants.push(Mutant {
            first_line: span.start.line,
            last_line: span.end.line,
            within: function.map_or_else(|| "no function".to_owned(), |function| function.function_name),
            text,
            operator: operator(&genre).to_owned(),
            change: change(&name, &file),
            how: How::Named(name),
            ordinal: 1,
            file,
        });
    }
    mutant::number(&mut mutants);
    Ok(mutants)
}

/// The name without `file:line:column: `.
fn change(name: &str, file: &str) -> String {
    let rest = name.strip_prefix(file).and_then(|rest| rest.split_once(": "));
    rest.map_or(name, |(_, change)| change).to_owned()
}

/// cargo-mutants' kinds of change, in words.
fn operator(genre: &str) -> &str {
    match genre {
        "FnValue" => "return value",
        "BinaryOperator" => "binary operator",
        "UnaryOperator" => "unary operator",
        "MatchArm" => "match arm",
        "MatchArmGuard" => "match guard",
        "StructField" => "field",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_mutants_lists_is_read() -> Result<()> {
        let json = r#"[
            {"diff": "", "file": "src/a.rs", "function": {"function_name": "<impl B for A>::b", "return_type": "-> bool",
                "span": {"start": {"column": 5, "line": 1}, "end": {"column": 6, "line": 4}}},
             "genre": "FnValue", "name": "src/a.rs:2:9: replace <impl B for A>::b -> bool with true", "package": "errand",
             "replacement": "true", "span": {"start": {"column": 9, "line": 2}, "end": {"column": 20, "line": 3}}},
            {"file": "src/a.rs", "function": null, "genre": "BinaryOperator", "name": "src/a.rs:5:19: replace * with +",
             "span": {"start": {"column": 19, "line": 5}, "end": {"column": 20, "line": 5}}},
            {"file": "src/a.rs", "function": null, "genre": "BinaryOperator", "name": "src/a.rs:5:23: replace * with +",
             "span": {"start": {"column": 23, "line": 5}, "end": {"column": 24, "line": 5}}}
        ]"#;
        let mutants = parse(json, |_| Ok("fn b() {\n  one\n  && two\n}\nconst A: u32 = 2 * 3 * 4;\n".to_owned()))?;
        let shown: Vec<_> = mutants.iter().map(Mutant::shown).collect();
        assert_eq!(
            shown,
            [
                "src/a.rs:2: replace <impl B for A>::b -> bool with true",
                "src/a.rs:5: replace * with +",
                "src/a.rs:5: replace * with + (2)",
            ]
        );
        let first = mutants.first().context("no mutant")?;
        assert_eq!((first.last_line, &*first.within, &*first.text), (3, "<impl B for A>::b", "one"));
        Ok(())
    }
}
