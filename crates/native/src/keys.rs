//! errand's `KeySource` over hyper: an issuer's published keys, without WebAssembly.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, Uri, header};
use errand::auth::{
    FETCH_TIMEOUT, FetchFuture, KeySource, MAX_JWKS_BYTES, ReadFuture, SharedStore, SleepFuture, WriteFuture,
};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::rt::{Read, Write};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use uuid::Uuid;

/// An HTTP client that follows no redirects and keeps no connections: it is needed every ten minutes.
///
/// The store is memory: there is one instance, and what it knows lives as long as the process.
pub struct NativeKeys {
    instance: String,
    values: Mutex<HashMap<String, Vec<u8>>>,
}

impl NativeKeys {
    /// A source with these values in its store.
    pub fn new(values: HashMap<String, Vec<u8>>) -> Self {
        Self { instance: Uuid::now_v7().to_string(), values: Mutex::new(values) }
    }

    fn values(&self) -> MutexGuard<'_, HashMap<String, Vec<u8>>> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for NativeKeys {
    fn default() -> Self {
        Self::new(HashMap::new())
    }
}

impl KeySource for NativeKeys {
    fn fetch<'a>(&'a self, url: &'a str) -> FetchFuture<'a> {
        Box::pin(async move {
            match timeout(FETCH_TIMEOUT, get(url)).await {
                Ok(outcome) => outcome.map_err(|error| format!("{error:#}")),
                Err(_) => Err("deadline passed".to_owned()),
            }
        })
    }

    fn sleep(&self, time: Duration) -> SleepFuture {
        Box::pin(sleep(time))
    }

    fn shared(&self) -> Option<&dyn SharedStore> {
        Some(self)
    }
}

impl SharedStore for NativeKeys {
    fn instance(&self) -> &str {
        &self.instance
    }

    fn read<'a>(&'a self, key: &'a str) -> ReadFuture<'a> {
        Box::pin(async move { Ok(self.values().get(key).cloned()) })
    }

    fn write<'a>(&'a self, key: &'a str, value: Vec<u8>) -> WriteFuture<'a> {
        Box::pin(async move {
            self.values().insert(key.to_owned(), value);
            Ok(())
        })
    }
}

async fn get(url: &str) -> Result<Vec<u8>> {
    let uri: Uri = url.parse()?;
    let authority = uri.authority().context("the URL names no host")?;
    let secure = uri.scheme_str() == Some("https");
    let host = authority.host().trim_matches(['[', ']']);
    let stream = TcpStream::connect((host, authority.port_u16().unwrap_or(if secure { 443 } else { 80 }))).await?;
    let request = Request::get(uri.path_and_query().map_or("/", |path| path.as_str()))
        .header(header::HOST, authority.as_str())
        .header(header::ACCEPT, "application/jwk-set+json, application/json")
        .body(Body::empty())?;
    let response = if secure {
        let connector = TlsConnector::from(Arc::new(errand_postgres::connect::tls_config(None)?));
        send(TokioIo::new(connector.connect(ServerName::try_from(host.to_owned())?, stream).await?), request).await?
    } else {
        send(TokioIo::new(stream), request).await?
    };
    ensure!(response.status() == StatusCode::OK, "the answer is {}", response.status());
    Ok(to_bytes(Body::new(response.into_body()), MAX_JWKS_BYTES).await?.into())
}

async fn send(
    stream: impl Read + Write + Unpin + Send + 'static,
    request: Request<Body>,
) -> Result<axum::http::Response<Incoming>> {
    let (mut sender, connection) = http1::handshake(stream).await?;
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?)
}
