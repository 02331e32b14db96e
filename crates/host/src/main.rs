//! `errand-host`: serves the application of a `spin.toml`.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use errand_host::app::App;
use errand_host::cli::Options;
use errand_host::{bench, server, stop};
use tracing_subscriber::EnvFilter;

/// Most of what a request costs here is small allocations, made on one thread and freed on another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let options = Options::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    #[cfg(target_os = "linux")]
    refuse_huge_pages();
    let result = tokio::runtime::Runtime::new().map_err(anyhow::Error::from).and_then(|runtime| {
        let result = runtime.block_on(run(&options));
        // All requests have ended. Idle instances end with the process. If they were dropped one by one, they would be reported as
        // failures, and a guest in a loop would delay the exit.
        std::mem::forget(runtime);
        result
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Disables transparent huge pages (PR_SET_THP_DISABLE in prctl(2)). The allocator asks for them, and on a sparsely used heap the
/// kernel would merge small pages every ten seconds, so that memory grows in steps of megabytes.
#[cfg(target_os = "linux")]
fn refuse_huge_pages() {
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::debug!("huge pages stay: {error}");
    }
}

async fn run(options: &Options) -> Result<()> {
    let app = App::load(options)?;
    if let Some(count) = options.bench_instantiate {
        for (id, instances) in &app.components {
            let mean = bench::mean_instantiation(instances, count).await?;
            println!("{id}: {:.3} ms to instantiate, mean of {count}", mean.as_secs_f64() * 1e3);
        }
        return Ok(());
    }
    let descriptions = app.descriptions.clone();
    let service = Arc::new(app.into_service()?);
    let stop = stop::asked_to(options.exit_with_stdin, server::DRAIN_TIMEOUT + Duration::from_secs(1))?;
    let listener = server::bind(options.listen).await?;
    let base = format!("http://{}", listener.local_addr()?);

    let mut out = std::io::stdout();
    writeln!(out, "Serving {base}\nAvailable Routes:")?;
    for (route, component) in service.router().shown() {
        writeln!(out, "  {component}: {base}{route}")?;
        if let Some(description) = descriptions.get(component).filter(|text| !text.is_empty()) {
            writeln!(out, "    {description}")?;
        }
    }
    out.flush()?;
    server::serve(listener, service, stop).await;
    Ok(())
}
