//! What the host refuses to start with, and how it ends.

use std::time::{Duration, Instant};

use crate::support::App;

#[test]
fn an_unknown_manifest_key_is_named() {
    let said = App::new().component("allowed_hosts = []").refusal();
    assert!(said.contains("unknown field `allowed_hosts`"), "{said}");
    let said = App::new().trigger("route = \"/...\"\nmethod = \"GET\"").refusal();
    assert!(said.contains("unknown field `method`"), "{said}");
}

#[test]
fn what_only_spin_does_is_refused() {
    let said = App::new().component("sqlite_databases = [\"default\"]").refusal();
    assert!(said.contains("sqlite_databases"), "{said}");
    assert!(said.contains("component.guest"), "{said}");
}

#[test]
fn an_unknown_runtime_configuration_key_is_named() {
    let said = App::new()
        .file("runtime-config.toml", "[sqlite_database.default]\ntype = \"spin\"")
        .arguments(&["--runtime-config-file", "runtime-config.toml"])
        .refusal();
    assert!(said.contains("unknown field `sqlite_database`"), "{said}");
}

#[test]
fn a_missing_component_is_named_with_its_path() {
    let said = App::new().top("[component.other]\nsource = \"nowhere.wasm\"").refusal();
    assert!(said.contains("nowhere.wasm"), "{said}");
}

#[test]
fn a_file_that_is_no_component_is_refused() {
    let said =
        App::new().top("[component.other]\nsource = \"text.wasm\"").file("text.wasm", "not WebAssembly").refusal();
    assert!(said.contains("not a WebAssembly module"), "{said}");
}

#[tokio::test]
async fn sigterm_lets_a_request_finish() {
    let mut host = App::new().start();
    let begun = Instant::now();
    let (response, ()) = tokio::join!(host.get("/sleep?600"), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        host.signal("TERM");
    });
    assert_eq!(response.status(), 200);
    assert!(host.ended_well());
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn sigint_ends_an_idle_host_at_once() {
    let mut host = App::new().start();
    assert_eq!(host.get("/").await.status(), 200);
    host.signal("INT");
    assert!(host.ended_well());
}

#[tokio::test]
async fn the_end_of_stdin_ends_the_host() {
    let mut host = App::new().start();
    host.close_stdin();
    assert!(host.ended_well());
}

#[tokio::test]
async fn a_guest_that_loops_does_not_keep_the_host() {
    let mut host = App::new().start();
    let loops = std::thread::available_parallelism().unwrap().get();
    let asked = futures::future::join_all((0..loops).map(|_| host.get("/spin")));
    assert!(tokio::time::timeout(Duration::from_millis(500), asked).await.is_err());
    host.signal("INT");
    tokio::time::sleep(Duration::from_millis(500)).await;
    host.signal("INT");
    assert!(host.ended_well());
}
