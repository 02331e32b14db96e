//! Running wrk, and what it tells. It sends the next request of a connection when the last one is answered, and corrects
//! its latencies for the requests that a slow answer kept from being sent.

use std::{path::PathBuf, process::Stdio, time::Duration};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use tokio::{process::Command, time::timeout};

use super::{
    instructions::Instructions,
    scenario::Cell,
    usage::{Look, Processes, Usage},
};
use crate::{
    process::{self, BRIEF},
    toolchain::apt_get,
    workspace,
};

/// The load generator.
#[derive(Debug, Clone)]
pub(crate) struct Wrk {
    pub(crate) version: String,
    plan: PathBuf,
}

/// What `done` in `bench/load.lua` prints.
#[derive(Debug, Deserialize)]
struct Printed {
    requests: u64,
    micros: u64,
    bytes: u64,
    p50: u64,
    p99: u64,
    /// Answers of 400 and above, but for 429.
    status: u64,
    /// Answers of 429.
    busy: u64,
    broken: u64,
}

/// What one slot showed.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Measured {
    pub(crate) requests: u64,
    pub(crate) seconds: f64,
    pub(crate) bytes: u64,
    /// Microseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// Answers of 400 and above but for 429, broken connections and time-outs.
    pub(crate) errors: u64,
    /// Answers of 429: requests of a user that had too many others of its own under way.
    pub(crate) busy: u64,
    /// Processor time that the server took, and what it held at the end.
    pub(crate) server: Usage,
    /// Microseconds of processor time that PostgreSQL took.
    pub(crate) postgres_micros: u64,
    /// Of both, where they were counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) instructions: Option<u64>,
}

/// How long a server is loaded.
#[derive(Debug, Clone, Copy)]
struct Span {
    seconds: u64,
    /// Ends it earlier.
    requests: Option<u64>,
}

impl Span {
    fn seconds(seconds: u64) -> Self {
        Self { seconds, requests: None }
    }
}

impl Wrk {
    /// The one on PATH, else Debian's.
    pub(crate) async fn ensure() -> Result<Self> {
        let plan = workspace::root()?.join("target/bench/plan.tsv");
        if let Some(parent) = plan.parent() {
            std::fs::create_dir_all(parent)?;
        }
        if let Some(version) = version().await {
            return Ok(Self { version, plan });
        }
        if rustix::process::geteuid().is_root() && std::path::Path::new("/usr/bin/apt-get").exists() {
            eprintln!("errand: installing wrk: apt-get install wrk");
            apt_get(&["update", "-qq"]).await?;
            apt_get(&["install", "-y", "-qq", "--no-install-recommends", "wrk"]).await?;
        }
        let version =
            version().await.context("wrk is not installed (Debian: `sudo apt-get install wrk`; brew install wrk)")?;
        Ok(Self { version, plan })
    }

    /// The same with a plan of its own, so that several are kept.
    pub(crate) fn with_plan(&self, name: &str, plan: &str) -> Result<Self> {
        let other = Self { version: self.version.clone(), plan: self.plan.with_file_name(name) };
        other.plan(plan)?;
        Ok(other)
    }

    /// What the next requests are made from.
    pub(crate) fn plan(&self, plan: &str) -> Result<()> {
        std::fs::write(&self.plan, plan).context("cannot write the plan of the requests")
    }

    /// Loads a server for some seconds. The pids are those of the server and of PostgreSQL.
    pub(crate) async fn run(
        &self,
        port: u16,
        cell: Cell,
        seconds: u64,
        seed: u32,
        pids: (Option<u32>, Option<u32>),
    ) -> Result<Measured> {
        self.load(port, cell, Span::seconds(seconds), trees(pids), &[&seed.to_string()], None).await
    }

    /// The same for lists with this query string.
    pub(crate) async fn run_with(
        &self,
        port: u16,
        cell: Cell,
        seconds: u64,
        pids: (Option<u32>, Option<u32>),
        query: &str,
    ) -> Result<Measured> {
        self.load(port, cell, Span::seconds(seconds), trees(pids), &["1", query], None).await
    }

    /// Sends so many requests, however long that takes, but for the limit in seconds. Servers that write the same number of
    /// rows in each slot stay comparable. The processes are those of the server and of PostgreSQL.
    pub(crate) async fn run_counted(
        &self,
        port: u16,
        cell: Cell,
        (requests, limit): (u64, u64),
        seed: u32,
        processes: [Option<Processes>; 2],
        counter: Option<&Instructions>,
    ) -> Result<Measured> {
        let span = Span { seconds: limit, requests: Some(requests) };
        self.load(port, cell, span, processes, &[&seed.to_string(), "", &requests.to_string()], counter).await
    }

