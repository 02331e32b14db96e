//! Writers that meet: requests are sent while an administrator holds the caller's account, all are seen waiting, and then the
//! account is let go. Which of them comes first is open; that one of them loses is not.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Held, Reply, User, target};

/// A request to be sent at the same time as others.
type Request<'a> = Box<dyn FnOnce() -> Reply + Send + 'a>;

/// Keeps every write of the user waiting.
fn hold(user: &User) -> Held {
    target().hold(&format!("select from errand.account where user_id = '{}' for update", user.id))
}

/// Sends the requests one after another, lets go when all of them wait, and gives the answers by status.
fn meet(held: Held, requests: Vec<Request<'_>>) -> Vec<Reply> {
    let mut replies: Vec<_> = std::thread::scope(|threads| {
        let sent = requests.into_iter().zip(1..).map(|(request, waiting)| {
            let sent = threads.spawn(request);
            held.wait_for(waiting);
            sent
        });
        let sent: Vec<_> = sent.collect();
        held.release();
        sent.into_iter().map(|request| request.join().unwrap()).collect()
    });
    replies.sort_by_key(|reply| reply.status);
    replies
}

fn statuses(replies: &[Reply]) -> Vec<u16> {
    replies.iter().map(|reply| reply.status).collect()
}

/// A user with one task, the path of that task and its entity tag.
fn user_with_tagged_task(name: &str) -> (User, String, String) {
    let user = User::new(name);
    let task = user.create(json!({"title": "t"}));
    (user, format!("/tasks/{}", task.id), task.etag)
}

/// A user with one task, and the path of that task.
fn user_with_task(name: &str) -> (User, String) {
    let (user, path, _) = user_with_tagged_task(name);
    (user, path)
}

#[test]
fn of_two_writers_with_the_same_if_match_one_is_refused() {
    for (method, body) in [
        ("PATCH", |title: &str| json!({ "title": title })),
        ("PUT", |title: &str| json!({"title": title, "completed": false})),
    ] as [(&str, fn(&str) -> Value); 2]
    {
        let (user, path, etag) = user_with_tagged_task("lost-update");
        let first = [("if-match", etag.as_str())];
        let write = |title: &str| -> Request<'_> {
            let body = body(title);
            Box::new(|| user.with_json(method, &path, &first, body))
        };
        let replies = meet(hold(&user), vec![write("a"), write("b")]);
        assert_eq!(statuses(&replies), [200, 412], "{method}");
        assert_eq!(replies[1].problem().code, "precondition_failed");
        assert_eq!(replies[0].task().version, 2);
        assert_eq!(user.get(&path).expect(200).task(), replies[0].task(), "{method}");
    }
}

#[test]
fn of_two_completions_with_the_same_if_match_one_is_refused() {
    let (user, path, etag) = user_with_tagged_task("lost-completion");
    let complete = format!("{path}/complete");
    let toggle = || -> Request<'_> { Box::new(|| user.send("PATCH", &complete, &[("if-match", &etag)], None)) };
    let replies = meet(hold(&user), vec![toggle(), toggle()]);
    assert_eq!(statuses(&replies), [200, 412]);
    let task = user.get(&path).task();
    assert!(task.completed && task.version == 2, "{task:?}");
}

#[test]
fn of_a_change_and_a_deletion_with_the_same_if_match_one_is_refused() {
    let (user, path, etag) = user_with_tagged_task("lost-deletion");
    let first = [("if-match", etag.as_str())];
    let requests: Vec<Request<'_>> = vec![
        Box::new(|| user.with_json("PATCH", &path, &first, json!({"title": "kept"}))),
        Box::new(|| user.send("DELETE", &path, &first, None)),
    ];
    // The deletion comes first, and there is nothing to change; or the change does, and the version is another.
    let replies = meet(hold(&user), requests);
    match statuses(&replies)[..] {
        [204, 404] => _ = user.get(&path).expect(404),
        [200, 412] => assert_eq!(user.get(&path).task().title, "kept"),
        _ => panic!("{replies:?}"),
    }
    let (user, path, etag) = user_with_tagged_task("lost-deletions");
    let first = [("if-match", etag.as_str())];
    let delete = || -> Request<'_> { Box::new(|| user.send("DELETE", &path, &first, None)) };
    assert_eq!(statuses(&meet(hold(&user), vec![delete(), delete()])), [204, 404]);
}

#[test]
fn without_if_match_the_writers_come_one_after_another() {
    let (user, path) = user_with_task("one-by-one");
    let complete = format!("{path}/complete");
    let toggle = || -> Request<'_> { Box::new(|| user.send("PATCH", &complete, &[], None)) };
    let mut replies = meet(hold(&user), vec![toggle(), toggle()]);
    assert_eq!(statuses(&replies), [200, 200]);
    replies.sort_by_key(|reply| reply.task().version);
    let seen: Vec<_> = replies.iter().map(|reply| (reply.task().version, reply.task().completed)).collect();
    assert_eq!(seen, [(2, true), (3, false)]);
}

