//! Reasons to stop: Ctrl-C, SIGTERM, and the end of standard input where that was asked for.

use std::io::Read;

use anyhow::Result;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// Resolves at the first reason to stop.
///
/// # Errors
///
/// When signals cannot be watched.
pub fn asked_to(with_stdin: bool) -> Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let (ended_to, ended) = oneshot::channel::<()>();
    if with_stdin {
        // A thread and not a task: nothing can take back a read of standard input, and a runtime would wait for it.
        std::thread::spawn(move || {
            let mut ignored = [0; 256];
            while matches!(std::io::stdin().read(&mut ignored), Ok(1..)) {}
            drop(ended_to);
        });
    } else {
        std::mem::forget(ended_to);
    }
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = ended => {}
        }
    })
}
