//! The servers that are measured: what each one needs, how it is started, and that it goes when we go.

mod install;

use std::{
    fs::{self, File},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use rustix::process::Signal;
use serde::Serialize;
use tokio::{
    process::{Child, ChildStdin, Command},
    time::{Instant, sleep},
};

use super::{data::Data, usage::Processes};
use crate::{build, http, process, runtime, toolchain::Choice, workspace};

/// The profile of what is measured.
pub(crate) const MEASURED: &str = "measured";

use install::built;

/// How long a server may take to answer for the first time.
const READY: Duration = Duration::from_secs(60);
/// Runs a program until it or our end of the pipe ends, and then ends the process group: nothing outlives us.
const LEASH: &str = r#"trap : TERM
{ trap : TERM; "$@" </dev/null; kill -TERM 0; } &
cat >/dev/null
kill -TERM 0
wait"#;

/// A server that can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Peer {
    /// errand in the local host
    Host,
    /// errand's component of WASI 0.2 in the local host
    HostP2,
    /// errand without WebAssembly
    Native,
    /// errand in Spin
    Spin,
    /// axum and tokio-postgres, two threads
    Axum,
    /// Hono and postgres.js on Node, two processes
    Hono,
    /// The same Hono application on Bun, two processes
    Bun,
    /// The same Hono application on workerd
    Workerd,
    /// FastAPI and SQLModel on uvicorn, two workers
    Fastapi,
    /// A component of ten lines in the local host; with --bare only
    #[value(skip)]
    Bare,
}

impl Peer {
    /// In the order in which they are shown.
    pub(crate) const ALL: [Self; 9] = [
        Self::Host,
        Self::HostP2,
        Self::Native,
        Self::Spin,
        Self::Axum,
        Self::Hono,
        Self::Bun,
        Self::Workerd,
        Self::Fastapi,
    ];

    /// Its name for people.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Fastapi => "FastAPI",
            Self::Axum => "axum",
            Self::Hono => "Hono on Node",
            Self::Bun => "Hono on Bun",
            Self::Workerd => "Hono on workerd",
            Self::Native => "errand native",
            Self::Host => "errand (local host)",
            Self::HostP2 => "errand, WASI 0.2 (local host)",
            Self::Bare => "ten lines, WASI 0.2 (local host)",
            Self::Spin => "errand (Spin)",
        }
    }

    /// Gets what it needs and says how it is started, apart from port and database.
    pub(crate) async fn prepare(self, build: bool) -> Result<Recipe> {
        let root = workspace::root()?;
        let words: Vec<PathBuf> = match self {
            Self::Host | Self::HostP2 | Self::Bare => {
                if build {
                    match self {
                        Self::HostP2 => build::components_p2(Choice::Auto).await?,
                        Self::Bare => build::packages(Choice::Auto, &["errand-bench-bare"]).await?,
                        _ => build::components(Choice::Auto).await?,
                    };
                    vec![runtime::native_binary("errand-host", MEASURED).await?]
                } else {
                    vec![built("target/measured/errand-host")?]
                }
            }
            Self::Spin => {
                let spin = runtime::spin().await?;
                if build {
                    build::components(Choice::Auto).await?;
                }
                vec![spin, "up".into()]
            }
            Self::Native => match build {
                true => vec![runtime::native_binary("errand-native", MEASURED).await?],
                false => vec![built("target/measured/errand-native")?],
            },
            Self::Axum => vec![install::axum(build).await?],
            Self::Fastapi => vec![install::venv(&root.join("bench/peers/fastapi")).await?.join("bin/uvicorn")],
            Self::Hono => {
                let folder = install::node_modules().await?;
                vec!["node".into(), folder.join("server.js")]
            }
            Self::Bun => {
                let folder = install::node_modules().await?;
                vec![install::bun(&folder), folder.join("bun.js")]
            }
            Self::Workerd => {
                let folder = install::node_modules().await?;
                vec![folder.join("node_modules/.bin/workerd"), "serve".into(), folder.join("workerd.capnp")]
            }
        };
        Ok(Recipe { peer: self, words, root, label: "", database: None })
    }

    fn arguments(self, port: u16) -> Vec<String> {
        let listen = format!("127.0.0.1:{port}");
        let words: &[&str] = match self {
            Self::Host | Self::HostP2 | Self::Spin => {
                &["--from", self.manifest(), "--runtime-config-file", "runtime-config.toml", "--listen", &listen]
            }
            // Compiled code lies beside the manifest, unless that is said.
            Self::Bare => &["--from", self.manifest(), "--cache-dir", "target/errand-host", "--listen", &listen],
            Self::Native => &["--listen", &listen],
            Self::Fastapi => &[
                "app:app",
                "--app-dir",
                "bench/peers/fastapi",
                "--workers",
                "2",
                "--loop",
                "uvloop",
                "--http",
                "httptools",
                "--no-access-log",
                "--port",
                &port.to_string(),
            ],
            Self::Axum | Self::Hono | Self::Bun => &[],
            Self::Workerd => &["--socket-addr", &format!("http={listen}")],
        };
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    fn manifest(self) -> &'static str {
        match self {
            Self::HostP2 => "spin-p2.toml",
            Self::Bare => "bench/peers/bare/spin.toml",
            _ => "spin.toml",
        }
    }

    fn environment(self, data: &Data, port: u16) -> Vec<(&'static str, String)> {
        let scheme = if self == Self::Fastapi { "postgresql+asyncpg" } else { "postgres" };
        match self {
            Self::Host | Self::HostP2 | Self::Bare | Self::Native | Self::Spin => vec![
                ("SPIN_VARIABLE_DATABASE_URL", data.app_url.clone()),
                ("SPIN_VARIABLE_DATABASE_HOST", data.endpoint()),
                ("SPIN_VARIABLE_JWT_SECRET", data.signer.secret.clone()),
                ("SPIN_VARIABLE_JWT_JWKS", data.signer.jwks()),
                ("SPIN_VARIABLE_JWT_JWKS_URL", String::new()),
                ("SPIN_VARIABLE_JWT_ISSUER", String::new()),
                ("SPIN_VARIABLE_JWT_AUDIENCE", String::new()),
                // No server writes a line per request here.
                ("SPIN_VARIABLE_ACCESS_LOG", "errors".to_owned()),
            ],
            Self::Axum | Self::Hono | Self::Bun | Self::Workerd | Self::Fastapi => vec![
                ("BENCH_DATABASE_URL", format!("{scheme}://{}", data.peer_url)),
                ("BENCH_JWT_KEY", data.signer.jwk()),
                ("PORT", port.to_string()),
                ("PYTHONDONTWRITEBYTECODE", "1".to_owned()),
                ("NODE_ENV", "production".to_owned()),
            ],
        }
    }
}

