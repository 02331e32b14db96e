//! A client that knows whether its request was sent: the ledger depends on it.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use errand_testing::token::{SECRET, token_for};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// No answer takes this long, whatever happens.
/// How long a token is good: longer than any soak.
const VALIDITY: Duration = Duration::from_secs(7 * 24 * 3600);
pub const HANGS: Duration = Duration::from_secs(20);

/// A user on a connection that is opened again when it breaks.
pub struct Client {
    pub user: String,
    token: String,
    address: SocketAddr,
    connection: Option<SendRequest<Full<Bytes>>>,
}

/// An answer that came whole.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub retry_after: Option<String>,
    pub body: String,
}

/// Why there is no answer.
#[derive(Debug, Clone)]
pub enum Failure {
    /// The request never left.
    NotSent(String),
    /// Whether it was done nobody knows.
    NoAnswer(String),
}

impl Client {
    pub fn new(address: SocketAddr, user: &str) -> Self {
        Self::signed(address, user, SECRET)
    }

    /// A user whose token is signed with this secret.
    pub fn signed(address: SocketAddr, user: &str, secret: &str) -> Self {
        let token = token_for(user, secret, VALIDITY);
        Self { user: user.to_owned(), token, address, connection: None }
    }

    /// The same user with another token.
    pub fn with_token(self, token: String) -> Self {
        Self { token, ..self }
    }

    pub fn token(&self) -> &str {
        &self.token
    }

    /// Sends a request to a path below the user's tasks.
    pub async fn send(
        &mut self,
        method: &str,
        rest: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Reply, Failure> {
        self.send_to(method, &format!("/api/{}/tasks{rest}", self.user), key, body).await
    }

    /// Sends a request to any path.
    pub async fn send_to(
        &mut self,
        method: &str,
        path: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Reply, Failure> {
        match timeout(HANGS, self.exchange(method, path, key, body)).await {
            Ok(outcome) => outcome,
            Err(_) => {
                self.connection = None;
                Err(Failure::NoAnswer(format!("nothing within {} s", HANGS.as_secs())))
            }
        }
    }

    async fn exchange(
        &mut self,
        method: &str,
        path: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Reply, Failure> {
        let mut open = self.connection.take();
        let is_open = match &mut open {
            Some(open) => open.ready().await.is_ok(),
            None => false,
        };
        let mut sender = match open.filter(|_| is_open) {
            Some(open) => open,
            None => self.connect().await.map_err(|error| Failure::NotSent(error.to_string()))?,
        };
        let mut request = hyper::Request::builder().method(method).uri(path).header("host", self.address.to_string());
        request = request.header("authorization", format!("Bearer {}", self.token));
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = Full::new(body.map(|body| Bytes::from(body.to_string())).unwrap_or_default());
        let response = match sender.try_send_request(request.body(body).unwrap()).await {
            Ok(response) => response,
            Err(mut error) => {
                let told = format!("{:?}", error.error());
                return Err(match error.take_message() {
                    Some(_) => Failure::NotSent(told),
                    None => Failure::NoAnswer(told),
                });
            }
        };
        let status = response.status().as_u16();
        let retry_after =
            response.headers().get("retry-after").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = response.into_body().collect().await.map_err(|error| Failure::NoAnswer(format!("{error:?}")))?;
        self.connection = Some(sender);
        Ok(Reply { status, retry_after, body: String::from_utf8_lossy(&body.to_bytes()).into_owned() })
    }

    async fn connect(&self) -> std::io::Result<SendRequest<Full<Bytes>>> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(std::io::Error::other)?;
        tokio::spawn(connection);
        Ok(sender)
    }
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The code of a problem.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}
