//! `cargo xtask coverage`: which lines of `src/` the tests on this machine's own target run.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Deserialize;
use tokio::process::Command;

use crate::{
    outside,
    process::{self, BRIEF, LONG},
    test::{Server, TEST_DATABASE, TEST_TARGET},
    tools, workspace,
};

/// The version that is installed where there is none.
const CARGO_LLVM_COV: &str = "0.9.1";
/// A download that takes longer than this will not come.
const DOWNLOAD: Duration = Duration::from_secs(90);
/// Everything that is not errand's own source, and the tests among that.
const IGNORED: &str = r"(/(crates|fuzz|xtask|tests|rustc|registry)/|tests\.rs$)";

/// Show which lines of src/ the tests run, file by file
///
/// Runs the unit tests, the properties and the API suite against the native target. What runs in WebAssembly alone is
/// not counted: see CONTRIBUTING.md. The table goes to target/coverage/summary.txt too, and every line with its count to
/// target/coverage/lines.txt.
#[derive(Args)]
pub(crate) struct Coverage {}

#[derive(Deserialize)]
struct Report {
    data: Vec<Data>,
}

#[derive(Deserialize)]
struct Data {
    files: Vec<File>,
    totals: Summary,
}

#[derive(Deserialize)]
struct File {
    filename: String,
    summary: Summary,
}

#[derive(Deserialize)]
struct Summary {
    lines: Lines,
}

#[derive(Deserialize)]
struct Lines {
    count: u64,
    covered: u64,
}

impl Coverage {
    pub(crate) async fn run(self) -> Result<()> {
        let program = tools::need("cargo-llvm-cov", CARGO_LLVM_COV, &["llvm-cov", "--version"]).await?;
        let llvm = llvm().await?;
        let command = |arguments: &[&str]| {
            let mut command = workspace::program(&program)?;
            command.args(["llvm-cov"]).args(arguments).env_remove("CARGO_TARGET_DIR");
            if let Some(folder) = &llvm {
                command.env("LLVM_COV", folder.join("llvm-cov")).env("LLVM_PROFDATA", folder.join("llvm-profdata"));
            }
            anyhow::Ok(command)
        };
        let server = Server::open(None).await?;
        let tests = ["--lib", "--test", "api", "--test", "properties", "--test", "openapi", "--test", "fuzz"];
        let mut run = command(&[&["--no-report", "--no-fail-fast", "--package", "errand"], &tests[..]].concat())?;
        run.env(TEST_DATABASE, &server.url).env(TEST_TARGET, "native");
        let outcome = process::run(run, LONG).await;
        server.close()?;
        if outcome.as_ref().is_err_and(|error| error.to_string() == process::INTERRUPTED) {
            return outcome;
        }

        let folder = workspace::root()?.join("target/coverage");
        fs::create_dir_all(&folder)?;
        let (json, lines) = (folder.join("summary.json"), folder.join("lines.txt"));
        for (arguments, path) in [(&["--json", "--summary-only"][..], &json), (&["--text"], &lines)] {
            let mut report = command(&["report", "--ignore-filename-regex", IGNORED, "--output-path"])?;
            report.arg(path).args(arguments).stderr(Stdio::null());
            process::run(report, BRIEF).await?;
        }
        let table = table(&json)?;
        fs::write(folder.join("summary.txt"), &table)?;
        print!("{table}");
        // What ran was counted, whether it passed or not.
        outcome
    }
}

/// LLVM's tools as rustup has them (`None`), or where Debian has those of the compiler's version.
async fn llvm() -> Result<Option<PathBuf>> {
    if rustups_tools().await {
        return Ok(None);
    }
    let version = llvm_version().await.context("rustc does not say which LLVM it has")?;
    let debian = PathBuf::from(format!("/usr/lib/llvm-{version}/bin"));
    if debian.join("llvm-cov").exists() {
        return Ok(Some(debian));
    }
    eprintln!("errand: this Rust has no tools for coverage yet: rustup component add llvm-tools");
    let mut rustup = workspace::program("rustup")?;
    rustup.args(["component", "add", "llvm-tools"]).stdout(Stdio::null());
    if process::run(rustup, DOWNLOAD).await.is_ok() && rustups_tools().await {
        return Ok(None);
    }
    outside::apt(&[&format!("llvm-{version}")]).await?;
    if !debian.join("llvm-cov").exists() {
        bail!("there is no {}", debian.join("llvm-cov").display());
    }
    Ok(Some(debian))
}

async fn rustups_tools() -> bool {
    let Ok(mut rustc) = workspace::program("rustc") else { return false };
    rustc.args(["--print", "target-libdir"]);
    let folder = process::capture(rustc, BRIEF).await;
    folder.is_some_and(|folder| Path::new(&folder).with_file_name("bin").join("llvm-cov").exists())
}

/// The first part of the version of LLVM: profiles are read by that version only.
async fn llvm_version() -> Option<String> {
    let mut rustc: Command = workspace::program("rustc").ok()?;
    rustc.arg("-vV");
    let text = process::capture(rustc, BRIEF).await?;
    let version = text.lines().find_map(|line| line.strip_prefix("LLVM version: "))?;
    version.split('.').next().map(str::to_owned)
}

/// The share of the lines that ran, the files with the least of it first.
fn table(json: &Path) -> Result<String> {
    let report: Report = serde_json::from_str(&fs::read_to_string(json)?)?;
    let Data { mut files, totals } = report.data.into_iter().next().context("the report is empty")?;
    files.sort_by(|one, other| one.summary.lines.share().total_cmp(&other.summary.lines.share()));
    let root = workspace::root()?.display().to_string();
    let mut table = String::from("   lines  not run  file\n");
    for File { filename, summary } in &files {
        let shown = filename.strip_prefix(&root).unwrap_or(filename).trim_start_matches('/');
        table += &summary.lines.row(shown);
    }
    Ok(table + &totals.lines.row("all"))
}

impl Lines {
    /// The lines that ran, in percent.
    fn share(&self) -> f64 {
        if self.count == 0 { 100.0 } else { 100.0 * self.covered as f64 / self.count as f64 }
    }

    fn row(&self, name: &str) -> String {
        format!("{:>6.1} %  {:>7}  {name}\n", self.share(), self.count - self.covered)
    }
}
