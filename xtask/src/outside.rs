//! Tests that come from outside: an independent tester, a generated client, a browser. Each needs programs that are not
//! Rust's; where they are missing, Debian's packages are installed or the user is told what to install.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::{
    live::Live,
    process::{self, BRIEF},
    python,
    toolchain::apt_get,
    workspace,
};

/// Installing from a registry, or one run of a tester.
pub(crate) const LIMIT: Duration = Duration::from_secs(15 * 60);
/// Where chromium is on the platforms that have it.
const CHROMIUM: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Tests the running API against its description, and a client that is generated from it.
pub(crate) async fn conformance(server: &str) -> Result<()> {
    let schemathesis = schemathesis().await?;
    let node = client().await?;
    let live = Live::start(server).await?;
    let outcome = async {
        eprintln!("\n== schemathesis");
        let mut tester = workspace::program(&schemathesis)?;
        tester
            .args(["--config-file", "schemathesis.toml", "run", &format!("{}/openapi.json", live.url)])
            .current_dir(workspace::root()?.join("tests/conformance"))
            .env("ERRAND_TOKEN", &live.token)
            // The hooks beside the configuration.
            .env("PYTHONPATH", ".")
            .env("PYTHONDONTWRITEBYTECODE", "1");
        process::run(tester, LIMIT).await?;
        eprintln!("\n== the TypeScript client");
        let mut round = workspace::program(&node)?;
        round
            .arg("generated/js/round.js")
            .current_dir(workspace::root()?.join("tests/typescript"))
            .env("ERRAND_URL", &live.url)
            .env("ERRAND_TOKEN", &live.token);
        process::run(round, BRIEF).await
    };
    let outcome = outcome.await;
    live.stop().await;
    outcome
}

/// Opens the documentation in a browser, tries an operation there, and asks as two users who share the browser.
pub(crate) async fn browser(server: &str) -> Result<()> {
    let mut chromium = None;
    for program in CHROMIUM {
        if exists(program, "--version").await {
            chromium = Some(program);
            break;
        }
    }
    let chromium = match chromium {
        Some(program) => program,
        None => need("chromium", "--version", &["chromium"]).await?,
    };
    // Its own workspace: what drives a browser is no business of anything else here.
    let manifest = workspace::root()?.join("tests/browser/Cargo.toml");
    let cargo = |arguments: &[&str]| {
        let mut command = workspace::cargo()?;
        command.args(arguments).args(["--locked", "--manifest-path"]).arg(&manifest);
        anyhow::Ok(command)
    };
    process::run(cargo(&["build", "--quiet"])?, LIMIT).await?;
    let live = Live::start(server).await?;
    eprintln!("\n== a browser");
    let test = async {
        let mut test = cargo(&["run", "--quiet"])?;
        test.env("ERRAND_URL", &live.url).env("ERRAND_CHROMIUM", chromium);
        test.env("ERRAND_TOKEN", &live.token).env("ERRAND_OTHER_TOKEN", &live.other_token);
        process::run(test, LIMIT).await
    };
    let outcome = test.await;
    live.stop().await;
    outcome
}

/// The tester from PyPI, in a Python environment of its own.
async fn schemathesis() -> Result<String> {
    let programs = python::environment("schemathesis", "tests/conformance/requirements.txt").await?;
    Ok(programs.join("schemathesis").to_string_lossy().into_owned())
}

/// Generates and compiles the client; returns what runs it.
async fn client() -> Result<String> {
    let node = need("node", "--version", &["nodejs", "npm"]).await?;
    let npm = need("npm", "--version", &["nodejs", "npm"]).await?;
    let folder = workspace::root()?.join("tests/typescript");
    for arguments in [["ci", "--silent"].as_slice(), &["run", "--silent", "generate"], &["run", "--silent", "compile"]]
    {
        let mut command = workspace::program(npm)?;
        command.args(arguments).current_dir(&folder);
        process::run(command, LIMIT).await.context("the TypeScript client does not compile")?;
    }
    Ok(node.to_owned())
}

/// A program that must be there, from Debian's packages where that is possible.
pub(crate) async fn need<'a>(program: &'a str, question: &str, packages: &[&str]) -> Result<&'a str> {
    if exists(program, question).await {
        return Ok(program);
    }
    apt(packages).await.with_context(|| format!("there is no `{program}` on PATH"))?;
    if !exists(program, question).await {
        bail!("{} is installed, but there is no `{program}` on PATH", packages.join(" "));
    }
    Ok(program)
}

/// Whether a program is there and answers a question.
pub(crate) async fn exists(program: &str, question: &str) -> bool {
    let mut command = Command::new(program);
    command.arg(question);
    process::capture(command, BRIEF).await.is_some()
}

/// Installs packages of Debian, or says which to install.
pub(crate) async fn apt(packages: &[&str]) -> Result<()> {
    let names = packages.join(" ");
    if !Path::new("/usr/bin/apt-get").exists() {
        bail!("install {names} and try again");
    }
    if !rustix::process::geteuid().is_root() {
        bail!("install Debian's packages and try again:\n  sudo apt-get install {names}");
    }
    eprintln!("errand: apt-get install {names}");
    apt_get(&["update", "-qq"]).await?;
    apt_get(&[&["install", "-y", "-qq", "--no-install-recommends"], packages].concat()).await
}
