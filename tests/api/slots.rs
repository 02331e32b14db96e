//! What one user may have in flight: slow requests and writes that wait go over connections of their own, three at a time.

use serde_json::json;

use crate::support::{Held, Session, User, anonymous, target};

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
            "begin; select api.list_tasks('{}', '{{\"order\": \"due_asc\", \"limit\": 1{slot}}}')",
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
        std::thread::sleep(std::time::Duration::from_millis(30));
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
            std::thread::sleep(std::time::Duration::from_millis(10));
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
        format!("create_task('{me}', gen_random_uuid(), '{fields}', null, null, "),
        format!("replace_task('{me}', '{id}', null, false, '{fields}', "),
        format!("patch_task('{me}', '{id}', null, '{fields}', null, null, "),
        format!("complete_task('{me}', '{id}', null, null, null, null, "),
        format!("delete_task('{me}', '{id}', null, "),
    ]
}

/// What is refused by a row's lock is an error of PostgreSQL's, with a line in its log.
#[test]
fn writes_of_a_user_take_turns_and_who_may_not_wait_is_told_without_an_error() {
    let (user, other) = (User::new("turns"), User::new("turns-other"));
    let [id, of_other] = [&user, &other].map(|user| user.create(json!({"title": "t"})).id.to_string());
    let (writing, trying) = (target().app_session(), target().app_session());
    trying.rows("begin; set local lock_timeout = '50ms'");
    let outcome = |write: &str, wait: &str| {
        // A try sets the time for locks for its transaction.
        trying.attempt(&format!("select outcome from api.{write}{wait})"))
    };
    for (held, done) in writes(&user, &id).iter().zip(["created", "ok", "ok", "ok", "deleted"]) {
        writing.rows(&format!("begin; select api.{held}false)"));
        for write in writes(&user, &id) {
            assert_eq!(outcome(&write, "false").unwrap(), ["busy"], "{write} beside {held}");
            // Who may wait does, and so does a component from before there were turns.
            for wait in ["true", "null"] {
                assert_eq!(outcome(&write, wait).unwrap_err().sqlstate, "55P03", "{write}{wait} beside {held}");
            }
        }
        for (write, done) in writes(&other, &of_other).iter().zip(["created", "ok", "ok", "ok", "deleted"]) {
            assert_eq!(outcome(write, "false").unwrap(), [done]);
        }
        writing.rows("rollback");
        for wait in ["false", "true", "null"] {
            assert_eq!(outcome(held, wait).unwrap(), [done], "{held}{wait}");
        }
    }
}

#[test]
fn a_turn_that_ends_within_a_millisecond_is_waited_for() {
    let user = User::new("short-turn");
    let id = user.create(json!({"title": "t"})).id.to_string();
    let [writing, trying, watching] = [(); 3].map(|()| target().app_session());
    let pid = trying.rows("select pg_backend_pid()").concat();
    let pauses = format!("select 1 from pg_stat_activity where pid = {pid} and wait_event = 'PgSleep'");
    let [create, ..] = writes(&user, &id);
    // A pause is short: not each is seen before it ends.
    let came = (0..500).any(|_| {
        writing.rows(&format!("begin; select api.{create}false)"));
        std::thread::scope(|threads| {
            let tried = threads.spawn(|| trying.rows(&format!("select outcome from api.{create}false)")));
            let paused = std::iter::repeat_with(|| !watching.rows(&pauses).is_empty()).take(20).any(|paused| paused);
            writing.rows("rollback");
            // Only a try that was seen to have failed once counts.
            tried.join().unwrap() == ["created"] && paused
        })
    });
    assert!(came);
}

#[test]
fn nobody_can_aim_at_the_turn_of_another() {
    let (user, session) = (User::new("turn-aimed-at"), target().app_session());
    let before = user.create(json!({"title": "t"}));
    let digest = before.etag.trim_matches('"').split('-').next().unwrap().to_owned();
    assert_eq!(digest.len(), 16);
    // The name is what only the user's own entity tags show, and no function takes a lock by the name that a client chooses.
    session.rows(&format!("begin; select pg_advisory_xact_lock(('x' || '{digest}')::bit(64)::bigint)"));
    let [create, ..] = writes(&user, &before.id.to_string());
    assert_eq!(target().app_session().rows(&format!("select outcome from api.{create}false)")), ["busy"]);
    session.rows("rollback");
    let epoch = target().admin_query("select errand.epoch()").concat();
    assert!(epoch.len() > 30 && !before.etag.contains(&epoch));
}

#[test]
fn readiness_has_a_connection_of_its_own() {
    anonymous("GET", "/health/ready").expect(200);
    let names = target().admin_query(
        "select distinct application_name from pg_stat_activity where usename = 'errand_app' and datname = current_database()",
    );
    assert!(names.iter().any(|name| name == "errand-ready"), "{names:?}");
}
