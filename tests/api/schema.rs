//! The component beside a schema that it does not fit: an older one, a newer one, none.

use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{SECRET, Target, target, token_with};

/// Starts errand on a new database.
fn errand() -> (Target, String) {
    let errand = target().start_on_another_database(&[("jwt_secret", SECRET)]);
    let user = Uuid::now_v7();
    (errand, token_with(&json!({"sub": user, "exp": 4_000_000_000_u64})))
}

/// The code of each kind of request: a list, a read, a write, and readiness.
fn codes(errand: &Target, token: &str) -> [String; 4] {
    // One answer of readiness serves half a second.
    sleep(Duration::from_millis(600));
    let task = Uuid::now_v7();
    let body = json!({"title": "t"}).to_string();
    let told = |method: &str, path: &str, body: Option<&[u8]>| {
        let reply = errand.send(method, path, token, body);
        let told: Value = reply.json();
        format!("{} {}", reply.status, told["code"].as_str().unwrap_or_default()).trim_end().to_owned()
    };
    [
        told("GET", "/api/me/tasks", None),
        told("GET", &format!("/api/me/tasks/{task}"), None),
        told("POST", "/api/me/tasks", Some(body.as_bytes())),
        told("GET", "/health/ready", None),
    ]
}

const FITS: [&str; 4] = ["200", "404 not_found", "201", "200"];
const MISMATCH: &str = "503 schema_mismatch";

/// What lacks the functions that the component calls says so of every request, and serves again once it is migrated.
#[test]
fn an_older_schema_and_none_are_told_as_a_mismatch() {
    let (errand, token) = errand();
    assert_eq!(codes(&errand, &token), FITS);
    errand.admin_query("begin; drop function api.interface(); drop type api.interface_5; commit");
    // Over new connections: the native server keeps statements that it has prepared, with their plans.
    let errand = errand.start_with(&[("jwt_secret", SECRET)]);
    assert_eq!(codes(&errand, &token), [MISMATCH; 4]);
    errand.admin_query("alter schema api rename to elsewhere");
    assert_eq!(codes(&errand, &token), [MISMATCH; 4]);
}

/// The functions are there, and mean something else.
#[test]
fn a_schema_of_other_interfaces_is_told_as_a_mismatch() {
    let (errand, token) = errand();
    let serves = |current: i64, oldest: i64| {
        errand.admin_query(&format!(
            "create or replace function api.interface(out current bigint, out oldest bigint) language sql stable as
             'select {current}::bigint, {oldest}::bigint'"
        ));
    };
    serves(9, 9);
    assert_eq!(codes(&errand, &token)[3], MISMATCH);
    serves(9, 1);
    assert_eq!(codes(&errand, &token)[3], "200");
}
