//! What spin.toml must say: the variables of the core's table, and what every version of Spin needs.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use errand::config::{Reader, VARIABLES};

const MANIFEST: &str = include_str!("../spin.toml");
const EXAMPLE: &str = include_str!("../.env.example");

fn manifest() -> toml::Table {
    toml::from_str(MANIFEST).unwrap()
}

/// The comment before each variable, up to the next blank line.
fn comment(name: &str) -> String {
    let (before, _) =
        MANIFEST.split_once(&format!("\n{name} = {{")).unwrap_or_else(|| panic!("{name} is not in spin.toml"));
    let lines: Vec<_> = before.lines().rev().take_while(|line| line.starts_with("# ")).collect();
    lines.iter().rev().map(|line| &line[2..]).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_manifest_has_the_variables_of_the_table() {
    let manifest = manifest();
    let declared = manifest["variables"].as_table().unwrap();
    let mut names: Vec<_> = VARIABLES.iter().map(|variable| variable.name).collect();
    names.sort_unstable();
    assert_eq!(declared.keys().collect::<Vec<_>>(), names);
    let handed_over = manifest["component"]["api"]["variables"].as_table().unwrap();
    for variable in &VARIABLES {
        let name = variable.name;
        let entry = declared[name].as_table().unwrap();
        assert_eq!(entry.get("default").and_then(|default| default.as_str()), variable.default, "{name}");
        assert_eq!(
            entry.get("required").is_some_and(|required| required.as_bool().unwrap()),
            variable.default.is_none(),
            "{name}"
        );
        assert_eq!(entry.get("secret").is_some_and(|secret| secret.as_bool().unwrap()), variable.secret, "{name}");
        assert_eq!(comment(name), variable.about, "{name}");
        let template = format!("{{{{ {name} }}}}");
        match variable.reader {
            Reader::Core(_) | Reader::Adapter => {
                assert_eq!(handed_over[name].as_str(), Some(template.as_str()), "{name}")
            }
            Reader::Manifest => assert!(!handed_over.contains_key(name) && MANIFEST.contains(&template), "{name}"),
        }
    }
    assert_eq!(
        handed_over.len(),
        VARIABLES.iter().filter(|variable| !matches!(variable.reader, Reader::Manifest)).count()
    );
}

/// A line of the example is commented out, and has the default where there is one.
#[test]
fn the_example_has_the_variables_of_the_table() {
    let lines: Vec<(String, &str)> = EXAMPLE
        .lines()
        .filter_map(|line| line.strip_prefix("#SPIN_VARIABLE_")?.split_once('='))
        .map(|(name, value)| (name.to_lowercase(), value))
        .collect();
    for variable in &VARIABLES {
        let (_, value) =
            lines.iter().find(|(name, _)| name == variable.name).unwrap_or_else(|| panic!("{}", variable.name));
        if let Some(default) = variable.default {
            assert_eq!(*value, default, "{}", variable.name);
        }
    }
    assert_eq!(lines.len(), VARIABLES.len());
}

/// Spin 4.0 refuses a manifest in which a template of `allowed_outbound_hosts` is empty with the default values.
#[test]
fn a_host_that_may_be_reached_is_never_empty() {
    let manifest = manifest();
    let default = manifest["variables"]["jwks_origin"]["default"].as_str().unwrap();
    // RFC 6761, section 6.4: a name under `invalid` leads nowhere.
    assert!(default.starts_with("https://") && default.ends_with(".invalid"), "{default}");
}

/// The doctor of `errand-db` knows it without the core.
#[test]
fn the_tools_know_the_interface_that_the_component_calls() {
    assert_eq!(errand_postgres::migrate::INTERFACE, errand::data::INTERFACE);
}
