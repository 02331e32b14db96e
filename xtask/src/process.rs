//! Running other programs so that none outlives us: a limit on each, and Ctrl-C ends them with us.

use std::{
    io::{IsTerminal, Write},
    os::unix::process::ExitStatusExt,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::unix::pipe::Receiver,
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
/// What a program printed last is read after its end, for this long.
const DRAINED: Duration = Duration::from_secs(1);
/// How long a program and its children may take to go after they were asked to.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

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
            stop(&mut child, Signal::TERM, None).await;
            bail!("`{text}` was still running after {} minutes and was stopped", limit.as_secs() / 60)
        }
        result = interrupted() => {
            stop(&mut child, Signal::TERM, None).await;
            result?;
            bail!(INTERRUPTED)
        }
    }
}

/// Runs a program to its end; failing is an error.
pub(crate) async fn run(command: Command, limit: Duration) -> Result<()> {
    let text = shown(&command);
    let status = wait(command, limit).await?;
    succeeded(&text, status)
}

fn succeeded(text: &str, status: ExitStatus) -> Result<()> {
    if status.success() {
        return Ok(());
    }
    match status.signal() {
        Some(signal) => bail!("`{text}` was ended by signal {signal}"),
        None => bail!("`{text}` failed"),
    }
}

/// Runs a program to its end, and reads its lines while they go where ours go. Failing is an error.
pub(crate) async fn run_read(command: &mut Command, limit: Duration, mut read: impl FnMut(&str)) -> Result<()> {
    let text = shown(command);
    // One pipe for both, so that what was printed first comes first. A program that prints to one shows no colours.
    let (reader, writer) = std::io::pipe()?;
    command.stdout(writer.try_clone()?).stderr(writer);
    if std::io::stderr().is_terminal() && std::env::var_os("CARGO_TERM_COLOR").is_none() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    let mut child = spawn(command)?;
    // Our own ends of the pipe's writing side: with them open it would not end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut lines = BufReader::new(Receiver::from_owned_fd(reader.into())?);
    let mut line = Vec::new();
    let ended = async {
        loop {
            line.clear();
            // A program that goes on in the background may hold the pipe.
            let drained = async {
                let _ = child.wait().await;
                sleep(DRAINED).await;
            };
            tokio::select! {
                biased;
                length = lines.read_until(b'\n', &mut line) => if length? == 0 { break },
                () = drained => break,
            }
            std::io::stdout().write_all(&line)?;
            std::io::stdout().flush()?;
            read(String::from_utf8_lossy(&line).trim_end());
        }
        anyhow::Ok(child.wait().await?)
    };
    let status = tokio::select! {
        ended = timeout(limit, ended) => ended,
        result = interrupted() => {
            stop(&mut child, Signal::TERM, None).await;
            result?;
            bail!(INTERRUPTED)
        }
    };
    let Ok(status) = status else {
        stop(&mut child, Signal::TERM, None).await;
        bail!("`{text}` was still running after {} minutes and was stopped", limit.as_secs() / 60)
    };
    succeeded(&text, status?)
}

/// Runs a program and returns what it printed, or `None` when it failed or is not there.
pub(crate) async fn capture(mut command: Command, limit: Duration) -> Option<String> {
    command.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let output = timeout(limit, command.output()).await.ok()?.ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Runs a program to its end, and shows what it said only when it failed.
pub(crate) async fn run_quietly(mut command: Command, limit: Duration) -> Result<()> {
    let text = shown(&command);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(limit, command.output()).await;
    let output =
        output.with_context(|| format!("`{text}` did not end"))?.with_context(|| format!("cannot run `{text}`"))?;
    if !output.status.success() {
        bail!("`{text}` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

/// Starts a program in a process group of its own, so that Ctrl-C reaches us alone and we choose the order of ending.
pub(crate) fn spawn(command: &mut Command) -> Result<Child> {
    let text = shown(command);
    command.process_group(0).kill_on_drop(true).spawn().with_context(|| format!("cannot run `{text}`"))
}

/// Asks a program and its children to end, and after a while ends those that are left. What reads from `stdin` takes the
/// end of that for the end of us.
pub(crate) async fn stop(child: &mut Child, signal: Signal, stdin: Option<ChildStdin>) {
    let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    // Each fails only when the group is gone already.
    let _ = group.map(|group| kill_process_group(group, signal));
    drop(stdin);
    if timeout(GRACE, gone(child, group)).await.is_err() {
        let _ = group.map(|group| kill_process_group(group, Signal::KILL));
        let _ = timeout(GRACE, gone(child, group)).await;
    }
}

/// Waits for a program and for its children, because the program need not.
async fn gone(child: &mut Child, group: Option<Pid>) {
    let _ = child.wait().await;
    while group.is_some_and(|group| test_kill_process_group(group).is_ok()) {
        sleep(Duration::from_millis(20)).await;
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

/// A word as a shell reads it.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

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

    #[tokio::test]
    async fn what_is_read_comes_in_the_order_of_both_outputs() -> Result<()> {
        let mut command = Command::new("sh");
        command.args(["-c", "echo one; echo two >&2; printf three"]);
        let mut lines = Vec::new();
        run_read(&mut command, BRIEF, |line| lines.push(line.to_owned())).await?;
        assert_eq!(lines, ["one", "two", "three"]);
        Ok(())
    }

    #[tokio::test]
    async fn a_child_that_holds_the_output_keeps_nobody() -> Result<()> {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 5 & echo ended; exit 1"]);
        let error = run_read(&mut command, Duration::from_secs(4), |_| ()).await.err();
        assert!(error.is_some_and(|error| error.to_string().ends_with("failed")));
        Ok(())
    }

    #[tokio::test]
    async fn children_end_after_a_program_that_does_not_wait_for_them() -> Result<()> {
        let mut command = Command::new("sh");
        // The child takes its time, and the program does not.
        command.args(["-c", "sh -c 'trap \"sleep 0.3; exit\" TERM; echo; while :; do sleep 0.01; done' & wait"]);
        let mut child = spawn(command.stdout(Stdio::piped()))?;
        let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)).context("no process")?;
        let mut ready = [0; 1];
        child.stdout.take().context("no output")?.read_exact(&mut ready).await?;
        stop(&mut child, Signal::TERM, None).await;
        assert!(test_kill_process_group(group).is_err(), "group {group:?} goes on");
        Ok(())
    }
}
