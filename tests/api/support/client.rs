//! A client: one user, one token, plain requests.

use std::sync::LazyLock;
use std::time::Duration;

use errand::api::{ProblemBody, TaskList};
use errand::domain::Task;
use serde_json::Value;
use ureq::http::{Request, Response, StatusCode};
use ureq::{Agent, Body};
use uuid::Uuid;

use super::target::{Target, target};
use errand_testing::kind;
use errand_testing::token::{SECRET, token_for};

/// A user, with a token that is good for an hour.
#[derive(Clone)]
pub struct User {
    pub id: String,
    pub token: String,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub body: String,
}

static AGENT: LazyLock<Agent> = LazyLock::new(|| agent(64));
/// A server that answers before it has read a body may close the connection just as it is taken up again. What may not be
/// repeated goes over a connection of its own.
static CAREFUL_AGENT: LazyLock<Agent> = LazyLock::new(|| agent(0));

fn agent(idle_connections: usize) -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_idle_connections_per_host(idle_connections)
        .max_idle_connections(idle_connections)
        .timeout_global(Some(Duration::from_secs(60)))
        .allow_non_standard_methods(true)
        .build()
        .new_agent()
}

/// A request without a token.
pub fn anonymous(method: &str, path: &str) -> Reply {
    send(method, path, &[], None)
}

impl User {
    /// A user of whom the database knows nothing.
    pub fn new(name: &str) -> Self {
        Self::with_id(&format!("{name}-{}", Uuid::now_v7()))
    }

    /// The user with this id.
    pub fn with_id(id: &str) -> Self {
        Self { id: id.to_owned(), token: token_for(id, SECRET, Duration::from_secs(3600)) }
    }

    /// The path of something of this user's.
    pub fn path(&self, rest: &str) -> String {
        format!("/api/{}{rest}", self.id)
    }

    /// Sends a request to a path of this user's.
    pub fn send(&self, method: &str, rest: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Reply {
        self.send_to(method, &self.path(rest), headers, body)
    }

    /// Sends a request to any path.
    pub fn send_to(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Reply {
        let authorization = format!("Bearer {}", self.token);
        let mut all = vec![("authorization", authorization.as_str())];
        all.extend_from_slice(headers);
        send(method, path, &all, body)
    }

    /// Sends a request with these headers alone.
    pub fn raw(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
        send(method, path, headers, None)
    }

    pub fn get(&self, rest: &str) -> Reply {
        self.send("GET", rest, &[], None)
    }

    pub fn get_with(&self, rest: &str, headers: &[(&str, &str)]) -> Reply {
        self.send("GET", rest, headers, None)
    }

    pub fn post(&self, rest: &str, body: Value) -> Reply {
        self.with_json("POST", rest, &[], body)
    }

    pub fn put(&self, rest: &str, body: Value) -> Reply {
        self.with_json("PUT", rest, &[], body)
    }

    pub fn patch(&self, rest: &str, body: Value) -> Reply {
        self.with_json("PATCH", rest, &[], body)
    }

    pub fn delete(&self, rest: &str) -> Reply {
        self.send("DELETE", rest, &[], None)
    }

    /// Sends a JSON body.
    pub fn with_json(&self, method: &str, rest: &str, headers: &[(&str, &str)], body: Value) -> Reply {
        let mut all = vec![("content-type", "application/json")];
        all.extend_from_slice(headers);
        self.send(method, rest, &all, Some(body.to_string().as_bytes()))
    }

    /// Creates a task.
    pub fn create(&self, body: Value) -> Task {
        self.post("/tasks", body).expect(201).task()
    }

    /// The titles of a list.
    pub fn titles(&self, query: &str) -> Vec<String> {
        let list = self.get(&format!("/tasks{query}")).expect(200).list();
        list.tasks.into_iter().map(|task| task.title).collect()
    }
}

/// Sends a request, and where errand says to come again does so.
pub fn patiently(send: impl Fn() -> Reply) -> Reply {
    loop {
        let reply = send();
        if reply.status != 429 {
            return reply;
        }
        std::thread::sleep(Duration::from_secs(reply.header("retry-after").parse().unwrap()));
    }
}

impl Reply {
    /// Checks the status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        if self.status != status {
            // Why a request failed is in the log alone.
            let log = match self.headers.get("x-request-id") {
                Some(id) if self.status >= 500 => super::log_with(id.to_str().unwrap()).join("\n"),
                _ => String::new(),
            };
            panic!("{} instead of {status}: {} {log}", self.status, self.body);
        }
        self
    }

