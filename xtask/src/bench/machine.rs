//! What a run ran on.

use std::fs;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::Serialize;
use tokio::process::Command;

use crate::{
    process::{self, BRIEF},
    workspace,
};

/// Figures mean something only beside this.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Machine {
    processor: String,
    cores: usize,
    memory_gib: u64,
    system: String,
    /// Load average over a minute, before the run.
    pub(crate) load: f64,
    pub(crate) versions: Vec<(String, String)>,
    pub(crate) commit: String,
}

impl Machine {
    pub(crate) async fn look(load: f64, versions: Vec<(String, String)>) -> Self {
        let mut all = versions;
        for (name, program, arguments) in [
            ("rustc", "rustc", ["--version"].as_slice()),
            ("node", "node", &["--version"]),
            ("python", "target/bench/fastapi/bin/python", &["--version"]),
            ("spin", "spin", &["--version"]),
            ("bun", "target/bench/hono/node_modules/.bin/bun", &["--version"]),
            ("workerd", "target/bench/hono/node_modules/.bin/workerd", &["--version"]),
        ] {
            if let Some(version) = told(program, arguments).await {
                // Most programs say their own name first.
                let number = version.split_once(' ').filter(|(first, _)| first.eq_ignore_ascii_case(name));
                all.push((name.to_owned(), number.map_or(version.as_str(), |(_, rest)| rest).to_owned()));
            }
        }
        let dirty = told("git", &["status", "--porcelain", "--untracked-files=no"]).await.unwrap_or_default();
        let commit = told("git", &["rev-parse", "--short=12", "HEAD"]).await.unwrap_or_else(|| "unknown".to_owned());
        Self {
            processor: field("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_gib: field("/proc/meminfo", "MemTotal")
                .and_then(|text| text.trim_end_matches("kB").trim().parse::<u64>().ok())
                .map_or(0, |kib| kib.div_ceil(1024 * 1024)),
            system: told("uname", &["-sr"]).await.unwrap_or_default(),
            load,
            versions: all,
            commit: if dirty.is_empty() { commit } else { format!("{commit} with changes") },
        }
    }

    /// One line.
    pub(crate) fn line(&self) -> String {
        format!(
            "{} cores ({}), {} GiB, {}; client, server and PostgreSQL share them",
            self.cores, self.processor, self.memory_gib, self.system
        )
    }
}

/// A connection is a file, on both ends: as many as the system lets us have.
pub(crate) fn allow_files() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

/// The load before anything is done. Others at work on the machine make every figure a guess.
pub(crate) fn load_before() -> f64 {
    let (load, cores) = (load(), std::thread::available_parallelism().map_or(1, usize::from));
    if load > cores as f64 * 0.75 {
        eprintln!(
            "errand: the load of this machine is {load:.1} before the run begins; figures will be too low and uneven"
        );
    }
    load
}

fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

async fn told(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(workspace::root().ok()?);
    process::capture(command, BRIEF).await
}
