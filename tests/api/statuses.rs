//! Every status that the description of the API lists for an operation, produced: by a rule for each status, so that the
//! operations of a new resource are tested without an edit. A listed status without a rule fails the test, and so does an
//! operation that does not list what its parameters lead to.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Operation, Reply, User, anonymous, operations, target, tell};

/// How a status comes about.
enum How {
    /// By this request.
    By(fn(&Call) -> Reply),
    /// Not by any request that a test can make; for this reason.
    NotHere(&'static str),
}

use How::{By, NotHere};

const RULES: &[(u16, How)] = &[
    (200, By(Call::well)),
    (201, By(Call::anew)),
    (204, By(Call::without_an_answer)),
    (304, By(Call::known)),
    (400, By(Call::badly)),
    (401, By(Call::without_token)),
    (403, By(Call::of_another_user)),
    (404, By(Call::of_nothing)),
    (406, By(Call::for_html)),
    (409, NotHere("needs two requests at the same moment; tests/api/idempotency.rs sends many")),
    (410, By(Call::again_when_it_is_gone)),
    (412, By(Call::of_an_old_version)),
    (413, By(Call::with_too_much)),
    (415, By(Call::with_text)),
    (422, By(Call::with_a_used_key)),
    (429, By(Call::in_a_crowd)),
    (500, NotHere("only a bug in errand gives it")),
    (503, NotHere("needs a database that is away or slow; the host's own tests have one")),
];

#[test]
fn every_status_that_is_described_is_produced() {
    let (mut produced, mut left) = (0, 0);
    for operation in operations() {
        let id = operation.id();
        for (status, response) in operation.responses() {
            let rule = RULES.iter().find(|(known, _)| *known == status);
            match &rule.unwrap_or_else(|| panic!("{id}: no rule says how {status} comes about")).1 {
                By(request) => {
                    agree(&request(&Call::new(operation)), id, status, response);
                    produced += 1;
                }
                NotHere(reason) => {
                    assert!(!reason.is_empty());
                    left += 1;
                }
            }
        }
    }
    tell(produced, &format!("statuses produced ({left} that no request gives)"));
}

#[test]
fn every_operation_describes_what_its_parameters_lead_to() {
    let mut cases = 0;
    for operation in operations() {
        let described: Vec<_> = operation.responses().map(|(status, _)| status).collect();
        let (private, reads, has_body) = (!operation.public, operation.method == "GET", operation.body().is_some());
        let repeatable = operation.takes("Idempotency-Key");
        let answers = operation.responses().any(|(status, response)| status < 300 && response["content"].is_object());
        for (status, is_needed) in [
            (304, reads && operation.takes("If-None-Match")),
            (400, private),
            (401, private),
            (403, private),
            (404, operation.has_id()),
            (406, private && answers),
            (409, repeatable),
            (412, operation.takes("If-Match")),
            (413, has_body),
            (415, has_body),
            (422, repeatable),
            (429, private && !reads),
            (500, private),
            (503, private),
        ] {
            assert!(!is_needed || described.contains(&status), "{}: {status} is not described", operation.id());
            cases += usize::from(is_needed);
        }
    }
    tell(cases, "statuses that parameters lead to");
}

/// Whether an answer is what the description says of it.
#[track_caller]
fn agree(reply: &Reply, id: &str, status: u16, described: &Value) {
    assert_eq!(reply.status, status, "{id}: {}", reply.body);
    let types: Vec<_> = described["content"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    match reply.body.is_empty() {
        true => assert!(types.is_empty(), "{id}: {status} should have a body of {types:?}"),
        false => assert!(types.contains(&reply.header("content-type")), "{id}: {status}: {types:?}"),
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
        assert!(known, "{id}: {status}: {name} is not described");
    }
}

/// A request for an operation, by a user who has one object of its resource.
struct Call {
    operation: Operation,
    user: User,
    id: String,
}

impl Call {
    fn new(operation: Operation) -> Self {
        let user = User::new("statuses");
        let id = if operation.public { String::new() } else { operation.object(&user).id };
        Self { operation, user, id }
    }

    fn of(&self, id: &str, headers: &[(&str, &str)]) -> Reply {
        self.operation.send(&self.user, "me", id, headers)
    }

    fn with(&self, name: &str, value: &str) -> Reply {
        self.of(&self.id, &[(name, value)])
    }

    fn with_body(&self, body: &str) -> Reply {
        self.operation.send_to(&self.user, &self.operation.path_of("me", &self.id), &[], Some(body))
    }

    fn well(&self) -> Reply {
        if self.operation.public {
            anonymous(self.operation.method, self.operation.path)
        } else {
            self.of(&self.id, &[])
        }
    }

    fn anew(&self) -> Reply {
        match self.operation.method {
            "PUT" => self.of(&Uuid::now_v7().to_string(), &[("if-none-match", "*")]),
            _ => self.well(),
        }
    }

    fn without_an_answer(&self) -> Reply {
        if self.operation.takes("Prefer") { self.with("prefer", "return=minimal") } else { self.well() }
    }

    fn known(&self) -> Reply {
        self.with("if-none-match", "*")
    }

    fn badly(&self) -> Reply {
        if self.operation.body().is_some() {
            return self.with_body(r#"{"unknown":1}"#);
        }
        match ["If-Match", "If-None-Match"].into_iter().find(|name| self.operation.takes(name)) {
            Some(name) => self.with(name, "3"),
            None => {
                let path = format!("{}?unknown=1", self.operation.path_of("me", &self.id));
                self.operation.send_to(&self.user, &path, &[], None)
            }
        }
    }

    fn without_token(&self) -> Reply {
        anonymous(self.operation.method, &self.operation.path_of("me", &self.id))
    }

    fn of_another_user(&self) -> Reply {
        self.operation.send(&self.user, "somebody-else", &self.id, &[])
    }

    fn of_nothing(&self) -> Reply {
        self.of(&Uuid::now_v7().to_string(), &[])
    }

    /// The repetition of a write whose object was deleted since.
    fn again_when_it_is_gone(&self) -> Reply {
        let first = self.with("idempotency-key", "k");
        let id =
            if self.operation.has_id() { self.id.clone() } else { first.json()["id"].as_str().unwrap().to_owned() };
        self.operation.of_the_object("DELETE").unwrap().send(&self.user, "me", &id, &[]).expect(204);
        self.with("idempotency-key", "k")
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
        // A list with a filter, because one without needs no slot.
        let mut parameters = self.operation.parameters().filter(|parameter| parameter["in"] == "query");
        let filter = parameters.find(|parameter| parameter["schema"]["type"] == "boolean");
        let query = filter.map_or_else(String::new, |filter| format!("?{}=false", filter["name"].as_str().unwrap()));
        let path = self.operation.path_of("me", &self.id) + &query;
        let body = self.operation.body().map(|body| body.to_string());
        let reply = self.operation.send_to(&self.user, &path, &[], body.as_deref());
        assert_eq!((reply.problem().code.as_str(), reply.header("retry-after")), ("too_many_requests", "1"));
        held.release();
        reply
    }

    fn with_text(&self) -> Reply {
        self.with("content-type", "text/plain")
    }

    fn with_too_much(&self) -> Reply {
        self.with_body(&" ".repeat(64 * 1024 + 1))
    }

    fn with_a_used_key(&self) -> Reply {
        self.user.with_json("POST", "/tasks", &[("idempotency-key", "k")], json!({"title": "another"})).expect(201);
        self.with("idempotency-key", "k")
    }
}
