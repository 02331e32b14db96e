//! Cargo's additional commands that errand's need: the one on PATH, else one that is built into `target/tools`.

use anyhow::Result;

use crate::{
    process::{self, BRIEF, LONG},
    workspace,
};

/// Makes sure that the program is there, and returns what to call it. `question` makes it say something and succeed.
pub(crate) async fn need(name: &str, version: &str, question: &[&str]) -> Result<String> {
    let own = workspace::root()?.join("target/tools");
    let built = own.join("bin").join(name).to_string_lossy().into_owned();
    for program in [name, &built] {
        let mut command = workspace::program(program)?;
        command.args(question);
        if process::capture(command, BRIEF).await.is_some() {
            return Ok(program.to_owned());
        }
    }
    eprintln!("errand: building {name} {version} into target/tools, once; this takes some minutes");
    let mut install = workspace::cargo()?;
    install.args(["install", "--locked", name, "--version", version, "--root"]).arg(&own);
    process::run(install, LONG).await?;
    Ok(built)
}
