//! `cargo xtask test --deploy`: what is in `deploy/`, checked by the Python programs in `tests/deploy`.

use std::{fs, path::PathBuf};

use anyhow::{Result, bail};

use crate::{
    process::{self, BRIEF},
    python, workspace,
};

const FOLDER: &str = "tests/deploy";

/// Runs each `tests/deploy/check_*.py`, in the order of their names; all of them, whatever fails before.
pub(crate) async fn checks() -> Result<()> {
    let programs = programs()?;
    if programs.is_empty() {
        bail!("{FOLDER} has no check_*.py");
    }
    let python = python::environment("deploy", &format!("{FOLDER}/requirements.txt")).await?.join("python");
    let mut failed = Vec::new();
    for program in programs {
        let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        eprintln!("\n== {name}");
        let mut check = workspace::program(&python.to_string_lossy())?;
        check.arg(&program).env("PYTHONDONTWRITEBYTECODE", "1");
        if let Err(error) = process::run(check, BRIEF).await {
            if error.to_string() == process::INTERRUPTED {
                return Err(error);
            }
            eprintln!("error: {error:#}");
            failed.push(name);
        }
    }
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    eprintln!("\nerrand: everything passed");
    Ok(())
}

fn programs() -> Result<Vec<PathBuf>> {
    let mut programs = Vec::new();
    for entry in fs::read_dir(workspace::root()?.join(FOLDER))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with("check_") && name.ends_with(".py") {
            programs.push(path);
        }
    }
    programs.sort();
    Ok(programs)
}
