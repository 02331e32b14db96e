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

/// Whatever the key was first used for: another operation, another task, another body.
#[test]
fn a_key_stands_for_one_request() {
    let user = User::new("reuse");
    let create = |key: &str, title: &str| keyed(&user, "POST", "/tasks", key, json!({"title": title}));
    let task = format!("/tasks/{}", user.create(json!({"title": "t"})).id);
    let other = format!("/tasks/{}", user.create(json!({"title": "t"})).id);
    let patch = |key: &str, path: &str| keyed(&user, "PATCH", path, key, json!({"title": "t"}));
    let complete =
        |key: &str, path: &str| keyed(&user, "PATCH", &format!("{path}/complete"), key, json!({"completed": true}));
    let toggle = |key: &str| user.send("PATCH", &format!("{task}/complete"), &[("idempotency-key", key)], None);
    create("create", "t").expect(201);
    patch("patch", &task).expect(200);
    complete("complete", &task).expect(200);
    toggle("toggle").expect(200);
    let state = || (user.get("/tasks").header("etag").to_owned(), user.get("/tasks").body);
    let before = state();
    for reply in [
        create("create", "other"),
        patch("create", &task),
        complete("create", &task),
        create("patch", "t"),
        patch("patch", &other),
        complete("patch", &task),
        create("complete", "t"),
        patch("complete", &task),
        complete("complete", &other),
        toggle("complete"),
        toggle("create"),
        complete("toggle", &task),
    ] {
        assert_eq!(reply.expect(422).problem().code, "idempotency_key_reused");
    }
    assert_eq!(state(), before);
    // Each user has keys of their own.
    keyed(&User::new("reuse-other"), "POST", "/tasks", "create", json!({"title": "mine"})).expect(201);
}

/// Which of the two would hold is not said anywhere: an intermediary may have added one.
#[test]
fn two_keys_are_none() {
    let user = User::new("two-keys");
    for keys in [["a", "b"], ["a", "a"], ["", "a"]] {
        let headers = keys.map(|key| ("idempotency-key", key));
        let reply = user.with_json("POST", "/tasks", &headers, json!({"title": "t"}));
        assert_eq!(reply.mistakes(), ["Idempotency-Key"], "{keys:?}");
    }
    assert_eq!(user.titles(""), [""; 0]);
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
fn a_key_is_known_for_23_hours_and_forgotten_after_25() {
    let user = User::new("forget");
    let create = |key: &str| keyed(&user, "POST", "/tasks", key, json!({"title": "t"})).expect(201);
    let first = create("k");
    let known = || target().admin_query(&format!("select key from errand.idempotency where user_id = '{}'", user.id));
    let grow = |hours: u32| {
        let older = format!("update errand.idempotency set created_at = created_at - interval '{hours} hours'");
        target().admin_query(&format!("{older} where user_id = '{}'", user.id));
    };
    grow(23);
    let again = create("k");
    assert_eq!((answer(&again), again.header("idempotency-replayed")), (answer(&first), "true"));
    assert_eq!(user.titles(""), ["t"]);
    // A write with another key forgets those that are too old, and no others.
    create("young");
    assert_eq!(known().len(), 2);
    grow(2);
    create("youngest");
    assert_eq!(known(), ["young", "youngest"]);
    assert!(!create("k").headers.contains_key("idempotency-replayed"));
    assert_eq!(user.titles("").len(), 4);
}
