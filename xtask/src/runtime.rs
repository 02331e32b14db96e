//! What serves the component: the local host, or Spin.

use std::{net::SocketAddr, path::PathBuf, process::Stdio, time::Duration};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use errand_postgres::group::GroupGuard;
use rustix::process::Signal;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::oneshot,
    time::{Instant, sleep, timeout_at},
};

use crate::{
    build, http,
    process::{self, BRIEF, LONG},
    settings::from_environment,
    toolchain::Choice,
    workspace,
};

/// A host binary to use instead of the one that would be built.
pub(crate) const HOST_BIN: &str = "ERRAND_HOST_BIN";
/// The first Spin that speaks WASI 0.3.0.
const OLDEST_SPIN: (u32, u32) = (4, 1);
/// The first Spin that has what spin-p2.toml needs.
const OLDEST_SPIN_P2: (u32, u32) = (3, 5);
/// How many requests an instance serves. A new one verifies each token anew, which for RS256 costs more than all the rest.
pub(crate) const REUSE_COUNT: [&str; 2] = ["--max-instance-reuse-count", "10000"];
/// Compiling the component, connecting to a sleeping database, and then some.
const READY_TIMEOUT: Duration = Duration::from_secs(90);

/// Which runtime serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Runtime {
    /// The local host of this repository (crates/host)
    Host,
    /// `spin up`, with a Spin of at least 4.1 on PATH
    Spin,
    /// `spin up` with the component of WASI 0.2, with a Spin of at least 3.5 on PATH
    SpinP2,
}

impl Runtime {
    /// The runtime for this machine: the Spin on PATH with the component that it can run, else the local host. Says which.
    pub(crate) async fn of_this_machine() -> Self {
        let Some(told) = told_by_spin().await else {
            eprintln!("errand: there is no Spin on PATH; the local host of this repository serves");
            return Self::Host;
        };
        let runtime = version(&told).map_or(Self::Host, Self::of_version);
        match runtime {
            Self::Spin => {
                eprintln!("errand: `{told}` on PATH serves the component of WASI 0.3 (--runtime host: the local host)")
            }
            Self::SpinP2 => {
                eprintln!("errand: `{told}` on PATH serves the component of WASI 0.2 (--runtime host: the local host)")
            }
            Self::Host => eprintln!("errand: `{told}` on PATH is too old; the local host of this repository serves"),
        }
        runtime
    }

    fn of_version(spin: (u32, u32)) -> Self {
        match spin {
            spin if spin >= OLDEST_SPIN => Self::Spin,
            spin if spin >= OLDEST_SPIN_P2 => Self::SpinP2,
            _ => Self::Host,
        }
    }

    /// Builds what is missing or stale of the components.
    pub(crate) async fn components(self) -> Result<()> {
        match self {
            Self::SpinP2 => build::components_p2(Choice::Auto).await,
            Self::Host | Self::Spin => build::components(Choice::Auto).await,
        }
        .map(drop)
    }

    fn manifest(self) -> &'static str {
        match self {
            Self::SpinP2 => "spin-p2.toml",
            Self::Host | Self::Spin => "spin.toml",
        }
    }

    /// Builds or finds what it needs. Returns the program.
    pub(crate) async fn prepare(self) -> Result<PathBuf> {
        match self {
            Self::Host => host_binary().await,
            Self::Spin => spin().await,
            Self::SpinP2 => spin_p2().await,
        }
    }

    /// Starts serving the built components; what `environment` says comes before `.env`.
    pub(crate) fn serve(
        self,
        program: &std::path::Path,
        listen: SocketAddr,
        environment: &[(&str, String)],
    ) -> Result<Serving> {
        let mut command = workspace::program(&program.to_string_lossy())?;
        for (name, value) in environment {
            command.env(name, value);
        }
        if self != Self::Host {
            command.arg("up");
        }
        // Spin 4.0 has the argument, too, and no use for it: an instance of WASI 0.2 serves one request.
        if self != Self::SpinP2 {
            command.args(REUSE_COUNT);
        }
        command.args([
            "--from",
            self.manifest(),
            "--runtime-config-file",
            "runtime-config.toml",
            "--listen",
            &listen.to_string(),
        ]);
        if self == Self::Host {
            // Its end of our pipe tells it when we are gone, even if we were killed.
            command.arg("--exit-with-stdin");
        }
        Serving::start(command, self)
    }
}

/// Builds what is missing or stale of the local host, in the profile that builds fast.
pub(crate) async fn host_binary() -> Result<PathBuf> {
    match from_environment(HOST_BIN) {
        Some(given) => Ok(PathBuf::from(given)),
        None => native_binary("errand-host", "host").await,
    }
}

/// Builds what is missing or stale of a program that runs natively.
pub(crate) async fn native_binary(package: &str, profile: &str) -> Result<PathBuf> {
    let mut cargo = workspace::cargo()?;
    cargo.args(["build", "--profile", profile, "--package", package]);
    process::run(cargo, LONG).await.with_context(|| format!("{package} was not built"))?;
    let path = workspace::root()?.join("target").join(profile).join(package);
    path.is_file().then_some(&path).with_context(|| format!("cargo built no {}", path.display()))?;
    Ok(path)
}

/// A Spin that is new enough for the component of WASI 0.3.
pub(crate) async fn spin() -> Result<PathBuf> {
    spin_from(OLDEST_SPIN).await
}

/// A Spin that is new enough for the component of WASI 0.2.
pub(crate) async fn spin_p2() -> Result<PathBuf> {
    spin_from(OLDEST_SPIN_P2).await
}

