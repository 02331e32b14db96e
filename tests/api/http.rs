//! HTTP beyond the single resource: statuses, negotiation, preferences, limits, CORS.

use errand::api::routes;
use serde_json::json;
use uuid::Uuid;

use crate::support::{User, anonymous};

#[test]
fn unknown_paths_and_methods_are_problems() {
    let user = User::new("routes");
    for path in ["/", "/api", "/api/me", "/api/me/lists", "/api/me/tasks/", "/health", "/openapi.yaml"] {
        assert_eq!(user.send_to("GET", path, &[], None).expect(404).problem().code, "not_found", "{path}");
    }
    for route in routes() {
        let path = route.path.replace("{user_id}", "me").replace("{id}", &Uuid::now_v7().to_string());
        let mut known: Vec<_> = route.methods().collect();
        if known.contains(&"GET") {
            known.push("HEAD");
        }
        known.sort_unstable();
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"] {
            if known.contains(&method) || method == "HEAD" {
                continue;
            }
            let reply = user.send_to(method, &path, &[], None).expect(405);
            let mut allowed: Vec<_> = reply.header("allow").split(',').map(str::trim).collect();
            allowed.sort_unstable();
            assert_eq!(allowed, known, "{method} {path}");
            assert_eq!(reply.problem().code, "method_not_allowed");
        }
        let options = anonymous("OPTIONS", &path).expect(204);
        assert_eq!(options.header("allow").split(',').count(), known.len());
    }
}

#[test]
fn head_is_get_without_a_body() {
    let user = User::new("head");
    let task = user.create(json!({"title": "t"}));
    for path in ["/tasks".to_owned(), format!("/tasks/{}", task.id)] {
        let (get, head) = (user.get(&path), user.send("HEAD", &path, &[], None).expect(200));
        assert_eq!(head.body, "");
        for name in ["etag", "content-length", "content-type", "cache-control", "vary"] {
            assert_eq!(head.header(name), get.header(name));
        }
    }
    let missing = user.send("HEAD", &format!("/tasks/{}", Uuid::now_v7()), &[], None).expect(404);
    assert_eq!((missing.body.as_str(), missing.header("content-type")), ("", "application/problem+json"));
}

#[test]
fn user_data_stays_private() {
    let user = User::new("private");
    let task = user.create(json!({"title": "t"}));
    for reply in [user.get("/tasks"), user.get(&format!("/tasks/{}", task.id))] {
        assert_eq!(reply.header("cache-control"), "private, no-cache");
        assert!(reply.headers.get_all("vary").iter().any(|value| value == "Authorization"));
    }
    assert_eq!(user.get("/nothing").header("cache-control"), "no-store");
}

#[test]
fn accept_is_honoured() {
    let user = User::new("accept");
    let path = format!("/tasks/{}", user.create(json!({"title": "t"})).id);
    for accept in ["*/*", "application/*;q=0.1", "text/html, application/json;q=0.5", "APPLICATION/JSON"] {
        user.get_with(&path, &[("accept", accept)]).expect(200);
    }
    for accept in ["text/html", "application/json;q=0", "application/xml, text/*"] {
        assert_eq!(user.get_with(&path, &[("accept", accept)]).expect(406).problem().code, "not_acceptable");
    }
    let refused = user.with_json("PATCH", &path, &[("accept", "text/html")], json!({"title": "lost"}));
    refused.expect(406);
    assert_eq!(user.get(&path).task().title, "t");
    user.send("DELETE", &path, &[("accept", "text/html")], None).expect(204);
}

#[test]
fn a_body_has_a_type_and_a_limit() {
    let user = User::new("body");
    let body = br#"{"title":"t"}"#;
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "json", "application/merge-patch+json"] {
        let reply = user.send("POST", "/tasks", &[("content-type", content_type)], Some(body)).expect(415);
        assert_eq!(reply.problem().code, "unsupported_media_type", "{content_type}");
    }
    user.send("POST", "/tasks", &[], Some(body)).expect(415);
    let padded = |length: usize| {
        let mut text = br#"{"title":"t"}"#.to_vec();
        text.resize(length, b' ');
        user.send("POST", "/tasks", &[("content-type", "application/json")], Some(&text))
    };
    padded(64 * 1024).expect(201);
    assert_eq!(padded(64 * 1024 + 1).expect(413).problem().code, "payload_too_large");
    assert_eq!(user.get("/tasks").list().tasks.len(), 1);
    // A charset says nothing: JSON is UTF-8.
    for content_type in ["application/json; charset=latin1", "application/json;charset=\"utf-8\";x=y"] {
        user.send("POST", "/tasks", &[("content-type", content_type)], Some(body)).expect(201);
    }
}

