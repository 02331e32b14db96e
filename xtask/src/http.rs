//! Just enough HTTP to ask a local server whether it serves.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// The status and the body of `GET path`.
pub(crate) async fn get(server: SocketAddr, path: &str, limit: Duration) -> Result<(u16, String)> {
    send(server, ("GET", path), "", "", limit).await
}

/// The same for another method, with headers, each with its line's end, and a body.
pub(crate) async fn send(
    server: SocketAddr,
    (method, path): (&str, &str),
    headers: &str,
    body: &str,
    limit: Duration,
) -> Result<(u16, String)> {
    let exchange = async {
        let mut stream = TcpStream::connect(server).await?;
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {server}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        anyhow::Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    let answer = timeout(limit, exchange).await.context("no answer in time")??;
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).context("not an answer in HTTP")?;
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    Ok((status, body))
}
