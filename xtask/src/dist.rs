//! `cargo xtask dist`: what a release consists of.

mod archive;
mod bundle;
mod sbom;
mod template;
pub(crate) mod trial;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::Args;
use sha2::{Digest, Sha256};
use tokio::process::Command;

use crate::{
    build, contract,
    process::{self, BRIEF},
    runtime,
    toolchain::Choice,
    workspace,
};

/// Make the archives of a release in target/dist: the bundle, the template for `spin new`, and their checksums
///
/// The bundle has the components, their manifests, the migrations, errand-db, deploy/, SBOMs and licences; it serves with nothing but Spin
/// and PostgreSQL. The template gives a new project its own errand to change.
#[derive(Args)]
pub(crate) struct Dist {
    /// For a release: refuses a working tree with changes, and a version that CHANGELOG.md does not have; makes openapi.json the contract
    /// that later ones are compared with
    #[arg(long)]
    release: bool,
}

/// errand's version.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What was made.
pub(crate) struct Archives {
    /// Where the archives and their checksums are.
    pub(crate) folder: PathBuf,
    /// The names of the archives.
    pub(crate) bundle: String,
    pub(crate) template: String,
}

impl Dist {
    pub(crate) async fn run(self) -> Result<()> {
        if self.release {
            is_committed().await?;
            is_in_the_changelog()?;
            contract::release(VERSION)?;
            is_committed().await.context("the contract is that of this release now")?;
        }
        let Archives { folder, bundle, template } = make().await?;
        for name in [bundle, template, archive::SUMS.to_owned()] {
            let path = folder.join(name);
            println!("{}: {} KiB", path.display(), fs::metadata(&path)?.len().div_ceil(1024));
        }
        Ok(())
    }
}

/// Builds what is missing or stale, and packs it.
pub(crate) async fn make() -> Result<Archives> {
    let root = workspace::root()?;
    let folder = root.join("target/dist");
    fs::create_dir_all(&folder)?;
    eprintln!("errand: step 1 of 4: the components and errand-db");
    let components = build::packages(Choice::Auto, &build::PACKAGES).await?;
    let program = runtime::native_binary("errand-db", "release").await?;
    eprintln!("errand: step 2 of 4: the SBOMs");
    let tracked = tracked(&root).await?;
    let sboms = sbom::make(&root, &tracked).await?;
    eprintln!("errand: step 3 of 4: the bundle");
    let bundle = format!("errand-{VERSION}.tar.gz");
    bundle::files(&root, &tracked, &components, &program, sboms)?
        .write(&folder.join(&bundle), &format!("errand-{VERSION}"))?;
    eprintln!("errand: step 4 of 4: the template");
    let template = "errand-template.tar.gz".to_owned();
    template::files(&root, &tracked)?.write(&folder.join(&template), "errand-template")?;
    let sums = [&bundle, &template].map(|name| Ok(archive::sum_line(name, &fs::read(folder.join(name))?)));
    fs::write(folder.join(archive::SUMS), sums.into_iter().collect::<Result<String>>()?)?;
    Ok(Archives { folder, bundle, template })
}

/// The files of the repository, as git has them; what was deleted and not committed is not among them.
async fn tracked(root: &Path) -> Result<Vec<PathBuf>> {
    let listed = git(&["ls-files", "-z"]).await?;
    let paths = listed.split('\0').filter(|path| !path.is_empty()).map(PathBuf::from);
    Ok(paths.filter(|path| root.join(path).is_file()).collect())
}

async fn is_committed() -> Result<()> {
    let changed = git(&["status", "--porcelain"]).await?;
    if !changed.trim().is_empty() {
        bail!(
            "the working tree has changes, and a release is of a commit; commit them, and run this again:\n{changed}"
        );
    }
    Ok(())
}

fn is_in_the_changelog() -> Result<()> {
    let changes = fs::read_to_string(workspace::root()?.join("CHANGELOG.md"))?;
    if !changes.contains(&format!("## [{VERSION}]")) {
        bail!("CHANGELOG.md has no section `## [{VERSION}]`; give the section of what is not released that name");
    }
    Ok(())
}

async fn git(arguments: &[&str]) -> Result<String> {
    let mut command: Command = workspace::program("git")?;
    // The checkout may be another user's, as in a container.
    command.arg("-c").arg(format!("safe.directory={}", workspace::root()?.display())).args(arguments);
    process::capture(command, BRIEF)
        .await
        .with_context(|| format!("`git {}` failed; an archive is made of a checkout", arguments.join(" ")))
}

/// SHA-256 in hexadecimal digits.
fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
