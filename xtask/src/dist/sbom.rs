//! Software bills of materials (CycloneDX), one for each component and one for errand-db, by CycloneDX's own tool for Cargo.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{
    build,
    process::{self, LONG},
    toolchain::TARGET,
    tools, workspace,
};

/// The version that is installed where there is none.
const CARGO_CYCLONEDX: &str = "0.5.9";
/// Where a package lies, by its name.
const FOLDER: &str = "crates";

/// The names and texts of the SBOMs.
pub(super) async fn make(root: &Path, tracked: &[PathBuf]) -> Result<Vec<(String, Vec<u8>)>> {
    let tool = tools::need("cargo-cyclonedx", CARGO_CYCLONEDX, &["cyclonedx", "--version"]).await?;
    // The tool writes beside each manifest, so it gets a copy.
    let copy = root.join("target/dist/source");
    if copy.exists() {
        fs::remove_dir_all(&copy)?;
    }
    for path in tracked {
        let to = copy.join(path);
        fs::create_dir_all(to.parent().context("a file without a folder")?)?;
        fs::copy(root.join(path), to)?;
    }
    let native = host_triple().await?;
    let mut sboms = Vec::new();
    for (package, target) in
        build::PACKAGES.map(|package| (package, TARGET)).into_iter().chain([("errand-db", &*native)])
    {
        let folder = copy.join(FOLDER).join(package.trim_start_matches("errand-"));
        let mut command = workspace::program(&tool)?;
        command
            .args(["cyclonedx", "--quiet", "--format", "json", "--spec-version", "1.5", "--target", target])
            .args(["--override-filename", "sbom.cdx", "--manifest-path"])
            .arg(folder.join("Cargo.toml"))
            .env("SOURCE_DATE_EPOCH", "0");
        process::run(command, LONG).await.with_context(|| format!("no SBOM of {package}"))?;
        let text = fs::read_to_string(folder.join("sbom.cdx.json")).with_context(|| format!("no SBOM of {package}"))?;
        // References contain paths; this machine's folders must not be in a release.
        let text = text.replace(&*copy.to_string_lossy(), "/errand");
        sboms.push((format!("{}.cdx.json", package.replace('-', "_")), text.into_bytes()));
    }
    fs::remove_dir_all(&copy)?;
    Ok(sboms)
}

/// The target that programs are built for here, such as `x86_64-unknown-linux-gnu`.
async fn host_triple() -> Result<String> {
    let mut rustc = workspace::program("rustc")?;
    rustc.arg("-vV");
    let told = process::capture(rustc, process::BRIEF).await.context("rustc does not say its version")?;
    let line = told.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    Ok(line.to_owned())
}
