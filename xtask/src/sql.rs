//! `cargo xtask sql`: the functions for the orders of a list, ten of each kind, from one text.

use std::fs;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::workspace;

/// Write the functions for the orders of a list anew, from xtask/src/sql/task_orders.sql
///
/// They are committed; a test fails where they are not what this command writes.
#[derive(Args)]
pub(crate) struct Sql {}

/// What the functions are made of, from the checkout's root.
pub(crate) const TEMPLATE: &str = "xtask/src/sql/task_orders.sql";
/// What is made.
pub(crate) const MADE: &str = "migrations/functions/errand/task_orders.sql";

impl Sql {
    pub(crate) fn run(self) -> Result<()> {
        let root = workspace::root()?;
        let template = fs::read_to_string(root.join(TEMPLATE))?;
        fs::write(root.join(MADE), task_orders(&template)?)?;
        eprintln!("errand: wrote {MADE}");
        Ok(())
    }
}

/// The maximum number of tasks of a page: `domain::MAX_PAGE_SIZE`, whose test compares it with what this writes.
const PAGE: u32 = 500;
/// The maximum number of tasks that a page with filters scans.
const MAX_WALK: u32 = 20_000;
/// The same over a shared connection.
const SHORT_WALK: u32 = 500;

/// What tasks are ordered by; ids break ties.
struct Key {
    name: &'static str,
    column: &'static str,
    kind: &'static str,
    /// An expression for a value before all keys, and one for a value behind them.
    before: &'static str,
    behind: &'static str,
}

const KEYS: [Key; 5] = [
    Key { name: "created_at", column: "created_at", kind: "timestamptz", before: "'-infinity'", behind: "'infinity'" },
    Key { name: "updated_at", column: "updated_at", kind: "timestamptz", before: "'-infinity'", behind: "'infinity'" },
    Key { name: "due", column: "due_key", kind: "timestamptz", before: "'-infinity'", behind: "'infinity'" },
    Key { name: "priority", column: "priority", kind: "smallint", before: "'-1'", behind: "'4'" },
    // Text has no greatest value. In the C collation, this is behind every key of at most 1,600 bytes, and no key is empty. It is a constant
    // to the planner.
    Key { name: "title", column: "title_key", kind: "text", before: "''", behind: "repeat(chr(1114111), 401)" },
];

impl Key {
    /// What differs among the orders.
    fn places(&self, ascending: bool) -> [(&str, &str); 6] {
        let (beyond, direction, first, first_id) =
            if ascending { (">", "asc", self.before, LEAST_ID) } else { ("<", "desc", self.behind, GREATEST_ID) };
        [
            ("key", self.column),
            ("type", self.kind),
            ("beyond", beyond),
            ("direction", direction),
            ("first", first),
            ("first_id", first_id),
        ]
    }
}

const LEAST_ID: &str = "'00000000-0000-0000-0000-000000000000'";
const GREATEST_ID: &str = "'ffffffff-ffff-ffff-ffff-ffffffffffff'";

