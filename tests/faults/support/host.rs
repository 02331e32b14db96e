//! The component in the local host, as a process of its own.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use errand_testing::process;
use errand_testing::token::SECRET;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::time::sleep;

/// How long a database operation may take here: short, so that the suite is.
pub const DEADLINE: Duration = Duration::from_millis(1_500);

/// A running host. It ends with this process.
pub struct Host {
    pub address: SocketAddr,
    child: Child,
    log: PathBuf,
}

impl Host {
    /// Starts the built component; `arguments` and `environment` are for the host itself, `log` is where its messages go.
    pub fn start(
        database_url: &str,
        database_host: &str,
        arguments: &[&str],
        environment: &[(&str, String)],
        log: PathBuf,
    ) -> Self {
        let Ok(program) = std::env::var("ERRAND_HOST_BIN") else {
            // Once, instead of a panic per test.
            eprintln!("These tests need the local host and a PostgreSQL of their own: `cargo xtask test --faults`.");
            std::process::exit(1);
        };
        let mut command = Command::new(program);
        command.args(["--listen", "127.0.0.1:0", "--exit-with-stdin"]);
        command.args(["--runtime-config-file", "runtime-config.toml"]).args(arguments);
        if super::is_p2() {
            command.args(["--from", "spin-p2.toml"]);
        }
        let variables = [
            ("database_url", database_url.to_owned()),
            ("database_host", database_host.to_owned()),
            ("jwt_secret", SECRET.to_owned()),
            ("database_deadline_ms", DEADLINE.as_millis().to_string()),
            // With its duration, as the component itself measured it.
            ("access_log", if super::is_soak() { "errors" } else { "all" }.to_owned()),
        ];
        process::set(&mut command, &variables);
        if super::is_soak() {
            // As `cargo xtask up` serves: an instance lives for long, and what it remembers grows.
            command.args(["--max-instance-reuse-count", "10000"]);
            // Where an instance of the pool has been, up to 2 MiB stay with the process for the next one: over an hour, rare long
            // requests bring each place to that. Without it, memory is what is in use.
            command.env("SPIN_WASMTIME_LINEAR_MEMORY_KEEP_RESIDENT", "0");
            command.env("SPIN_WASMTIME_TABLE_KEEP_RESIDENT", "0");
        }
        command.envs(environment.iter().map(|(name, value)| (*name, value)));
        command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(File::options().create(true).append(true).open(&log).unwrap());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.split_once("Serving http://")?.1.trim().parse().ok())
            .unwrap_or_else(|| panic!("the host did not serve:\n{}", fs::read_to_string(&log).unwrap_or_default()));
        std::thread::spawn(move || lines.for_each(drop));
        Self { address, child, log }
    }

    /// What it occupies of memory, in bytes; `None` where the system does not say so in /proc.
    pub fn rss(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? * 1024)
    }

    /// How long its log is by now.
    pub fn log_end(&self) -> usize {
        fs::metadata(&self.log).map_or(0, |log| log.len() as usize)
    }

    /// What is wrong in the log from an offset on: traps, answers 500, and requests that took longer than they may.
    pub fn complaints(&self, from: usize, longest: Duration) -> Vec<String> {
        let log = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(log.get(from..).unwrap_or_default());
        let is_bad = |line: &&str| match serde_json::from_str::<Value>(line) {
            Ok(line) => {
                let late = line["duration_ms"].as_f64().is_some_and(|ms| ms > longest.as_secs_f64() * 1e3);
                // A request that was wrong may have been long in coming.
                let wrong = line["status"].as_u64().is_some_and(|status| (400..500).contains(&status));
                line["status"] == 500 || late && !wrong
            }
            Err(_) => ["an instance failed", "wasm trap", "panicked", " failed: error while"]
                .iter()
                .any(|word| line.contains(word)),
        };
        text.lines().filter(is_bad).map(str::to_owned).collect()
    }

    /// How often a word is in the log from an offset on.
    pub fn told(&self, from: usize, word: &str) -> usize {
        let log = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(log.get(from..).unwrap_or_default()).matches(word).count()
    }

    /// Asks it to stop (SIGTERM).
    pub fn terminate(&self) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
    }

    /// Waits until it has gone.
    pub async fn ended(&mut self, within: Duration) -> Option<ExitStatus> {
        let begun = Instant::now();
        loop {
            match self.child.try_wait().unwrap() {
                Some(status) => return Some(status),
                None if begun.elapsed() > within => return None,
                None => sleep(Duration::from_millis(20)).await,
            }
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