#[test]
fn of_two_creates_under_one_id_one_is_refused() {
    let (user, _) = user_with_task("two-creates");
    let path = format!("/tasks/{}", Uuid::now_v7());
    let create = |title: &str| -> Request<'_> {
        let body = json!({"title": title, "completed": false});
        Box::new(|| user.with_json("PUT", &path, &[("if-none-match", "*")], body))
    };
    let replies = meet(hold(&user), vec![create("a"), create("b")]);
    assert_eq!(statuses(&replies), [201, 412]);
    assert_eq!(replies[1].problem().code, "precondition_failed");
    assert_eq!(user.get(&path).expect(200).task(), replies[0].task());
    assert_eq!(user.get("/tasks?count=exact").list().total, Some(2));
}

#[test]
fn the_first_writes_of_a_user_are_numbered_apart() {
    let user = User::new("first-writes");
    let held = target().hold(&format!("insert into errand.account values ('{}', 7, now())", user.id));
    let create = || -> Request<'_> { Box::new(|| user.post("/tasks", json!({"title": "t"}))) };
    assert_eq!(statuses(&meet(held, vec![create(), create()])), [201, 201]);
    let seqs = format!("select seq from errand.task where user_id = '{}' order by created_at", user.id);
    assert_eq!(target().admin_query(&seqs), ["1", "2"]);
}

#[test]
fn a_write_that_waited_has_the_time_at_which_it_went_on() {
    let (user, _) = user_with_task("waited");
    let held = hold(&user);
    std::thread::scope(|threads| {
        let sent = (1..=3).map(|waiting| {
            let sent = threads.spawn(|| user.post("/tasks", json!({"title": "t"})));
            held.wait_for(waiting);
            sent
        });
        let sent: Vec<_> = sent.collect();
        let waiting = held.now();
        held.release();
        for request in sent {
            let task = request.join().unwrap().expect(201).task();
            assert!(task.created_at > waiting, "{} is before {waiting}", task.created_at);
        }
    });
    // Numbers and times are in the same order, and none is there twice.
    let ordered = format!(
        "select bool_and(later) from (
             select seq > lag(seq) over by_time and created_at > lag(created_at) over by_time as later
             from errand.task where user_id = '{}' window by_time as (order by created_at, seq)) as task",
        user.id
    );
    assert_eq!(target().admin_query(&ordered), ["t"]);
}

#[test]
fn a_key_that_is_in_use_is_in_flight_and_holds_up_nothing_else() {
    let (user, path) = user_with_task("in-flight");
    let other = User::new("in-flight-other");
    let key = [("idempotency-key", "k")];
    let create = |user: &User, key: &[(&str, &str)]| user.with_json("POST", "/tasks", key, json!({"title": "once"}));
    let held = hold(&user);
    let first = std::thread::scope(|threads| {
        let first = threads.spawn(|| create(&user, &key));
        held.wait_for(1);
        let in_flight = [
            create(&user, &key),
            user.with_json("PATCH", &path, &key, json!({"title": "u"})),
            user.with_json("PATCH", &format!("{path}/complete"), &key, json!({"completed": true})),
        ];
        for reply in in_flight {
            let reply = reply.expect(409);
            assert_eq!((reply.problem().code.as_str(), reply.header("retry-after")), ("in_flight", "1"));
        }
        // Another key of the user's is another write: it waits for its turn as any does.
        let second = threads.spawn(|| create(&user, &[("idempotency-key", "k2")]));
        held.wait_for(2);
        // Reads wait for no write, and another user, with the same key too, waits for nobody.
        user.get(&path).expect(200);
        assert_eq!(user.titles(""), ["t"]);
        create(&other, &key).expect(201);
        other.post("/tasks", json!({"title": "twice"})).expect(201);
        held.release();
        second.join().unwrap().expect(201);
        first.join().unwrap().expect(201)
    });
    let again = create(&user, &key).expect(201);
    assert_eq!((again.body.as_str(), again.header("idempotency-replayed")), (first.body.as_str(), "true"));
    assert_eq!(user.titles("?q=once").len(), 2);
}

#[test]
fn a_write_that_waits_too_long_is_refused_and_may_be_tried_again() {
    let (user, path) = user_with_task("too-long");
    let held = hold(&user);
    let reply = user.patch(&path, json!({"title": "u"})).expect(503);
    assert_eq!((reply.problem().code.as_str(), reply.header("retry-after")), ("unavailable", "1"));
    held.release();
    assert_eq!(user.patch(&path, json!({"title": "u"})).expect(200).task().version, 2);
}
