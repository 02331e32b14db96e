//! The HTTP trigger: the host's own paths, what the component sees, both protocols.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use crate::support::{App, Host};

/// Sends bytes as they are, and reads until the host closes the connection.
fn raw(host: &Host, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(host.authority()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

fn header<'a>(headers: &'a Value, name: &str) -> Option<&'a str> {
    headers.as_array().unwrap().iter().find(|pair| pair[0] == name).map(|pair| pair[1].as_str().unwrap())
}

#[tokio::test]
async fn the_hosts_own_paths() {
    let host = App::new().start();
    let health = host.get("/.well-known/spin/health").await;
    assert_eq!((health.status().as_u16(), health.body().as_ref()), (200, &b"OK"[..]));
    assert_eq!(host.json("/.well-known/spin/info").await, json!({ "name": "tested", "version": "1.2.3" }));
    let other = host.get("/.well-known/spin/other").await;
    assert_eq!((other.status().as_u16(), other.body().len()), (404, 0));
}

#[tokio::test]
async fn a_path_without_a_route_is_an_empty_404() {
    let host = App::new().trigger("route = \"/one\"").start();
    assert_eq!(host.get("/one").await.status(), 200);
    let response = host.get("/two").await;
    assert_eq!((response.status().as_u16(), response.body().len()), (404, 0));
}

#[tokio::test]
async fn a_private_component_is_not_reachable() {
    let host = App::new().trigger("route = { private = true }").start();
    assert_eq!(host.get("/").await.status(), 404);
}

#[tokio::test]
async fn the_component_sees_spins_headers() {
    let host = App::new().trigger("route = \"/:first/...\"").start();
    let headers = host.json("/guest/headers?a=b").await;
    for (name, value) in [
        ("spin-path-info", "/headers"),
        ("spin-full-url", &*format!("{}/guest/headers?a=b", host.base)),
        ("spin-matched-route", "/:first/..."),
        ("spin-base-path", "/"),
        ("spin-raw-component-route", "/:first/..."),
        ("spin-component-route", "/:first"),
        ("spin-path-match-first", "guest"),
    ] {
        assert_eq!(header(&headers, name), Some(value), "{name}");
    }
    assert!(header(&headers, "spin-client-addr").unwrap().starts_with("127.0.0.1:"));
}

#[tokio::test]
async fn the_uri_is_absolute_whatever_the_form() {
    let host = App::new().start();
    let expected = format!("\"{}/uri\"", host.base);
    assert_eq!(host.get("/uri").await.body(), &expected);
    let absolute = format!("GET {}/uri HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", host.base, host.authority());
    assert!(raw(&host, absolute.as_bytes()).ends_with(&expected));
}

#[tokio::test]
async fn two_authorities_or_none_close_the_connection() {
    let host = App::new().start();
    let two = format!("GET {}/uri HTTP/1.1\r\nhost: other.example\r\nconnection: close\r\n\r\n", host.base);
    assert_eq!(raw(&host, two.as_bytes()), "");
    assert_eq!(raw(&host, b"GET /uri HTTP/1.1\r\nconnection: close\r\n\r\n"), "");
}

#[tokio::test]
async fn a_header_that_is_not_utf8_is_a_500() {
    let host = App::new().start();
    let request = |value: &[u8]| {
        let mut request = b"GET /headers HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-name: ".to_vec();
        request.extend_from_slice(value);
        request.extend_from_slice(b"\r\n\r\n");
        raw(&host, &request)
    };
    assert!(request(b"caf\xe9").starts_with("HTTP/1.1 500 "));
    let utf8 = request("caf\u{e9}".as_bytes());
    assert!(utf8.starts_with("HTTP/1.1 200 ") && utf8.contains("caf\u{e9}"), "{utf8}");
}

#[tokio::test]
async fn http2_without_tls() {
    let host = App::new().start();
    let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http::<Full<Bytes>>();
    let request = Request::get(format!("{}/uri", host.base)).body(Full::default()).unwrap();
    let response = client.request(request).await.unwrap();
    assert_eq!(response.version(), http::Version::HTTP_2);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, format!("\"{}/uri\"", host.base));
}

#[tokio::test]
async fn the_guests_content_length_passes() {
    let host = App::new().start();
    let response = host.get("/served").await;
    assert_eq!(response.headers()["content-length"], "12");
    assert!(!response.headers().contains_key("transfer-encoding"));
}

#[tokio::test]
async fn a_large_body_comes_back_whole() {
    let host = App::new().start();
    let body = Bytes::from(vec![b'x'; 3 << 20]);
    let response = host.post("/echo", body.clone()).await;
    assert_eq!(response.body().len(), body.len());
    assert!(response.body() == &body);
}

#[tokio::test]
async fn what_the_component_prints_is_shown() {
    let host = App::new().start();
    assert_eq!(host.get("/print").await.status(), 200);
    host.await_output("a line on stdout");
    host.await_error("a line on stderr");
}

#[tokio::test]
async fn the_routes_are_shown() {
    let host = App::new().trigger("route = \"/base/...\"").start();
    host.await_output(&format!("guest: {}/base (wildcard)", host.base));
}
