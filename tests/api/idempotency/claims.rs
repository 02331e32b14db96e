//! How a write claims its key in the database, and the numbers of the accounts that claims are named by.

use std::time::{Duration, Instant};

use serde_json::json;

use super::keyed;
use crate::support::{User, scratch, target};

/// The name of a lock is a number, and a client may find a key of its own that has the name of another's.
#[test]
fn nobody_can_aim_at_the_lock_of_anothers_key() {
    let (victim, session) = (User::new("aimed-at"), target().app_session());
    victim.create(json!({"title": "t"}));
    let number = |user: &User| {
        target().admin_query(&format!("select number from errand.account where user_id = '{}'", user.id)).concat()
    };
    let other = User::new("aiming");
    other.create(json!({"title": "t"}));
    let create = |key: &str| keyed(&victim, "POST", "/tasks", key, json!({"title": "t"}));
    // What the lock was called once, and what it is called for another account, with whatever key.
    session.rows(&format!(
        "begin; select pg_advisory_xact_lock(hashtextextended('{}' || chr(10) || 'k', 0));
         select pg_advisory_xact_lock({}, hashtext('k') & 2147483647)",
        victim.id,
        number(&other)
    ));
    create("k").expect(201);
    session.rows("rollback");
    // The proof that this is how it is called.
    session.rows(&format!("begin; select pg_advisory_xact_lock({}, hashtext('l') & 2147483647)", number(&victim)));
    assert_eq!(create("l").expect(409).problem().code, "in_flight");
    create("m").expect(201);
    session.rows("rollback");
    create("l").expect(201);
}

/// Before its first write a user has no number.
#[test]
fn the_first_write_of_a_user_has_its_key_to_itself() {
    let (user, other, session) = (User::new("first-key"), User::new("first-key-other"), target().app_session());
    let fields = r#"{"title": "t", "completed": false, "priority": 0, "tags": []}"#;
    session.rows(&format!("begin; select api.add_task('{}', gen_random_uuid(), '{fields}', 'k', 'f', null)", user.id));
    let create = |user: &User| keyed(user, "POST", "/tasks", "k", json!({"title": "t"}));
    assert_eq!(create(&user).expect(409).problem().code, "in_flight");
    create(&other).expect(201);
    session.rows("rollback");
    create(&user).expect(201);
    assert_eq!(create(&user).expect(201).header("idempotency-replayed"), "true");
}

/// A request without an account locks its key by a digest. If another request creates the account meanwhile, the first request also
/// locks the key by the account's number.
#[test]
fn a_key_is_claimed_by_the_number_of_an_account_that_is_made_meanwhile() {
    let scratch = scratch();
    scratch.rows(
        "create schema meanwhile;
         create function meanwhile.pg_try_advisory_xact_lock(bigint) returns boolean language sql as $$
             insert into errand.account (user_id, seq, last_at) values (current_setting('errand.user_id'), 1, now());
             select true
         $$;
         grant usage on schema meanwhile to errand_app;
         set local search_path = meanwhile, pg_catalog; set local role errand_app",
    );
    let claimed =
        scratch.rows("select errand.announce('alice'); select claimed from errand.try_claim('k'); reset role");
    assert_eq!(claimed, ["alice", "t"]);
    let named = "select objid from pg_locks
        where locktype = 'advisory' and pid = pg_backend_pid() and objsubid = 2
            and classid = (select number from errand.account where user_id = 'alice')";
    assert_eq!(scratch.rows(named), scratch.rows("select hashtext('k') & 2147483647"));
}

