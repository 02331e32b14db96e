//! Where the checkout is, and cargo inside it.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
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
