//! The upper bound in the bench: a task API on axum and tokio-postgres, with the usual optimizations.
//!
//! It serves the endpoints that the bench uses, from errand's own tables, with the same answers.

mod answer;
mod list;
mod task;
mod token;
mod write;

use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use axum::routing::{get, patch};
use axum::serve::ListenerExt;
use deadpool_postgres::{Manager, ManagerConfig, Pool, QueueMode, RecyclingMethod};
use tokio::net::TcpListener;
use tokio_postgres::NoTls;

use token::Verifier;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// As many as errand has.
const CONNECTIONS: usize = 64;

/// What every request needs.
#[derive(Clone)]
struct App {
    pool: Pool,
    verifier: Arc<Verifier>,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    let variable = |name: &str| std::env::var(name).with_context(|| format!("{name} is not set"));
    let database = tokio_postgres::Config::from_str(&variable("BENCH_DATABASE_URL")?)?;
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    // LIFO reuses the connections whose statements are prepared.
    let pool = Pool::builder(Manager::from_config(database, NoTls, recycling))
        .max_size(CONNECTIONS)
        .queue_mode(QueueMode::Lifo)
        .build()?;
    let app = App { pool, verifier: Arc::new(Verifier::new(&variable("BENCH_JWT_KEY")?)?) };
    let routes = Router::new()
        .route("/health/live", get(|| async { axum::Json(serde_json::json!({"status": "ok"})) }))
        .route("/api/{user}/tasks", get(list::list_tasks).post(write::create_task))
        .route("/api/{user}/tasks/{id}", get(list::get_task).patch(write::patch_task))
        .route("/api/{user}/tasks/{id}/complete", patch(write::complete_task))
        .with_state(app);
    let port: u16 = variable("PORT")?.parse()?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?.tap_io(|stream| {
        // Without it, an answer may wait for the acknowledgement of the one before.
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, routes).await?)
}