    async fn load(
        &self,
        port: u16,
        cell: Cell,
        span: Span,
        [server, postgres]: [Option<Processes>; 2],
        arguments: &[&str],
        counter: Option<&Instructions>,
    ) -> Result<Measured> {
        let mut command = match counter {
            Some(counter) => counter.during("wrk", &[server, postgres])?,
            None => workspace::program("wrk")?,
        };
        command
            .args(["--threads", "1", "--timeout", "10s", "--latency", "--script", "bench/load.lua"])
            .args(["--connections", &cell.connections.to_string(), "--duration", &format!("{}s", span.seconds)])
            .args([&format!("http://127.0.0.1:{port}"), "--", cell.scenario.name()])
            .arg(&self.plan)
            .args(arguments);
        let before = [server, postgres].map(|processes| processes.and_then(Look::at));
        let told = output(command, Duration::from_secs(span.seconds + 30)).await?;
        let [server, postgres] = before;
        let postgres_micros = postgres.and_then(|look| look.spent()).unwrap_or_default();
        let server = server.and_then(|look| look.used()).unwrap_or_default();
        let line = told.lines().find_map(|line| line.strip_prefix("RESULT "));
        let printed: Printed = serde_json::from_str(line.with_context(|| format!("wrk says: {told}"))?)?;
        if span.requests.is_some() && printed.requests == 0 {
            bail!("no request of `{}` was answered within {} s", cell.scenario.name(), span.seconds);
        }
        Ok(Measured {
            requests: printed.requests,
            seconds: printed.micros as f64 / 1e6,
            bytes: printed.bytes,
            p50: printed.p50 as f64,
            p99: printed.p99 as f64,
            errors: printed.status + printed.broken,
            busy: printed.busy,
            server,
            postgres_micros,
            instructions: counter.and_then(Instructions::counted),
        })
    }
}

impl Measured {
    pub(crate) fn rate(&self) -> f64 {
        if self.seconds > 0.0 { self.requests as f64 / self.seconds } else { 0.0 }
    }

    /// A value per request.
    pub(crate) fn each(&self, value: u64) -> f64 {
        if self.requests > 0 { value as f64 / self.requests as f64 } else { 0.0 }
    }

    /// Microseconds of processor time per request, of the server and of PostgreSQL.
    pub(crate) fn processor_micros(&self) -> f64 {
        self.each(self.server.cpu_micros + self.postgres_micros)
    }

    /// Rounds as one: sums, the mean of the latencies, the largest memory.
    pub(crate) fn merged(rounds: &[Self]) -> Self {
        let mut all = rounds.iter().fold(Self::default(), |sum, one| Self {
            requests: sum.requests + one.requests,
            seconds: sum.seconds + one.seconds,
            bytes: sum.bytes + one.bytes,
            p50: sum.p50 + one.p50,
            p99: sum.p99 + one.p99,
            errors: sum.errors + one.errors,
            busy: sum.busy + one.busy,
            server: added(sum.server, one.server),
            postgres_micros: sum.postgres_micros + one.postgres_micros,
            instructions: sum
                .instructions
                .map(|count| count + one.instructions.unwrap_or_default())
                .or(one.instructions),
        });
        let count = rounds.len().max(1) as f64;
        all.p50 /= count;
        all.p99 /= count;
        all
    }
}

/// What a program prints; failing, or taking longer than the limit, is an error.
pub(crate) async fn output(mut command: Command, limit: Duration) -> Result<String> {
    let shown = process::shown(&command);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(limit, command.output()).await.with_context(|| format!("`{shown}` did not end"))??;
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        // pgbench says it once for each connection.
        let said: Vec<&str> = text.lines().take(6).collect();
        bail!("`{shown}` failed: {}", said.join("\n"));
    }
    Ok(text)
}

async fn version() -> Option<String> {
    // It ends with an error after it has told its version.
    let mut command = Command::new("sh");
    command.args(["-c", "wrk --version || true"]);
    let told = process::capture(command, BRIEF).await?;
    Some(told.lines().next()?.strip_prefix("wrk ")?.split(" Copyright").next()?.to_owned())
}

fn trees((server, postgres): (Option<u32>, Option<u32>)) -> [Option<Processes>; 2] {
    [server, postgres].map(|root| root.map(Processes::Tree))
}

fn added(a: Usage, b: Usage) -> Usage {
    Usage { cpu_micros: a.cpu_micros + b.cpu_micros, memory_kib: a.memory_kib.max(b.memory_kib) }
}