async fn spin_from(oldest: (u32, u32)) -> Result<PathBuf> {
    let told = told_by_spin().await;
    let told =
        told.context("there is no `spin` on PATH; see https://spinframework.dev/install, or leave out `--runtime`")?;
    match version(&told) {
        Some(found) if found >= oldest => Ok(PathBuf::from("spin")),
        _ => bail!("`spin` on PATH is `{told}`, but the component needs Spin {}.{} or later", oldest.0, oldest.1),
    }
}

/// What the Spin on PATH says of its version; nothing where there is none.
async fn told_by_spin() -> Option<String> {
    let mut command = Command::new("spin");
    command.arg("--version");
    process::capture(command, BRIEF).await
}

/// Major and minor of `spin 4.1.0-pre0 (2c6b0e1 2026-03-01)`. A pre-release counts: it speaks the same WASI.
fn version(told: &str) -> Option<(u32, u32)> {
    let number = told.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let mut parts = number.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// A runtime at work.
#[derive(Debug)]
pub(crate) struct Serving {
    child: Child,
    /// Held here: waiting for a child closes an input that it still has, and this one's end means "stop".
    stdin: Option<ChildStdin>,
    /// Spin does not look at its standard input: this ends it when we were killed.
    _guard: Option<GroupGuard>,
    announced: Option<oneshot::Receiver<SocketAddr>>,
    ended: bool,
}

impl Serving {
    /// Starts a program that announces where it serves, as Spin and the local host do.
    pub(crate) fn start(mut command: Command, runtime: Runtime) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = process::spawn(&mut command)?;
        let leader = child.id().filter(|_| runtime != Runtime::Host);
        let guard = leader.map(|leader| GroupGuard::of(leader, process::GRACE)).transpose()?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().context("the runtime has no output")?;
        let (announce, announced) = oneshot::channel();
        tokio::spawn(pass_on(stdout, announce));
        Ok(Self { child, stdin, _guard: guard, announced: Some(announced), ended: false })
    }

    /// Waits until the API answers that it is ready; returns where.
    pub(crate) async fn ready(&mut self) -> Result<SocketAddr> {
        let deadline = Instant::now() + READY_TIMEOUT;
        let announced = self.announced.take().context("asked twice")?;
        let address = tokio::select! {
            announced = timeout_at(deadline, announced) => match announced {
                Ok(Ok(address)) => address,
                Ok(Err(_)) => bail!("the runtime ended before it served anything; what it said is above"),
                Err(_) => bail!("the runtime has not begun to serve within {} s", READY_TIMEOUT.as_secs()),
            },
            status = self.child.wait() => {
                self.ended = true;
                bail!("the runtime ended before it served anything ({}); what it said is above", status?)
            }
        };
        loop {
            let answer = tokio::select! {
                answer = http::get(address, "/health/ready", Duration::from_secs(10)) => answer,
                status = self.child.wait() => {
                    self.ended = true;
                    bail!("the runtime ended while it was starting ({})", status?)
                }
            };
            match answer {
                Ok((200, _)) => return Ok(address),
                other if Instant::now() > deadline => {
                    let told = match other {
                        Ok((status, body)) => format!("it answers {status}: {}", body.trim()),
                        Err(error) => format!("{error:#}"),
                    };
                    bail!("http://{address}/health/ready was not ready within {} s; {told}", READY_TIMEOUT.as_secs())
                }
                _ => sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Waits until it ends by itself, which it should not.
    pub(crate) async fn ended(&mut self) -> Result<()> {
        let status = self.child.wait().await?;
        self.ended = true;
        bail!("the runtime ended by itself ({status}); what it said is above")
    }

    /// Asks it to finish what it is doing and go, as Ctrl-C would.
    pub(crate) async fn stop(mut self) {
        if !self.ended {
            process::stop(&mut self.child, Signal::INT, self.stdin.take()).await;
        }
    }
}

/// Prints what the runtime prints, and notices the line that says where it serves.
async fn pass_on(stdout: ChildStdout, announce: oneshot::Sender<SocketAddr>) {
    let mut announce = Some(announce);
    let mut lines = BufReader::new(stdout).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(address) = serving_at(&line)
            && let Some(announce) = announce.take()
        {
            // Nobody listens any more when we are stopping.
            let _ = announce.send(address);
            continue;
        }
        println!("{line}");
    }
}

/// The address in `Serving http://127.0.0.1:3000`, which Spin and the host both print.
fn serving_at(line: &str) -> Option<SocketAddr> {
    line.trim().strip_prefix("Serving http://")?.trim_end_matches('/').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_spin_are_read() {
        assert_eq!(version("spin 4.1.0-pre0 (2c6b0e1 2026-03-01)"), Some((4, 1)));
        assert_eq!(version("spin 3.6.3"), Some((3, 6)));
        assert!(version("spin 10.0.1") > Some(OLDEST_SPIN));
        assert_eq!(version("spin"), None);
    }

    #[test]
    fn a_spin_serves_the_component_that_it_can_run() {
        for (told, runtime) in [
            ("spin 4.1.0 (2c6b0e1 2026-08-26)", Runtime::Spin),
            ("spin 5.0.0", Runtime::Spin),
            ("spin 4.0.2", Runtime::SpinP2),
            ("spin 3.5.0", Runtime::SpinP2),
            ("spin 3.4.1", Runtime::Host),
        ] {
            assert_eq!(version(told).map(Runtime::of_version), Some(runtime), "{told}");
        }
    }

    #[test]
    fn the_announcement_is_recognised() {
        assert_eq!(serving_at("Serving http://127.0.0.1:3000").map(|address| address.port()), Some(3000));
        assert_eq!(serving_at("Preparing Wasm modules"), None);
    }
}
