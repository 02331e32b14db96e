//! errand's `KeySource` over hyper: an issuer's published keys, without WebAssembly.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, Uri, header};
use errand::auth::{FETCH_DEADLINE, Fetching, KeySource, LONGEST_DOCUMENT, Pausing};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::rt::{Read, Write};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;

/// How long a request waits before it looks again whether another one's fetch has ended.
const PAUSE: Duration = Duration::from_millis(5);

/// An HTTP client that follows no redirects and keeps no connections: it is needed every ten minutes.
pub struct NativeKeys;

impl KeySource for NativeKeys {
    fn fetch<'a>(&'a self, url: &'a str) -> Fetching<'a> {
        Box::pin(async move {
            match timeout(FETCH_DEADLINE, get(url)).await {
                Ok(outcome) => outcome.map_err(|error| format!("{error:#}")),
                Err(_) => Err("deadline passed".to_owned()),
            }
        })
    }

    fn pause(&self) -> Pausing {
        Box::pin(sleep(PAUSE))
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
        let connector = TlsConnector::from(Arc::new(crate::connect::tls_config()?));
        send(TokioIo::new(connector.connect(ServerName::try_from(host.to_owned())?, stream).await?), request).await?
    } else {
        send(TokioIo::new(stream), request).await?
    };
    ensure!(response.status() == StatusCode::OK, "the answer is {}", response.status());
    Ok(to_bytes(Body::new(response.into_body()), LONGEST_DOCUMENT).await?.into())
}

async fn send(
    stream: impl Read + Write + Unpin + Send + 'static,
    request: Request<Body>,
) -> Result<axum::http::Response<Incoming>> {
    let (mut sender, connection) = http1::handshake(stream).await?;
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?)
}
