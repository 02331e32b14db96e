//! The whole API over a database that answers as PostgreSQL has answered. It keeps nothing: what is of interest is what
//! it was asked.

use std::cell::RefCell;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode};
use errand::api::ProblemBody;
use errand::auth::{FetchFuture, KeySource, SleepFuture};
use errand::data::{CallFuture, Database, INTERFACE, LockFuture, Row, Statement, Value, WriteLock};
use errand::{Adapters, Ambient};
use ring::hmac;
use tower::ServiceExt;
use uuid::Uuid;

/// The shared secret.
pub(super) const SECRET: &str = "a secret for tests, and for nothing else";
/// The id of the one task that there is.
pub(super) const ID: &str = "01932000-0001-7000-8000-100000000001";
/// Where the next page of every list begins: a text that a URL, a header and JSON each have to write differently.
pub(super) const KEY: &str = "\u{17e}iema \"&<>\\ %41+\t";
/// It is this time, in seconds since 1970.
pub(super) const NOW: u64 = 1_800_000_000;

const TASK: &str = r#"{"id":"01932000-0001-7000-8000-100000000001","owner_id":"alice","title":"Book the train","description":null,"completed":false,"completed_at":null,"priority":"none","due":null,"due_at":null,"tags":[],"version":3,"created_at":"2026-11-22T18:59:12.123456Z","updated_at":"2026-11-22T19:04:00.000001Z"}"#;
const EPOCH: &str = "6a1f4f0e-2c1b-4a8e-9f0d-5d0c3b7e1a42";

/// An answer, and what the database was asked on the way to it.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// Of a 4xx with a body.
    pub(super) problem: Option<ProblemBody>,
    pub(super) calls: Vec<(&'static str, Vec<Value>)>,
}

/// A token of alice's, as the value of `Authorization`.
pub(super) static TOKEN: LazyLock<String> = LazyLock::new(|| {
    let claims = format!(r#"{{"sub":"alice","exp":{}}}"#, NOW + 3600);
    format!("Bearer {}", super::token::sign(br#"{"alg":"HS256"}"#, claims.as_bytes()))
});

pub(super) const AMBIENT: Ambient = Ambient {
    now: || SystemTime::UNIX_EPOCH + Duration::from_secs(NOW),
    clock: Instant::now,
    new_id: || Uuid::from_u128(7),
    // A line of the log is JSON, whatever a request had in it.
    log: |line| assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}"),
};

static ROUTER: LazyLock<Router> = LazyLock::new(|| {
    let adapters = Adapters { database: Arc::new(Recorded), keys: Arc::new(Unpublished) };
    let get = |name: &str| match name {
        "jwt_secret" => Some(SECRET.to_owned()),
        "cors_origins" => Some("https://app.example".to_owned()),
        "log_key" => Some("k".to_owned()),
        _ => None,
    };
    errand::service(get, adapters, AMBIENT)
});

thread_local! {
    static CALLS: RefCell<Vec<(&'static str, Vec<Value>)>> = const { RefCell::new(Vec::new()) };
}

/// Sends a request, and checks what holds of every answer: it is not a 500, and a refusal is a problem that agrees with
/// its response.
pub(super) fn send(request: Request) -> Answer {
    let head = request.method() == Method::HEAD;
    CALLS.take();
    let (status, headers, body) = super::at_once(async {
        let (parts, body) = ROUTER.clone().oneshot(request).await.unwrap().into_parts();
        (parts.status, parts.headers, to_bytes(body, usize::MAX).await.unwrap())
    });
    assert!(!status.is_server_error(), "{status}: {body:?}");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    let id = headers["x-request-id"].to_str().unwrap();
    assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)), "{id}");
    match headers.get("content-length") {
        Some(length) => assert!(head || length.to_str().unwrap() == body.len().to_string()),
        None => assert!(body.is_empty() && !status.is_client_error()),
    }
    let mut problem = None;
    if status.is_client_error() {
        assert_eq!(headers["content-type"], "application/problem+json");
        if !head {
            let read: ProblemBody = serde_json::from_slice(&body).unwrap();
            assert_eq!((read.status, read.request_id.as_str()), (status.as_u16(), id));
            assert_eq!(read.code == "invalid_input", !read.errors.is_empty());
            problem = Some(read);
        }
    } else if !body.is_empty() {
        assert!(serde_json::from_slice::<serde_json::Value>(&body).is_ok(), "{body:?}");
    }
    Answer { status, headers, problem, calls: CALLS.take() }
}

/// A token's signature with the shared secret.
pub(super) fn signature(message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), message).as_ref().to_vec()
}

struct Recorded;

impl Database for Recorded {
    fn call<'a>(&'a self, statement: Statement, parameters: Vec<Value>, _: Instant) -> CallFuture<'a> {
        let text = |text: &str| Value::Text(text.to_owned());
        let (function, _) = statement.single.split_once('(').unwrap();
        let row = match function.rsplit_once('.').unwrap().1 {
            "interface" => vec![Value::Int(INTERFACE), Value::Int(1)],
            "show_task" => vec![text(&format!("3 {EPOCH} {TASK}"))],
            "run_writes" => vec![text(&written(&parameters))],
            "show_tasks" => {
                let key = serde_json::Value::from(KEY);
                vec![text(&format!("3\n{TASK}\npage 7 {EPOCH} - {ID} {key}"))]
            }
            other => panic!("{other} is not known here"),
        };
        CALLS.with_borrow_mut(|calls| calls.push((statement.single, parameters)));
        Box::pin(std::future::ready(Ok(Some(Row::new(row)))))
    }

    fn lock_writes<'a>(&'a self, _: &'a str, _: Duration) -> LockFuture<'a> {
        Box::pin(std::future::ready(Box::new(()) as WriteLock))
    }

    fn sleep(&self, _: Duration) -> SleepFuture {
        panic!("a call waits")
    }
}

/// The lines of `api.run_writes` for a request with one write that is done.
fn written(parameters: &[Value]) -> String {
    let Some(Value::Json(request)) = parameters.last() else { panic!("{parameters:?}") };
    let request: serde_json::Value = serde_json::from_str(request).unwrap();
    let write = &request["list"][0];
    let outcome = match write["operation"].as_str().unwrap() {
        "task.create" => "created",
        "task.put" if write["must_be_absent"] == true => "created",
        "task.delete" => "deleted",
        _ => "changed",
    };
    let body = if outcome == "deleted" { String::new() } else { format!(" {TASK}") };
    format!("done {EPOCH}\n{outcome} {} 3 2{body}", write["id"].as_str().unwrap())
}

struct Unpublished;

impl KeySource for Unpublished {
    fn fetch<'a>(&'a self, url: &'a str) -> FetchFuture<'a> {
        panic!("{url} is fetched")
    }

    fn sleep(&self, _: Duration) -> SleepFuture {
        panic!("a fetch waits")
    }
}
