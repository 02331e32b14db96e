//! `cargo xtask fuzz`: libFuzzer on every parser that a client reaches.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use tokio::{process::Command, sync::Semaphore, task::JoinSet};

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
/// What libFuzzer writes before the number of inputs that it tried.
const EXECUTED: &str = "stat::number_of_executed_units:";
/// How many lines of libFuzzer's are shown of a target that failed.
const SHOWN_LINES: usize = 40;

/// Fuzz what clients send: each target of fuzz/ for some time, as many at once as there are processors
///
/// What libFuzzer says goes to target/fuzz/logs, and with a TARGET to the terminal.
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
        process::run(builder.build(self.target.as_deref())?, LONG).await?;
        let processors = Arc::new(Semaphore::new(thread::available_parallelism().map_or(1, usize::from)));
        let mut running = JoinSet::new();
        for target in &targets {
            let folders = Folders::of(&root, target);
            folders.make()?;
            let run = Run {
                command: builder.run(target, &folders, self.seconds)?,
                log: self.target.is_none().then(|| folders.log.clone()),
                target: target.clone(),
                seconds: self.seconds,
            };
            let processors = Arc::clone(&processors);
            running.spawn(async move {
                let _processor = processors.acquire_owned().await?;
                run.finish().await
            });
        }
        let mut failed = Vec::new();
        while let Some(ended) = running.join_next().await {
            failed.extend(ended??);
        }
        if !failed.is_empty() {
            failed.sort();
            bail!("inputs that fail were found for {}: they are in target/fuzz/found", failed.join(", "));
        }
        if self.keep {
            for target in &targets {
                Folders::of(&root, target).minimise(&builder, target).await?;
            }
        }
        eprintln!("\nerrand: nothing was found");
        Ok(())
    }
}

/// A run of one target.
struct Run {
    target: String,
    seconds: u32,
    command: Command,
    /// Where libFuzzer's output goes, unless to the terminal.
    log: Option<PathBuf>,
}

impl Run {
    /// The name of the target if an input failed.
    async fn finish(self) -> Result<Option<String>> {
        let Self { target, seconds, mut command, log } = self;
        eprintln!("errand: {target}, for {seconds} s");
        if let Some(log) = &log {
            let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
            command.stdout(file.try_clone()?).stderr(file);
        }
        let outcome = process::run(command, LONG + Duration::from_secs(seconds.into())).await;
        let said = log.as_ref().map(fs::read).transpose()?.unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        match outcome {
            Ok(()) => {
                if let Some(executed) = said.lines().find_map(|line| line.strip_prefix(EXECUTED)) {
                    eprintln!("errand: {target}: {} inputs", executed.trim());
                }
                Ok(None)
            }
            Err(error) if error.to_string() == process::INTERRUPTED => Err(error),
            Err(error) => {
                let lines: Vec<_> = said.lines().collect();
                let (_, last) = lines.split_at(lines.len().saturating_sub(SHOWN_LINES));
                eprintln!("{}\nerror: {error:#}", last.join("\n"));
                Ok(Some(target))
            }
        }
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

    /// `cargo fuzz build` of one target or of all.
    fn build(&self, target: Option<&str>) -> Result<Command> {
        let mut command = self.command("build")?;
        command.args(target);
        Ok(command)
    }

    /// `cargo fuzz run`. What is found anew goes to the first folder of inputs.
    fn run(&self, target: &str, folders: &Folders, seconds: u32) -> Result<Command> {
        let mut command = self.command("run")?;
        command.arg(target).args([&folders.found_inputs, &folders.seeds, &folders.corpus]).args([
            "--",
            &format!("-max_total_time={seconds}"),
            &format!("-max_len={MAX_INPUT_LEN}"),
            &format!("-timeout={HANG}"),
            "-print_final_stats=1",
            &format!("-artifact_prefix={}/{target}-", folders.failures.display()),
        ]);
        Ok(command)
    }

    fn command(&self, subcommand: &str) -> Result<Command> {
        let mut command = workspace::program(&self.program)?;
        command.args([subcommand, "--fuzz-dir", "fuzz", "--target-dir", "target/fuzz", "--codegen-units", "16"]);
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
    /// A file: what libFuzzer said.
    log: PathBuf,
}

impl Folders {
    fn of(root: &Path, target: &str) -> Self {
        Self {
            seeds: root.join("fuzz/seeds").join(target),
            corpus: root.join("fuzz/corpus").join(target),
            found_inputs: root.join("target/fuzz/inputs").join(target),
            failures: root.join("target/fuzz/found"),
            log: root.join("target/fuzz/logs").join(target).with_extension("log"),
        }
    }

    fn make(&self) -> Result<()> {
        let logs = self.log.parent();
        let folders = [&self.seeds, &self.corpus, &self.found_inputs, &self.failures].map(PathBuf::as_path);
        for folder in folders.into_iter().chain(logs) {
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        Ok(())
    }

    /// Makes the corpus anew. The seeds are left out of it: they are inputs in any case.
    async fn minimise(&self, builder: &Builder, target: &str) -> Result<()> {
        let before = self.corpus.with_extension("before");
        fs::rename(&self.corpus, &before)?;
        fs::create_dir(&self.corpus)?;
        let mut command = builder.command("run")?;
        command.arg(target).args([&self.corpus, &self.seeds, &before, &self.found_inputs]).args([
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
