//! Where the checkout is, and cargo inside it.

use std::{
    env,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use tokio::process::Command;

/// The checkout's root, from any folder inside it.
pub(crate) fn root() -> Result<PathBuf> {
    // Set by `cargo run`; without it, this program was started by hand.
    if let Some(xtask) = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from)
        && let Some(root) = xtask.parent().filter(|root| root.join("spin.toml").is_file())
    {
        return Ok(root.to_owned());
    }
    let current = env::current_dir().context("the current folder is gone")?;
    let found = current.ancestors().find(|folder| folder.join("spin.toml").is_file() && folder.join("xtask").is_dir());
    found.map(ToOwned::to_owned).context("this is not inside a checkout of errand")
}

/// Refuses to run a command beside another run of it in this checkout, until the returned file is closed. For commands whose runs
/// share files or databases.
pub(crate) fn only_run(command: &str) -> Result<File> {
    lock(&root()?.join("target"), command)
}

fn lock(folder: &Path, command: &str) -> Result<File> {
    fs::create_dir_all(folder)?;
    let path = folder.join(format!("{command}.lock"));
    let file = File::create(&path).with_context(|| format!("cannot open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!("another `cargo xtask {command}` runs in this checkout; wait for its end")
        }
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
    }
}

/// The cargo that runs us.
pub(crate) fn cargo() -> Result<Command> {
    program(&env::var_os("CARGO").unwrap_or_else(|| "cargo".into()).to_string_lossy())
}

/// The cargo of another checkout: ours, unless it asks for another toolchain.
pub(crate) fn cargo_in(other: &Path) -> Result<Command> {
    let toolchain = |folder: &Path| fs::read_to_string(folder.join("rust-toolchain.toml")).ok();
    if toolchain(other) == toolchain(&root()?) {
        return Ok(program_in(other, &env::var_os("CARGO").unwrap_or_else(|| "cargo".into()).to_string_lossy()));
    }
    // rustup's cargo, which reads that file unless it is told what to use.
    let mut command = program_in(other, "cargo");
    command.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO");
    Ok(command)
}

/// A program that runs in the root, building into the checkout's own `target`, where spin.toml looks.
pub(crate) fn program(name: &str) -> Result<Command> {
    Ok(program_in(&root()?, name))
}

/// The same in another checkout.
pub(crate) fn program_in(root: &Path, name: &str) -> Command {
    let mut command = Command::new(name);
    command.env("CARGO_TARGET_DIR", root.join("target")).current_dir(root);
    // What `cargo run` says about xtask is not about what is built next; some build scripts start over when it changes.
    for (key, _) in env::vars_os() {
        let name = key.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"].iter().any(|prefix| name.starts_with(prefix))
        {
            command.env_remove(&key);
        }
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_refused_beside_another_run_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let first = lock(folder.path(), "bench").unwrap();
        let told = lock(folder.path(), "bench").unwrap_err().to_string();
        assert!(told.contains("another `cargo xtask bench` runs in this checkout"), "{told}");
        lock(folder.path(), "mutants").unwrap();
        drop(first);
        lock(folder.path(), "bench").unwrap();
    }
}
