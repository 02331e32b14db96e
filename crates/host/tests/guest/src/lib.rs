//! The guest that the host's tests drive: one route for each thing that a component can ask of its host.

mod database;
mod key_value;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use spin_sdk::http::Request;
use spin_sdk::{http_service, variables};

static REQUESTS: AtomicU64 = AtomicU64::new(0);
static IN_FLIGHT: AtomicU64 = AtomicU64::new(0);

#[http_service]
async fn handle(request: Request) -> http::Response<Full<Bytes>> {
    let served = REQUESTS.fetch_add(1, Ordering::Relaxed) + 1;
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    match path.trim_start_matches("/guest") {
        "/served" => json_response(json!({ "served": served })),
        "/uri" => json_response(json!(request.uri().to_string())),
        "/headers" => headers(&request),
        "/environment" => json_response(
            std::env::vars().map(|(name, value)| (name, Value::from(value))).collect::<serde_json::Map<_, _>>().into(),
        ),
        "/arguments" => json_response(json!(std::env::args().collect::<Vec<_>>())),
        "/variable" => variable(&query).await,
        "/file" => file(&query),
        "/echo" => echo(request).await,
        "/print" => {
            println!("a line on stdout");
            eprintln!("a line on stderr");
            text("printed")
        }
        "/sleep" => sleep(&query).await,
        "/spin" => loop {
            std::hint::spin_loop();
        },
        "/trap" => panic!("asked to"),
        "/fetch" => fetch(&query).await,
        "/key-value" => key_value::run(&body(request).await).await,
        "/database" => database::run(body(request).await).await,
        _ => text(&path),
    }
}

pub(crate) fn json_response(value: Value) -> http::Response<Full<Bytes>> {
    text(&value.to_string())
}

fn text(text: &str) -> http::Response<Full<Bytes>> {
    let body = Bytes::copy_from_slice(text.as_bytes());
    let mut response = http::Response::new(Full::new(body));
    response.headers_mut().insert("content-length", http::HeaderValue::from(text.len()));
    response
}

fn headers(request: &Request) -> http::Response<Full<Bytes>> {
    let pairs: Vec<_> = request
        .headers()
        .iter()
        .map(|(name, value)| json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())]))
        .collect();
    json_response(json!(pairs))
}

async fn variable(name: &str) -> http::Response<Full<Bytes>> {
    match variables::get(name).await {
        Ok(value) => json_response(json!({ "value": value })),
        Err(error) => json_response(json!({ "error": format!("{error:?}") })),
    }
}

fn file(path: &str) -> http::Response<Full<Bytes>> {
    let written = std::fs::write(path, "overwritten").is_ok();
    match std::fs::read_to_string(path) {
        Ok(content) => json_response(json!({ "content": content, "written": written })),
        Err(error) => json_response(json!({ "error": error.to_string(), "written": written })),
    }
}

async fn body(request: Request) -> Bytes {
    request.into_body().collect().await.expect("a body").to_bytes()
}

async fn echo(request: Request) -> http::Response<Full<Bytes>> {
    http::Response::new(Full::new(body(request).await))
}

/// Waits, and tells how many requests were here meanwhile.
async fn sleep(query: &str) -> http::Response<Full<Bytes>> {
    let milliseconds = query.parse().expect("milliseconds");
    let beside = IN_FLIGHT.fetch_add(1, Ordering::Relaxed) + 1;
    spin_sdk::time::sleep(Duration::from_millis(milliseconds)).await;
    IN_FLIGHT.fetch_sub(1, Ordering::Relaxed);
    json_response(json!({ "beside": beside }))
}

async fn fetch(url: &str) -> http::Response<Full<Bytes>> {
    let request = http::Request::get(url).body(Full::new(Bytes::new())).expect("a URL");
    match spin_sdk::http::send(request).await {
        Ok(response) => json_response(json!({ "status": response.status().as_u16() })),
        Err(error) => json_response(json!({ "error": format!("{error:?}") })),
    }
}
