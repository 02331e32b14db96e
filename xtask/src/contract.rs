//! `cargo xtask contract`: what the last release promised its clients.
//!
//! No comparer from crates.io, npm or PyPI does it here: those that know OpenAPI 3.1 download a program at installation, or do not
//! judge nullable types, bounds, enums by direction, and headers.

mod document;
mod node;
mod schema;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde::Deserialize;
use serde_json::Value;

use crate::workspace;

/// The folder of the last release's description and of the exceptions.
const FOLDER: &str = "contract";
const EXCEPTIONS: &str = "exceptions.toml";
/// What a release leaves of the exceptions.
const NO_EXCEPTIONS: &str = r#"# Breaking changes of openapi.json since the last release that are meant. `cargo xtask contract` refuses every other one, and an
# entry that matches no change. `cargo xtask dist --release` empties this file.
#
# A break comes last: first the operation or member is `deprecated` in openapi.json, and its answers carry `Deprecation` (RFC 9745)
# and `Sunset` (RFC 8594) for at least one release. Only a change that cannot hurt a client needs no such time.
#
# [[exception]]
# pointer = "/components/schemas/Task/properties/colour"   # as `cargo xtask contract` prints it
# reason = "Deprecated since 1.2.0, with Sunset 2027-06-30; no token has asked for it since May."
"#;

/// Compare openapi.json with that of the last release
///
/// Refused is what an existing client may not survive: something removed, a new required input, a narrower input, a wider output.
/// contract/exceptions.toml names the changes that are meant, each with a reason.
#[derive(Args)]
pub(crate) struct Contract {}

impl Contract {
    pub(crate) fn run(self) -> Result<()> {
        let root = workspace::root()?;
        let version = check(&root)?;
        eprintln!("errand: openapi.json keeps the contract of {version}");
        Ok(())
    }
}

/// Makes today's openapi.json the contract, once it keeps the last one. For `cargo xtask dist --release` alone.
pub(crate) fn release(version: &str) -> Result<()> {
    replace(&workspace::root()?, version)
}

/// A breaking change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Change {
    /// A JSON pointer (RFC 6901) into openapi.json, with the elements of some arrays by name: a parameter is `query:limit`, and a
    /// required member, a type, or a value of an enum is itself.
    pointer: String,
    /// For people.
    what: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exceptions {
    #[serde(default)]
    exception: Vec<Exception>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    pointer: String,
    reason: String,
}

/// Returns the version whose contract openapi.json keeps.
fn check(root: &Path) -> Result<String> {
    let (version, old) = last_release(root)?;
    let new = read(&root.join("openapi.json"))?;
    let text = fs::read_to_string(root.join(FOLDER).join(EXCEPTIONS))
        .with_context(|| format!("cannot read {FOLDER}/{EXCEPTIONS}"))?;
    let exceptions: Exceptions =
        toml::from_str(&text).with_context(|| format!("{FOLDER}/{EXCEPTIONS} is not understood"))?;
    judge(&document::compare(&old, &new)?, &exceptions).with_context(|| {
        format!(
            "openapi.json breaks the contract of {version}; keep what clients rely on, or say in {FOLDER}/{EXCEPTIONS} why not"
        )
    })?;
    Ok(version)
}

/// Every change needs an exception, and every exception a change.
fn judge(changes: &BTreeSet<Change>, exceptions: &Exceptions) -> Result<()> {
    let mut refusals = Vec::new();
    for change in changes {
        if !exceptions.exception.iter().any(|exception| exception.pointer == change.pointer) {
            refusals.push(format!("\n  {}: {}", change.pointer, change.what));
        }
    }
    for Exception { pointer, reason } in &exceptions.exception {
        if !changes.iter().any(|change| change.pointer == *pointer) {
            refusals.push(format!("\n  {pointer}: this exception matches no breaking change; remove it"));
        }
        if reason.trim().is_empty() {
            refusals.push(format!("\n  {pointer}: this exception gives no reason"));
        }
    }
    ensure!(refusals.is_empty(), refusals.concat());
    Ok(())
}

fn replace(root: &Path, version: &str) -> Result<()> {
    let (last, _) = check(root).and_then(|_| last_release(root))?;
    let described = read(&root.join("openapi.json"))?;
    let described = described.pointer("/info/version").and_then(Value::as_str).unwrap_or_default();
    ensure!(described == version, "openapi.json is that of {described}, not of {version}; run `cargo xtask openapi`");
    let folder = root.join(FOLDER);
    fs::copy(root.join("openapi.json"), folder.join(format!("{version}.json")))?;
    if last != version {
        fs::remove_file(folder.join(format!("{last}.json")))?;
    }
    fs::write(folder.join(EXCEPTIONS), NO_EXCEPTIONS)?;
    Ok(())
}

/// The version and the description of the last release: the only JSON file in the folder.
fn last_release(root: &Path) -> Result<(String, Value)> {
    let folder = root.join(FOLDER);
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
    let [path] = found.as_slice() else {
        bail!("{FOLDER}/ must hold the description of one release, VERSION.json, and holds {}", found.len());
    };
    let version = path.file_stem().context("a file without a name")?.to_string_lossy().into_owned();
    Ok((version, read(path)?))
}

fn read(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))
}
