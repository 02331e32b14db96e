//! PgBouncer for the tests: the machine's own, else Debian's package, unpacked into `target/tools`.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result, bail};
use errand_postgres::pooler;

use crate::{process, workspace};

/// What Debian's package needs beside what a machine with PostgreSQL has.
const PACKAGES: [&str; 2] = ["pgbouncer", "libc-ares2"];
const LIMIT: Duration = Duration::from_secs(120);

/// Fetches one where the machine has none. Without one, the tests that need it say that they were left out.
pub(crate) async fn ensure() -> Result<()> {
    let root = workspace::root()?;
    if pooler::find(&root).is_some() || !Path::new("/usr/bin/apt-get").exists() {
        return Ok(());
    }
    eprintln!("errand: PgBouncer is not installed; unpacking Debian's package into target/tools");
    if let Err(error) = fetch(&pooler::fetched(&root)).await {
        eprintln!("errand: {error:#}; the tests that need PgBouncer are left out");
    }
    Ok(())
}

async fn fetch(folder: &Path) -> Result<()> {
    let unpacked = folder.join("unpacked");
    fs::create_dir_all(&unpacked)?;
    // Only root may bring the lists of packages up to date; others use what is there.
    if rustix::process::geteuid().is_root() {
        let mut update = workspace::program("apt-get")?;
        update.args(["-o", "Acquire::http::Timeout=30", "update", "-qq"]);
        process::run_quietly(update, LIMIT).await?;
    }
    let mut download = workspace::program("apt-get")?;
    download.args(["-o", "Acquire::http::Timeout=30", "download", "-qq"]).args(PACKAGES).current_dir(folder);
    process::run_quietly(download, LIMIT).await?;
    for entry in fs::read_dir(folder)? {
        let package = entry?.path();
        if package.extension().is_some_and(|extension| extension == "deb") {
            let mut unpack = workspace::program("dpkg-deb")?;
            unpack.arg("--extract").arg(&package).arg(&unpacked);
            process::run_quietly(unpack, LIMIT).await?;
        }
    }
    // The program and its libraries beside each other, where `pooler::command` looks.
    copy(&unpacked.join("usr/sbin"), folder)?;
    for architecture in fs::read_dir(unpacked.join("usr/lib"))? {
        copy(&architecture?.path(), folder)?;
    }
    if !folder.join("pgbouncer").is_file() {
        bail!("Debian's package has no pgbouncer");
    }
    Ok(())
}

/// Copies the files of a folder, those that are links as what they lead to.
fn copy(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let path = entry?.path();
        if let (true, Some(name)) = (path.is_file(), path.file_name()) {
            fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}
