//! Cargo's additional commands that errand's need: the one on PATH, else one that is built, once for all checkouts of a user.

use std::{env, ffi::OsString, fs, path::PathBuf};

use anyhow::Result;

use crate::{
    process::{self, BRIEF, LONG},
    workspace,
};

/// Makes sure that the program is there, and returns what to call it. `question` makes it say something and succeed.
pub(crate) async fn need(name: &str, version: &str, question: &[&str]) -> Result<String> {
    let folder = cache(env::var_os("XDG_CACHE_HOME"), env::home_dir())
        .map(|cache| cache.join(format!("errand/{name}-{version}")))
        .filter(|folder| fs::create_dir_all(folder).is_ok())
        // A user without a home that can be written to.
        .unwrap_or(workspace::root()?.join("target/tools"));
    let built = folder.join("bin").join(name).to_string_lossy().into_owned();
    for program in [name, &built] {
        let mut command = workspace::program(program)?;
        command.args(question);
        if process::capture(command, BRIEF).await.is_some() {
            return Ok(program.to_owned());
        }
    }
    eprintln!("errand: building {name} {version} into {}, once; this takes some minutes", folder.display());
    let mut install = workspace::cargo()?;
    // Without optimization: they run for seconds, and an optimized build takes minutes.
    install.args(["install", "--debug", "--locked", name, "--version", version, "--root"]).arg(&folder);
    process::run(install, LONG).await?;
    Ok(built)
}

/// The user's folder for what can be made again (XDG Base Directory Specification 0.8). Relative paths are invalid there.
fn cache(named: Option<OsString>, home: Option<PathBuf>) -> Option<PathBuf> {
    let named = named.map(PathBuf::from).filter(|path| path.is_absolute());
    named.or_else(|| home.filter(|home| home.is_absolute()).map(|home| home.join(".cache")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_where_the_environment_says_or_below_home() {
        let home = Some(PathBuf::from("/home/user"));
        assert_eq!(cache(Some("/var/cache".into()), home.clone()), Some(PathBuf::from("/var/cache")));
        assert_eq!(cache(Some("relative".into()), home.clone()), Some(PathBuf::from("/home/user/.cache")));
        assert_eq!(cache(None, home), Some(PathBuf::from("/home/user/.cache")));
        assert_eq!(cache(None, None), None);
    }
}
