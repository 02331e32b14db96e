//! The listener: HTTP/1.1 and h2c on one port, with a graceful shutdown.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};

use crate::service::Service;

/// How long requests in flight may take after the host is asked to stop.
pub const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// How long new connections are accepted after that, and how long the last of them have to send a request: hyper drops a connection
/// whose request it has not begun to read.
const ACCEPT_GRACE: Duration = Duration::from_millis(100);

/// Binds the address.
///
/// # Errors
///
/// When it is taken or not this machine's.
pub async fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}

/// Serves until `stop` comes, then finishes what was begun, within [`DRAIN_TIMEOUT`].
pub async fn serve(listener: TcpListener, service: Arc<Service>, stop: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, client)) => converse(stream, client, service.clone(), &graceful),
            Err(error) => {
                // Out of descriptors, mostly: there may be some again in a moment.
                tracing::error!("cannot accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    let latecomers = async {
        while let Ok((stream, client)) = listener.accept().await {
            converse(stream, client, service.clone(), &graceful);
        }
    };
    _ = tokio::time::timeout(ACCEPT_GRACE, latecomers).await;
    drop(listener);
    tokio::time::sleep(ACCEPT_GRACE).await;
    if tokio::time::timeout(DRAIN_TIMEOUT, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still running after {} s and are cut off", DRAIN_TIMEOUT.as_secs());
    }
}

fn converse(stream: TcpStream, client: SocketAddr, service: Arc<Service>, graceful: &GracefulShutdown) {
    // Spin leaves Nagle's algorithm on; here it would only hide what the application costs.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("cannot set TCP_NODELAY: {error}");
    }
    let answer = service_fn(move |request| {
        let service = service.clone();
        async move { service.answer(request, client).await }
    });
    let connection = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), answer).into_owned();
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::warn!(%client, "a connection failed: {error:?}");
        }
    });
}
