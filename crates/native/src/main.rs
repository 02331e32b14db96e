//! `errand-native`: the API as an ordinary server, configured by the same `SPIN_VARIABLE_*` as the component.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use anyhow::{Context, Result, bail};
use clap::Parser;
use errand::{Adapters, Ambient};
use errand_native::database::NativeDatabase;
use errand_native::keys::NativeKeys;
use errand_native::server::serve;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use uuid::Uuid;

/// Serves errand without WebAssembly, for tests and measurements.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Where to listen; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// How many connections to PostgreSQL there may be
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Stop when standard input ends, so that the server never outlives the process that started it
    #[arg(long)]
    exit_with_stdin: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let variable = |name: &str| std::env::var(format!("SPIN_VARIABLE_{}", name.to_uppercase())).ok();
    let address = variable("database_url").context("set SPIN_VARIABLE_DATABASE_URL")?;
    let database = NativeDatabase::new(&address, arguments.connections)?;
    let ambient =
        Ambient { now: SystemTime::now, clock: Instant::now, new_id: Uuid::now_v7, log: |line| eprintln!("{line}") };
    let adapters = Adapters { database: Arc::new(database), keys: Arc::new(NativeKeys::default()) };
    let router = errand::service(variable, adapters, ambient);

    let listener =
        TcpListener::bind(arguments.listen).await.with_context(|| format!("cannot listen on {}", arguments.listen))?;
    println!("Serving http://{}", listener.local_addr()?);
    tokio::select! {
        result = serve(listener, router) => result,
        () = stdin_ends(), if arguments.exit_with_stdin => Ok(()),
        result = tokio::signal::ctrl_c() => match result {
            Ok(()) => Ok(()),
            Err(error) => bail!("cannot wait for Ctrl-C: {error}"),
        },
    }
}

async fn stdin_ends() {
    let mut buffer = [0; 64];
    let mut stdin = tokio::io::stdin();
    while stdin.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
}
