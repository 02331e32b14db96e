//! `Idempotency-Key`: a write that is repeated is done once.

mod claims;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Reply, User, scratch, target};

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
    let create = |key: &str| keyed(&user, "POST", "/tasks", key, json!({"title": "once"})).expect(201);
    let first = create("k-1");
    assert!(!first.headers.contains_key("idempotency-replayed"));
    for key in ["k-1", "\"k-1\""] {
        let again = create(key);
        assert_eq!(answer(&again), answer(&first));
        assert_eq!(again.header("idempotency-replayed"), "true");
    }
    create("k-2");
    assert_eq!(user.titles("").len(), 2);
}

/// The status is the first one. The task is as it is now, so that its tag is one to write with.
#[test]
fn a_repeated_write_gives_the_task_as_it_is_now() {
    let user = User::new("repeat-now");
    let create = || keyed(&user, "POST", "/tasks", "create", json!({"title": "once"})).expect(201);
    let first = create();
    let path = format!("/tasks/{}", first.task().id);
    let put = |title: &str| keyed(&user, "PUT", &path, "put", json!({"title": title, "completed": true})).expect(200);
    put("replaced");
    let now = user.patch(&path, json!({"title": "changed since"})).expect(200);
    for again in [create(), put("replaced")] {
        assert_eq!((again.task(), again.header("etag")), (now.task(), now.header("etag")));
        assert_eq!(again.header("idempotency-replayed"), "true");
    }
    assert_eq!(create().header("location"), first.header("location"));
    let headers = [("idempotency-key", "create"), ("prefer", "return=minimal")];
    let minimal = user.with_json("POST", "/tasks", &headers, json!({"title": "once"})).expect(201);
    assert_eq!((minimal.body.as_str(), minimal.header("location")), ("", first.header("location")));
    assert_eq!(user.get(&path).task().title, "changed since");
}

#[test]
fn a_task_that_was_put_under_a_new_id_is_made_once() {
    let user = User::new("repeat-put");
    let path = format!("/tasks/{}", uuid::Uuid::now_v7());
    let headers = [("idempotency-key", "k"), ("if-none-match", "*")];
    let put = || user.with_json("PUT", &path, &headers, json!({"title": "t", "completed": false})).expect(201);
    let first = put();
    let again = put();
    assert_eq!(answer(&again), answer(&first));
    assert_eq!(again.header("location"), user.path(&path));
    assert_eq!(again.header("idempotency-replayed"), "true");
    user.with_json("PUT", &path, &headers[1..], json!({"title": "t", "completed": false})).expect(412);
}

/// A key that was kept before the ids and the statuses were has the task as it was answered, and no status.
#[test]
fn a_key_from_before_is_replayed_as_any_other() {
    let user = User::new("repeat-before");
    let create = || keyed(&user, "POST", "/tasks", "create", json!({"title": "once"}));
    let first = create().expect(201);
    let path = format!("/tasks/{}", first.task().id);
    let patch = || keyed(&user, "PATCH", &path, "patch", json!({"priority": "low"}));
    patch().expect(200);
    target().admin_query(&format!(
        "update errand.idempotency as i set ids = null, statuses = null, version = 1, seq = 1, task = t.json
         from errand.task as t where (i.user_id, t.user_id) = ('{0}', '{0}')",
        user.id
    ));
    let now = user.patch(&path, json!({"title": "changed since"})).expect(200).task();
    for again in [create().expect(201), patch().expect(200)] {
        assert_eq!((again.task(), again.header("idempotency-replayed")), (now.clone(), "true"));
    }
    assert_eq!(create().header("location"), first.header("location"));
    user.delete(&path).expect(204);
    for again in [create(), patch()] {
        assert_eq!((again.status, again.problem().code.as_str()), (410, "gone"));
    }
}

/// Neither the request nor the answer: a deleted text stays deleted.
#[test]
fn of_a_keyed_write_no_text_is_kept() {
    let user = User::new("no-text");
    let description = "secret ".repeat(1_400);
    let body = json!({"title": "secret", "description": description});
    let path = format!("/tasks/{}", keyed(&user, "POST", "/tasks", "create", body).expect(201).task().id);
    keyed(&user, "PATCH", &path, "patch", json!({"priority": "low"})).expect(200);
    let kept = target().admin_query(&format!(
        "select concat_ws(' ', pg_column_size(i) < 300, i::text like '%secret%', ids, statuses)
         from errand.idempotency as i where user_id = '{}' order by number",
        user.id
    ));
    let id = path.rsplit('/').next().unwrap();
    assert_eq!(kept, [format!("t f {{{id}}} {{201}}"), format!("t f {{{id}}} {{200}}")]);
}

