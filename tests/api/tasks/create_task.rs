//! Creating tasks, and what is refused.

use serde_json::{Value, json};

use crate::support::{User, target};

#[test]
fn a_created_task_comes_back_whole() {
    let user = User::new("create");
    let reply = user.post("/tasks", json!({"title": "  Book the train ", "description": "Window seat"})).expect(201);
    let task = reply.task();
    assert_eq!((task.title.as_str(), task.description.as_deref()), ("Book the train", Some("Window seat")));
    assert_eq!((task.owner_id.as_str(), task.version, task.completed), (user.id.as_str(), 1, false));
    assert_eq!(task.id.get_version_num(), 7);
    assert_eq!(task.created_at, task.updated_at);
    assert_eq!(reply.header("etag"), task.etag);
    assert!(task.etag.ends_with("-1\""), "{}", task.etag);
    assert_eq!(reply.header("location"), user.path(&format!("/tasks/{}", task.id)));
    assert_eq!(user.send_to("GET", reply.header("location"), &[], None).expect(200).task(), task);
}

#[test]
fn every_field_is_kept() {
    let user = User::new("fields");
    let body = json!({"title": "Ž", "description": null, "completed": true, "priority": "high", "tags": ["b", "a", "Ž ,/"],
        "due": {"date": "2026-12-01", "time": "09:30", "time_zone": "Europe/Vilnius"}});
    let task = user.post("/tasks", body.clone()).expect(201).json();
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(&task[name], value, "{name}");
    }
    assert_eq!(task["completed_at"], task["created_at"]);
    assert_eq!(task["due_at"], "2026-12-01T07:30:00Z");
}

#[test]
fn lengths_count_characters_and_the_limits_are_within() {
    let user = User::new("limits");
    let task = user.create(json!({"title": "ž".repeat(255), "description": "🚆".repeat(10_000),
        "tags": (0..20).map(|n| format!("{n:0>50}")).collect::<Vec<_>>()}));
    assert_eq!(task.title.chars().count(), 255);
    assert_eq!(user.get(&format!("/tasks/{}", task.id)).expect(200).task(), task);
}

#[test]
fn each_bad_value_is_named_and_nothing_is_stored() {
    let user = User::new("invalid");
    let title = json!("t");
    let cases: Vec<(Value, &str)> = vec![
        (json!({}), "/title"),
        (json!({"title": null}), "/title"),
        (json!({"title": ""}), "/title"),
        (json!({"title": " \t\n"}), "/title"),
        (json!({"title": "a".repeat(256)}), "/title"),
        (json!({"title": 5}), "/title"),
        (json!({"title": "a\u{0}"}), "/title"),
        (json!({"title": title, "description": "d".repeat(10_001)}), "/description"),
        (json!({"title": title, "description": "\u{0}"}), "/description"),
        (json!({"title": title, "description": []}), "/description"),
        (json!({"title": title, "completed": "true"}), "/completed"),
        (json!({"title": title, "completed": null}), "/completed"),
        (json!({"title": title, "priority": "urgent"}), "/priority"),
        (json!({"title": title, "priority": 3}), "/priority"),
        (json!({"title": title, "tags": "a"}), "/tags"),
        (json!({"title": title, "tags": (0..21).map(|n| n.to_string()).collect::<Vec<_>>()}), "/tags"),
        (json!({"title": title, "tags": ["a", ""]}), "/tags/1"),
        (json!({"title": title, "tags": ["a".repeat(51)]}), "/tags/0"),
        (json!({"title": title, "tags": ["a", "a"]}), "/tags/1"),
        (json!({"title": title, "tags": [null]}), "/tags/0"),
        (json!({"title": title, "due": "2026-12-01"}), "/due"),
        (json!({"title": title, "due": {}}), "/due/date"),
        (json!({"title": title, "due": {"date": "2026-02-29"}}), "/due/date"),
        (json!({"title": title, "due": {"date": "2026-12-01", "time": "25:00", "time_zone": "UTC"}}), "/due/time"),
        (json!({"title": title, "due": {"date": "2026-12-01", "time": "09:30"}}), "/due/time_zone"),
        (json!({"title": title, "due": {"date": "2026-12-01", "time_zone": "UTC"}}), "/due/time"),
        (json!({"title": title, "due": {"date": "2026-12-01", "time": "09:30", "time_zone": "CET"}}), "/due/time_zone"),
        (json!({"title": title, "due": {"date": "2026-12-01", "hour": 9}}), "/due/hour"),
        (json!({"title": title, "titel": 1}), "/titel"),
        (json!({"title": title, "a/b~c": 1}), "/a~1b~0c"),
        (json!({"title": title, "id": "019ab000-0000-7000-8000-000000000001"}), "/id"),
        (json!({"title": title, "owner_id": "bob"}), "/owner_id"),
        (json!({"title": title, "version": 1}), "/version"),
        (json!({"title": title, "created_at": null}), "/created_at"),
        (json!({"title": title, "updated_at": null}), "/updated_at"),
        (json!({"title": title, "completed_at": null}), "/completed_at"),
        (json!({"title": title, "due_at": null}), "/due_at"),
        (json!([]), ""),
        (json!("title"), ""),
        (json!(null), ""),
    ];
    for (body, place) in cases {
        assert_eq!(user.post("/tasks", body.clone()).mistakes(), [place], "{body}");
    }
    assert!(user.get("/tasks").list().tasks.is_empty());
    let accounts = format!("select count(*) from errand.account where user_id = '{}'", user.id);
    assert_eq!(target().admin_query(&accounts), ["0"]);
}

#[test]
fn all_mistakes_of_a_body_come_at_once() {
    let user = User::new("several");
    let body =
        json!({"description": 1, "priority": "x", "tags": [1, "a", ""], "due": {"date": "x", "time": "y"}, "z": 0});
    let expected = ["/title", "/description", "/due/date", "/due/time", "/priority", "/tags/0", "/tags/2", "/z"];
    let mut mistakes = user.post("/tasks", body).mistakes();
    mistakes.sort();
    let mut expected = expected.map(str::to_owned).to_vec();
    expected.sort();
    assert_eq!(mistakes, expected);
}

#[test]
fn what_is_no_json_is_refused() {
    let user = User::new("json");
    let deep = [b"[".repeat(10_000), b"]".repeat(10_000)].concat();
    let nested = [&br#"{"title":"#[..], &deep, b"}"].concat();
    let bodies: Vec<&[u8]> = vec![
        b"",
        b" ",
        b"{",
        b"{}x",
        b"{'title':'a'}",
        b"{\"title\":\"a\",}",
        b"{\"title\":\"\xff\"}",
        b"\xef\xbb\xbf{\"title\":\"a\"}",
        br#"{"title":"\ud800"}"#,
        br#"{"title":1e400}"#,
        br#"{"title":NaN}"#,
        b"{\"title\":\"a\nb\"}",
        &deep,
        &nested,
    ];
    for body in bodies {
        let reply = user.send("POST", "/tasks", &[("content-type", "application/json")], Some(body));
        assert_eq!(reply.mistakes(), [""], "{}", String::from_utf8_lossy(&body[..body.len().min(40)]));
    }
    let twice = br#"{"title":"a","title":"b","due":{"date":"2026-12-01","date":"2026-12-02"}}"#;
    let reply = user.send("POST", "/tasks", &[("content-type", "application/json")], Some(twice));
    assert_eq!(reply.mistakes(), ["/title", "/due/date"]);
    assert!(user.get("/tasks").list().tasks.is_empty());
}
