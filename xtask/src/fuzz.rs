//! `cargo xtask fuzz`: libFuzzer on every parser that a client reaches.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use tokio::process::Command;

use crate::{
    outside,
    process::{self, BRIEF, LONG},
    tools, workspace,
};

/// The version that is installed where there is none.
const CARGO_FUZZ: &str = "0.13.2";
/// The maximum length of an input, in bytes.
const MAX_INPUT_LEN: u32 = 4096;
/// How long one input may take before it counts as a hang, in seconds.
const HANG: u32 = 20;

/// Fuzz what clients send: each target of fuzz/ in turn, for some time
///
/// Needs a C++ compiler. With a nightly Rust that is installed as `nightly`, AddressSanitizer watches; without, it is
/// left out. What is found fails the command and is kept under target/fuzz/found: put it into fuzz/seeds once it is fixed.
#[derive(Args)]
pub(crate) struct Fuzz {
    /// How long each target runs
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u32,
    /// Afterwards, reduce fuzz/corpus to the inputs that together reach as much as all that are known. Git ignores it
    #[arg(long)]
    keep: bool,
    /// The target; without it: all
    target: Option<String>,
}

/// What builds the targets.
struct Builder {
    program: String,
    nightly: bool,
}

impl Fuzz {
    pub(crate) async fn run(self) -> Result<()> {
        let root = workspace::root()?;
        let mut targets = names(&root.join("fuzz/fuzz_targets"))?;
        if let Some(target) = &self.target {
            if !targets.contains(target) {
                bail!("there is no target {target}; there are {}", targets.join(", "));
            }
            targets.retain(|name| name == target);
        }
        let builder = Builder::find().await?;
        let mut failed = Vec::new();
        for (number, target) in targets.iter().enumerate() {
            eprintln!("\n== {target} ({} of {}), {} s", number + 1, targets.len(), self.seconds);
            let folders = Folders::of(&root, target);
            folders.make()?;
            let outcome = process::run(builder.run(target, &folders, self.seconds)?, LONG + self.limit()).await;
            match outcome {
                Ok(()) if self.keep => folders.minimise(&builder, target).await?,
                Ok(()) => {}
                Err(error) if error.to_string() == process::INTERRUPTED => return Err(error),
                Err(error) => {
                    eprintln!("error: {error:#}");
                    failed.push(target.clone());
                }
            }
        }
        if !failed.is_empty() {
            bail!("inputs that fail were found for {}: they are in target/fuzz/found", failed.join(", "));
        }
        eprintln!("\nerrand: nothing was found");
        Ok(())
    }

    fn limit(&self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }
}

impl Builder {
    async fn find() -> Result<Self> {
        outside::need("c++", "--version", &["g++"]).await.context("libFuzzer is C++, and needs a compiler")?;
        let mut nightly = workspace::program("rustup")?;
        nightly.args(["run", "nightly", "rustc", "--version"]);
        let nightly = process::capture(nightly, BRIEF).await.is_some();
        if !nightly {
            eprintln!(
                "errand: leaving out AddressSanitizer: it needs a nightly Rust (rustup toolchain install nightly)"
            );
        }
        let program = tools::need("cargo-fuzz", CARGO_FUZZ, &["--version"]).await?;
        Ok(Self { program, nightly })
    }

    /// `cargo fuzz run`. What is found anew goes to the first folder of inputs.
    fn run(&self, target: &str, folders: &Folders, seconds: u32) -> Result<Command> {
        let mut command = self.command(target)?;
        command.args([&folders.found_inputs, &folders.seeds, &folders.corpus]).args([
            "--",
            &format!("-max_total_time={seconds}"),
            &format!("-max_len={MAX_INPUT_LEN}"),
            &format!("-timeout={HANG}"),
            "-print_final_stats=1",
            &format!("-artifact_prefix={}/{target}-", folders.failures.display()),
        ]);
        Ok(command)
    }

    fn command(&self, target: &str) -> Result<Command> {
        let mut command = workspace::program(&self.program)?;
        command.args(["run", target, "--fuzz-dir", "fuzz", "--target-dir", "target/fuzz", "--codegen-units", "16"]);
        // It asks cargo, which is to be that of the compiler.
        command.env_remove("CARGO").env_remove("CARGO_TARGET_DIR");
        if self.nightly {
            command.env("RUSTUP_TOOLCHAIN", "nightly");
        } else {
            command.args(["--sanitizer", "none"]);
        }
        Ok(command)
    }
}

/// Where the inputs of a target are.
struct Folders {
    /// Written by hand.
    seeds: PathBuf,
    /// Kept of this machine's earlier runs (`--keep`); empty in a fresh clone.
    corpus: PathBuf,
    /// What this machine's runs came upon.
    found_inputs: PathBuf,
    /// Inputs that fail.
    failures: PathBuf,
}

impl Folders {
    fn of(root: &Path, target: &str) -> Self {
        Self {
            seeds: root.join("fuzz/seeds").join(target),
            corpus: root.join("fuzz/corpus").join(target),
            found_inputs: root.join("target/fuzz/inputs").join(target),
            failures: root.join("target/fuzz/found"),
        }
    }

    fn make(&self) -> Result<()> {
        for folder in [&self.seeds, &self.corpus, &self.found_inputs, &self.failures] {
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        Ok(())
    }

    /// Makes the corpus anew. The seeds are left out of it: they are inputs in any case.
    async fn minimise(&self, builder: &Builder, target: &str) -> Result<()> {
        let before = self.corpus.with_extension("before");
        fs::rename(&self.corpus, &before)?;
        fs::create_dir(&self.corpus)?;
        let mut command = builder.command(target)?;
        command.args([&self.corpus, &self.seeds, &before, &self.found_inputs]).args([
            "--",
            "-set_cover_merge=1",
            // One value for "how often": otherwise each count of a loop is worth an input.
            "-use_counters=0",
        ]);
        if let Err(error) = process::run(command, LONG).await {
            fs::remove_dir_all(&self.corpus)?;
            fs::rename(&before, &self.corpus)?;
            return Err(error.context("the corpus is as it was"));
        }
        fs::remove_dir_all(&before)?;
        for seed in fs::read_dir(&self.seeds)? {
            let seed = fs::read(seed?.path())?;
            for input in fs::read_dir(&self.corpus)? {
                let path = input?.path();
                if fs::read(&path)? == seed {
                    fs::remove_file(path)?;
                }
            }
        }
        Ok(())
    }
}

/// The names of the Rust files in a folder.
fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut names: Vec<_> =
        entries.flatten().filter_map(|entry| Some(entry.path().file_stem()?.to_string_lossy().into_owned())).collect();
    names.sort();
    Ok(names)
}
