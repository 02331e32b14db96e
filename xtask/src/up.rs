//! `cargo xtask up`: everything, from nothing, with one command.

use std::{
    io::ErrorKind,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::{
    database::Database,
    process,
    runtime::{Runtime, Serving},
    settings::{APP_URL, Settings, from_environment},
    token,
    toolchain::{self, Choice},
};

/// Build what is missing, start PostgreSQL, migrate, and serve the API
///
/// Uses DATABASE_URL (from the environment or `.env`) when that is set, else a private PostgreSQL of this checkout.
/// Ctrl-C stops everything that it started.
#[derive(Args)]
pub(crate) struct Up {
    /// Where to serve
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// What runs the component; without it the Spin on PATH, or the local host where there is none
    #[arg(long, value_enum)]
    runtime: Option<Runtime>,
}

/// Builds what is missing or stale, the components beside the local host: cargo uses one core for much of either.
async fn build(runtime: Runtime) -> Result<PathBuf> {
    toolchain::Toolchain::ensure(Choice::Auto).await?;
    eprintln!(
        "errand: step 1 of 2: building the components, and what serves them; from nothing this takes some minutes"
    );
    let (program, ()) = tokio::try_join!(runtime.prepare(), runtime.components())?;
    eprintln!("errand: step 2 of 2: PostgreSQL, migrations, and the first answer");
    Ok(program)
}

/// How long the token in the printed line is valid.
const TOKEN_VALIDITY: Duration = Duration::from_secs(24 * 60 * 60);

impl Up {
    pub(crate) async fn run(self) -> Result<()> {
        port_is_free(self.listen)?;
        let runtime = match self.runtime {
            Some(runtime) => runtime,
            None => Runtime::of_this_machine().await,
        };
        let program = build(runtime).await?;
        let begun = Instant::now();
        let mut settings = Settings::load()?;
        let database = Database::open(&settings).await?;
        let served = self.serve(runtime, &program, &database, &mut settings, begun).await;
        // The database last: what the runtime is still answering may need it.
        let closed = database.close();
        served?;
        closed
    }

    async fn serve(
        &self,
        runtime: Runtime,
        program: &Path,
        database: &Database,
        settings: &mut Settings,
        begun: Instant,
    ) -> Result<()> {
        database.prepare(settings).await?;
        if database.private().is_none() {
            database.warn(settings).await;
        }
        if from_environment(APP_URL).is_some() {
            eprintln!("errand: {APP_URL} is set in the environment; the component uses that, not the one in .env");
        }
        let mut serving = runtime.serve(program, self.listen, &[])?;
        let outcome = tokio::select! {
            outcome = attend(&mut serving, settings, begun) => outcome,
            signal = process::interrupted() => signal,
        };
        eprintln!("errand: stopping");
        serving.stop().await;
        outcome
    }
}

/// Says where the API is once it is ready; ends only if the runtime does.
async fn attend(serving: &mut Serving, settings: &Settings, begun: Instant) -> Result<()> {
    let address = serving.ready().await?;
    let token = token::mint(settings, "alice", TOKEN_VALIDITY)?;
    println!(
        "\nerrand serves on http://{address} (ready after {:.1} s). Create a task:\n\n\
         curl -s http://{address}/api/alice/tasks -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' \
         -d '{{\"title\":\"Buy milk\"}}'\n\n\
         The API, to read and to try: http://{address}/docs\n\
         More tokens: cargo xtask token <user>. Ctrl-C stops everything.\n",
        begun.elapsed().as_secs_f64()
    );
    serving.ended().await
}

fn port_is_free(listen: SocketAddr) -> Result<()> {
    match TcpListener::bind(listen) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => bail!(
            "{listen} is in use by another program (another `cargo xtask up`?); stop it, or serve elsewhere: \
             cargo xtask up --listen {}:{}",
            listen.ip(),
            listen.port().checked_add(1).unwrap_or(3000)
        ),
        Err(error) => Err(error).with_context(|| format!("cannot serve on {listen}")),
    }
}
