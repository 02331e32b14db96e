//! Where a component gets to, and where not.

use serde_json::{Value, json};

use crate::support::{App, database, database_host};

const WAYS: [&str; 4] = ["async", "plain", "builder", "builder-async"];

fn connection_failed(answer: &Value) -> &str {
    answer["error"]["connection-failed"].as_str().unwrap_or_else(|| panic!("{answer}"))
}

#[tokio::test]
async fn a_host_that_is_not_allowed_is_refused_by_every_way_of_connecting() {
    let host = App::new().component("allowed_outbound_hosts = [\"postgres://elsewhere.example:5432\"]").start();
    for how in WAYS {
        let answer = host.database(json!({ "how": how, "sql": "select 1" })).await;
        let expected = format!("address postgres://{} is not permitted", database_host());
        assert_eq!(connection_failed(&answer), expected, "{how}");
    }
    host.await_error("allowed_outbound_hosts");
}

#[tokio::test]
async fn without_allowed_outbound_hosts_nothing_is_allowed() {
    let host = App::new().start();
    let answer = host.database(json!({ "sql": "select 1" })).await;
    assert!(connection_failed(&answer).contains("is not permitted"));
}

#[tokio::test]
async fn an_allowed_host_is_reached_by_every_way_of_connecting() {
    let host = App::with_database().start();
    for how in WAYS {
        let answer = host.database(json!({ "how": how, "sql": "select 1::int4 as one" })).await;
        assert_eq!(answer["rows"], json!([["DbValue::Int32(1)"]]), "{how}: {answer}");
    }
}

#[tokio::test]
async fn an_entry_may_hold_variables() {
    let host = App::new()
        .top("[variables]\naddress = { required = true }")
        .component("allowed_outbound_hosts = [\"postgres://{{ address }}\"]")
        .environment("SPIN_VARIABLE_ADDRESS", &database_host())
        .start();
    let answer = host.database(json!({ "sql": "select 1::int4 as one" })).await;
    assert_eq!(answer["rows"], json!([["DbValue::Int32(1)"]]));
}

#[tokio::test]
async fn every_host_of_a_connection_string_must_be_allowed() {
    let host = App::with_database().start();
    let (allowed, port) = database_host().rsplit_once(':').map(|(h, p)| (h.to_owned(), p.to_owned())).unwrap();
    for address in [
        format!("host={allowed},elsewhere.example port={port} user=x"),
        format!("host={allowed} hostaddr=192.0.2.1 port={port} user=x"),
        format!("host={allowed} port=1 user=x"),
    ] {
        let answer = host.database(json!({ "address": address, "sql": "select 1" })).await;
        assert!(connection_failed(&answer).contains("is not permitted"), "{address}: {answer}");
    }
}

#[tokio::test]
async fn sockets_and_unreadable_strings_are_refused() {
    let host = App::with_database().start();
    let ask = |address: &str| json!({ "address": address, "sql": "select 1" });
    let answer = host.database(ask("host=/var/run/postgresql user=x")).await;
    assert_eq!(connection_failed(&answer), "Unix sockets are not supported on WebAssembly");
    let answer = host.database(ask(&format!("{}?sslmode=verify-full", database()))).await;
    assert!(connection_failed(&answer).contains("invalid connection string"), "{answer}");
    let answer = host.database(ask(&format!("{}?surprise=1", database()))).await;
    assert!(connection_failed(&answer).contains("invalid connection string"), "{answer}");
}

#[tokio::test]
async fn a_server_without_tls_fails_where_tls_is_required() {
    let host = App::with_database().start();
    let answer =
        host.database(json!({ "address": format!("{}?sslmode=require", database()), "sql": "select 1" })).await;
    assert!(connection_failed(&answer).contains("server does not support TLS"), "{answer}");
}

#[tokio::test]
async fn a_wrong_certificate_authority_is_refused() {
    let host = App::with_database().start();
    let answer = host.database(json!({ "how": "builder", "authority": "no PEM", "sql": "select 1" })).await;
    assert!(answer["error"]["other"].as_str().unwrap().contains("invalid root certificate"), "{answer}");
}

#[tokio::test]
async fn requests_go_to_allowed_hosts_only() {
    let target = App::new().start();
    let host = App::new().component(&format!("allowed_outbound_hosts = [\"{}\"]", target.base)).start();
    assert_eq!(host.json(&format!("/fetch?{}/served", target.base)).await, json!({ "status": 200 }));
    let answer = host.json("/fetch?http://127.0.0.1:1/").await;
    assert!(answer["error"].as_str().unwrap().contains("HttpRequestDenied"), "{answer}");
}

#[tokio::test]
async fn files_are_read_only_and_only_those_given() {
    let host = App::new()
        .component("files = [{ source = \"given\", destination = \"/data\" }]")
        .file("given/a.txt", "content")
        .file("b.txt", "not given")
        .start();
    assert_eq!(host.json("/file?/data/a.txt").await, json!({ "content": "content", "written": false }));
    for path in ["/data/../b.txt", "/b.txt", "/etc/passwd"] {
        assert!(host.json(&format!("/file?{path}")).await["error"].is_string(), "{path}");
    }
}
