//! An issuer: a small server that publishes a JWKS, and misbehaves when told to.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use errand_native::server;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::RUNTIME;
use crate::signer::Signer;

/// A running issuer.
pub struct Issuer {
    /// Scheme and authority.
    pub origin: String,
    shared: Arc<Shared>,
}

struct Shared {
    answer: Mutex<Answer>,
    asked: AtomicUsize,
}

/// What it answers.
#[derive(Clone)]
pub enum Answer {
    Keys(Value),
    /// A document with so many bytes around these keys.
    Padded(Value, usize),
    /// The keys, at another path, to which the answer points.
    Redirect(Value),
    /// The keys, after some time.
    Late(Value, Duration),
    Status(u16),
}

impl Issuer {
    /// Starts with this answer.
    pub fn start(answer: Answer) -> Self {
        let shared = Arc::new(Shared { answer: Mutex::new(answer), asked: AtomicUsize::new(0) });
        let listener = RUNTIME.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer_request).with_state(Arc::clone(&shared));
        RUNTIME.spawn(server::serve(listener, router));
        Self { origin, shared }
    }

    /// Publishes the public keys of these.
    pub fn publishing(signers: &[&Signer]) -> Self {
        Self::start(Answer::Keys(jwks(signers)))
    }

    /// Answers something else from now on.
    pub fn now_answers(&self, answer: Answer) {
        *self.shared.answer.lock().unwrap() = answer;
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.shared.asked.load(Ordering::SeqCst)
    }

    /// Where the JWKS is.
    pub fn jwks_url(&self) -> String {
        format!("{}/.well-known/jwks.json", self.origin)
    }
}

/// A JWKS of these keys.
pub fn jwks(signers: &[&Signer]) -> Value {
    json!({"keys": signers.iter().map(|signer| signer.jwk()).collect::<Vec<_>>()})
}

async fn answer_request(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    shared.asked.fetch_add(1, Ordering::SeqCst);
    let answer = shared.answer.lock().unwrap().clone();
    let ok = |keys: &Value| Response::new(Body::from(keys.to_string()));
    match answer {
        Answer::Keys(keys) => ok(&keys),
        Answer::Padded(mut keys, bytes) => {
            keys["padding"] = json!("x".repeat(bytes));
            ok(&keys)
        }
        Answer::Redirect(keys) if request.uri().path() == "/elsewhere" => ok(&keys),
        Answer::Redirect(_) => {
            Response::builder().status(302).header("location", "/elsewhere").body(Body::empty()).unwrap()
        }
        Answer::Late(keys, delay) => {
            tokio::time::sleep(delay).await;
            ok(&keys)
        }
        Answer::Status(status) => Response::builder().status(status).body(Body::from("{}")).unwrap(),
    }
}