/// Which query means something is for each operation to say; the key holds for the whole request.
#[test]
fn another_query_is_another_request() {
    let user = User::new("repeat-query");
    let create = |query: &str| keyed(&user, "POST", &format!("/tasks{query}"), "k", json!({"title": "t"}));
    create("?a=1").expect(201);
    assert_eq!(create("?a=1").expect(201).header("idempotency-replayed"), "true");
    for query in ["", "?a=2", "?a=1&b"] {
        assert_eq!(create(query).expect(422).problem().code, "idempotency_key_reused", "{query}");
    }
}

/// A replay comes before preconditions, and they are no part of the request.
#[test]
fn a_replay_asks_for_no_state() {
    let user = User::new("repeat-state");
    let task = user.create(json!({"title": "t"}));
    let path = format!("/tasks/{}", task.id);
    let patch = |headers: &[(&str, &str)]| {
        let headers = [&[("idempotency-key", "k")], headers].concat();
        user.with_json("PATCH", &path, &headers, json!({"title": "u"}))
    };
    patch(&[("if-match", &task.etag)]).expect(200);
    for headers in [&[("if-match", task.etag.as_str())][..], &[("if-match", "\"x\"")], &[]] {
        assert_eq!(patch(headers).expect(200).header("idempotency-replayed"), "true");
    }
}

#[test]
fn a_repeated_deletion_deletes_nothing_more() {
    let user = User::new("repeat-delete");
    let path = format!("/tasks/{}", user.create(json!({"title": "t"})).id);
    let delete = || user.send("DELETE", &path, &[("idempotency-key", "k")], None).expect(204);
    assert!(!delete().headers.contains_key("idempotency-replayed"));
    assert_eq!(delete().header("idempotency-replayed"), "true");
    let headers = [("if-none-match", "*")];
    user.with_json("PUT", &path, &headers, json!({"title": "again", "completed": false})).expect(201);
    delete();
    assert_eq!(user.titles(""), ["again"]);
    user.send("DELETE", &path, &[("idempotency-key", "another")], None).expect(204);
}

