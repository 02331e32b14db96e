//! Whole requests, and the headers of one.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, request::Builder};
use errand::data::Value;
use serde_json::Value as Json;

use super::router::{Answer, ID, TOKEN, send};

/// Lines of headers (`name: value`) for a read, a list, and three writes.
pub fn headers(data: &[u8]) {
    let path = format!("/api/me/tasks/{ID}");
    for (method, uri, body) in [
        (Method::GET, path.as_str(), ""),
        (Method::GET, "/api/me/tasks", ""),
        (Method::POST, "/api/me/tasks", r#"{"title":"t"}"#),
        (Method::PATCH, path.as_str(), r#"{"title":"t"}"#),
        (Method::DELETE, path.as_str(), ""),
    ] {
        let request = Request::builder().method(&method).uri(uri).header("authorization", &*TOKEN);
        let request = with_lines(request, data).body(Body::from(body)).unwrap();
        let names =
            |name: &str| request.headers().get_all(name).iter().map(|value| value.as_bytes().to_vec()).collect();
        let (if_match, keys): (Vec<Vec<u8>>, Vec<Vec<u8>>) = (names("if-match"), names("idempotency-key"));
        let answer = send(request);
        guards(&answer, &if_match);
        repeats(&answer, &keys);
    }
}

/// A request: method and target in the first line, lines of headers, an empty line, a body. A token of alice's is there
/// where the headers have none.
pub fn request(data: &[u8]) {
    let (head, body) = match data.windows(2).position(|pair| pair == b"\n\n") {
        Some(end) => (&data[..end], &data[end + 2..]),
        None => (data, &b""[..]),
    };
    let (first, lines) = head.split_at(head.iter().position(|byte| *byte == b'\n').unwrap_or(head.len()));
    let Some(space) = first.iter().position(|byte| *byte == b' ') else { return };
    let Ok(method) = Method::from_bytes(&first[..space]) else { return };
    let Ok(uri) = Uri::try_from(&first[space + 1..]) else { return };
    let mut request =
        with_lines(Request::builder().method(method).uri(uri), lines).body(Body::from(body.to_vec())).unwrap();
    request.headers_mut().entry("authorization").or_insert_with(|| HeaderValue::from_str(&TOKEN).unwrap());
    let answer = send(request);
    for (_, parameters) in &answer.calls {
        assert!(parameters.is_empty() || parameters[0] == Value::Text("alice".to_owned()), "{parameters:?}");
    }
}

fn with_lines(request: Builder, lines: &[u8]) -> Builder {
    lines.split(|byte| *byte == b'\n').fold(request, |request, line| {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { return request };
        let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
        match (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            (Ok(name), Ok(value)) => request.header(name, value),
            _ => request,
        }
    })
}

/// The writes that the database was asked for, each as its request and the only write in it.
fn writes(answer: &Answer) -> impl Iterator<Item = (Json, Json)> {
    answer.calls.iter().filter(|(statement, _)| statement.contains("api.run_writes")).map(|(_, parameters)| {
        let Some(Value::Json(request)) = parameters.last() else { panic!("{parameters:?}") };
        let mut request: Json = serde_json::from_str(request).unwrap();
        let write = request["list"][0].take();
        (request, write)
    })
}

/// A tag that the database was told to compare stands in an `If-Match`; a write with one never goes unguarded.
fn guards(answer: &Answer, if_match: &[Vec<u8>]) {
    let text = String::from_utf8_lossy(&if_match.join(&b","[..])).into_owned();
    for (_, write) in writes(answer) {
        match &write["if_match"] {
            Json::Array(tags) => assert!(tags.iter().all(|tag| {
                // Strong: a weak tag matches nothing (RFC 9110, section 13.1.1).
                let tag = format!("\"{}\"", tag.as_str().unwrap());
                text.match_indices(&tag).any(|(at, _)| !text[..at].ends_with("W/"))
            })),
            Json::Bool(true) => assert!(if_match.iter().all(|value| value == b"*")),
            _ => assert!(if_match.is_empty() || write["operation"] == "task.create", "{text} guards nothing"),
        }
    }
}

/// A key is one visible text, as it was sent, and two are none.
fn repeats(answer: &Answer, keys: &[Vec<u8>]) {
    for (request, _) in writes(answer) {
        match (&request["key"], &request["fingerprint"]) {
            (Json::Null, Json::Null) => assert!(keys.is_empty()),
            (Json::String(key), Json::String(_)) => {
                assert!((1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()));
                assert!(keys.len() == 1 && String::from_utf8_lossy(&keys[0]).contains(key.as_str()));
            }
            other => panic!("{other:?}"),
        }
    }
    if keys.len() > 1 {
        assert!(answer.status != StatusCode::CREATED);
    }
}
