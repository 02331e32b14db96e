//! What one user may have in flight: slow requests and writes that wait go over connections of their own, three at a time.

use std::time::Duration;

use serde_json::json;

use crate::support::{Held, Session, User, anonymous, scratch, target};

/// Takes so many of the user's slots.
fn take(user: &User, slots: u32) -> Session {
    let session = target().app_session();
    let number =
        target().admin_query(&format!("select number from errand.account where user_id = '{}'", user.id)).concat();
    session.rows(&format!(
        "begin; select pg_advisory_xact_lock({number}, -slot) from generate_series(1, {slots}) as slot"
    ));
    session
}

/// Keeps every write of the user waiting.
fn hold(user: &User) -> Held {
    target().hold(&format!("select from errand.account where user_id = '{}' for update", user.id))
}

#[test]
fn a_user_has_three_slots_and_needs_them_for_what_is_slow() {
    let (user, other) = (User::new("slots"), User::new("slots-other"));
    let path = format!("/tasks/{}", user.create(json!({"title": "t"})).id);
    other.create(json!({"title": "t"}));
    let slow = [
        "?q=t",
        "?completed=false",
        "?tag=t",
        "?due_before=2026-12-01",
        "?overdue=false",
        "?count=exact",
        "?limit=1&priority=none",
    ];
    let two = take(&user, 2);
    for query in slow {
        user.get(&format!("/tasks{query}")).expect(200);
    }
    drop(two);
    let _three = take(&user, 3);
    for query in slow {
        let reply = user.get(&format!("/tasks{query}")).expect(429);
        assert_eq!((reply.problem().code.as_str(), reply.header("retry-after")), ("too_many_requests", "1"), "{query}");
        other.get(&format!("/tasks{query}")).expect(200);
    }
    // What is bounded needs none: the page in the middle, too.
    let list = user.get("/tasks?limit=1&sort=title").expect(200);
    user.create(json!({"title": "u"}));
    let cursor = user.get("/tasks?limit=1").list().next_cursor.unwrap();
    user.get(&format!("/tasks?limit=1&cursor={cursor}")).expect(200);
    user.get(&path).expect(200);
    user.patch(&path, json!({"title": "v"})).expect(200);
    // Nor does an answer that is not built.
    let known = user.get("/tasks").header("etag").to_owned();
    assert_ne!(known, list.header("etag"));
    user.get_with("/tasks?completed=false", &[("if-none-match", &known)]).expect(304);
}

/// A slot that a list took without need would be kept from the others until all that were read together are done.
#[test]
fn a_list_that_needs_no_slot_takes_none() {
    let user = User::new("no-slot-taken");
    user.create(json!({"title": "t"}));
    let session = target().app_session();
    let taken = |slot: &str| {
        session.rows(&format!(
            "begin; select api.show_tasks('{}', '{{\"order\": \"due_asc\", \"limit\": 1{slot}}}')",
            user.id
        ));
        let locks = "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()";
        let count = session.rows(locks).concat();
        session.rows("rollback");
        count
    };
    assert_eq!((taken("").as_str(), taken(", \"slot\": true").as_str()), ("0", "1"));
}

#[test]
fn who_has_nothing_needs_no_slot() {
    let user = User::new("no-slots");
    user.get("/tasks?q=t&count=exact").expect(200);
}

#[test]
fn a_slot_that_comes_free_is_taken() {
    let user = User::new("free-slot");
    user.create(json!({"title": "t"}));
    let three = take(&user, 3);
    user.get("/tasks?completed=false").expect(429);
    std::thread::scope(|threads| {
        let sent = threads.spawn(|| user.get("/tasks?completed=false"));
        // Between two tries, most likely; how long they are apart is a unit test's.
        std::thread::sleep(Duration::from_millis(30));
        three.rows("rollback");
        sent.join().unwrap().expect(200);
    });
}

/// Over which connections statements are waiting now.
fn waiting() -> Vec<String> {
    target().admin_query(
        "select application_name from pg_stat_activity where usename = 'errand_app' and wait_event_type = 'Lock'
         and datname = current_database()",
    )
}

