//! What operators go by agrees with the code: metrics, alerts, the dashboard, and docs/operations.md.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};

use errand::Event;
use errand::api::{Code, routes};
use errand::data::REFUSALS;
use errand::domain::CauseCode;
use serde_json::Value;

const MTAIL: &str = include_str!("../deploy/observability/errand.mtail");
const ALERTS: &str = include_str!("../deploy/observability/alerts.yml");
const ALERT_TESTS: &str = include_str!("../deploy/observability/alerts.test.yml");
const DASHBOARD: &str = include_str!("../deploy/observability/dashboard.json");
const OPERATIONS: &str = include_str!("../docs/operations.md");

/// The metrics that the log gives, with their labels. A histogram is three.
fn metrics() -> BTreeMap<String, BTreeSet<String>> {
    let mut metrics = BTreeMap::new();
    for line in MTAIL.lines() {
        let Some((kind, rest)) = line.split_once(' ').filter(|(kind, _)| ["counter", "histogram"].contains(kind))
        else {
            continue;
        };
        let (name, rest) = rest.split_once(" by ").unwrap_or((rest, ""));
        let labels = rest.split(" buckets ").next().unwrap().split(", ").filter(|label| !label.is_empty());
        let labels: BTreeSet<_> = labels.map(str::to_owned).collect();
        match kind {
            "counter" => _ = metrics.insert(name.to_owned(), labels),
            _ => {
                metrics.insert(format!("{name}_sum"), labels.clone());
                metrics.insert(format!("{name}_count"), labels.clone());
                let le = labels.into_iter().chain(["le".to_owned()]).collect();
                metrics.insert(format!("{name}_bucket"), le);
            }
        }
    }
    assert!(metrics.len() >= 10, "{metrics:?}");
    metrics
}

fn queries() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    let queries: Vec<_> = targets.map(|target| target["expr"].as_str().unwrap().to_owned()).collect();
    assert!(queries.len() >= 10);
    queries.into_iter().chain([ALERTS.to_owned(), ALERT_TESTS.to_owned()]).collect()
}

/// The metrics that a text names, with what is in the braces behind each.
fn named(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.match_indices("errand_").map(|(start, _)| {
        let text = &text[start..];
        let end = text.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(text.len());
        let labels = text[end..].strip_prefix('{').map_or("", |rest| {
            // A route has braces, too.
            let quoted = rest.char_indices().scan(false, |quoted, (index, c)| {
                *quoted ^= c == '"';
                Some((index, c, *quoted))
            });
            let close = quoted.into_iter().find(|(_, c, quoted)| *c == '}' && !quoted).unwrap().0;
            &rest[..close]
        });
        (&text[..end], labels)
    })
}

#[test]
fn every_metric_and_label_that_is_asked_for_is_made() {
    let metrics = metrics();
    for query in queries() {
        assert!(query.contains("errand_"), "{query}");
        for (name, matchers) in named(&query) {
            let labels = metrics.get(name).unwrap_or_else(|| panic!("no {name}, in {query}"));
            for matcher in matchers.split("\",").filter(|matcher| !matcher.trim().is_empty()) {
                let (label, value) = matcher.trim().split_once(['=', '!']).unwrap();
                // In a YAML string of its own, quotes are escaped.
                let known = labels.contains(label) || label == "instance";
                assert!(known, "{name} has no {label}, in {query}");
                let value = value.trim_start_matches(['=', '~', '"', '\\']).trim_end_matches(['"', '\\']);
                match label {
                    "code" if !value.is_empty() => {
                        assert!(Code::ALL.iter().any(|code| code.word() == value), "{value}");
                    }
                    "cause" => {
                        let is_known = |value| CauseCode::ALL.iter().any(|cause| cause.word() == value);
                        assert!(value.split('|').all(is_known), "{value}");
                    }
                    "route" if !value.contains('*') => assert!(routes().any(|r| r.path == value), "{value}"),
                    _ => {}
                }
            }
        }
        for list in query.split("by (").skip(1) {
            for label in list.split(')').next().unwrap().split(", ") {
                let known = label == "instance" || metrics.values().any(|labels| labels.contains(label));
                assert!(known, "nothing has {label}, in {query}");
            }
        }
    }
}

#[test]
fn every_metric_is_used_and_documented() {
    let queries = queries().concat();
    for line in MTAIL.lines().filter(|line| line.starts_with("counter ") || line.starts_with("histogram ")) {
        let name = line.split(' ').nth(1).unwrap();
        assert!(queries.contains(name) && OPERATIONS.contains(name), "{name}");
    }
}

#[test]
fn every_event_is_counted_and_explained() {
    let counted = MTAIL.split("(?P<event>").nth(1).unwrap().split(')').next().unwrap();
    let events: BTreeSet<_> = Event::ALL.iter().map(|event| event.name()).collect();
    assert_eq!(counted.split('|').collect::<BTreeSet<_>>(), events);
    for event in events {
        assert!(OPERATIONS.contains(&format!("`{event}`")), "{event}");
    }
}

#[test]
fn every_failure_is_explained() {
    let table = OPERATIONS.split("## What each 5xx means").nth(1).unwrap().split("\n## ").next().unwrap();
    for code in Code::ALL.iter().filter(|code| code.status().is_server_error()) {
        let row = format!("| {} `{}` |", code.status().as_u16(), code.word());
        assert!(table.contains(&row), "{row}");
    }
    for cause in CauseCode::ALL {
        assert!(table.contains(&format!("`{}`", cause.word())), "{}", cause.word());
    }
    for (state, cause) in REFUSALS {
        let mut rows = table.lines().filter(|row| row.contains(&format!("`{}`", cause.word())));
        let names_it = |row: &str| row.contains(&format!("`{state}")) || row.contains(&format!("SQLSTATE {state}"));
        assert!(rows.any(names_it), "SQLSTATE {state}");
    }
}

#[test]
fn every_alert_leads_to_its_runbook() {
    let anchors: BTreeSet<_> = OPERATIONS
        .lines()
        .filter_map(|line| line.strip_prefix("## ").or_else(|| line.strip_prefix("### ")))
        .map(|title| {
            title.to_lowercase().replace(|c: char| !c.is_alphanumeric() && c != ' ' && c != '-', "").replace(' ', "-")
        })
        .collect();
    let alerts = ALERTS.matches("- alert: ").count();
    let runbooks: Vec<_> =
        ALERTS.split("runbook: docs/operations.md#").skip(1).map(|rest| rest.lines().next().unwrap()).collect();
    assert_eq!(runbooks.len(), alerts, "an alert has no runbook");
    let links = OPERATIONS.split("](#").skip(1).map(|rest| rest.split(')').next().unwrap());
    for anchor in runbooks.into_iter().chain(links) {
        assert!(anchors.contains(anchor), "{anchor} is not in {anchors:?}");
    }
    for name in ALERTS.split("- alert: ").skip(1).map(|rest| rest.lines().next().unwrap()) {
        assert!(ALERT_TESTS.contains(name) && OPERATIONS.contains(name), "{name}");
    }
}

#[test]
fn every_variable_is_explained_where_operators_look() {
    let manifest = include_str!("../spin.toml");
    let handed_over = manifest.split("[component.api.variables]").nth(1).unwrap();
    for name in errand::Config::names() {
        assert!(manifest.contains(&format!("\n{name} = {{ default")), "{name}");
        assert!(handed_over.contains(&format!("\n{name} = \"{{{{ {name} }}}}\"")), "{name}");
        let explained = [OPERATIONS, include_str!("../docs/auth.md")].concat();
        assert!(explained.contains(&format!("`{name}`")), "{name}");
    }
}
