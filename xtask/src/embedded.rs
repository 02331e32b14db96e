//! Runs xtask again with the feature `embedded` when the machine has no PostgreSQL: ordinary builds stay light.

use std::process::ExitCode;

use errand_postgres::cluster::install::NEEDS_EMBEDDED;

use crate::{process, workspace};

/// The outcome of the second run, if `error` calls for one.
pub(crate) async fn retry(error: &anyhow::Error) -> Option<ExitCode> {
    if cfg!(feature = "embedded") || !format!("{error:#}").contains(NEEDS_EMBEDDED) {
        return None;
    }
    eprintln!("errand: PostgreSQL is not installed; building xtask once more, so that it can fetch a private copy");
    let mut again = workspace::cargo().ok()?;
    again.args(["run", "-p", "xtask", "--features", "embedded", "--"]).args(std::env::args_os().skip(1));
    match process::wait(again, process::FOREVER).await {
        Ok(status) if status.success() => Some(ExitCode::SUCCESS),
        // What went wrong has been said by the second run.
        Ok(_) => Some(ExitCode::FAILURE),
        Err(_) => None,
    }
}
