//! Reasons to stop: Ctrl-C, SIGTERM, and the end of standard input where that was asked for.

use std::io::Read;
use std::time::Duration;

use anyhow::Result;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// Resolves at the first reason to stop. If the process still runs after the timeout, or if Ctrl-C or SIGTERM comes again, it is killed.
/// That runs on a thread of its own, because a guest in a loop may block every thread of the caller's runtime.
///
/// # Errors
///
/// When signals cannot be watched.
pub fn asked_to(with_stdin: bool, timeout: Duration) -> Result<impl Future<Output = ()>> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut interrupt, mut terminate) = {
        let _entered = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    let (stop, stopped) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                () = end_of_stdin(with_stdin) => {}
            }
            drop(stop);
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                () = tokio::time::sleep(timeout) => {}
            }
            tracing::warn!("stopping by force");
            std::process::exit(0);
        });
    });
    Ok(async {
        // The other end is dropped, not used.
        _ = stopped.await;
    })
}

async fn end_of_stdin(watched: bool) {
    if !watched {
        return std::future::pending().await;
    }
    let (end, ended) = oneshot::channel::<()>();
    // A thread and not a task: nothing can take back a read of standard input.
    std::thread::spawn(move || {
        let mut ignored = [0; 256];
        while matches!(std::io::stdin().read(&mut ignored), Ok(1..)) {}
        drop(end);
    });
    _ = ended.await;
}
