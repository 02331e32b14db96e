//! What the peers need: packages, and programs that are built.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::{
    process::{self, BRIEF, LONG},
    workspace,
};

/// A program that was built before.
pub(super) fn built(path: &str) -> Result<PathBuf> {
    let path = workspace::root()?.join(path);
    path.is_file().then_some(path.clone()).with_context(|| format!("{} is not built", path.display()))
}

/// The peer in Rust, which has a workspace and a lock file of its own.
pub(super) async fn axum(build: bool) -> Result<PathBuf> {
    let folder = workspace::root()?.join("target/bench/axum");
    if build {
        eprintln!("errand: building the peer in Rust into {}", folder.display());
        let mut cargo = workspace::cargo()?;
        cargo.args([
            "build",
            "--release",
            "--locked",
            "--manifest-path",
            "bench/peers/axum/Cargo.toml",
            "--target-dir",
        ]);
        cargo.arg(&folder);
        process::run(cargo, LONG).await.context("bench/peers/axum was not built")?;
    }
    built("target/bench/axum/release/errand-bench-axum")
}

/// A virtual environment with the packages that the folder asks for; made once.
pub(super) async fn venv(folder: &Path) -> Result<PathBuf> {
    let requirements = folder.join("requirements.txt");
    let venv = workspace::root()?.join("target/bench/fastapi");
    once(&venv, std::slice::from_ref(&requirements), async || {
        eprintln!("errand: installing FastAPI and what it needs into {}", venv.display());
        let mut python = workspace::program("python3")?;
        python.args(["-m", "venv"]).arg(&venv);
        process::run(python, BRIEF).await.context("no Python with venv (Debian: python3-venv)")?;
        let mut pip = workspace::program(&venv.join("bin/pip").to_string_lossy())?;
        pip.args(["install", "--quiet", "--requirement"]).arg(&requirements);
        process::run(pip, LONG).await.context("the packages of bench/peers/fastapi were not installed")
    })
    .await?;
    Ok(venv)
}

/// A copy of the Hono application with its packages, and its bundle for workerd; made once.
pub(super) async fn node_modules() -> Result<PathBuf> {
    let root = workspace::root()?;
    let sources: Vec<PathBuf> =
        ["package.json", ".npmrc", "tasks.js", "server.js", "bun.js", "worker.js", "workerd.capnp"]
            .into_iter()
            .map(|name| root.join("bench/peers/hono").join(name))
            .collect();
    let folder = root.join("target/bench/hono");
    once(&folder, &sources, async || {
        eprintln!("errand: installing Hono, postgres.js, Bun and workerd into {}", folder.display());
        fs::create_dir_all(&folder)?;
        for source in &sources {
            fs::copy(source, folder.join(source.file_name().context("a file without a name")?))?;
        }
        for arguments in [["install", "--silent"], ["run", "build"]] {
            let mut npm = workspace::program("npm")?;
            npm.args(arguments).current_dir(&folder).stdout(Stdio::null());
            process::run(npm, LONG).await.context("the packages of bench/peers/hono were not installed")?;
        }
        Ok(())
    })
    .await?;
    Ok(folder)
}

/// Bun's program: in the package of this platform, or, where npm runs the scripts of packages, moved out of it.
pub(super) fn bun(folder: &Path) -> PathBuf {
    let modules = folder.join("node_modules");
    let packages = fs::read_dir(modules.join("@oven")).into_iter().flatten().flatten();
    let mut programs = packages.map(|package| package.path().join("bin/bun"));
    programs.find(|program| program.is_file()).unwrap_or_else(|| modules.join(".bin/bun"))
}

/// Runs `make` unless it has succeeded before with the same sources.
async fn once(folder: &Path, sources: &[PathBuf], make: impl AsyncFn() -> Result<()>) -> Result<()> {
    let mut digest = Sha256::new();
    for source in sources {
        digest.update(fs::read(source).with_context(|| format!("cannot read {}", source.display()))?);
    }
    let sum: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let marker = folder.join(".made-from");
    if fs::read_to_string(&marker).is_ok_and(|found| found == sum) {
        return Ok(());
    }
    make().await?;
    fs::write(marker, sum)?;
    Ok(())
}