#[test]
fn a_write_that_waits_does_so_over_a_connection_of_its_own() {
    let user = User::new("own-connection");
    let path = format!("/tasks/{}", user.create(json!({"title": "t"})).id);
    let complete = format!("{path}/complete");
    let requests: [&(dyn Fn() -> u16 + Sync); 5] = [
        &|| user.post("/tasks", json!({"title": "u"})).status,
        &|| user.put(&path, json!({"title": "v", "completed": false})).status,
        &|| user.patch(&path, json!({"title": "w"})).status,
        &|| user.patch(&complete, json!({"completed": true})).status,
        &|| user.delete(&path).status,
    ];
    for request in requests {
        let held = hold(&user);
        std::thread::scope(|threads| {
            let sent = threads.spawn(request);
            held.wait_for(1);
            let waiting = waiting();
            assert!(waiting.iter().any(|name| name == "errand-heavy"), "{waiting:?}");
            held.release();
            assert!(sent.join().unwrap() < 300);
        });
    }
    // Of five that wait, three have a place.
    let path = format!("/tasks/{}", user.create(json!({"title": "t"})).id);
    let held = hold(&user);
    std::thread::scope(|threads| {
        let sent: Vec<_> = (1..=5)
            .map(|_| threads.spawn(|| user.send("PATCH", &format!("{path}/complete"), &[], None).status))
            .collect();
        held.wait_for(3);
        while sent.iter().filter(|request| request.is_finished()).count() < 2 {
            std::thread::sleep(Duration::from_millis(10));
        }
        // Reads are not held up.
        user.get(&path).expect(200);
        user.get("/tasks").expect(200);
        held.release();
        let mut statuses: Vec<_> = sent.into_iter().map(|request| request.join().unwrap()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 200, 200, 429, 429]);
    });
}

/// Each write of the task with that id, as far as whether it may wait.
fn writes(user: &User, id: &str) -> [String; 5] {
    let fields = r#"{"title": "t", "completed": true, "priority": 0, "tags": []}"#;
    let me = &user.id;
    [
        format!("add_task('{me}', gen_random_uuid(), '{fields}', null, null, "),
        format!("put_task('{me}', '{id}', null, false, '{fields}', "),
        format!("change_task('{me}', '{id}', null, '{fields}', null, null, "),
        format!("mark_task('{me}', '{id}', null, null, null, null, "),
        format!("delete_task('{me}', '{id}', null, "),
    ]
}

/// A refusal by the lock of a row would be an error of PostgreSQL's, with a line in its log.
#[test]
fn writes_of_a_user_take_turns_and_who_may_not_wait_is_told_without_an_error() {
    let (user, other) = (User::new("turns"), User::new("turns-other"));
    let [id, of_other] = [&user, &other].map(|user| user.create(json!({"title": "t"})).id.to_string());
    let (writing, trying) = (target().app_session(), target().app_session());
    trying.rows("begin; set local lock_timeout = '50ms'");
    let outcome = |write: &str, wait: &str| trying.attempt(&format!("select outcome from api.{write}{wait})"));
    let dones = ["created", "ok", "ok", "ok", "deleted"];
    for (held, done) in writes(&user, &id).iter().zip(dones) {
        // NULL comes from the functions for older components.
        for held_by in ["false", "true", "null"] {
            writing.rows(&format!("begin; select api.{held}{held_by})"));
            for write in writes(&user, &id) {
                assert_eq!(outcome(&write, "false").unwrap(), ["busy"], "{write} beside {held}{held_by}");
            }
            writing.rows("rollback");
        }
        writing.rows(&format!("begin; select api.{held}false)"));
        for write in writes(&user, &id) {
            for wait in ["true", "null"] {
                assert_eq!(outcome(&write, wait).unwrap_err().sqlstate, "55P03", "{write}{wait} beside {held}");
            }
        }
        for (write, done) in writes(&other, &of_other).iter().zip(dones) {
            assert_eq!(outcome(write, "false").unwrap(), [done]);
        }
        writing.rows("rollback");
        for wait in ["false", "true", "null"] {
            assert_eq!(outcome(held, wait).unwrap(), [done], "{held}{wait}");
        }
    }
}

/// Two that take the row and the turn in different orders would wait for each other.
#[test]
fn a_write_that_waits_for_its_turn_has_locked_no_task() {
    let user = User::new("turn-first");
    let id = user.create(json!({"title": "t"})).id.to_string();
    let [turn, row] = [target().app_session(), target().app_session()];
    let fields = r#"{"title": "t", "completed": true, "priority": 0, "tags": []}"#;
    let me = &user.id;
    let older = [
        format!("task_put('{me}', '{id}', '{{1}}', false, '{fields}')"),
        format!("task_patch('{me}', '{id}', '{{1}}', '{fields}', null, null)"),
        format!("task_complete('{me}', '{id}', '{{1}}', null, null, null)"),
        format!("task_delete('{me}', '{id}', '{{1}}')"),
    ];
    let newer = writes(&user, &id).into_iter().skip(1).map(|write| format!("{write}true)"));
    for write in older.into_iter().chain(newer) {
        let name = format!("select outcome from api.{write}");
        turn.rows(&format!("begin; select errand.announce('{me}'), errand.try_turn('{me}', false)"));
        std::thread::scope(|threads| {
            let waiting = target().app_session();
            let pid = waiting.rows("select pg_backend_pid()").concat();
            let write = threads.spawn({
                let name = name.clone();
                move || waiting.rows(&name)
            });
            let waits = format!("select 1 from pg_stat_activity where pid = {pid} and wait_event = 'advisory'");
            while target().admin_query(&waits).is_empty() {
                assert!(!write.is_finished(), "{name}");
            }
            row.rows(&format!("begin; select errand.announce('{me}')"));
            row.rows(&format!("select 1 from errand.task where id = '{id}' for update nowait"));
            row.rows("rollback");
            turn.rows("rollback");
            assert_ne!(write.join().unwrap(), ["busy"], "{name}");
        });
        // Deleted, or in a later version than the next one names.
        user.delete(&format!("/tasks/{id}"));
        let new = [("if-none-match", "*")];
        user.with_json("PUT", &format!("/tasks/{id}"), &new, json!({"title": "t", "completed": false})).expect(201);
    }
}

