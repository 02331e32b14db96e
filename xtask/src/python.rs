//! Python environments for what comes from PyPI, each in a folder of its own under `target/tools`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{
    outside::{LIMIT, apt, exists, need},
    process, workspace,
};

/// What has been installed, in the environment's folder.
const INSTALLED: &str = "requirements.txt";

/// Makes an environment with what a file of requirements names, and returns the folder of its programs. An environment that has
/// the same already is left as it is, without asking PyPI.
pub(crate) async fn environment(name: &str, requirements: &str) -> Result<PathBuf> {
    let root = workspace::root()?;
    let home = root.join("target/tools").join(name);
    let programs = home.join("bin");
    let requirements = root.join(requirements);
    let wanted = fs::read_to_string(&requirements).with_context(|| requirements.display().to_string())?;
    let installed = fs::read_to_string(home.join(INSTALLED)).is_ok_and(|installed| installed == wanted);
    // Its Python is a link to that of the machine, which may be gone.
    if installed && exists(&text(&programs.join("python")), "--version").await {
        return Ok(programs);
    }
    let python = need("python3", "--version", &["python3", "python3-venv"]).await?;
    if let Err(error) = venv(python, &home).await {
        // Debian's Python comes without the part that makes environments.
        apt(&["python3-venv"]).await.context(format!("{error:#}"))?;
        venv(python, &home).await?;
    }
    let mut pip = workspace::program(&text(&programs.join("pip")))?;
    pip.args(["install", "--quiet", "--requirement"]).arg(&requirements);
    process::run(pip, LIMIT).await.with_context(|| format!("{name} could not be installed from PyPI"))?;
    fs::write(home.join(INSTALLED), wanted)?;
    Ok(programs)
}

/// An empty environment.
async fn venv(python: &str, home: &Path) -> Result<()> {
    let mut venv = workspace::program(python)?;
    venv.args(["-m", "venv", "--clear"]).arg(home);
    process::run(venv, LIMIT).await
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
