//! A private PostgreSQL for one checkout: its own data folder, port and password, on 127.0.0.1 only.
//!
//! A server runs without a terminal. The process that starts it holds a guard, which stops the server when that process ends in any
//! way. A server that ran already is used and keeps running.

mod binaries;
mod guard;
mod home;
pub mod install;
mod npm;
mod outage;
mod server;

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::{address::Address, secret};
use binaries::Binaries;
use guard::Guard;
use home::Home;

/// The superuser of a private cluster.
const SUPERUSER: &str = "postgres";

/// What a private server is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The checkout's own tasks.
    Checkout,
    /// Tests: quick rather than safe, and gone afterwards.
    Tests,
    /// Measurements: as safe as in production, with room for every peer, and kept, because it takes long to fill.
    Bench,
}

/// A private server that runs.
#[derive(Debug)]
pub struct Cluster {
    home: Home,
    port: u16,
    password: String,
    guard: Option<Guard>,
}

/// What is known of a checkout's private server without touching it.
#[derive(Debug)]
pub enum State {
    /// It was never started here.
    Absent,
    /// Its data is there; nothing runs.
    Stopped,
    /// It runs.
    Running(Cluster),
}

impl Cluster {
    /// Starts the checkout's server, or joins the one that runs. Stopped again when the returned value goes, if this
    /// call started it.
    pub fn start(checkout: &Path) -> Result<Self> {
        Self::start_for(checkout, Purpose::Checkout, None)
    }

    /// Starts the server that measurements run on, or joins the one that runs. Its data stays for the next time; it is
    /// stopped again when the returned value goes.
    pub fn bench(checkout: &Path) -> Result<Self> {
        Self::start_for(checkout, Purpose::Bench, None)
    }

    /// Starts the checkout's server, or joins the one that runs, and leaves it running. Says whether it was started.
    pub fn start_detached(checkout: &Path) -> Result<(Self, bool)> {
        let (cluster, started) = Self::open(checkout, Purpose::Checkout, None)?;
        Ok((cluster, started.is_some()))
    }

    /// Starts an empty server for tests: quick rather than safe, and gone, data and all, when the returned value or
    /// this process goes. Of the major version that the environment asks for in [`install::VERSION`], if it does.
    pub fn ephemeral(checkout: &Path) -> Result<Self> {
        Self::ephemeral_of(checkout, install::asked()?)
    }

    /// The same, of this major version, which is fetched where it is not installed; `None` for any.
    pub fn ephemeral_of(checkout: &Path, major: Option<u32>) -> Result<Self> {
        Self::start_for(checkout, Purpose::Tests, major)
    }

    /// The administrator's address of a database on this server.
    pub fn address(&self, database: &str) -> Result<Address> {
        Address::parse(&self.url(database))
    }

    /// The administrator's connection string of a database on this server.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{SUPERUSER}:{}@127.0.0.1:{}/{database}?sslmode=disable", self.password, self.port)
    }

    /// Where the data and the log are.
    pub fn folder(&self) -> &Path {
        self.home.folder()
    }

    /// The server's port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether this process started it, and so stops it.
    pub fn is_ours(&self) -> bool {
        self.guard.is_some()
    }

    /// Stops the server if this process started it, and waits for that.
    pub fn stop(mut self) -> Result<()> {
        self.guard.take().map_or(Ok(()), Guard::stop)
    }

    fn start_for(checkout: &Path, purpose: Purpose, major: Option<u32>) -> Result<Self> {
        let (mut cluster, binaries) = Self::open(checkout, purpose, major)?;
        if let Some(binaries) = binaries {
            cluster.guard = Some(Guard::new(&cluster.home, &binaries, purpose == Purpose::Tests)?);
        }
        Ok(cluster)
    }

    /// Second value: the programs with which the server was started; `None` when it ran already.
    fn open(checkout: &Path, purpose: Purpose, major: Option<u32>) -> Result<(Self, Option<Binaries>)> {
        let home = match purpose {
            Purpose::Checkout => Home::of(checkout)?,
            Purpose::Tests => Home::temporary(checkout)?,
            Purpose::Bench => Home::of_bench(checkout)?,
        };
        // Two commands at once must not both create the cluster. Released when dropped.
        let _lock = home.lock()?;
        if let Some(port) = server::running(&home)? {
            let password = home.password()?;
            return Ok((Self { home, port, password, guard: None }, None));
        }
        let binaries = install::ensure(checkout, &home, major)?;
        let password = if home.has_cluster() {
            home.password()?
        } else {
            let password = secret::hex(24)?;
            server::create(&home, &binaries, &password, SUPERUSER)?;
            password
        };
        let port = server::start(&home, &binaries, purpose)?;
        Ok((Self { home, port, password, guard: None }, Some(binaries)))
    }
}

/// Looks at the checkout's private server.
pub fn state(checkout: &Path) -> Result<State> {
    let Some(home) = Home::existing(checkout)? else {
        return Ok(State::Absent);
    };
    Ok(match server::running(&home)? {
        Some(port) => {
            let password = home.password()?;
            State::Running(Cluster { home, port, password, guard: None })
        }
        None => State::Stopped,
    })
}

/// Stops the checkout's private server, even if another process started it. Returns whether one ran.
pub fn stop(checkout: &Path) -> Result<bool> {
    let State::Running(cluster) = state(checkout)? else {
        return Ok(false);
    };
    let binaries = install::ensure(checkout, &cluster.home, None)?;
    server::stop(&cluster.home, &binaries, "fast")?;
    Ok(true)
}

/// Finds one of PostgreSQL's client programs (`psql`), beside the server's or on PATH.
pub fn client_program(checkout: &Path, name: &str) -> Option<std::path::PathBuf> {
    binaries::client_program(checkout, name)
}

/// The last lines of a server's log.
fn log_tail(home: &Home, lines: usize) -> String {
    let text = fs::read_to_string(home.log()).unwrap_or_default();
    let all: Vec<&str> = text.lines().collect();
    all.get(all.len().saturating_sub(lines)..).unwrap_or_default().join("\n")
}

/// Reads a file and says which one when that fails.
fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
