//! What a request may allocate, against `bench/budget.toml`. Counts do not depend on how busy the machine is, so this can
//! fail a build where a clock could not.
//!
//! Only the code of errand is counted, from the parsed request to the response: the database's answer is recorded. HTTP,
//! WebAssembly and PostgreSQL have their place in `cargo xtask bench`.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use allocation_counter::measure;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use errand::data::{CallFuture, Database, LockFuture, Row, SleepFuture, Statement, Value, WriteLock};
use errand::{Adapters, Ambient, App, Config};
use errand_native::keys::NativeKeys;
use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::prelude::*;
use serde::Deserialize;
use tower::ServiceExt;
use uuid::Uuid;

const SECRET: &str = "a secret for tests, and for nothing else";
const NOW: Duration = Duration::from_secs(1_800_000_000);
const TASK: &str = r#"{"id":"01932000-0001-7000-8000-100000000001","owner_id":"alice","title":"Book the train","description":null,"completed":false,"completed_at":null,"priority":"none","due":{"date":"2026-12-01","time":"09:30","time_zone":"Europe/Vilnius"},"due_at":"2026-12-01T07:30:00Z","tags":["travel"],"version":3,"created_at":"2026-11-22T18:59:12.123456Z","updated_at":"2026-11-22T19:04:00.000001Z"}"#;
const EPOCH: &str = "6a1f4f0e-2c1b-4a8e-9f0d-5d0c3b7e1a42";

#[derive(Deserialize)]
struct Budget {
    get: Cost,
    list: Cost,
}

#[derive(Debug, Deserialize)]
struct Cost {
    allocations: u64,
    bytes: u64,
}

/// Answers as PostgreSQL has answered. What an answer allocates is counted: an adapter allocates it, too.
struct Recorded {
    page: String,
}

impl Database for Recorded {
    fn call<'a>(&'a self, statement: Statement, _: Vec<Value>, _: Instant) -> CallFuture<'a> {
        let answer =
            if statement.single.contains("show_task(") { format!("3 {EPOCH} {TASK}") } else { self.page.clone() };
        Box::pin(std::future::ready(Ok(Some(Row::new(vec![Value::Text(answer)])))))
    }

    fn lock_writes<'a>(&'a self, _: &'a str, _: Duration) -> LockFuture<'a> {
        Box::pin(std::future::ready(Box::new(()) as WriteLock))
    }

    fn sleep(&self, _: Duration) -> SleepFuture {
        panic!("a call waits")
    }
}

fn router() -> Router {
    let variables = HashMap::from([("jwt_secret", SECRET)]);
    let config = Config::from_variables(|name| variables.get(name).map(|value| (*value).to_owned())).unwrap();
    let ambient = Ambient { now: || SystemTime::UNIX_EPOCH + NOW, clock: Instant::now, new_id: Uuid::nil, log: |_| {} };
    let last = format!(r#"page 7 {EPOCH} - 01932000-0001-7000-8000-100000000001 "2026-11-22 18:59:12.123456+00""#);
    let page = [["3"; 50].join(" "), [TASK; 51].join("\n"), last].join("\n");
    let database = Arc::new(Recorded { page });
    let adapters = Adapters { database, keys: Arc::new(NativeKeys::default()) };
    errand::router(Arc::new(App::new(config, adapters, ambient).unwrap()))
}

fn request(path: &str) -> Request {
    let claims = serde_json::json!({"sub": "alice", "exp": NOW.as_secs() + 3600});
    let token = Hs256.token(&Header::empty(), &Claims::new(claims), &Hs256Key::new(SECRET)).unwrap();
    Request::get(path)
        .header("host", "localhost")
        .header("accept", "application/json")
        .header("authorization", format!("Bearer {token}"))
        .body(Body::empty())
        .unwrap()
}

/// The least of several: what is built on first use is not part of a request.
fn cost(router: &Router, path: &str) -> Cost {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let costs = (0..5).map(|_| {
        let (router, request) = (router.clone(), request(path));
        let mut response = None;
        let counted = measure(|| response = Some(runtime.block_on(router.oneshot(request)).unwrap()));
        assert_eq!(response.unwrap().status(), 200);
        Cost { allocations: counted.count_total, bytes: counted.bytes_total }
    });
    costs.min_by_key(|cost| cost.allocations).unwrap()
}

fn check(name: &str, cost: &Cost, budget: &Cost) {
    println!("{name}: {cost:?}, of {budget:?}");
    assert!(
        cost.allocations <= budget.allocations && cost.bytes <= budget.bytes,
        "{name} takes {cost:?}, more than bench/budget.toml allows: {budget:?}"
    );
}

#[test]
fn a_request_allocates_no_more_than_its_budget() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/bench/budget.toml")).unwrap();
    let budget: Budget = toml::from_str(&text).unwrap();
    let router = router();
    let get = cost(&router, "/api/alice/tasks/01932000-0001-7000-8000-100000000001");
    let list = cost(&router, "/api/alice/tasks?limit=50");
    check("get", &get, &budget.get);
    check("list", &list, &budget.list);
}