/// Few function calls keep a write cheap.
#[test]
fn a_write_that_finds_its_turn_free_makes_no_call_to_wait_for_it() {
    let scratch = scratch();
    let task = r#"{"title": "t", "completed": false, "priority": 0, "tags": []}"#;
    scratch.rows("set local track_functions = 'pl'; set local role errand_app");
    scratch.rows(&format!("select api.add_task('alice', gen_random_uuid(), '{task}', null, null, false)"));
    let called = "select funcname from pg_stat_xact_user_functions
        where funcname in ('add_task', 'await_turn') and schemaname = 'api' order by 1";
    assert_eq!(scratch.rows(&format!("reset role; {called}")), ["add_task"]);
}

/// PostgreSQL also locks a table while it extends it, for whichever user; that lock has the usual limit.
#[test]
fn a_write_over_a_shared_connection_waits_a_millisecond_for_its_account_alone() {
    let user = User::new("short-wait");
    let id = user.create(json!({"title": "t"})).id.to_string();
    let session = target().app_session();
    let usual = session.rows("show lock_timeout");
    assert_eq!(usual, session.rows("select setting from errand.role_settings() where name = 'lock_timeout'"));
    for write in writes(&user, &id) {
        for (what, expected) in [(format!("api.{write}false)"), "3s"), ("errand.may_go_on(false)".to_owned(), "1ms")] {
            session.rows(&format!("begin; select {what}"));
            assert_eq!(session.rows("show lock_timeout"), [expected], "{what}");
            session.rows("rollback");
            assert_eq!(session.rows("show lock_timeout"), usual);
        }
    }
    // The limit of the session is another one, and comes back.
    session.rows("set lock_timeout = '2s'");
    let [create, ..] = writes(&user, &id);
    session.rows(&format!("select api.{create}false)"));
    assert_eq!(session.rows("show lock_timeout"), ["2s"]);
}

/// The limit of the statement lies between the short and the usual limit of a lock.
#[test]
fn a_write_over_a_shared_connection_does_not_wait_for_the_row_of_its_task() {
    let user = User::new("row-of-task");
    let id = user.create(json!({"title": "t"})).id.to_string();
    let _held = target().hold(&format!("select 1 from errand.task where id = '{id}' for update"));
    let session = target().app_session();
    session.rows("set statement_timeout = '2s'");
    for write in writes(&user, &id).iter().skip(1) {
        let refusal = session.run(&format!("select api.{write}false)")).unwrap_err();
        assert_eq!(refusal.sqlstate, "55P03", "{write}");
    }
}

/// Without the epoch no user can compute the name, so none can look for a user id that has the name of another user's turn.
#[test]
fn a_turn_is_named_by_its_user_and_the_secret_epoch() {
    let (user, session, scratch) = (User::new("name-of-turn"), target().app_session(), scratch());
    let task = user.create(json!({"title": "t"}));
    let named = format!("hashtextextended(epoch || ' turn {}', 0)", user.id);
    let read = format!("api.read_task('{}', '{}')", user.id, task.id);
    session.rows(&format!("begin; select pg_advisory_xact_lock({named}) from {read}"));
    let [create, ..] = writes(&user, &task.id.to_string());
    assert_eq!(target().app_session().rows(&format!("select outcome from api.{create}false)")), ["busy"]);
    session.rows("rollback");
    let names = "select errand.turn_of(name) from unnest(array['a', 'b', 'A', '']) as name";
    let mut all = scratch.rows(names);
    scratch.rows("select errand.begin_epoch()");
    all.extend(scratch.rows(names));
    assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), 8, "{all:?}");
}

#[test]
fn readiness_has_a_connection_of_its_own() {
    anonymous("GET", "/health/ready").expect(200);
    let names = target().admin_query(
        "select distinct application_name from pg_stat_activity where usename = 'errand_app' and datname = current_database()",
    );
    assert!(names.iter().any(|name| name == "errand-ready"), "{names:?}");
}
