//! What a refusal says: the field that is wrong, and what would be right. A client's developer reads it once, and knows.

use serde_json::{Value, json};

use crate::support::{Reply, User};

/// Each mistake with its place, in order.
fn told(reply: &Reply) -> Vec<(String, String)> {
    let places = reply.mistakes();
    places.into_iter().zip(reply.problem().errors.into_iter().map(|mistake| mistake.detail)).collect()
}

fn one(place: &str, detail: &str) -> Vec<(String, String)> {
    vec![(place.to_owned(), detail.to_owned())]
}

/// Refused alike whether the member makes a task or changes one.
#[test]
fn of_a_member() {
    let user = User::new("told");
    let path = format!("/tasks/{}", user.create(json!({"title": "t"})).id);
    let not_of_a_task = "Unknown field. A task has title, description, completed, priority, due and tags.";
    let due = |rest: Value| {
        let mut due = json!({"date": "2026-12-01", "time": "09:30", "time_zone": "UTC"});
        due.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        due
    };
    let zone = "Must be an IANA time zone such as Europe/Vilnius or UTC.";
    let time = "Must be a time of day from 00:00 to 23:59, as HH:MM or HH:MM:SS.";
    for (name, value, place, detail) in [
        ("title", json!("  "), "/title", "Must not be empty."),
        ("title", json!("\u{200b} \u{3164}\u{ad}"), "/title", "Must not be empty."),
        ("title", json!("a".repeat(256)), "/title", "Must have at most 255 characters, not 256."),
        ("title", json!("a\0"), "/title", "Must not have NUL characters."),
        ("title", json!(null), "/title", "Must be a string, not null."),
        ("title", json!(5), "/title", "Must be a string, not a number."),
        ("title", json!(true), "/title", "Must be a string, not a boolean."),
        ("description", json!("d".repeat(10_001)), "/description", "Must have at most 10000 characters, not 10001."),
        ("description", json!("\0"), "/description", "Must not have NUL characters."),
        ("description", json!([]), "/description", "Must be null or a string, not an array."),
        ("completed", json!("yes"), "/completed", "Must be true or false, not a string."),
        ("priority", json!("urgent"), "/priority", "Must be one of none, low, medium and high."),
        ("priority", json!(3), "/priority", "Must be one of none, low, medium and high, not a number."),
        ("tags", json!({}), "/tags", "Must be an array of strings, not an object."),
        ("tags", json!(vec!["t"; 21]), "/tags", "Must have at most 20 tags, not 21."),
        ("tags", json!(["a", "a"]), "/tags/1", "The tag stands here twice."),
        ("tags", json!(["a", " a\u{3000}"]), "/tags/1", "The tag stands here twice."),
        ("tags", json!(["\u{e9}", "e\u{301}"]), "/tags/1", "The tag stands here twice."),
        ("tags", json!([" "]), "/tags/0", "Must have 1 to 50 characters, not 0."),
        ("tags", json!(["\u{200d}"]), "/tags/0", "Must not be empty."),
        ("tags", json!(["a", ""]), "/tags/1", "Must have 1 to 50 characters, not 0."),
        ("tags", json!(["a".repeat(51)]), "/tags/0", "Must have 1 to 50 characters, not 51."),
        ("tags", json!(["\0"]), "/tags/0", "Must not have NUL characters."),
        ("tags", json!([[]]), "/tags/0", "Must be a string, not an array."),
        ("due", json!("2026-12-01"), "/due", "Must be null or an object with a date, not a string."),
        ("due", due(json!({"date": "2026-02-29"})), "/due/date", "Must be a day that exists, as YYYY-MM-DD."),
        ("due", due(json!({"date": 2026})), "/due/date", "Must be a string, not a number."),
        ("due", due(json!({"time": "24:00"})), "/due/time", time),
        ("due", due(json!({"time_zone": "../CET"})), "/due/time_zone", zone),
        ("due", due(json!({"hour": 9})), "/due/hour", "Unknown field. A due date has date, time and time_zone."),
        ("version", json!(2), "/version", "The field is read-only."),
        (
            "title",
            json!("a".to_owned() + &"\u{301}".repeat(31)),
            "/title",
            "Must not have more than 30 combining marks in a row.",
        ),
        ("titel", json!("t"), "/titel", not_of_a_task),
    ] {
        let mut whole = json!({"title": "t", "completed": false});
        whole[name] = value.clone();
        let part = json!({ name: value });
        assert_eq!(told(&user.post("/tasks", whole.clone())), one(place, detail), "POST {part}");
        // A task may be sent back as it was read.
        if name != "version" {
            assert_eq!(told(&user.with_json("PUT", &path, &[], whole)), one(place, detail), "PUT {part}");
        }
        assert_eq!(told(&user.patch(&path, part.clone())), one(place, detail), "PATCH {part}");
    }
    assert_eq!(user.get(&path).task().version, 1);
}

