//! Ends a process group when its owner ends, even if the owner was killed.
//!
//! For programs that start children of their own and do not watch over them, such as `spin up`. The guard is a small
//! shell script at the other end of a pipe, as it is for the private PostgreSQL. When the pipe closes, for whatever
//! reason, the script asks the group to stop as Ctrl-C would, waits, and then ends what is left of it.

use std::{
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};

/// `$1` is the group, `$2` how many tenths of a second it has. What was killed takes a moment to be gone, too.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
group=$1
gone_within() {
    left=$1
    while kill -s 0 -- "-$group" 2>/dev/null; do
        [ "$left" -gt 0 ] || return 1
        left=$((left - 1))
        sleep 0.1
    done
}
cat >/dev/null
kill -s INT -- "-$group" 2>/dev/null
gone_within "$2" || { kill -s KILL -- "-$group" 2>/dev/null; gone_within 50; }
"#;

/// Stands between a process group and its owner.
#[derive(Debug)]
pub struct GroupGuard {
    script: Child,
}

impl GroupGuard {
    /// Guards the group that `leader` leads. After a request to stop, it has this long.
    ///
    /// # Errors
    ///
    /// When there is no shell.
    pub fn of(leader: u32, timeout: Duration) -> Result<Self> {
        let script = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "sh", &leader.to_string(), &(timeout.as_millis() / 100).to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A signal to the owner's group must not end the guard.
            .process_group(0)
            .spawn()
            .context("cannot start the guard of a process group")?;
        Ok(Self { script })
    }

    /// Has the group asked to stop. Wait for the leader then, because it belongs to its group until that is done; dropping
    /// the guard waits for the rest.
    pub fn release(&mut self) {
        drop(self.script.stdin.take());
    }
}

impl Drop for GroupGuard {
    fn drop(&mut self) {
        self.release();
        let _ = self.script.wait();
    }
}
