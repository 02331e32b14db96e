//! Just enough HTTP to compare answers before anything is timed.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const LIMIT: Duration = Duration::from_secs(15);

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) etag: Option<String>,
    /// Null without a body.
    pub(crate) body: Value,
}

/// A request on a connection of its own.
pub(crate) async fn ask(port: u16, token: &str, method: &str, path: &str, more: &str, body: &str) -> Result<Answer> {
    let told = || format!("{method} {path} on port {port}");
    let text = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nAccept: application/json\r\n\
         Authorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{more}\r\n{body}",
        body.len()
    );
    let exchange = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(text.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        anyhow::Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    let raw =
        timeout(LIMIT, exchange).await.context("no answer in time").and_then(|answer| answer).with_context(told)?;
    read(&raw).with_context(told)
}

fn read(raw: &str) -> Result<Answer> {
    let (head, body) = raw.split_once("\r\n\r\n").context("not an answer in HTTP")?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("an answer without a status")?;
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
    };
    let body = if header("transfer-encoding").is_some() { unchunked(body)? } else { body.to_owned() };
    let json = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&body).with_context(|| format!("{status} with a body that is no JSON: {body}"))?
    };
    Ok(Answer { status, etag: header("etag"), body: json })
}

fn unchunked(mut rest: &str) -> Result<String> {
    let mut body = String::new();
    loop {
        let (size, behind) = rest.split_once("\r\n").context("a chunk without a size")?;
        match usize::from_str_radix(size.trim(), 16).context("a chunk without a size")? {
            0 => return Ok(body),
            size => {
                body.push_str(behind.get(..size).context("half a chunk")?);
                rest = behind.get(size + 2..).context("half a chunk")?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_whole_and_in_chunks() -> Result<()> {
        let whole = read("HTTP/1.1 200 OK\r\nETag: \"3\"\r\ncontent-length: 7\r\n\r\n{\"a\":1}")?;
        let chunks = read(
            "HTTP/1.1 200 OK\r\netag: \"3\"\r\ntransfer-encoding: chunked\r\n\r\n3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n",
        )?;
        assert_eq!(whole, chunks);
        assert_eq!((whole.status, whole.etag.as_deref()), (200, Some("\"3\"")));
        Ok(())
    }
}
