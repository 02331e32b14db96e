//! The template for `spin new -t errand`: the repository, with the new project's name in the manifests.
//!
//! Spin fills each file with Liquid. The files have braces of their own, so all of their text is marked as raw.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::archive::Files;

/// Spin looks for templates in this folder of an archive.
const FOLDER: &str = "templates/errand";
const METADATA: &str = "\
manifest_version = \"1\"
id = \"errand\"
description = \"A multi-tenant task API in Rust on PostgreSQL: errand, to change\"
tags = [\"http\", \"rust\", \"postgresql\"]
";
/// Where the application's name is.
const MANIFESTS: [&str; 4] = ["spin.toml", "spin-p2.toml", "spin-api.toml", "spin-akamai.toml"];
const NAME: &str = "name = \"errand\"";

/// What is in it. `tracked` are the repository's files.
pub(super) fn files(root: &Path, tracked: &[PathBuf]) -> Result<Files> {
    let mut files = Files::default();
    files.add(format!("{FOLDER}/metadata/spin-template.toml"), METADATA);
    for path in tracked {
        let bytes = fs::read(root.join(path)).with_context(|| format!("cannot read {}", path.display()))?;
        let path = path.to_string_lossy();
        let content = match String::from_utf8(bytes) {
            Ok(text) if MANIFESTS.contains(&&*path) => {
                named(&text).with_context(|| path.clone().into_owned())?.into_bytes()
            }
            Ok(text) => raw(&text).into_bytes(),
            // Spin copies what is no text.
            Err(error) => error.into_bytes(),
        };
        files.add(format!("{FOLDER}/content/{path}"), content);
    }
    Ok(files)
}

/// A manifest with the new project's name.
fn named(text: &str) -> Result<String> {
    let (before, after) = text.split_once(NAME).with_context(|| format!("no {NAME}"))?;
    Ok(format!("{}name = \"{{{{ project-name | kebab_case }}}}\"{}", raw(before), raw(after)))
}

/// A text in which nothing means anything to Liquid.
fn raw(text: &str) -> String {
    if !["{{", "{%"].iter().any(|opening| text.contains(opening)) {
        return text.to_owned();
    }
    [&tag("raw"), text, &tag("endraw")].concat()
}

/// Made here, because this file is a part of the template.
fn tag(name: &str) -> String {
    ["{%", name, "%}"].join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace;

    #[test]
    fn braces_are_marked_and_other_texts_are_as_they_were() {
        assert_eq!(raw("a { b } c"), "a { b } c");
        assert_eq!(raw("a {{ b }}"), format!("{}a {{{{ b }}}}{}", tag("raw"), tag("endraw")));
        let filled = named("x = \"{{ y }}\"\nname = \"errand\"\n").unwrap();
        assert!(filled.ends_with("name = \"{{ project-name | kebab_case }}\"\n"), "{filled}");
        assert!(named("name = \"other\"").is_err());
    }

    #[test]
    fn a_filled_template_is_the_repository_with_another_name() {
        let root = workspace::root().unwrap();
        if !root.join(".git").exists() {
            eprintln!("left out: this is no checkout of git, which names the files of the template");
            return;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let tracked = runtime.block_on(super::super::tracked(&root)).unwrap();
        assert!(tracked.len() > 300);
        let files = files(&root, &tracked).unwrap();
        let parser = liquid::ParserBuilder::with_stdlib().build().unwrap();
        let globals = liquid::object!({"project-name": "todo"});
        for path in &tracked {
            let path = path.to_string_lossy();
            let content = files.get(&format!("{FOLDER}/content/{path}")).unwrap();
            let mut expected = fs::read(root.join(&*path)).unwrap();
            // A filter of Spin's own.
            let Ok(text) = String::from_utf8(content.to_vec()) else { continue };
            if !["{{", "{%"].iter().any(|opening| text.contains(opening)) {
                assert_eq!(text.as_bytes(), expected, "{path}");
                continue;
            }
            let filled = parser.parse(&text.replace(" | kebab_case", "")).unwrap().render(&globals).unwrap();
            if MANIFESTS.contains(&&*path) {
                expected = String::from_utf8(expected).unwrap().replacen(NAME, "name = \"todo\"", 1).into_bytes();
            } else if text.contains(" | kebab_case") {
                // Files that speak of the filter, such as this one.
                continue;
            }
            assert_eq!(filled.as_bytes(), expected, "{path}");
        }
    }
}
