//! `Idempotency-Key`: a write that is repeated is done once.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Reply, User, target};

fn keyed(user: &User, method: &str, rest: &str, key: &str, body: Value) -> Reply {
    user.with_json(method, rest, &[("idempotency-key", key)], body)
}

/// What a repetition must have in common with the first answer.
fn answer(reply: &Reply) -> (u16, String, Option<String>, Option<String>) {
    let header = |name: &str| reply.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    (reply.status, reply.body.clone(), header("etag"), header("location"))
}

#[test]
fn a_repeated_create_gives_the_first_answer() {
    let user = User::new("repeat");
    let first = keyed(&user, "POST", "/tasks", "k-1", json!({"title": "once"})).expect(201);
    assert!(!first.headers.contains_key("idempotency-replayed"));
    user.patch(&format!("/tasks/{}", first.task().id), json!({"title": "changed since"})).expect(200);
    for key in ["k-1", "\"k-1\""] {
        let again = keyed(&user, "POST", "/tasks", key, json!({"title": "once"}));
        assert_eq!(answer(&again), answer(&first));
        assert_eq!(again.header("idempotency-replayed"), "true");
    }
    assert_eq!(user.titles(""), ["changed since"]);
    keyed(&user, "POST", "/tasks", "k-2", json!({"title": "once"})).expect(201);
    assert_eq!(user.titles("").len(), 2);
}

#[test]
fn repeated_changes_are_made_once() {
    let user = User::new("repeat-change");
    let path = format!("/tasks/{}", user.create(json!({"title": "t"})).id);
    let toggle = || user.send("PATCH", &format!("{path}/complete"), &[("idempotency-key", "toggle")], None);
    let first = toggle().expect(200);
    assert_eq!(answer(&toggle()), answer(&first));
    assert!(user.get(&path).task().completed);
    let patch = || keyed(&user, "PATCH", &path, "patch", json!({"title": "u"}));
    let first = patch().expect(200);
    assert_eq!(answer(&patch()), answer(&first));
    assert_eq!(user.get(&path).task().version, 3);
}

#[test]
fn a_key_stands_for_one_request() {
    let user = User::new("reuse");
    let path = format!("/tasks/{}", keyed(&user, "POST", "/tasks", "k", json!({"title": "t"})).expect(201).task().id);
    for reply in [
        keyed(&user, "POST", "/tasks", "k", json!({"title": "other"})),
        keyed(&user, "PATCH", &path, "k", json!({"title": "t"})),
        keyed(&user, "PATCH", &format!("{path}/complete"), "k", json!({"completed": true})),
    ] {
        assert_eq!(reply.expect(422).problem().code, "idempotency_key_reused");
    }
    assert_eq!(user.titles(""), ["t"]);
    // Each user has keys of their own.
    keyed(&User::new("reuse-other"), "POST", "/tasks", "k", json!({"title": "mine"})).expect(201);
}

#[test]
fn what_was_refused_may_be_tried_again() {
    let user = User::new("refused");
    keyed(&user, "POST", "/tasks", "k", json!({"title": ""})).expect(400);
    keyed(&user, "POST", "/tasks", "k", json!({"title": "t"})).expect(201);
    let missing = format!("/tasks/{}", uuid::Uuid::now_v7());
    keyed(&user, "PATCH", &missing, "k2", json!({"title": "t"})).expect(404);
    keyed(&user, "PATCH", &missing, "k2", json!({"title": "u"})).expect(404);
    for key in ["", "a b", &"k".repeat(256)] {
        assert_eq!(keyed(&user, "POST", "/tasks", key, json!({"title": "t"})).mistakes(), ["Idempotency-Key"], "{key}");
    }
}

#[test]
fn many_at_once_do_it_once() {
    let user = User::new("at-once");
    let replies: Vec<_> = std::thread::scope(|threads| {
        let clients: Vec<_> =
            (0..16).map(|_| threads.spawn(|| keyed(&user, "POST", "/tasks", "k", json!({"title": "once"})))).collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    let mut statuses = BTreeMap::new();
    for reply in &replies {
        *statuses.entry(reply.status).or_insert(0) += 1;
        match reply.status {
            201 => {}
            _ => assert_eq!(reply.clone().expect(409).problem().code, "in_flight"),
        }
    }
    assert!(statuses.contains_key(&201), "{statuses:?}");
    assert_eq!(user.titles(""), ["once"]);
}

#[test]
fn keys_are_forgotten_after_a_day() {
    let user = User::new("forget");
    keyed(&user, "POST", "/tasks", "k", json!({"title": "t"})).expect(201);
    let age =
        format!("update errand.idempotency set created_at = now() - interval '25 hours' where user_id = '{}'", user.id);
    target().admin_query(&age);
    keyed(&user, "POST", "/tasks", "k", json!({"title": "another"})).expect(201);
    assert_eq!(user.titles("").len(), 2);
    let kept = target().admin_query(&format!("select count(*) from errand.idempotency where user_id = '{}'", user.id));
    assert_eq!(kept, ["1"]);
}
