//! Changing some fields of a task.

use serde_json::{Value, json};

use super::full;
use crate::support::{User, target};

#[test]
fn patch_changes_what_it_names() {
    let user = User::new("patch");
    let task = user.create(full());
    let path = format!("/tasks/{}", task.id);
    let patched = user.patch(&path, json!({"title": "Changed"})).expect(200).task();
    assert_eq!((patched.title.as_str(), patched.version), ("Changed", 2));
    let unchanged = (patched.description, patched.due, patched.tags, patched.completed_at, patched.priority);
    assert_eq!(unchanged, (task.description, task.due, task.tags, task.completed_at, task.priority));
    let cleared = user
        .patch(&path, json!({"description": null, "due": null, "tags": null, "priority": null, "completed": null}))
        .expect(200)
        .json();
    for (name, value) in [
        ("description", json!(null)),
        ("due", json!(null)),
        ("due_at", json!(null)),
        ("tags", json!([])),
        ("priority", json!("none")),
        ("completed", json!(false)),
        ("completed_at", json!(null)),
        ("title", json!("Changed")),
    ] {
        assert_eq!(cleared[name], value, "{name}");
    }
    assert_eq!(user.patch(&path, json!({"title": null})).mistakes(), ["/title"]);
    assert_eq!(user.patch(&path, json!({"title": "", "x": 1, "id": 1})).mistakes(), ["/id", "/title", "/x"]);
    assert_eq!(user.patch(&path, json!({})).expect(200).task().title, "Changed");
}

#[test]
fn patch_takes_both_media_types() {
    let user = User::new("patch-type");
    let path = format!("/tasks/{}", user.create(json!({"title": "t"})).id);
    for content_type in ["application/merge-patch+json", "application/json; charset=UTF-8"] {
        user.send("PATCH", &path, &[("content-type", content_type)], Some(b"{\"title\":\"u\"}")).expect(200);
    }
    user.send("PATCH", &path, &[("content-type", "application/json-patch+json")], Some(b"[]")).expect(415);
}

#[test]
fn merge_patch_follows_rfc_7396() {
    // The examples of RFC 7396, appendix A, that have a counterpart here.
    let user = User::new("rfc7396");
    let created = user.create(json!({"title": "b", "description": "c", "tags": ["b"],
        "due": {"date": "2026-12-01", "time": "09:30", "time_zone": "UTC"}}));
    let path = format!("/tasks/{}", created.id);
    let patch = |body: Value| user.patch(&path, body).expect(200).json();
    // {"a":"b"} + {"a":"c"}
    assert_eq!(patch(json!({"title": "c"}))["title"], "c");
    // {"a":"b"} + {"a":null}
    assert_eq!(patch(json!({"description": null}))["description"], Value::Null);
    // {"a":["b"]} + {"a":["c"]}: arrays are replaced, not merged
    assert_eq!(patch(json!({"tags": ["c"]}))["tags"], json!(["c"]));
    // {"a":{"b":"c"}} + {"a":{"b":"d","c":null}}: objects are merged
    let due = &patch(json!({"due": {"time": "10:00"}}))["due"];
    assert_eq!(due, &json!({"date": "2026-12-01", "time": "10:00", "time_zone": "UTC"}));
    let due = &patch(json!({"due": {"time": null, "time_zone": null}}))["due"];
    assert_eq!(due, &json!({"date": "2026-12-01"}));
    // What the merge leaves must be a due date.
    for (part, place) in [
        (json!({"date": null}), "/due/date"),
        (json!({"time": "10:00"}), "/due"),
        (json!({"time_zone": "UTC"}), "/due"),
    ] {
        assert_eq!(user.patch(&path, json!({ "due": part })).mistakes(), [place], "{part}");
    }
    // ["a","b"] + ...: what is no object replaces the whole, and no task is that.
    for body in [json!(["c"]), json!(null), json!("c")] {
        assert_eq!(user.patch(&path, body).mistakes(), [""]);
    }
}

#[test]
fn a_write_that_changes_nothing_leaves_the_task_as_it_was() {
    let user = User::new("nothing");
    for body in [json!({"title": "t"}), full()] {
        let before = user.create(body.clone());
        let path = format!("/tasks/{}", before.id);
        let list = user.get("/tasks").header("etag").to_owned();
        let same = user.get(&path).json();
        let due = same["due"].clone();
        let patches = [
            json!({}),
            json!({"title": format!(" {} ", before.title)}),
            json!({"description": same["description"], "completed": same["completed"], "priority": same["priority"]}),
            json!({"tags": same["tags"]}),
            json!({ "due": due }),
            json!({"due": due["time_zone"].as_str().map(|zone| json!({"time_zone": zone.to_lowercase()}))}),
        ];
        for patch in patches {
            let reply = user.patch(&path, patch.clone()).expect(200);
            assert_eq!((reply.task(), reply.header("etag")), (before.clone(), before.etag.as_str()), "{patch}");
        }
        let complete = format!("{path}/complete");
        for reply in [
            user.put(&path, same),
            user.patch(&complete, json!({"completed": before.completed})),
            user.with_json(
                "PATCH",
                &path,
                &[("idempotency-key", "k"), ("if-match", &before.etag)],
                json!({"title": before.title}),
            ),
            user.with_json("PATCH", &path, &[("idempotency-key", "k")], json!({"title": before.title})),
        ] {
            assert_eq!(
                (reply.clone().expect(200).task(), reply.header("etag")),
                (before.clone(), before.etag.as_str())
            );
        }
        assert_eq!(user.get("/tasks").header("etag"), list, "no number was taken");
        user.delete(&path).expect(204);
        // Each field by itself is a change; and so is a change of order, and of the way a time is written.
        let task = user.create(full());
        let path = format!("/tasks/{}", task.id);
        for (number, patch) in (2..).zip([
            json!({"title": "whole"}),
            json!({"description": null}),
            json!({"completed": false}),
            json!({"priority": "none"}),
            json!({"tags": ["b", "a"]}),
            json!({"tags": null}),
            json!({"due": {"date": "2026-12-02"}}),
            json!({"due": {"time": "09:30:00"}}),
            json!({"due": {"time_zone": "Europe/Riga"}}),
            json!({"due": {"time": null, "time_zone": null}}),
            json!({"due": null}),
        ]) {
            assert_eq!(user.patch(&path, patch.clone()).expect(200).task().version, number, "{patch}");
        }
        user.delete(&path).expect(204);
        // A key of its own for each round.
        target().admin_query(&format!("delete from errand.idempotency where user_id = '{}'", user.id));
    }
}

#[test]
fn a_tag_is_the_same_however_it_is_written() {
    let user = User::new("tags");
    let task = user.create(json!({"title": "t", "tags": [" cafe\u{301} ", "\u{3000}b"]}));
    assert_eq!(task.tags, ["caf\u{e9}", "b"]);
    for tag in ["caf%C3%A9", "cafe%CC%81", "%20caf%C3%A9", "b,cafe%CC%81"] {
        assert_eq!(user.titles(&format!("?tag={tag}")), ["t"], "{tag}");
    }
    // Nothing changes where the same comes again in another form.
    let again = user.patch(&format!("/tasks/{}", task.id), json!({"tags": ["cafe\u{301}", "b "]})).expect(200).task();
    assert_eq!((again.version, again.etag), (task.version, task.etag));
}
