//! Running other programs so that they never outlive their welcome: a limit on each, and Ctrl-C ends them with us.

use std::{
    os::unix::process::ExitStatusExt,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    process::{Child, ChildStdin, Command},
    signal::unix::{SignalKind, signal},
    time::{sleep, timeout},
};

/// For what ends when its user says so.
pub(crate) const FOREVER: Duration = Duration::from_secs(u32::MAX as u64);
/// For what normally takes seconds.
pub(crate) const BRIEF: Duration = Duration::from_secs(120);
/// For building or testing one part from nothing, on a small machine.
pub(crate) const LONG: Duration = Duration::from_secs(45 * 60);
/// The error of a run that the user ended.
pub(crate) const INTERRUPTED: &str = "interrupted";
/// How long a program may take to go after it was asked to.
const GRACE: Duration = Duration::from_secs(10);

/// Ctrl-C, SIGTERM, or a terminal that was closed.
pub(crate) async fn interrupted() -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    Ok(())
}

/// Runs a program to its end, its output going where ours goes. In a process group of its own, which is ended as a
/// whole when the limit is over or we are interrupted.
pub(crate) async fn wait(mut command: Command, limit: Duration) -> Result<ExitStatus> {
    let text = shown(&command);
    let mut child = spawn(&mut command)?;
    tokio::select! {
        status = child.wait() => Ok(status?),
        () = sleep(limit) => {
            stop(&mut child, None).await;
            bail!("`{text}` was still running after {} minutes and was stopped", limit.as_secs() / 60)
        }
        result = interrupted() => {
            stop(&mut child, None).await;
            result?;
            bail!(INTERRUPTED)
        }
    }
}

/// Runs a program to its end; failing is an error.
pub(crate) async fn run(command: Command, limit: Duration) -> Result<()> {
    let text = shown(&command);
    let status = wait(command, limit).await?;
    if status.success() {
        return Ok(());
    }
    match status.signal() {
        Some(signal) => bail!("`{text}` was ended by signal {signal}"),
        None => bail!("`{text}` failed"),
    }
}

/// Runs a program and returns what it printed, or `None` when it failed or is not there.
pub(crate) async fn capture(mut command: Command, limit: Duration) -> Option<String> {
    command.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let output = timeout(limit, command.output()).await.ok()?.ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Starts a program in a process group of its own, so that Ctrl-C reaches us alone and we choose the order of ending.
pub(crate) fn spawn(command: &mut Command) -> Result<Child> {
    let text = shown(command);
    command.process_group(0).kill_on_drop(true).spawn().with_context(|| format!("cannot run `{text}`"))
}

/// Asks a program and its children to end, and insists after a while. What reads from `stdin` takes the end of that for
/// the end of us.
pub(crate) async fn stop(child: &mut Child, stdin: Option<ChildStdin>) {
    signal_group(child, Signal::TERM);
    drop(stdin);
    if timeout(GRACE, child.wait()).await.is_err() {
        signal_group(child, Signal::KILL);
        let _ = timeout(GRACE, child.wait()).await;
    }
}

fn signal_group(child: &Child, signal: Signal) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // Fails only when the group is gone already.
        let _ = kill_process_group(pid, signal);
    }
}

/// A command as one would type it.
pub(crate) fn shown(command: &Command) -> String {
    let command = command.as_std();
    let program = std::path::Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    std::iter::once(program)
        .chain(command.get_args())
        .map(|word| quoted(&word.to_string_lossy()))
        .collect::<Vec<_>>()
        .join(" ")
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let mut command = Command::new("/opt/bin/cargo");
        command.args(["test", "--", "it's", ""]);
        assert_eq!(shown(&command), r"cargo test -- 'it'\''s' ''");
    }

    #[tokio::test]
    async fn what_takes_too_long_is_stopped_with_its_children() -> Result<()> {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600 & wait"]);
        let error = wait(command, Duration::from_millis(200)).await.err().context("it should have been stopped")?;
        assert!(error.to_string().contains("still running"), "{error}");
        Ok(())
    }
}
