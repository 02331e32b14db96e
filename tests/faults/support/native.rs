//! The native server, in this process.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use errand::{Adapters, Ambient};
use errand_native::database::NativeDatabase;
use errand_native::keys::NativeKeys;
use errand_native::server;
use errand_testing::token::SECRET;
use tokio::net::TcpListener;
use uuid::Uuid;

/// Starts it with so much time for an operation.
pub async fn start(database_url: &str, deadline: Duration) -> SocketAddr {
    let url = database_url.to_owned();
    let get = move |name: &str| match name {
        "database_url" => Some(url.clone()),
        "jwt_secret" => Some(SECRET.to_owned()),
        "access_log" => Some("errors".to_owned()),
        "database_deadline_ms" => Some(deadline.as_millis().to_string()),
        _ => None,
    };
    // As many connections as Spin has.
    let database = Arc::new(NativeDatabase::new(database_url, 64).unwrap());
    let adapters = Adapters { database, keys: Arc::new(NativeKeys::default()) };
    // A line for each refusal would bury what the trials say.
    let log = |line: &str| {
        if !line.contains("\"status\":503") {
            eprintln!("{line}");
        }
    };
    let ambient = Ambient { now: SystemTime::now, clock: Instant::now, new_id: Uuid::now_v7, log };
    let router = errand::service(get, adapters, ambient);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(server::serve(listener, router));
    address
}