/// The file that this template makes.
///
/// # Errors
///
/// When the template lacks a part, or has a place that nothing fills.
pub(crate) fn task_orders(template: &str) -> Result<String> {
    let template = Template(template);
    let mut text = format!(
        "-- The queries for a page of a list, for each order that has an index. Written by `cargo xtask sql` from {TEMPLATE},\n\
         -- which says why they are as they are.\n\n"
    );
    let (mut tasks, mut found, mut near, mut walks) = (String::new(), String::new(), String::new(), String::new());
    let mut granted = Vec::new();
    for key in &KEYS {
        for ascending in [false, true] {
            let walk = template.walk(key, ascending)?;
            let order = format!("{}_{}", key.name, if ascending { "asc" } else { "desc" });
            text.push_str(&template.functions(&order, &walk, &template.found(key, ascending)?)?);
            text.push_str("\n\n");
            tasks.push_str(&format!("when '{order}' then return errand.page_by_{order}(p_start, p_filter, p_ends);\n"));
            found.push_str(&format!("when '{order}' then return errand.found_page_by_{order}(p_start, p_filter);\n"));
            granted.push(format!("errand.found_page_by_{order}, errand.short_page_by_{order}, errand.page_by_{order}"));
            near.push_str(&format!("when '{order}' then return errand.short_page_by_{order}(p_start, p_filter);\n"));
            let walk = fill(&walk, &[("start", "$1"), ("columns", "%1$s"), ("conditions", "%2$s"), ("limit", "%3$s")]);
            walks.push_str(&format!(
                "when '{order}' then '\n    {}'\n",
                fill("    {walk}", &[("walk", &quoted(&walk))]).trim_start()
            ));
        }
    }
    let runtime = |page: &str| quoted(&fill(page, &[("start", "$1"), ("source", "%s")]));
    text.push_str(&fill(
        template.part("common")?,
        &[
            ("tasks_cases", tasks.trim_end()),
            ("found_page_cases", found.trim_end()),
            ("short_page_cases", near.trim_end()),
            ("walk_cases", walks.trim_end()),
            ("chosen_text", &fill(template.query("chosen")?, &[("walk", "%s"), ("conditions", "%s")])),
            ("measured_text", &runtime(&template.page(true)?)),
            ("unmeasured_text", &runtime(&template.page(false)?)),
            ("columns", template.query("columns")?),
            ("columns_of_bounded", template.query("columns_of_bounded")?),
            ("granted", &granted.join(",\n")),
            ("look_ahead", &(PAGE + 1).to_string()),
            ("longest_walk_size", &MAX_WALK.to_string()),
            ("short_walk_size", &SHORT_WALK.to_string()),
        ],
    ));
    let text = fill(&text, &[("look_ahead", &(PAGE + 1).to_string())]);
    if let Some((_, rest)) = text.split_once('{') {
        bail!("nothing fills `{{{}`", rest.lines().next().unwrap_or_default());
    }
    Ok(text + "\n")
}

/// A text in parts, each after a line `--- name`.
struct Template<'a>(&'a str);