/// How a server is started.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    pub(crate) peer: Peer,
    words: Vec<PathBuf>,
    /// Where it runs: the folder of spin.toml.
    root: PathBuf,
    /// Behind the peer in the name of its log.
    label: &'static str,
    /// Where errand reaches the database, if not where that is.
    database: Option<SocketAddr>,
}

impl Recipe {
    /// For another commit, laid out and built in `root`.
    pub(crate) fn of_other(peer: Peer, program: PathBuf, root: PathBuf) -> Self {
        Self { peer, words: vec![program], root, label: "-other", database: None }
    }

    /// The program.
    pub(crate) fn program(&self) -> Option<&Path> {
        self.words.first().map(PathBuf::as_path)
    }

    /// The same with what stands at this address between errand and the database.
    pub(crate) fn through(self, proxy: SocketAddr) -> Self {
        Self { database: Some(proxy), ..self }
    }

    /// What its files are named by.
    fn name(&self) -> String {
        format!("{:?}{}", self.peer, self.label).to_lowercase()
    }

    /// The same with a new copy of the program. A program is faster or slower by where the file lies in memory, and a copy lies elsewhere.
    pub(crate) fn with_copy(&self) -> Result<Self> {
        let (program, rest) = self.words.split_first().context("no program")?;
        let copy = workspace::root()?.join("target/bench/programs").join(self.name());
        if let Some(folder) = copy.parent() {
            fs::create_dir_all(folder)?;
        }
        // Written over, the file would keep its place.
        let _ = fs::remove_file(&copy);
        fs::copy(program, &copy).with_context(|| format!("cannot copy {}", program.display()))?;
        Ok(Self { words: [&[copy], rest].concat(), ..self.clone() })
    }

    /// Starts it; `more` are further arguments.
    pub(crate) fn start(&self, data: &Data, more: &[&str]) -> Result<Running> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let logs = workspace::root()?.join("target/bench");
        fs::create_dir_all(&logs)?;
        let log = logs.join(self.name() + ".log");
        let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = workspace::program_in(&self.root, "/bin/sh");
        command.args(["-c", LEASH, "sh"]).args(&self.words).args(self.peer.arguments(port)).args(more);
        command.envs(self.peer.environment(data, port));
        if let Some(proxy) = self.database.map(|proxy| proxy.to_string()) {
            command.env("SPIN_VARIABLE_DATABASE_URL", data.app_url.replacen(&data.endpoint(), &proxy, 1));
            command.env("SPIN_VARIABLE_DATABASE_HOST", proxy);
        }
        // Servers run without: wasmtime makes an error for each fiber that it ends, and would trace every one of them.
        command.env_remove("RUST_BACKTRACE").env_remove("RUST_LIB_BACKTRACE");
        command.stdin(Stdio::piped()).stdout(output.try_clone()?).stderr(output).process_group(0);
        let mut child = command.spawn().with_context(|| format!("cannot start {}", self.peer.title()))?;
        let leash = child.stdin.take();
        Ok(Running { peer: self.peer, port, log, child, leash })
    }

    /// A command of a server that is errand, for a task other than serving.
    pub(crate) fn command(&self, data: &Data, arguments: &[&str]) -> Result<Command> {
        let (program, first) = self.words.split_first().context("no program")?;
        let mut command = workspace::program_in(&self.root, &program.to_string_lossy());
        command.args(first).args(["--from", self.peer.manifest()]).args(arguments).envs(self.peer.environment(data, 0));
        Ok(command)
    }
}

/// A server at work. Its process group goes when this value goes.
pub(crate) struct Running {
    pub(crate) peer: Peer,
    pub(crate) port: u16,
    log: PathBuf,
    child: Child,
    leash: Option<ChildStdin>,
}

impl Running {
    /// Waits for its first answer; tells how long that took from now.
    pub(crate) async fn ready(&mut self) -> Result<Duration> {
        let begun = Instant::now();
        let address = ([127, 0, 0, 1], self.port).into();
        while begun.elapsed() < READY {
            if let Ok((200, _)) = http::get(address, "/health/live", Duration::from_secs(10)).await {
                return Ok(begun.elapsed());
            }
            if self.child.try_wait()?.is_some() {
                break;
            }
            sleep(Duration::from_millis(2)).await;
        }
        bail!("{} does not answer; see {}", self.peer.title(), self.log.display())
    }

    /// The first process of its tree.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// All of that tree.
    pub(crate) fn processes(&self) -> Option<Processes> {
        self.pid().map(Processes::Tree)
    }

    pub(crate) async fn stop(mut self) {
        process::stop(&mut self.child, Signal::TERM, self.leash.take()).await;
    }
}
