//! Stops a server when the process that started it ends, even if it was killed.
//!
//! The guard is a small shell script at the other end of a pipe: when the pipe closes, for whatever reason, it stops the
//! server. In a process group of its own, so that Ctrl-C in the terminal does not reach it before its owner is done.

use std::{
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::{binaries::Binaries, home::Home};

/// `$1` pg_ctl, `$2` the server's folder, `$3` fast or immediate, `$4` remove or keep.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
cat >/dev/null
"$1" stop -D "$2/data" -m "$3" -w -t 60 >/dev/null 2>&1
stopped=$?
if [ "$4" = remove ]; then rm -rf "$2"/*; rmdir "$2" 2>/dev/null; fi
exit $stopped
"#;

/// Longer than the script's own limit.
const STOP_TIMEOUT: Duration = Duration::from_secs(75);

/// Its end is the server's end.
#[derive(Debug)]
pub(super) struct Guard {
    child: Child,
    folder: PathBuf,
    binaries: Binaries,
    remove: bool,
}

impl Guard {
    pub(super) fn new(home: &Home, binaries: &Binaries, remove: bool) -> Result<Self> {
        // Data that is about to go need not be brought to order first.
        let (mode, after) = if remove { ("immediate", "remove") } else { ("fast", "keep") };
        let child = home
            .command(Path::new("/bin/sh"))
            .args(["-c", SCRIPT, "sh"])
            .arg(binaries.program("pg_ctl"))
            .arg(home.folder())
            .args([mode, after])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("cannot start the guard of the private PostgreSQL")?;
        Ok(Self { child, folder: home.folder().to_owned(), binaries: binaries.clone(), remove })
    }

    /// The programs with which the server was started.
    pub(super) fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    /// Stops the server and waits for that.
    pub(super) fn stop(mut self) -> Result<()> {
        self.release()
    }

    fn release(&mut self) -> Result<()> {
        if self.child.stdin.take().is_none() {
            return Ok(());
        }
        let begun = Instant::now();
        let status = loop {
            match self.child.try_wait()? {
                Some(status) => break status,
                None if begun.elapsed() > STOP_TIMEOUT => {
                    bail!("PostgreSQL in {} has not stopped within {} s", self.folder.display(), STOP_TIMEOUT.as_secs())
                }
                None => sleep(Duration::from_millis(10)),
            }
        };
        if self.remove {
            let _ = fs::remove_dir(&self.folder);
        } else if !status.success() && self.folder.join("data/postmaster.pid").exists() {
            bail!("PostgreSQL in {} could not be stopped; see server.log there", self.folder.display());
        }
        Ok(())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Err(error) = self.release() {
            eprintln!("errand: {error:#}");
        }
    }
}