/// PostgreSQL reports an error before it releases the locks of the transaction, so a retried write may find its key still locked.
#[test]
fn a_write_that_may_wait_tries_a_key_again() {
    let user = User::new("key-again");
    user.create(json!({"title": "t"}));
    let [holding, trying, watching] = [(); 3].map(|()| target().app_session());
    let number =
        target().admin_query(&format!("select number from errand.account where user_id = '{}'", user.id)).concat();
    let fields = r#"{"title": "t", "completed": false, "priority": 0, "tags": []}"#;
    let create = |key: u32, wait: bool| {
        format!("select outcome from api.add_task('{}', gen_random_uuid(), '{fields}', '{key}', 'f', {wait})", user.id)
    };
    let pid = trying.rows("select pg_backend_pid()").concat();
    let pauses = format!("select 1 from pg_stat_activity where pid = {pid} and wait_event = 'PgSleep'");
    // A round is repeated if the last pause ended before the key was released.
    let late = Instant::now() + Duration::from_secs(30);
    let came = (0..).any(|key| {
        assert!(Instant::now() < late, "no write that paused was made");
        holding.rows(&format!("begin; select pg_advisory_xact_lock({number}, hashtext('{key}') & 2147483647)"));
        assert_eq!(trying.rows(&create(key, false)), ["in_flight"]);
        std::thread::scope(|threads| {
            let tried = threads.spawn(|| trying.rows(&create(key, true)));
            let paused = std::iter::repeat_with(|| !watching.rows(&pauses).is_empty()).take(50).any(|paused| paused);
            holding.rows("rollback");
            tried.join().unwrap() == ["created"] && paused
        })
    });
    assert!(came);
}

#[test]
fn a_key_is_tried_again_only_by_a_write_that_may_wait_and_does_not_get_it() {
    let user = User::new("key-tries");
    user.create(json!({"title": "t"}));
    let number =
        target().admin_query(&format!("select number from errand.account where user_id = '{}'", user.id)).concat();
    let fields = r#"{"title": "t", "completed": false, "priority": 0, "tags": []}"#;
    let tries = |key: &str, wait: bool| {
        target().admin_query(&format!(
            "set local track_functions = 'all'; set local role errand_app;
             select outcome from api.add_task('{}', gen_random_uuid(), '{fields}', '{key}', 'f', {wait});
             select calls from pg_stat_xact_user_functions where funcname = 'try_claim'",
            user.id
        ))
    };
    let holding = target().app_session();
    holding.rows(&format!("begin; select pg_advisory_xact_lock({number}, hashtext('k') & 2147483647)"));
    assert_eq!(tries("k", false), ["in_flight", "1"]);
    assert_eq!(tries("k", true), ["in_flight", "4"]);
    assert_eq!(tries("l", false), ["created", "1"]);
    assert_eq!(tries("m", true), ["created", "1"]);
}

#[test]
fn numbers_of_accounts_are_drawn_once_for_each() {
    let scratch = scratch();
    let task = r#"{"title": "t", "completed": false, "priority": 0, "tags": []}"#;
    let last = || {
        scratch.rows("select coalesce(last_value, 0) from pg_sequences where sequencename = 'account_number'").concat()
    };
    let create = |user: &str| {
        scratch.rows(&format!(
            "set local role errand_app; select api.add_task('{user}', gen_random_uuid(), '{task}', null, null, null); reset role"
        ))
    };
    create("alice");
    let first: i64 = last().parse().unwrap();
    for _ in 0..5 {
        create("alice");
    }
    assert_eq!(last(), first.to_string());
    // What is refused draws none, however often it is tried.
    let refused = task.replace('}', r#", "due_date": "2026-12-01", "due_time": "09:30", "due_zone": "No/Zone"}"#);
    scratch.rows("savepoint before");
    let outcome = scratch.run(&format!(
        "set local role errand_app; select api.add_task('bob', gen_random_uuid(), '{refused}', null, null, null)"
    ));
    assert_eq!(outcome.unwrap_err().constraint.as_deref(), Some("task_due_zone_known"));
    scratch.rows("rollback to savepoint before");
    create("bob");
    assert_eq!(last(), (first + 1).to_string());
    assert_eq!(scratch.rows("select count(distinct number) from errand.account"), ["2"]);
    assert_eq!(scratch.rows("select seq from errand.account order by user_id"), ["6", "1"]);
}
