//! What follows from a write: derived fields when one field alone changes, the time of completion, the order of times, and
//! the first and the last instant that a due date can mean.

use errand::domain::Task;
use serde_json::{Value, json};

use crate::support::{User, scratch, target};

fn user_with(name: &str, task: Value) -> (User, Task, String) {
    let user = User::new(name);
    let task = user.create(task);
    let path = format!("/tasks/{}", task.id);
    (user, task, path)
}

#[test]
fn each_part_of_a_due_date_moves_its_instant() {
    let due = json!({"date": "2026-12-01", "time": "09:30", "time_zone": "Europe/Vilnius"});
    let (user, task, path) = user_with("due-parts", json!({"title": "t", "due": due}));
    assert_eq!(task.due_at.as_deref(), Some("2026-12-01T07:30:00Z"));
    for (part, instant, before, after) in [
        (json!({"time_zone": "America/New_York"}), "2026-12-01T14:30:00Z", "14:30:01Z", "14:29:59Z"),
        (json!({"time": "09:31"}), "2026-12-01T14:31:00Z", "14:31:01Z", "14:30:59Z"),
        (json!({"date": "2026-12-02"}), "2026-12-02T14:31:00Z", "14:31:01Z", "14:30:59Z"),
    ] {
        let patched = user.patch(&path, json!({ "due": part })).expect(200).task();
        assert_eq!(patched.due_at.as_deref(), Some(instant), "{part}");
        assert_eq!(user.get(&path).task(), patched);
        // Filters go by the new instant too.
        let day = &instant[..11];
        assert_eq!(user.titles(&format!("?due_before={day}{before}&due_after={day}{after}")), ["t"], "{part}");
        assert_eq!(user.titles(&format!("?due_after={instant}")), [""; 0], "{part}");
    }
    // Without a time it is the whole day, and without a date it is due never.
    let whole_day = user.patch(&path, json!({"due": {"time": null, "time_zone": null}})).expect(200).task();
    assert_eq!(whole_day.due_at, None);
    assert_eq!(user.titles("?due_after=2026-12-02T23:59:59Z&due_before=2026-12-03T00:00:00Z"), ["t"]);
    user.patch(&path, json!({"due": null})).expect(200);
    assert_eq!(user.titles("?due_after=0001-01-01T00:00:00Z"), [""; 0]);
    // A change of something else leaves the instant where it is.
    user.put(&path, json!({"title": "u", "completed": false, "due": due})).expect(200);
    let renamed = user.patch(&path, json!({"title": "v"})).expect(200).task();
    assert_eq!(renamed.due_at.as_deref(), Some("2026-12-01T07:30:00Z"));
}

#[test]
fn a_search_finds_what_a_change_of_one_field_brought() {
    let task = json!({"title": "alpha", "description": "beta", "tags": ["gamma"]});
    let (user, _, path) = user_with("words", task);
    let found = |word: &str| !user.titles(&format!("?q={word}")).is_empty();
    for (change, new, old) in [
        (json!({"tags": ["delta"]}), "delta", "gamma"),
        (json!({"title": "epsilon"}), "epsilon", "alpha"),
        (json!({"description": "zeta"}), "zeta", "beta"),
        (json!({"description": null}), "epsilon", "zeta"),
        (json!({"tags": []}), "epsilon", "delta"),
    ] {
        assert!(found(old), "{old}");
        user.patch(&path, change.clone()).expect(200);
        assert!(found(new) && !found(old), "{change}");
    }
    user.put(&path, json!({"title": "eta", "completed": false, "description": "theta", "tags": ["iota"]})).expect(200);
    assert!(["eta", "theta", "iota"].into_iter().all(found) && !found("epsilon"));
    // Fields are apart: no word is made of the end of one and the beginning of the next.
    assert!(!found("etatheta") && !found("thetaiota"));
}

#[test]
fn a_title_sorts_by_what_it_is_now() {
    let (user, _, path) = user_with("title-key", json!({"title": "b"}));
    user.create(json!({"title": "c"}));
    assert_eq!(user.titles("?sort=title"), ["b", "c"]);
    user.patch(&path, json!({"title": "d"})).expect(200);
    assert_eq!(user.titles("?sort=title"), ["c", "d"]);
}

#[test]
fn a_task_keeps_the_time_of_its_completion_until_it_is_reopened() {
    let (user, _, path) = user_with("completed-at", json!({"title": "t"}));
    let complete = format!("{path}/complete");
    let whole = |completed: bool| json!({"title": "t", "completed": completed});
    // Each way to complete a task, then each way to change a completed one, then each way to reopen it.
    for (rest, method, body) in [
        (&complete, "PATCH", json!({"completed": true})),
        (&path, "PATCH", json!({"completed": true})),
        (&path, "PUT", whole(true)),
    ] {
        let done = user.with_json(method, rest, &[], body).expect(200).task();
        assert!(done.completed);
        assert_eq!(done.completed_at.as_ref(), Some(&done.updated_at));
        for (rest, method, body) in [
            (&complete, "PATCH", json!({"completed": true})),
            (&path, "PATCH", json!({"completed": true})),
            (&path, "PATCH", json!({"title": "another"})),
            (&path, "PUT", whole(true)),
        ] {
            let still = user.with_json(method, rest, &[], body).expect(200).task();
            assert_eq!((still.completed, &still.completed_at), (true, &done.completed_at), "{method} {rest}");
            assert_eq!(still.updated_at > done.updated_at, still.version > done.version);
        }
        for (rest, method, body) in [
            (&complete, "PATCH", json!({"completed": false})),
            (&path, "PATCH", json!({"completed": false})),
            (&path, "PUT", whole(false)),
        ] {
            let open = user.with_json(method, rest, &[], body).expect(200).task();
            assert_eq!((open.completed, open.completed_at), (false, None), "{method} {rest}");
            let open = user.patch(&path, json!({"title": "t"})).expect(200).task();
            assert_eq!((open.completed, open.completed_at), (false, None));
            user.patch(&complete, json!({"completed": true})).expect(200);
        }
        user.patch(&complete, json!({"completed": false})).expect(200);
    }
    let created = user.create(json!({"title": "t", "completed": true}));
    assert_eq!(created.completed_at, Some(created.created_at));
}