/// What is wrong as a whole, and what a new task lacks.
#[test]
fn of_a_body() {
    let user = User::new("told-body");
    let path = format!("/tasks/{}", user.create(json!({"title": "t"})).id);
    let complete = format!("{path}/complete");
    for (method, path, body, place, detail) in [
        ("POST", "/tasks", "[]", "", "The body must be a JSON object, not an array."),
        ("POST", "/tasks", "{}", "/title", "The field is required."),
        ("POST", "/tasks", r#"{"title":"t","title":"u"}"#, "/title", "The field stands here twice."),
        ("POST", "/tasks", r#"{"title":"t","completed":null}"#, "/completed", "Must be true or false, not null."),
        ("POST", "/tasks", r#"{"title":"t","due":{}}"#, "/due/date", "A due date needs a date."),
        (
            "POST",
            "/tasks",
            r#"{"title":"t","due":{"date":"2026-12-01","date":"2026-12-01"}}"#,
            "/due/date",
            "The field stands here twice.",
        ),
        (
            "POST",
            "/tasks",
            r#"{"title":"t","due":{"date":"2026-12-01","time":"09:30"}}"#,
            "/due/time_zone",
            "A time needs the time zone that it is meant in.",
        ),
        (
            "POST",
            "/tasks",
            r#"{"title":"t","due":{"date":"2026-12-01","time_zone":"UTC"}}"#,
            "/due/time",
            "A time zone needs a time; leave both out for the whole day.",
        ),
        ("PUT", &path, r#"{"title":"t"}"#, "/completed", "The field is required."),
        ("PATCH", &path, "5", "", "The body must be a JSON object, not a number."),
        (
            "PATCH",
            &path,
            r#"{"due":{"date":null}}"#,
            "/due/date",
            "A due date needs a date; to clear it, set due to null.",
        ),
        ("PATCH", &complete, "{}", "/completed", "The field is required, unless there is no body at all."),
        ("PATCH", &complete, r#"{"completed":1}"#, "/completed", "Must be true or false, not a number."),
        ("PATCH", &complete, r#"{"completed":true,"at":1}"#, "/at", "Unknown field. The body has completed."),
        ("PATCH", &complete, r#"{"completed":true,"completed":true}"#, "/completed", "The field stands here twice."),
    ] {
        let reply = user.send(method, path, &[("content-type", "application/json")], Some(body.as_bytes()));
        assert_eq!(told(&reply), one(place, detail), "{method} {body}");
    }
}

#[test]
fn of_a_list() {
    let user = User::new("told-list");
    let instant = "Must be an instant of RFC 3339 such as 2026-12-01T09:30:00Z (a plus sign is %2B here).";
    let day_or_instant =
        "Must be a day as YYYY-MM-DD, or an instant such as 2026-12-01T09:30:00Z (a plus sign is %2B here).";
    let cursor = "Not a cursor of this list: take next_cursor as it is, with the same sort and filters.";
    let q = format!("q={}", "q".repeat(201));
    for (query, detail) in [
        ("limit=0", "Must be a number from 1 to 500."),
        ("sort=id", "Must be created_at, updated_at, due, priority or title, with a - before it to reverse."),
        ("count=true", "Must be exact."),
        ("completed=1", "Must be true or false."),
        ("overdue=", "Must be true or false."),
        ("priority=low,urgent", "Must be of none, low, medium and high, with commas between."),
        ("tag=a,,b", "Must have 1 to 50 characters, not 0."),
        ("due_before=tomorrow", day_or_instant),
        ("due_after=2026-02-30", day_or_instant),
        ("updated_since=2026-12-01", instant),
        (&q, "Must have at most 200 characters, not 201."),
        ("q=a%00b", "Must not have NUL characters."),
        ("cursor=x", cursor),
        ("page=2", "Unknown parameter."),
    ] {
        let place = query.split('=').next().unwrap();
        assert_eq!(told(&user.get(&format!("/tasks?{query}"))), one(place, detail), "{query}");
    }
}
