//! Stops and restarts a server, for tests of an outage. Only a server that this process started.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use super::{Cluster, binaries::Binaries, read, server};

/// The timeout for a restart. The processes of a killed server have to end first.
const RECOVERY_TIMEOUT: Duration = Duration::from_secs(30);

impl Cluster {
    /// Kills the postmaster (SIGKILL). Its other processes notice and exit. Unwritten data is lost.
    pub fn kill(&self) -> Result<()> {
        self.binaries()?;
        let text = read(&self.home.data().join("postmaster.pid"))?;
        let pid = text.lines().next().and_then(|line| line.trim().parse().ok()).and_then(Pid::from_raw);
        Ok(kill_process(pid.context("postmaster.pid names no process")?, Signal::KILL)?)
    }

    /// Stops the server at once, without a checkpoint (`pg_ctl stop -m immediate`).
    pub fn stop_immediately(&self) -> Result<()> {
        server::stop(&self.home, self.binaries()?, "immediate")
    }

    /// Starts the server again, on the port that it had, and waits until it takes connections.
    pub fn start_again(&self) -> Result<()> {
        let begun = Instant::now();
        loop {
            match server::start_once(&self.home, self.binaries()?)? {
                Ok(()) => return Ok(()),
                Err(told) if begun.elapsed() > RECOVERY_TIMEOUT => bail!("PostgreSQL did not come back:\n{told}"),
                Err(_) => sleep(Duration::from_millis(100)),
            }
        }
    }

    fn binaries(&self) -> Result<&Binaries> {
        Ok(self.guard.as_ref().context("another process started this PostgreSQL")?.binaries())
    }
}