impl<'a> Template<'a> {
    /// A part, without the comments before the next one.
    fn part(&self, name: &str) -> Result<&'a str> {
        let (_, rest) = self.0.split_once(&format!("\n--- {name}\n")).with_context(|| format!("no part {name}"))?;
        let mut part = rest.split_once("\n--- ").map_or(rest, |(part, _)| part).trim_end();
        if rest.len() > part.len() {
            while let Some((before, last)) = part.rsplit_once('\n')
                && (last.starts_with("--") || last.is_empty())
            {
                part = before;
            }
        }
        Ok(part.trim_end())
    }

    /// A part that is one query or less, without its semicolon.
    fn query(&self, name: &str) -> Result<&'a str> {
        Ok(self.part(name)?.trim_end_matches(';'))
    }

    /// A walk in one order: `{start}`, `{columns}`, `{conditions}` and `{limit}` are open.
    fn walk(&self, key: &Key, ascending: bool) -> Result<String> {
        let ids = [("least_id", LEAST_ID), ("greatest_id", GREATEST_ID)];
        if key.name == "due" && !ascending {
            return Ok(fill(self.query("walk_due_desc")?, &ids));
        }
        Ok(fill(self.query("walk")?, &key.places(ascending)))
    }

    /// The sorted candidates in one order: `{start}` and `{conditions}` are open.
    fn found(&self, key: &Key, ascending: bool) -> Result<String> {
        if key.name == "due" && !ascending {
            return Ok(self.query("found_due_desc")?.to_owned());
        }
        Ok(fill(self.query("found")?, &key.places(ascending)))
    }

    /// A page: `{start}` and `{source}`, the walk, are open.
    fn page(&self, measured: bool) -> Result<String> {
        let measure = self.query(if measured { "measured" } else { "unmeasured" })?;
        Ok(fill(self.query("page")?, &[("measure", measure)]))
    }

    /// The functions of one order.
    fn functions(&self, order: &str, walk: &str, found: &str) -> Result<String> {
        let short_conditions = self.query("short_conditions")?;
        let conditions = fill(self.query("conditions")?, &[("short_conditions", short_conditions)]);
        let look_ahead = (PAGE + 1).to_string();
        let (longest, short) = (MAX_WALK.to_string(), SHORT_WALK.to_string());
        let walk = |columns: &str, conditions: &str, limit: &str| {
            let places = [("start", "p_start"), ("columns", columns), ("conditions", conditions), ("limit", limit)];
            without_empty_ends(&fill(walk, &places))
        };
        let columns = self.query("columns")?;
        let all = walk(columns, "", &look_ahead);
        let unbounded = walk(columns, &conditions, &look_ahead);
        let chosen = self.query("chosen")?;
        let bounded = |conditions: &str, limit: &str| -> Result<String> {
            let walk = walk(self.query("columns_of_bounded")?, "", limit);
            Ok(fill(chosen, &[("walk", &walk), ("conditions", conditions), ("look_ahead", &look_ahead)]))
        };
        let (longest, short_page) = (bounded(&conditions, &longest)?, bounded(short_conditions, &short)?);
        let found = fill(found, &[("start", "p_start"), ("conditions", &conditions), ("look_ahead", &look_ahead)]);
        let page = |source: &str, measured: bool| -> Result<String> {
            Ok(fill(&self.page(measured)?, &[("start", "p_start"), ("source", source)]))
        };
        Ok(fill(
            self.part("functions")?,
            &[
                ("order", order),
                ("all", &page(&all, false)?),
                ("all_measured", &page(&all, true)?),
                ("bounded", &page(&longest, false)?),
                ("bounded_measured", &page(&longest, true)?),
                ("unbounded", &page(&unbounded, false)?),
                ("unbounded_measured", &page(&unbounded, true)?),
                ("found", &page(&found, false)?),
                ("found_measured", &page(&found, true)?),
                ("short", &page(&short_page, false)?),
                ("short_measured", &page(&short_page, true)?),
                ("short_walk", &walk("t.id", "", &short)),
                ("short_walk_last", &(SHORT_WALK - 1).to_string()),
            ],
        ))
    }
}

/// Fills places `{name}`. The lines of a value are indented as the line that it comes to.
fn fill(text: &str, places: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len());
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            filled.push('\n');
        }
        let indent = line.chars().take_while(|c| *c == ' ').count();
        let mut line = line.to_owned();
        for (name, value) in places {
            let place = format!("{{{name}}}");
            if line.contains(&place) {
                line = line.replace(&place, &value.replace('\n', &format!("\n{}", " ".repeat(indent))));
            }
        }
        filled.push_str(&line);
    }
    filled
}

/// In a string.
fn quoted(text: &str) -> String {
    text.replace('\'', "''")
}

/// Without the blank of a condition that is not there.
fn without_empty_ends(text: &str) -> String {
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_functions_are_made_from_the_current_text() {
        let root = workspace::root().unwrap();
        let read = |file: &str| fs::read_to_string(root.join(file)).unwrap_or_default();
        assert_eq!(read(MADE), task_orders(&read(TEMPLATE)).unwrap(), "run `cargo xtask sql`");
    }

    #[test]
    fn a_place_that_nothing_fills_is_refused() {
        let template = fs::read_to_string(workspace::root().unwrap().join(TEMPLATE)).unwrap();
        assert!(task_orders(&template.replace("{limit}", "{most}")).is_err());
        assert!(task_orders(&template.replace("--- walk\n", "--- run\n")).is_err());
    }

    #[test]
    fn what_fills_a_place_is_indented_as_its_line() {
        assert_eq!(fill("a\n  ({b})\n{c}", &[("b", "1\n2")]), "a\n  (1\n  2)\n{c}");
    }
}
