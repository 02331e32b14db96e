//! Every status that the description of the API lists for an operation, produced. A status that is listed and has no
//! row here fails the test, and so does a row of a status that is not listed.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Reply, User, anonymous, target};

const TASKS: &str = "/api/{user_id}/tasks";
const TASK: &str = "/api/{user_id}/tasks/{id}";
const COMPLETE: &str = "/api/{user_id}/tasks/{id}/complete";

/// How a status comes about.
enum How {
    /// By this request.
    By(fn(&Call) -> Reply),
    /// Not by any request that a test can make; for this reason.
    NotHere(&'static str),
}

use How::{By, NotHere};

const BROKEN: How = NotHere("only a mistake of errand's own gives it");
const AWAY: How = NotHere("needs a database that is away or slow; the host's own tests have one");
const RACE: How = NotHere("needs two requests at the same moment; tests/api/idempotency.rs sends many");

const ROWS: &[(&str, &str, u16, How)] = &[
    ("GET", TASKS, 200, By(Call::well)),
    ("GET", TASKS, 304, By(Call::known)),
    ("GET", TASKS, 400, By(Call::badly)),
    ("GET", TASKS, 401, By(Call::without_token)),
    ("GET", TASKS, 403, By(Call::of_another_user)),
    ("GET", TASKS, 406, By(Call::for_html)),
    ("GET", TASKS, 429, By(Call::in_a_crowd)),
    ("GET", TASKS, 500, BROKEN),
    ("GET", TASKS, 503, AWAY),
    ("POST", TASKS, 201, By(Call::well)),
    ("POST", TASKS, 400, By(Call::badly)),
    ("POST", TASKS, 401, By(Call::without_token)),
    ("POST", TASKS, 403, By(Call::of_another_user)),
    ("POST", TASKS, 406, By(Call::for_html)),
    ("POST", TASKS, 409, RACE),
    ("POST", TASKS, 410, By(Call::of_what_is_gone)),
    ("POST", TASKS, 413, By(Call::with_too_much)),
    ("POST", TASKS, 415, By(Call::with_text)),
    ("POST", TASKS, 422, By(Call::with_a_used_key)),
    ("POST", TASKS, 429, By(Call::in_a_crowd)),
    ("POST", TASKS, 500, BROKEN),
    ("POST", TASKS, 503, AWAY),
    ("GET", TASK, 200, By(Call::well)),
    ("GET", TASK, 304, By(Call::known)),
    ("GET", TASK, 400, By(Call::badly)),
    ("GET", TASK, 401, By(Call::without_token)),
    ("GET", TASK, 403, By(Call::of_another_user)),
    ("GET", TASK, 404, By(Call::of_no_task)),
    ("GET", TASK, 406, By(Call::for_html)),
    ("GET", TASK, 500, BROKEN),
    ("GET", TASK, 503, AWAY),
    ("PUT", TASK, 200, By(Call::well)),
    ("PUT", TASK, 201, By(Call::of_no_task_yet)),
    ("PUT", TASK, 204, By(Call::minimally)),
    ("PUT", TASK, 400, By(Call::badly)),
    ("PUT", TASK, 401, By(Call::without_token)),
    ("PUT", TASK, 403, By(Call::of_another_user)),
    ("PUT", TASK, 404, By(Call::of_no_task)),
    ("PUT", TASK, 406, By(Call::for_html)),
    ("PUT", TASK, 409, RACE),
    ("PUT", TASK, 410, By(Call::of_what_is_gone)),
    ("PUT", TASK, 412, By(Call::of_an_old_version)),
    ("PUT", TASK, 413, By(Call::with_too_much)),
    ("PUT", TASK, 415, By(Call::with_text)),
    ("PUT", TASK, 422, By(Call::with_a_used_key)),
    ("PUT", TASK, 429, By(Call::in_a_crowd)),
    ("PUT", TASK, 500, BROKEN),
    ("PUT", TASK, 503, AWAY),
    ("PATCH", TASK, 200, By(Call::well)),
    ("PATCH", TASK, 204, By(Call::minimally)),
    ("PATCH", TASK, 400, By(Call::badly)),
    ("PATCH", TASK, 401, By(Call::without_token)),
    ("PATCH", TASK, 403, By(Call::of_another_user)),
    ("PATCH", TASK, 404, By(Call::of_no_task)),
    ("PATCH", TASK, 406, By(Call::for_html)),
    ("PATCH", TASK, 409, RACE),
    ("PATCH", TASK, 410, By(Call::of_what_is_gone)),
    ("PATCH", TASK, 412, By(Call::of_an_old_version)),
    ("PATCH", TASK, 413, By(Call::with_too_much)),
    ("PATCH", TASK, 415, By(Call::with_text)),
    ("PATCH", TASK, 422, By(Call::with_a_used_key)),
    ("PATCH", TASK, 429, By(Call::in_a_crowd)),
    ("PATCH", TASK, 500, BROKEN),
    ("PATCH", TASK, 503, AWAY),
    ("DELETE", TASK, 204, By(Call::well)),
    ("DELETE", TASK, 400, By(Call::badly)),
    ("DELETE", TASK, 401, By(Call::without_token)),
    ("DELETE", TASK, 403, By(Call::of_another_user)),
    ("DELETE", TASK, 404, By(Call::of_no_task)),
    ("DELETE", TASK, 409, RACE),
    ("DELETE", TASK, 412, By(Call::of_an_old_version)),
    ("DELETE", TASK, 422, By(Call::with_a_used_key)),
    ("DELETE", TASK, 429, By(Call::in_a_crowd)),
    ("DELETE", TASK, 500, BROKEN),
    ("DELETE", TASK, 503, AWAY),
    ("PATCH", COMPLETE, 200, By(Call::well)),
    ("PATCH", COMPLETE, 204, By(Call::minimally)),
    ("PATCH", COMPLETE, 400, By(Call::badly)),
    ("PATCH", COMPLETE, 401, By(Call::without_token)),
    ("PATCH", COMPLETE, 403, By(Call::of_another_user)),
    ("PATCH", COMPLETE, 404, By(Call::of_no_task)),
    ("PATCH", COMPLETE, 406, By(Call::for_html)),
    ("PATCH", COMPLETE, 409, RACE),
    ("PATCH", COMPLETE, 410, By(Call::of_what_is_gone)),
    ("PATCH", COMPLETE, 412, By(Call::of_an_old_version)),
    ("PATCH", COMPLETE, 413, By(Call::with_too_much)),
    ("PATCH", COMPLETE, 415, By(Call::with_text)),
    ("PATCH", COMPLETE, 422, By(Call::with_a_used_key)),
    ("PATCH", COMPLETE, 429, By(Call::in_a_crowd)),
    ("PATCH", COMPLETE, 500, BROKEN),
    ("PATCH", COMPLETE, 503, AWAY),
    ("GET", "/health/live", 200, By(Call::without_token)),
    ("GET", "/health/ready", 200, By(Call::without_token)),
    ("GET", "/health/ready", 503, AWAY),
    ("GET", "/openapi.json", 200, By(Call::without_token)),
    ("GET", "/openapi.json", 304, By(Call::known)),
    ("GET", "/.well-known/oauth-protected-resource", 200, By(Call::without_token)),
];

#[test]
fn every_status_that_is_described_is_produced() {
    let document = description();
    let mut described = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for (status, response) in operation["responses"].as_object().unwrap() {
                let response = match response["$ref"].as_str() {
                    Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
                    None => response,
                };
                described.insert((method.to_uppercase(), path.clone(), status.parse::<u16>().unwrap()), response);
            }
        }
    }
    for (method, route, status, how) in ROWS {
        let response = described.remove(&((*method).to_owned(), (*route).to_owned(), *status));
        let response = response.unwrap_or_else(|| panic!("{method} {route}: {status} is not described"));
        match how {
            By(request) => agree(&request(&Call::new(method, route)), *status, response),
            NotHere(reason) => assert!(!reason.is_empty()),
        }
    }
    assert!(described.is_empty(), "described, and without a row here: {:?}", described.keys());
}