#[test]
fn times_never_run_backwards_whatever_the_clock_says() {
    let (user, first, path) = user_with("future", json!({"title": "first"}));
    let ahead = "update errand.account set last_at = '2999-12-31 23:59:59.999998Z' where user_id =";
    target().admin_query(&format!("{ahead} '{}'", user.id));
    let second = user.create(json!({"title": "second"}));
    assert_eq!(second.created_at, "2999-12-31T23:59:59.999999Z");
    assert_eq!(second.updated_at, second.created_at);
    let patched = user.patch(&path, json!({"completed": true})).expect(200).task();
    assert_eq!(patched.updated_at, "3000-01-01T00:00:00.000000Z");
    assert_eq!(patched.completed_at.as_ref(), Some(&patched.updated_at));
    assert_eq!(patched.created_at, first.created_at);
    let third = user.create(json!({"title": "third"}));
    assert_eq!(third.created_at, "3000-01-01T00:00:00.000001Z");
    assert_eq!(user.titles("?sort=-created_at"), ["first", "second", "third"]);
    assert_eq!(user.titles("?sort=-updated_at"), ["second", "first", "third"]);
    // With an account in the past the clock counts again.
    let behind = "update errand.account set last_at = '2000-01-01Z' where user_id =";
    target().admin_query(&format!("{behind} '{}'", user.id));
    let now = user.create(json!({"title": "now"}));
    assert!(now.created_at > first.created_at && now.created_at < second.created_at, "{}", now.created_at);
}

#[test]
fn a_due_date_means_an_instant_of_the_years_1_to_9999() {
    let user = User::new("years");
    let create = |date: &str, time: &str, zone: &str| {
        user.post("/tasks", json!({"title": "t", "due": {"date": date, "time": time, "time_zone": zone}}))
    };
    for (date, time, zone, instant) in [
        ("9999-12-31", "23:59:59", "UTC", "9999-12-31T23:59:59Z"),
        ("9999-12-31", "13:59:59", "Etc/GMT+10", "9999-12-31T23:59:59Z"),
        ("9999-12-31", "23:59:59", "Etc/GMT-14", "9999-12-31T09:59:59Z"),
        ("0001-01-01", "00:00", "UTC", "0001-01-01T00:00:00Z"),
        ("0001-01-01", "14:00", "Etc/GMT-14", "0001-01-01T00:00:00Z"),
        ("0001-01-01", "00:00", "Etc/GMT+12", "0001-01-01T12:00:00Z"),
    ] {
        let task = create(date, time, zone).expect(201).task();
        assert_eq!(task.due_at.as_deref(), Some(instant), "{date} {time} {zone}");
    }
    for (date, time, zone) in [
        ("9999-12-31", "14:00", "Etc/GMT+10"),
        ("9999-12-31", "23:59:59", "Etc/GMT+1"),
        ("0001-01-01", "13:59:59", "Etc/GMT-14"),
        ("0001-01-01", "00:59:59", "Etc/GMT-1"),
    ] {
        assert_eq!(create(date, time, zone).mistakes(), ["/due/date"], "{date} {time} {zone}");
    }
    for (date, good) in [("9999-12-31", true), ("0001-01-01", true), ("10000-01-01", false), ("0000-12-31", false)] {
        let reply = user.post("/tasks", json!({"title": "t", "due": {"date": date}}));
        match good {
            true => _ = reply.expect(201),
            false => assert_eq!(reply.mistakes(), ["/due/date"], "{date}"),
        }
    }
    // The last day lasts to its end.
    let last = "due_after=9999-12-31T23:59:59Z";
    assert_eq!(user.get(&format!("/tasks?{last}")).expect(200).list().tasks.len(), 1);
}

/// A key is forgotten at the age of 24 hours: at that very instant it is still known.
#[test]
fn a_key_is_known_for_a_day() {
    let scratch = scratch();
    let create = "select outcome from api.add_task('a', gen_random_uuid(),
        '{\"title\": \"t\", \"completed\": false, \"priority\": 0, \"tags\": []}', 'k', 'fingerprint', null)";
    let call = format!("set local role errand_app; {create}; reset role");
    assert_eq!(scratch.rows(&call), ["created"]);
    for (age, outcome) in [
        ("23 hours", "replayed"),
        ("24 hours", "replayed"),
        ("24 hours 1 microsecond", "created"),
        ("25 hours", "created"),
    ] {
        scratch.rows(&format!("update errand.idempotency set created_at = now() - interval '{age}'"));
        assert_eq!(scratch.attempt(&call), Ok(vec![outcome.to_owned()]), "{age}");
    }
}
