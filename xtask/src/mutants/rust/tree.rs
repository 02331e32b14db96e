//! A copy of the checkout that mutants are put into. It stays from run to run, so that only what a mutant changes is built:
//! cargo-mutants' own copies would build errand from nothing.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// What cargo builds into, in the copy as in the checkout.
const BUILT: &str = "target";

/// Makes the copy like these files of the checkout. A file that is like it already keeps its time, so that cargo takes what
/// it built of it for fresh.
pub(crate) fn sync(root: &Path, files: &[String], tree: &Path) -> Result<()> {
    let mut wanted = HashSet::new();
    for file in files {
        // A file that is deleted and not yet committed is still listed.
        if root.join(file).is_file() {
            restore(root, file, tree)?;
            wanted.insert(tree.join(file));
        }
    }
    remove_others(tree, &wanted, &tree.join(BUILT))
}

/// Makes one file of the copy like that of the checkout.
pub(crate) fn restore(root: &Path, file: &str, tree: &Path) -> Result<()> {
    let content = fs::read(root.join(file)).with_context(|| format!("cannot read {file}"))?;
    let copy = tree.join(file);
    if fs::read(&copy).is_ok_and(|old| old == content) {
        return Ok(());
    }
    if let Some(folder) = copy.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&copy, content).with_context(|| format!("cannot write {}", copy.display()))
}

fn remove_others(folder: &Path, wanted: &HashSet<PathBuf>, kept: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if path == kept || wanted.contains(&path) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            remove_others(&path, wanted, kept)?;
        } else {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_becomes_like_the_checkout_and_keeps_the_times_of_what_is_like_it() -> Result<()> {
        let (root, tree) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let (root, tree) = (root.path(), tree.path());
        let write = |folder: &Path, name: &str, text: &str| {
            fs::create_dir_all(folder.join("src"))?;
            fs::write(folder.join(name), text)
        };
        for (name, text) in [("src/a", "1"), ("src/b", "2"), ("ignored", "3")] {
            write(root, name, text)?;
        }
        for (name, text) in [("src/a", "1"), ("src/b", "a mutant"), ("src/gone", "4"), ("src/c", "5")] {
            write(tree, name, text)?;
        }
        fs::create_dir(tree.join(BUILT))?;
        write(tree, "target/kept", "6")?;
        let time = fs::metadata(tree.join("src/a"))?.modified()?;

        sync(root, &["src/a", "src/b", "src/gone"].map(str::to_owned), tree)?;
        assert_eq!(fs::read_to_string(tree.join("src/b"))?, "2");
        assert_eq!(fs::metadata(tree.join("src/a"))?.modified()?, time);
        assert!(tree.join("target/kept").is_file());
        let there = ["src/gone", "src/c", "ignored"].map(|name| tree.join(name).exists());
        assert_eq!(there, [false; 3]);
        Ok(())
    }
}