/// Whether an answer is what the description says of it.
#[track_caller]
fn agree(reply: &Reply, status: u16, described: &Value) {
    assert_eq!(reply.status, status, "{}", reply.body);
    let types: Vec<_> = described["content"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    match reply.body.is_empty() {
        true => assert!(types.is_empty(), "{status} should have a body of {types:?}"),
        false => assert!(types.contains(&reply.header("content-type")), "{status}: {types:?}"),
    }
    let named = described["headers"].as_object().unwrap();
    for (name, _) in &reply.headers {
        let known = named.keys().any(|header| header.eq_ignore_ascii_case(name.as_str()))
            || [
                "content-type",
                "content-length",
                "connection",
                "date",
                "vary",
                "cache-control",
                "x-content-type-options",
            ]
            .contains(&name.as_str())
            || name.as_str().starts_with("access-control-");
        assert!(known, "{status}: {name} is not described");
    }
}

fn description() -> Value {
    anonymous("GET", "/openapi.json").expect(200).json()
}

/// A request for an operation, by a user who has one task.
struct Call {
    method: &'static str,
    route: &'static str,
    user: User,
    id: String,
}

impl Call {
    fn new(method: &'static str, route: &'static str) -> Self {
        let user = User::new("statuses");
        let id = user.create(json!({"title": "t"})).id.to_string();
        Self { method, route, user, id }
    }

    fn path(&self, user: &str, id: &str) -> String {
        self.route.replace("{user_id}", user).replace("{id}", id)
    }

    fn takes_body(&self) -> bool {
        matches!(self.method, "POST" | "PUT" | "PATCH")
    }

    fn body(&self) -> Option<&'static str> {
        match self.route {
            COMPLETE => Some(r#"{"completed":true}"#),
            _ => self.takes_body().then_some(r#"{"title":"t","completed":true}"#),
        }
    }

    fn send(&self, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> Reply {
        let mut all = headers.to_vec();
        if body.is_some() && !headers.iter().any(|(name, _)| *name == "content-type") {
            all.push(("content-type", "application/json"));
        }
        self.user.send_to(self.method, path, &all, body.map(str::as_bytes))
    }

    fn with(&self, name: &str, value: &str) -> Reply {
        self.send(&self.path("me", &self.id), &[(name, value)], self.body())
    }

    fn well(&self) -> Reply {
        self.send(&self.path("me", &self.id), &[], self.body())
    }

    fn minimally(&self) -> Reply {
        self.with("prefer", "return=minimal")
    }

    fn known(&self) -> Reply {
        self.with("if-none-match", "*")
    }

    fn badly(&self) -> Reply {
        match (self.method, self.route) {
            ("GET", TASKS) => self.send(&format!("{}?limit=0", self.path("me", "")), &[], None),
            ("GET", _) => self.with("if-none-match", "3"),
            ("DELETE", _) => self.with("if-match", "3"),
            _ => self.send(&self.path("me", &self.id), &[], Some(r#"{"unknown":1}"#)),
        }
    }

    fn without_token(&self) -> Reply {
        anonymous(self.method, &self.path("me", &self.id))
    }

    fn of_another_user(&self) -> Reply {
        self.send(&self.path("somebody-else", &self.id), &[], self.body())
    }

    fn of_no_task(&self) -> Reply {
        self.send(&self.path("me", &Uuid::now_v7().to_string()), &[], self.body())
    }

    fn of_no_task_yet(&self) -> Reply {
        self.send(&self.path("me", &Uuid::now_v7().to_string()), &[("if-none-match", "*")], self.body())
    }

    fn of_an_old_version(&self) -> Reply {
        self.with("if-match", "\"99\"")
    }

    fn for_html(&self) -> Reply {
        self.with("accept", "text/html")
    }

    /// While three of the user's requests have the slots, and another write is not done yet.
    fn in_a_crowd(&self) -> Reply {
        let held = target().hold(&format!(
            "select from errand.account where user_id = '{0}' for update;
             select pg_advisory_xact_lock(number, -slot) from errand.account, generate_series(1, 3) as slot where user_id = '{0}'",
            self.user.id
        ));
        let query = if self.method == "GET" { "?completed=false" } else { "" };
        let reply = self.send(&format!("{}{query}", self.path("me", &self.id)), &[], self.body());
        assert_eq!((reply.problem().code.as_str(), reply.header("retry-after")), ("too_many_requests", "1"));
        held.release();
        reply
    }

    fn with_text(&self) -> Reply {
        self.with("content-type", "text/plain")
    }

    fn with_too_much(&self) -> Reply {
        self.send(&self.path("me", &self.id), &[], Some(&" ".repeat(64 * 1024 + 1)))
    }

    /// The write was done, and its task has been deleted since.
    fn of_what_is_gone(&self) -> Reply {
        let first = self.with("idempotency-key", "k");
        let id = first.json()["id"].as_str().unwrap().to_owned();
        self.user.delete(&format!("/tasks/{id}")).expect(204);
        self.with("idempotency-key", "k")
    }

    fn with_a_used_key(&self) -> Reply {
        self.user.with_json("POST", "/tasks", &[("idempotency-key", "k")], json!({"title": "another"})).expect(201);
        self.with("idempotency-key", "k")
    }
}