#[test]
fn a_minimal_answer_has_no_body() {
    let user = User::new("prefer");
    let minimal = ("prefer", "return=minimal");
    let created = user.with_json("POST", "/tasks", &[minimal], json!({"title": "t"})).expect(201);
    assert_eq!((created.body.as_str(), created.header("preference-applied")), ("", "return=minimal"));
    assert!(created.header("etag").ends_with("-1\""));
    let path = created.header("location").to_owned();
    let rest = path.strip_prefix(&user.path("")).unwrap();
    let body = json!({"title": "u", "completed": false});
    for (method, rest, body) in [
        ("PUT", rest.to_owned(), body.clone()),
        ("PATCH", rest.to_owned(), body),
        ("PATCH", format!("{rest}/complete"), json!({"completed": true})),
    ] {
        let reply = user.with_json(method, &rest, &[minimal], body).expect(204);
        assert_eq!(reply.header("preference-applied"), "return=minimal");
        assert!(reply.headers.contains_key("etag") && reply.body.is_empty());
    }
    // The second of two equal writes changed nothing.
    assert_eq!(user.get(rest).task().version, 3);
    let whole = user.with_json("POST", "/tasks", &[("prefer", "return=representation")], json!({"title": "t"}));
    assert_eq!(whole.expect(201).task().title, "t");
}

#[test]
fn a_request_id_is_taken_over_when_it_is_harmless() {
    let user = User::new("request-id");
    assert_eq!(user.get_with("/tasks", &[("x-request-id", "abc-1.2_3")]).header("x-request-id"), "abc-1.2_3");
    for id in ["a b", "", "<script>", &"a".repeat(129)] {
        let reply = user.get_with("/nothing", &[("x-request-id", id)]);
        assert_ne!(reply.header("x-request-id"), id);
        assert_eq!(reply.problem().request_id, reply.header("x-request-id"));
    }
}

#[test]
fn health_tells_no_internals() {
    for (path, body) in [("/health/live", r#"{"status":"live"}"#), ("/health/ready", r#"{"status":"ready"}"#)] {
        assert_eq!(anonymous("GET", path).expect(200).body, body);
    }
}

/// The limit is about content: how a client writes it is its own business.
#[test]
fn every_field_at_its_limit_fits_escaped_or_not() {
    let user = User::new("escaped");
    let text = |characters: usize| "\u{1f686}".repeat(characters);
    let task = json!({"title": text(255), "description": text(10_000), "completed": true, "priority": "medium",
        "tags": (0..20).map(|n| format!("{n:02}{}", text(48))).collect::<Vec<_>>(),
        "due": {"date": "2026-12-01", "time": "09:30:00", "time_zone": "America/Argentina/Buenos_Aires"}});
    let plain = task.to_string();
    let escaped: String = plain
        .chars()
        .map(|character| {
            let mut units = [0; 2];
            match character.is_ascii() {
                true => character.to_string(),
                false => character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
            }
        })
        .collect();
    assert!(plain.len() < 64 * 1024 && escaped.len() > 128 * 1024);
    let post = |body: &str| user.send("POST", "/tasks", &[("content-type", "application/json")], Some(body.as_bytes()));
    let [plain, other] = [post(&plain).expect(201).task(), post(&escaped).expect(201).task()];
    assert_eq!((plain.title, plain.description, plain.tags), (other.title, other.description, other.tags));
    // As many bytes of content as are allowed, each written with six, and one more.
    let around = r#"{"title":"t","x":""}"#.len();
    for (bytes, status) in [(64 * 1024 - around, 400), (64 * 1024 - around + 1, 413)] {
        post(&format!(r#"{{"title":"t","x":"{}"}}"#, "\\u0061".repeat(bytes))).expect(status);
    }
    let raw = |length: usize| post(&format!("{}{}", "\\u0061".repeat(64 * 1024), " ".repeat(length - 6 * 64 * 1024)));
    raw(400 * 1024).expect(413);
}

#[test]
fn what_is_encoded_is_not_read() {
    let user = User::new("encoded");
    let path = format!("/tasks/{}", user.create(json!({"title": "t"})).id);
    for (method, rest) in [
        ("POST", "/tasks".to_owned()),
        ("PUT", path.clone()),
        ("PATCH", path.clone()),
        ("PATCH", format!("{path}/complete")),
    ] {
        let body = if rest.ends_with("/complete") {
            json!({"completed": true})
        } else {
            json!({"title": "u", "completed": false})
        };
        let encoded = |encoding: &str| user.with_json(method, &rest, &[("content-encoding", encoding)], body.clone());
        for encoding in ["gzip", "br, identity", "x"] {
            let reply = encoded(encoding).expect(415);
            assert_eq!(
                (reply.problem().code.as_str(), reply.header("accept-encoding")),
                ("unsupported_media_type", "identity")
            );
            let accepted = reply.headers.get("accept-patch").map(|types| types.to_str().unwrap());
            let types = "application/merge-patch+json, application/json";
            assert_eq!(accepted, (method == "PATCH").then_some(types), "{method}");
        }
        assert!(encoded("Identity").status < 300);
    }
}

#[test]
fn a_client_learns_how_to_patch() {
    let user = User::new("accept-patch");
    let path = format!("/tasks/{}", user.create(json!({"title": "t"})).id);
    let types = "application/merge-patch+json, application/json";
    for rest in [path.clone(), format!("{path}/complete")] {
        let reply = user.send("PATCH", &rest, &[("content-type", "text/plain")], Some(b"x")).expect(415);
        assert_eq!(reply.header("accept-patch"), types);
        assert_eq!(user.send("OPTIONS", &rest, &[], None).expect(204).header("accept-patch"), types);
    }
    for reply in [
        user.send("OPTIONS", "/tasks", &[], None).expect(204),
        user.send("POST", "/tasks", &[("content-type", "text/plain")], Some(b"x")).expect(415),
    ] {
        assert!(!reply.headers.contains_key("accept-patch"));
    }
}