#[test]
fn a_repeated_write_of_a_task_that_is_gone_says_that_it_was_done() {
    let user = User::new("repeat-gone");
    let create = || keyed(&user, "POST", "/tasks", "create", json!({"title": "t"}));
    let path = format!("/tasks/{}", create().expect(201).task().id);
    let put = || keyed(&user, "PUT", &path, "put", json!({"title": "t", "completed": true}));
    let patch = || keyed(&user, "PATCH", &path, "patch", json!({"title": "u"}));
    let complete = || user.send("PATCH", &format!("{path}/complete"), &[("idempotency-key", "complete")], None);
    let all: [&dyn Fn() -> Reply; 3] = [&put, &patch, &complete];
    all.iter().for_each(|write| _ = write().expect(200));
    user.delete(&path).expect(204);
    for again in [create(), put(), patch(), complete()] {
        assert_eq!((again.status, again.problem().code.as_str()), (410, "gone"));
    }
    assert!(user.titles("").is_empty());
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
    let known = || {
        let keys = "select key from errand.idempotency";
        target().admin_query(&format!("{keys} where user_id = '{}' order by number", user.id))
    };
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

/// As many keys as there are of the user's in the database, and how many are expired.
fn keys_of(user: &User) -> (usize, usize) {
    let ages = target().admin_query(&format!(
        "select created_at < now() - interval '24 hours' from errand.idempotency where user_id = '{}'",
        user.id
    ));
    (ages.len(), ages.iter().filter(|expired| *expired == "t").count())
}

/// Puts keys into the account as if they had come one after another; they are of this age.
fn fill(user: &User, keys: u32, age: &str) {
    target().admin_query(&format!(
        "insert into errand.idempotency (user_id, key, fingerprint, created_at, task, version, seq, number)
         select account.user_id, 'filled-' || (account.keys + n), 'f', now() - interval '{age}', '{{}}', 1, 1, account.keys + n
         from errand.account, generate_series(1, {keys}) as n where account.user_id = '{0}';
         update errand.account set keys = keys + {keys} where user_id = '{0}'",
        user.id
    ));
}

#[test]
fn a_write_clears_away_fifty_expired_keys_and_knows_none_of_them() {
    let user = User::new("expired");
    user.create(json!({"title": "t"}));
    fill(&user, 120, "24 hours 1 second");
    let create = |key: &str| keyed(&user, "POST", "/tasks", key, json!({"title": "t"})).expect(201);
    // The last one, too, which is not cleared away yet.
    assert!(!create("filled-120").headers.contains_key("idempotency-replayed"));
    assert_eq!(keys_of(&user), (70, 69));
    assert_eq!(create("filled-120").header("idempotency-replayed"), "true");
    assert_eq!(keys_of(&user), (20, 19));
    create("another");
    assert_eq!(keys_of(&user), (2, 0));
}

#[test]
fn of_ten_thousand_keys_the_oldest_is_forgotten() {
    let user = User::new("many-keys");
    let create = |key: &str| keyed(&user, "POST", "/tasks", key, json!({"title": "t"})).expect(201);
    let replayed = |key: &str| create(key).headers.contains_key("idempotency-replayed");
    create("first");
    fill(&user, 9_998, "1 hour");
    create("second");
    // 10,000 keys: each is known.
    assert!(replayed("first") && replayed("second"));
    assert_eq!(keys_of(&user), (10_000, 0));
    create("third");
    assert_eq!(keys_of(&user), (10_001, 0));
    // One too many: the oldest is not known any more, though it is there, and no write is refused for it.
    assert!(!replayed("first"));
    assert_eq!(keys_of(&user), (10_001, 0));
    // The next write deletes the next key.
    assert!(replayed("third"));
    assert_eq!(keys_of(&user), (10_000, 0));
    // Keys from before there was a limit go by fifties, and are not known meanwhile.
    fill(&user, 5_000, "1 hour");
    assert!(!replayed("filled-200"));
    assert_eq!(keys_of(&user), (15_000 - 50, 0));
    assert!(replayed("third"));
    assert_eq!(keys_of(&user), (15_000 - 100, 0));
}

/// Deletes the expired keys of all users, and nothing else of anybody, as a role that sees nothing else.
#[test]
fn maintenance_deletes_expired_keys_and_nothing_else() {
    let scratch = scratch();
    let task = r#"{"title": "t", "completed": false, "priority": 0, "tags": []}"#;
    for (user, key) in [("alice", "k"), ("bob", "k"), ("bob", "l")] {
        scratch.rows(&format!(
            "set local role errand_app; select api.add_task('{user}', gen_random_uuid(), '{task}', '{key}', 'f', null); reset role"
        ));
    }
    let set = |age: &str, which: &str| {
        scratch.rows(&format!("update errand.idempotency set created_at = now() - interval '{age}' where {which}"))
    };
    set("24 hours", "true");
    // Row-level security hides no keys from an administrator, so the function's own condition decides.
    set("23 hours 59 minutes", "key = 'l'");
    set("25 hours", "key = 'k'");
    let left = "select key from errand.idempotency order by 1";
    assert_eq!(scratch.attempt(&format!("select errand.tidy(10); {left}")).unwrap(), ["2", "l"]);
    set("24 hours", "true");
    let maintain = |sql: &str| scratch.attempt(&format!("set local role errand_maintenance; {sql}"));
    let count = "select count(*) from errand.idempotency";
    assert_eq!(maintain(count).unwrap(), ["0"], "a day old is not expired");
    set("24 hours 1 microsecond", "key = 'k'");
    assert_eq!(maintain(count).unwrap(), ["2"]);
    assert_eq!(maintain("select errand.tidy(1)").unwrap(), ["1"]);
    assert_eq!(maintain("select errand.tidy(10); select errand.tidy(10)").unwrap(), ["2", "0"]);
    assert_eq!(maintain("delete from errand.idempotency returning key").unwrap(), ["k", "k"]);
    // The limit also holds for the keys of one user.
    set("25 hours", "user_id = 'bob'");
    assert_eq!(maintain("select errand.tidy(1)").unwrap(), ["1"]);
    set("1 hour", "key = 'l'");
    // The oldest first.
    set("30 hours", "user_id = 'bob' and key = 'k'");
    assert_eq!(
        maintain("select errand.tidy(1); reset role; select user_id from errand.idempotency order by 1").unwrap(),
        ["1", "alice", "bob"]
    );
    for sql in [
        "select task from errand.idempotency",
        "update errand.idempotency set created_at = now()",
        "insert into errand.idempotency (user_id, key) values ('bob', 'x')",
        "select from errand.task",
        "select from errand.account",
        "delete from errand.task",
        "select api.show_task('alice', gen_random_uuid())",
    ] {
        assert_eq!(maintain(sql).unwrap_err().sqlstate, "42501", "{sql}");
    }
    let flags =
        "select rolsuper or rolbypassrls or rolcanlogin or rolcreaterole or rolcreatedb or rolinherit from pg_roles
                 where rolname = 'errand_maintenance'";
    assert_eq!(scratch.rows(flags), ["f"]);
}

/// Else each look for expired keys would begin among those that are gone.
#[test]
fn an_account_knows_which_keys_are_gone() {
    let scratch = scratch();
    let task = r#"{"title": "t", "completed": false, "priority": 0, "tags": []}"#;
    let create = |key: &str| {
        scratch.rows(&format!(
            "set local role errand_app;
             select api.add_task('alice', gen_random_uuid(), '{task}', '{key}', 'print', false);
             reset role"
        ));
    };
    ["a", "b", "c"].into_iter().for_each(create);
    scratch.rows("update errand.idempotency set created_at = now() - interval '25 hours' where key in ('a', 'b')");
    create("d");
    let keys =
        "select concat_ws(' ', keys, forgotten, (select string_agg(key, '' order by key) from errand.idempotency))
        from errand.account";
    assert_eq!(scratch.rows(keys), ["4 2 cd"]);
}
