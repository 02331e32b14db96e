//! `cargo xtask manifests`: the manifests that are made from spin.toml.

use std::fs;

use anyhow::{Context, Result};
use clap::Args;
use toml_edit::{DocumentMut, Item};

use crate::workspace;

/// Write spin-p2.toml, spin-api.toml and spin-akamai.toml anew from spin.toml
///
/// They are committed; a test fails where one is not what this command writes.
#[derive(Args)]
pub(crate) struct Manifests {}

impl Manifests {
    pub(crate) async fn run(self) -> Result<()> {
        let root = workspace::root()?;
        let original = fs::read_to_string(root.join("spin.toml"))?;
        for derived in DERIVED {
            let path = root.join(derived.file);
            fs::write(&path, derived.text(&original)?)?;
            eprintln!("errand: wrote {}", derived.file);
        }
        Ok(())
    }
}

/// A manifest that is made from spin.toml: neither a build profile nor anything else in a manifest can leave out a component, and
/// Spin 3 refuses profiles.
struct Derived {
    file: &'static str,
    /// Its second line, after the one that names the schema.
    title: &'static str,
    change: fn(&mut DocumentMut) -> Option<()>,
}

const DERIVED: [Derived; 3] = [
    Derived {
        file: "spin-p2.toml",
        title: "# errand for Spin 3.5 to 4.0, which run components of WASI 0.2. Made from spin.toml by `cargo xtask manifests`.",
        change: with_component_of_wasi_02,
    },
    Derived {
        file: "spin-api.toml",
        title: "# The API alone, without the pages under /docs. Made from spin.toml by `cargo xtask manifests`.",
        change: without_docs,
    },
    Derived {
        file: "spin-akamai.toml",
        title: "# The API alone, for Akamai Functions. Made from spin.toml by `cargo xtask manifests`. For `targets`, `spin build` fetches what that\n\
                # platform has from the network.",
        change: for_akamai,
    },
];

impl Derived {
    fn text(&self, original: &str) -> Result<String> {
        let mut manifest: DocumentMut = original.parse().context("spin.toml is not TOML")?;
        (self.change)(&mut manifest).with_context(|| format!("spin.toml lacks what {} is made of", self.file))?;
        let text = manifest.to_string();
        let (schema, rest) = text.split_once('\n').context("spin.toml has one line")?;
        Ok(format!("{schema}\n{}\n{rest}", self.title))
    }
}

fn with_component_of_wasi_02(manifest: &mut DocumentMut) -> Option<()> {
    let component = manifest.get_mut("component")?.get_mut("api")?;
    replace(component.get_mut("source")?, "errand_spin", "errand_spin_p2")?;
    let build = component.get_mut("build")?;
    replace(build.get_mut("command")?, "errand-spin", "errand-spin-p2")?;
    for watched in build.get_mut("watch")?.as_array_mut()?.iter_mut() {
        if watched.as_str()?.contains("crates/spin/") {
            let text = watched.as_str()?.replace("crates/spin/", "crates/spin-p2/");
            *watched = toml_edit::Value::from(text).decorated(" ", "");
        }
    }
    Some(())
}

fn without_docs(manifest: &mut DocumentMut) -> Option<()> {
    let triggers = manifest.get_mut("trigger")?.get_mut("http")?.as_array_of_tables_mut()?;
    triggers.retain(|trigger| trigger.get("component").and_then(Item::as_str) != Some("docs"));
    manifest.get_mut("component")?.as_table_like_mut()?.remove("docs")?;
    Some(())
}

fn for_akamai(manifest: &mut DocumentMut) -> Option<()> {
    without_docs(manifest)?;
    let targets = toml_edit::Array::from_iter(["akamai-functions"]);
    manifest.get_mut("application")?.as_table_like_mut()?.insert("targets", toml_edit::value(targets));
    Some(())
}

fn replace(item: &mut Item, from: &str, to: &str) -> Option<()> {
    let text = item.as_str()?;
    text.contains(from).then_some(())?;
    *item = toml_edit::value(text.replace(from, to));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_manifests_are_made_from_the_current_one() {
        let root = workspace::root().unwrap();
        let read = |file: &str| fs::read_to_string(root.join(file)).unwrap_or_default();
        for derived in DERIVED {
            let expected = derived.text(&read("spin.toml")).unwrap();
            assert_eq!(read(derived.file), expected, "{}: run `cargo xtask manifests`", derived.file);
        }
    }

    #[test]
    fn a_manifest_without_the_parts_is_refused() {
        for derived in DERIVED {
            let error = derived.text("spin_manifest_version = 2\n").unwrap_err();
            assert!(error.to_string().contains(derived.file), "{error}");
        }
    }
}
