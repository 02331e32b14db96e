//! Pages of other origins: which may read what, and what caches are told.

use std::collections::BTreeSet;

use serde_json::json;
use uuid::Uuid;

use crate::support::{CORS_ORIGIN, Reply, User};

/// The members of a header that is a list, whatever their order and case.
fn members(reply: &Reply, name: &str) -> BTreeSet<String> {
    let values = reply.headers.get_all(name).iter().map(|value| value.to_str().unwrap().to_lowercase());
    values.flat_map(|value| value.split(',').map(|member| member.trim().to_owned()).collect::<Vec<_>>()).collect()
}

fn set(members: &[&str]) -> BTreeSet<String> {
    members.iter().map(|&member| member.to_owned()).collect()
}

fn preflight(user: &User, path: &str, origin: &str) -> Reply {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", "PATCH"),
        ("access-control-request-headers", "authorization, content-type"),
    ];
    user.raw("OPTIONS", path, &headers)
}

#[test]
fn a_preflight_allows_all_that_the_api_takes() {
    let user = User::new("preflight");
    for path in ["/api/me/tasks".to_owned(), format!("/api/me/tasks/{}", Uuid::now_v7())] {
        let reply = preflight(&user, &path, CORS_ORIGIN).expect(204);
        assert_eq!(reply.header("access-control-allow-origin"), CORS_ORIGIN);
        let methods = set(&["get", "head", "post", "put", "patch", "delete"]);
        assert_eq!(members(&reply, "access-control-allow-methods"), methods);
        let headers = set(&[
            "authorization",
            "content-type",
            "idempotency-key",
            "if-match",
            "if-none-match",
            "prefer",
            "traceparent",
            "x-request-id",
        ]);
        assert_eq!(members(&reply, "access-control-allow-headers"), headers);
        assert_eq!(reply.header("access-control-max-age"), "7200");
        assert_eq!(members(&reply, "vary"), set(&["origin"]));
        assert_eq!(reply.body, "");
        // A page sends its token in a header that it sets itself: no cookie is meant, and none is let in.
        assert!(!reply.headers.contains_key("access-control-allow-credentials"));
    }
}

#[test]
fn pages_of_other_origins_are_told_nothing() {
    let user = User::new("cors-other");
    for origin in ["https://evil.example", "null", "https://app.example.evil.example", "http://app.example", ""] {
        for reply in [preflight(&user, "/api/me/tasks", origin), user.get_with("/tasks", &[("origin", origin)])] {
            let told = reply.headers.keys().any(|name| name.as_str().starts_with("access-control-"));
            assert!(!told, "{origin:?}: {:?}", reply.headers);
            assert!(members(&reply, "vary").contains("origin"), "{origin:?}");
        }
    }
}

#[test]
fn pages_of_allowed_origins_may_read_answers_and_errors() {
    let user = User::new("cors");
    let exposed = [
        "etag",
        "idempotency-replayed",
        "link",
        "location",
        "preference-applied",
        "retry-after",
        "www-authenticate",
        "x-request-id",
    ];
    let origin = [("origin", CORS_ORIGIN)];
    for reply in [
        user.get_with("/tasks", &origin).expect(200),
        user.with_json("POST", "/tasks", &origin, json!({"title": "t"})).expect(201),
        user.raw("GET", "/api/me/tasks", &origin).expect(401),
        user.get_with("/nothing", &origin).expect(404),
        user.send("POST", "/tasks", &origin, None).expect(415),
    ] {
        assert_eq!(reply.header("access-control-allow-origin"), CORS_ORIGIN, "{}", reply.status);
        assert_eq!(members(&reply, "access-control-expose-headers"), set(&exposed), "{}", reply.status);
    }
}

/// A cache that does not know it gives one origin's answer to a page of another one, and the browser refuses it there.
#[test]
fn every_answer_differs_by_origin_whether_there_is_one_or_not() {
    let user = User::new("cors-vary");
    let path = format!("/tasks/{}", user.create(json!({"title": "t"})).id);
    for origin in [&[][..], &[("origin", CORS_ORIGIN)], &[("origin", "https://evil.example")]] {
        let known = |path: &str, etag: &str| {
            let condition = [origin, &[("if-none-match", etag)]].concat();
            user.get_with(path, &condition).expect(304)
        };
        let list = user.get_with("/tasks", origin).expect(200);
        let private = [
            known("/tasks", list.header("etag")),
            list,
            user.get_with(&path, origin).expect(200),
            known(&path, "*"),
            user.send("HEAD", &path, origin, None).expect(200),
        ];
        for reply in private {
            assert_eq!(members(&reply, "vary"), set(&["authorization", "origin"]), "{} {origin:?}", reply.status);
        }
        let written = user.with_json("POST", "/tasks", origin, json!({"title": "t"})).expect(201);
        for reply in [
            user.send("DELETE", &written.header("location")[user.path("").len()..], origin, None).expect(204),
            written,
            user.raw("GET", "/api/me/tasks", origin).expect(401),
            user.get_with("/nothing", origin).expect(404),
            user.send("TRACE", "/tasks", origin, None).expect(405),
        ] {
            assert!(members(&reply, "vary").contains("origin"), "{} {origin:?}", reply.status);
        }
    }
}