    /// The value of a header that must be there.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name} in {:?}", self.headers)).to_str().unwrap()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The body as a task, and as nothing more than one.
    #[track_caller]
    pub fn task(&self) -> Task {
        assert_eq!(self.header("content-type"), "application/json");
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The body as a list.
    #[track_caller]
    pub fn list(&self) -> TaskList {
        assert_eq!(self.header("content-type"), "application/json");
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The body as a problem that agrees with its response.
    #[track_caller]
    pub fn problem(&self) -> ProblemBody {
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem: ProblemBody =
            serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body));
        assert_eq!(problem.status, self.status);
        assert_eq!(problem.request_id, self.header("x-request-id"));
        assert_eq!(problem.r#type, format!("/docs/problems#{}", problem.code));
        problem
    }

    /// The places that a 400 names, in order.
    #[track_caller]
    pub fn mistakes(&self) -> Vec<String> {
        assert_eq!((self.status, self.problem().code.as_str()), (400, "invalid_input"), "{}", self.body);
        let places = self.problem().errors.into_iter().map(|mistake| {
            assert!(!mistake.detail.is_empty());
            mistake.pointer.or(mistake.parameter).or(mistake.header).expect("a mistake is somewhere")
        });
        places.collect()
    }
}

impl Target {
    /// Sends a request to a path of a user's at this errand, with a JSON body if there is one.
    pub fn send_as(
        &self,
        user: &User,
        method: &str,
        rest: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Reply {
        let authorization = format!("Bearer {}", user.token);
        let mut all = vec![("authorization", authorization.as_str())];
        all.extend_from_slice(headers);
        let body = body.map(Value::to_string);
        if body.is_some() {
            all.push(("content-type", "application/json"));
        }
        send_at(self.url(), method, &user.path(rest), &all, body.as_deref().map(str::as_bytes))
    }

    /// Sends a GET with this token to this errand.
    pub fn get(&self, path: &str, token: &str) -> Reply {
        self.send("GET", path, token, None)
    }

    /// Sends a request with these headers alone to this errand.
    pub fn raw(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
        send_at(self.url(), method, path, headers, None)
    }

    /// Sends a request with this token to this errand.
    pub fn send(&self, method: &str, path: &str, token: &str, body: Option<&[u8]>) -> Reply {
        let authorization = format!("Bearer {token}");
        let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
        send_at(self.url(), method, path, &headers[..if body.is_some() { 2 } else { 1 }], body)
    }
}

fn send(method: &str, path: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Reply {
    send_at(target().url(), method, path, headers, body)
}

fn send_at(url: &str, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Reply {
    let path = &if kind() == "spin-p2" { encoded(path) } else { path.to_owned() };
    let repeatable = matches!(method, "GET" | "HEAD" | "PUT" | "DELETE" | "OPTIONS");
    let agent = if repeatable { &AGENT } else { &CAREFUL_AGENT };
    let attempt = || {
        let mut request = Request::builder().method(method).uri(format!("{url}{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        match body {
            Some(body) => agent.run(request.body(body).unwrap()),
            None => agent.run(request.body(()).unwrap()),
        }
    };
    let response = match attempt() {
        // As every client does: RFC 9112, section 9.3.1.
        Err(ureq::Error::Io(_)) if repeatable => attempt(),
        other => other,
    };
    read(response.unwrap_or_else(|error| panic!("{method} {path}: {error}")))
}

/// A path with percent-encoded bytes in the place of those that are not ASCII (RFC 3986, section 2.1). Spin 4.0 accepts no others.
fn encoded(path: &str) -> String {
    path.bytes()
        .map(|byte| if byte.is_ascii() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn read(response: Response<Body>) -> Reply {
    let (parts, mut body) = response.into_parts();
    let bodiless = matches!(parts.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    // Whatever has no body by its status has no length either (RFC 9110, section 8.6).
    assert_eq!(parts.headers.contains_key("content-length"), !bodiless, "{:?}", parts.headers);
    assert_eq!(parts.headers.get("x-content-type-options").map(|value| value.as_bytes()), Some(&b"nosniff"[..]));
    let body = body.with_config().limit(64 * 1024 * 1024).read_to_string().unwrap();
    Reply { status: parts.status.as_u16(), headers: parts.headers, body }
}
