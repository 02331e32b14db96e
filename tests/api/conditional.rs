//! Conditional requests: nothing is sent twice, and no update is lost.

use std::collections::BTreeSet;

use serde_json::json;

use crate::support::{User, patiently, target};

#[test]
fn a_reader_who_has_the_task_gets_304() {
    let user = User::new("etag");
    let path = format!("/tasks/{}", user.create(json!({"title": "t"})).id);
    let etag = user.get(&path).header("etag").to_owned();
    for known in [etag.as_str(), "*", &format!("W/{etag}"), &format!("\"7\", {etag}")] {
        let reply = user.get_with(&path, &[("if-none-match", known)]).expect(304);
        assert_eq!((reply.body.as_str(), reply.header("etag")), ("", etag.as_str()));
        assert_eq!(reply.header("cache-control"), "private, no-cache");
    }
    user.patch(&path, json!({"title": "u"})).expect(200);
    user.get_with(&path, &[("if-none-match", &etag)]).expect(200);
    assert_eq!(user.get_with(&path, &[("if-none-match", "1")]).mistakes(), ["If-None-Match"]);
}

#[test]
fn a_reader_who_has_the_list_gets_304_until_something_changes() {
    let user = User::new("list-etag");
    let empty = user.get("/tasks").expect(200).header("etag").to_owned();
    user.get_with("/tasks", &[("if-none-match", &empty)]).expect(304);
    let path = format!("/tasks/{}", user.create(json!({"title": "t"})).id);
    let mut seen = BTreeSet::from([empty.clone()]);
    let mut changed = |what: &str| {
        let reply = user.get_with("/tasks", &[("if-none-match", seen.last().unwrap())]).expect(200);
        let etag = reply.header("etag").to_owned();
        let not_modified = user.get_with("/tasks?completed=true", &[("if-none-match", &etag)]).expect(304);
        assert_eq!(not_modified.header("etag"), etag);
        assert!(seen.insert(etag), "{what} did not change the list");
    };
    changed("create");
    user.patch(&path, json!({"title": "u"})).expect(200);
    changed("patch");
    user.send("PATCH", &format!("{path}/complete"), &[], None).expect(200);
    changed("complete");
    user.delete(&path).expect(204);
    changed("delete");
    // A refused write changes nothing.
    user.delete(&path).expect(404);
    user.post("/tasks", json!({"title": ""})).expect(400);
    user.get_with("/tasks", &[("if-none-match", seen.last().unwrap())]).expect(304);
}

/// What the client has is neither built nor counted: that is what makes asking cheap.
#[test]
fn what_the_reader_has_is_not_built() {
    let user = User::new("not-built");
    user.create(json!({"title": "t"}));
    let session = target().app_session();
    let parts = |known: &str| {
        let list = json!({"order": "due_asc", "limit": 1, "count": true, "known": [known]});
        session.rows(&format!(
            "select regexp_replace(api.show_tasks('{}', '{list}'), '[-0-9a-f]{{36}}', 'epoch', 'g')",
            user.id
        ))
    };
    let etag = user.get("/tasks").header("etag").replace('"', "");
    assert_eq!(parts(&etag), ["unchanged 1 epoch"]);
    // A part of a tag is none.
    for known in [&etag.replace("-1", "-2"), "-1"] {
        let page = parts(known).concat();
        assert!(page.starts_with("1\n{") && page.ends_with("}\npage 1 epoch 1"), "{page}");
    }
}

#[test]
fn what_depends_on_the_clock_has_no_etag() {
    let user = User::new("overdue-etag");
    let etag = user.get("/tasks").header("etag").to_owned();
    let reply = user.get_with("/tasks?overdue=true", &[("if-none-match", &etag)]).expect(200);
    assert!(!reply.headers.contains_key("etag"));
}

#[test]
fn a_stale_writer_changes_nothing() {
    let user = User::new("if-match");
    let first = user.create(json!({"title": "first"}));
    let path = format!("/tasks/{}", first.id);
    let second = user.with_json("PATCH", &path, &[("if-match", &first.etag)], json!({"title": "second"})).expect(200);
    let (stale, current) = (first.etag.as_str(), second.header("etag"));
    let write = |method: &str, rest: &str, condition: (&str, &str)| {
        let body = match method {
            "PUT" => json!({"title": "lost", "completed": false}),
            "DELETE" => return user.send(method, &path, &[condition], None),
            _ if rest.is_empty() => json!({"title": "lost"}),
            _ => json!({"completed": true}),
        };
        user.with_json(method, &format!("{path}{rest}"), &[condition], body)
    };
    let weak = format!("W/{current}");
    for (method, rest) in [("PUT", ""), ("PATCH", ""), ("PATCH", "/complete"), ("DELETE", "")] {
        // Versions were tags once.
        for condition in [stale, &weak, "\"x\"", "\"2\"", "\"-2\""]
            .map(|tag| ("if-match", tag))
            .into_iter()
            .chain([("if-none-match", "*")])
        {
            let reply = write(method, rest, condition).expect(412);
            assert_eq!(reply.problem().code, "precondition_failed", "{method}{rest} {condition:?}");
        }
        assert_eq!(write(method, rest, ("if-match", "2")).mistakes(), ["If-Match"]);
        // Only `*` says something that a write can mean: to ignore the rest would be to write unguarded.
        for tags in [current, stale, &weak, "\"x\", \"y\""] {
            assert_eq!(write(method, rest, ("if-none-match", tags)).mistakes(), ["If-None-Match"], "{method}{rest}");
        }
    }
    assert_eq!(user.get(&path).task().title, "second");
    let third = write("PATCH", "", ("if-match", "*")).expect(200);
    let several = format!("\"9\", {}", third.header("etag"));
    let fourth = write("PATCH", "/complete", ("if-match", &several)).expect(200);
    write("DELETE", "", ("if-match", fourth.header("etag"))).expect(204);
    write("PATCH", "", ("if-match", "*")).expect(404);
}

