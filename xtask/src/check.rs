//! `cargo xtask check`: what can be said about the code without running it.

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use tokio::process::Command;

use crate::{
    budget, process,
    test::step::{Step, run_all},
    toolchain::{Choice, TARGET, Toolchain},
    tools, workspace,
};

/// The version that is installed where there is none.
const CARGO_DENY: &str = "0.20.2";
/// The advisory database is a small git repository; where it cannot be had, waiting does not help.
const FETCH: Duration = Duration::from_secs(90);

/// Check formatting, lints, documentation, the contract, the dependencies' licences and origins, and the size of the component
#[derive(Args)]
pub(crate) struct Check {}

impl Check {
    pub(crate) async fn run(self) -> Result<()> {
        let deny = tools::need("cargo-deny", CARGO_DENY, &["--version"]).await?;
        let mut steps = vec![
            ("formatting", cargo(&["fmt", "--all", "--check"])?),
            // Workspaces of their own. The fuzzer's functions are linted as part of tests/fuzz.rs.
            ("formatting of the fuzzer", cargo(&["fmt", "--check", "--manifest-path", "fuzz/Cargo.toml"])?),
            (
                "formatting of the browser's test",
                cargo(&["fmt", "--check", "--manifest-path", "tests/browser/Cargo.toml"])?,
            ),
            (
                "formatting of the peer in Rust",
                cargo(&["fmt", "--check", "--manifest-path", "bench/peers/axum/Cargo.toml"])?,
            ),
            (
                "lints",
                cargo(&["clippy", "--workspace", "--exclude", "errand-host", "--all-targets", "--", "-D", "warnings"])?,
            ),
        ];
        // The entry points are compiled for this target only.
        match Toolchain::ensure(Choice::Auto).await? {
            Toolchain::Current => {
                // One at a time, as they are built, and in that profile: their build scripts and macros are there already.
                for (title, package) in [
                    ("lints of the component", "errand-spin"),
                    ("lints of the component of WASI 0.2", "errand-spin-p2"),
                    ("lints of the documentation's component", "errand-docs"),
                ] {
                    let arguments = [
                        "clippy",
                        "--release",
                        "--package",
                        package,
                        "--lib",
                        "--target",
                        TARGET,
                        "--",
                        "-D",
                        "warnings",
                    ];
                    steps.push((title, cargo(&arguments)?));
                }
            }
            Toolchain::Debian => {
                eprintln!("errand: leaving out the lints of the component: Debian's Rust for WebAssembly has no clippy")
            }
        }
        // In the profile that the host is built with anyway: its dependencies' build scripts are there already.
        steps.push((
            "lints of the local host",
            cargo(&[
                "clippy",
                "--profile",
                "host",
                "--package",
                "errand-host",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ])?,
        ));
        steps.push(("documentation", docs(&["--workspace", "--exclude", "errand-host"])?));
        steps.push(("documentation of the local host", docs(&["--profile", "host", "--package", "errand-host"])?));
        steps.push(("the contract of the last release", cargo(&["xtask", "contract"])?));
        steps.push(("licences, bans and sources", deny_step(&deny, &["check", "licenses", "bans", "sources"])?));
        let mut fetch = deny_step(&deny, &["fetch", "db"])?;
        fetch.stdout(std::process::Stdio::null());
        if process::capture(fetch, FETCH).await.is_some() {
            steps.push(("advisories", deny_step(&deny, &["check", "--disable-fetch", "advisories"])?));
        } else {
            eprintln!("errand: leaving out the advisories: their database cannot be fetched from here");
        }
        let others = run_all(steps.into_iter().map(|(title, command)| Step::command(title, command)).collect()).await;
        if others.as_ref().is_err_and(|error| error.to_string() == process::INTERRUPTED) {
            return others;
        }
        eprintln!("\n== size of the component");
        let size = budget::check().await;
        if let (Err(error), Err(_)) = (&size, &others) {
            eprintln!("error: {error:#}");
        }
        others.and(size)
    }
}

fn cargo(arguments: &[&str]) -> Result<Command> {
    let mut command = workspace::cargo()?;
    command.args(arguments);
    Ok(command)
}

fn docs(arguments: &[&str]) -> Result<Command> {
    let mut command = workspace::cargo()?;
    command.args(["doc", "--no-deps"]).args(arguments).env("RUSTDOCFLAGS", "-D warnings");
    Ok(command)
}

fn deny_step(program: &str, arguments: &[&str]) -> Result<Command> {
    let mut command = workspace::program(program)?;
    command.args(arguments);
    Ok(command)
}
