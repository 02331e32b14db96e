//! The bundle: what serves with nothing but Spin and PostgreSQL.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use toml_edit::DocumentMut;

use super::archive::Files;

/// Where the components are in the bundle.
const COMPONENTS: &str = "components";
const MANIFESTS: [&str; 4] = ["spin.toml", "spin-p2.toml", "spin-api.toml", "spin-akamai.toml"];
/// Beside them, as they are in the repository.
const FILES: [&str; 6] =
    ["runtime-config.toml", "openapi.json", "CHANGELOG.md", "SECURITY.md", "LICENSE-MIT", "LICENSE-APACHE"];
/// Its README, and the program that its commands have in the place of `cargo xtask db`.
const README: &str = "deploy/bundle/README.md";
const PROGRAM: &str = "errand-db";

/// What is in it. `tracked` are the repository's files, `sboms` names and documents.
pub(super) fn files(
    root: &Path,
    tracked: &[PathBuf],
    components: &[PathBuf],
    program: &Path,
    sboms: Vec<(String, Vec<u8>)>,
) -> Result<Files> {
    let read = |path: &Path| fs::read(root.join(path)).with_context(|| format!("cannot read {}", path.display()));
    let mut files = Files::default();
    files.add("README.md", read(Path::new(README))?);
    for name in MANIFESTS {
        files.add(name, manifest(&String::from_utf8(read(Path::new(name))?)?).with_context(|| name.to_owned())?);
    }
    for name in FILES {
        files.add(name, read(Path::new(name))?);
    }
    for path in tracked.iter().filter(|path| path.starts_with("migrations") || path.starts_with("deploy")) {
        if !path.starts_with("deploy/bundle") {
            files.add(path.to_string_lossy(), read(path)?);
        }
    }
    for component in components {
        let name = component.file_name().context("a component without a name")?;
        files.add(format!("{COMPONENTS}/{}", name.to_string_lossy()), read(component)?);
    }
    files.add_program(PROGRAM, read(program)?);
    for (name, document) in sboms {
        files.add(format!("sbom/{name}"), document);
    }
    files.add_sums();
    Ok(files)
}

/// A manifest whose components lie beside it and are built already.
fn manifest(text: &str) -> Result<String> {
    let mut manifest: DocumentMut = text.parse()?;
    let components = manifest.get_mut("component").and_then(|component| component.as_table_like_mut());
    for (name, component) in components.context("no components")?.iter_mut() {
        let component = component.as_table_like_mut().context("a component is no table")?;
        let source = component
            .get("source")
            .and_then(|source| source.as_str())
            .with_context(|| format!("{name} has no source"))?;
        let (_, file) = source.rsplit_once('/').context("a source without a folder")?;
        let source = format!("{COMPONENTS}/{file}");
        component.insert("source", toml_edit::value(source));
        component.remove("build");
    }
    Ok(manifest.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace;

    #[test]
    fn a_manifest_of_the_bundle_builds_nothing_and_names_the_components_beside_it() {
        let root = workspace::root().unwrap();
        for name in MANIFESTS {
            let text = manifest(&fs::read_to_string(root.join(name)).unwrap()).unwrap();
            let parsed: toml::Table = text.parse().unwrap();
            for (_, component) in parsed["component"].as_table().unwrap() {
                assert!(component.get("build").is_none(), "{component}");
                assert!(component["source"].as_str().unwrap().starts_with("components/errand_"), "{component}");
            }
        }
    }
}