/// If-Match comes first (RFC 9110, section 13.2.2), and what is not there matches no tag and no `*`.
#[test]
fn a_task_is_made_only_where_both_conditions_hold() {
    let user = User::new("both-conditions");
    let other = user.create(json!({"title": "other"}));
    let path = format!("/tasks/{}", uuid::Uuid::now_v7());
    let put = |if_match: &str| {
        let headers = [("if-match", if_match), ("if-none-match", "*")];
        user.with_json("PUT", &path, &headers, json!({"title": "t", "completed": false}))
    };
    for if_match in ["*", "\"x\"", "W/\"x\"", &other.etag] {
        assert_eq!(put(if_match).expect(412).problem().code, "precondition_failed", "{if_match}");
    }
    user.get(&path).expect(404);
    assert_eq!(user.titles(""), ["other"]);
    let body = json!({"title": "t", "completed": false});
    let made = user.with_json("PUT", &path, &[("if-none-match", "*")], body).expect(201).task();
    for if_match in ["*", &made.etag] {
        assert_eq!(put(if_match).expect(412).problem().code, "precondition_failed", "{if_match}");
    }
    assert_eq!(user.get(&path).task(), made);
}

/// Each loser is told the same, however close it came.
#[test]
fn of_many_creates_under_one_id_one_makes_the_task() {
    let user = User::new("racing-creates");
    let ids: Vec<_> = (0..60).map(|_| uuid::Uuid::now_v7()).collect();
    let statuses = std::thread::scope(|threads| {
        let racers: Vec<_> = (0..8)
            .map(|racer| {
                let (user, ids) = (&user, &ids);
                threads.spawn(move || {
                    let body = json!({"title": format!("of {racer}"), "completed": false});
                    let put =
                        |id| user.with_json("PUT", &format!("/tasks/{id}"), &[("if-none-match", "*")], body.clone());
                    ids.iter().map(|id| patiently(|| put(id)).status).collect::<Vec<_>>()
                })
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).collect::<Vec<_>>()
    });
    for number in 0..ids.len() {
        let mut of_one: Vec<_> = statuses.iter().map(|statuses| statuses[number]).collect();
        of_one.sort_unstable();
        assert_eq!(of_one, [201, 412, 412, 412, 412, 412, 412, 412]);
    }
    assert_eq!(user.get("/tasks?count=exact&limit=1").list().total, Some(60));
}

#[test]
fn fifty_writers_with_if_match_lose_nothing() {
    let user = User::new("race");
    let path = format!("/tasks/{}", user.create(json!({"title": "0", "description": ""})).id);
    let accepted = std::thread::scope(|threads| {
        let writers: Vec<_> = (0..50)
            .map(|writer| {
                let (user, path) = (user.clone(), path.clone());
                threads.spawn(move || {
                    let before = user.get(&path).expect(200);
                    let description = format!("{}{writer},", before.task().description.unwrap());
                    let condition = [("if-match", before.header("etag"))];
                    let write = || user.with_json("PATCH", &path, &condition, json!({ "description": description }));
                    let mut reply = write();
                    // Of those that wait for each other three may wait at the same time.
                    while reply.status == 429 {
                        reply = write();
                    }
                    match reply.status {
                        200 => Some((reply.task().version, writer)),
                        412 => None,
                        other => panic!("{other}: {}", reply.body),
                    }
                })
            })
            .collect();
        writers.into_iter().filter_map(|writer| writer.join().unwrap()).collect::<Vec<_>>()
    });
    let task = user.get(&path).task();
    let versions: BTreeSet<_> = accepted.iter().map(|(version, _)| *version).collect();
    assert_eq!(versions.len(), accepted.len(), "a version was given twice");
    assert_eq!(versions.into_iter().collect::<Vec<_>>(), (2..=task.version).collect::<Vec<_>>());
    let mut accepted = accepted;
    accepted.sort_unstable();
    let expected: String = accepted.iter().map(|(_, writer)| format!("{writer},")).collect();
    assert_eq!(task.description.unwrap(), expected, "exactly the accepted updates are there, in their order");
}
