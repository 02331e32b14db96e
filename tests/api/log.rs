//! The log, and `Server-Timing`: what they say of a request, and what they never say.

use std::collections::BTreeSet;
use std::net::TcpListener;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Answer, CORS_ORIGIN, Issuer, Reply, SECRET, Signer, Target, User, kind, log_with, target};
use crate::tokens::claims;

const LOG_KEY: &str = "a key for the logs of tests alone";
const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn start(variables: &[(&'static str, &str)]) -> Target {
    let all: Vec<_> = [("jwt_secret", SECRET), ("cors_origins", CORS_ORIGIN), ("access_log", "all")]
        .into_iter()
        .filter(|(known, _)| variables.iter().all(|(name, _)| name != known))
        .chain(variables.iter().copied())
        .collect();
    target().start_with(&all)
}

/// An errand whose database cannot be reached: nothing listens at its port.
fn start_without_database(variables: &[(&'static str, &str)]) -> Target {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let url = format!("postgres://errand_app:swordfish@{free}/errand?sslmode=disable");
    let mut all = vec![("database_url", url.as_str()), ("database_host", free.as_str())];
    all.extend_from_slice(variables);
    start(&all)
}

/// The line of an answer: the only one.
#[track_caller]
fn line_of(reply: &Reply) -> Value {
    let lines = log_with(reply.header("x-request-id"));
    assert_eq!(lines.len(), 1, "{lines:?}");
    serde_json::from_str(&lines[0]).unwrap_or_else(|error| panic!("{error}: {}", lines[0]))
}

fn members(line: &Value) -> BTreeSet<&str> {
    line.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn a_request_is_one_line_that_says_all_and_nothing_secret() {
    let errand = start(&[("log_key", LOG_KEY)]);
    let user = User::new("logged");
    let authorization = format!("Bearer {}", user.token);
    let traceparent = format!("00-{TRACE_ID}-00f067aa0ba902b7-01");
    let headers = [("authorization", authorization.as_str()), ("traceparent", traceparent.as_str())];
    let reply = errand.raw("GET", &user.path("/tasks?q=sardines"), &headers).expect(200);
    let line = line_of(&reply);
    let all =
        ["time", "level", "request_id", "trace_id", "route", "method", "status", "duration_ms", "database_ms", "user"];
    assert_eq!(members(&line), BTreeSet::from(all), "{line}");
    // Metrics are made of the text, so the order is a promise (deploy/observability/errand.mtail).
    let text = log_with(reply.header("x-request-id")).concat();
    let places: Vec<_> = all.iter().map(|member| text.find(&format!("\"{member}\":")).unwrap()).collect();
    assert!(places.is_sorted() && text.starts_with("{\"time\":\""), "{text}");
    assert!(line["time"].as_str().is_some_and(|time| time.ends_with('Z') && time.contains('T')), "{line}");
    assert_eq!((&line["level"], &line["status"]), (&json!("info"), &json!(200)));
    assert_eq!((&line["method"], &line["route"]), (&json!("GET"), &json!("/api/{user_id}/tasks")));
    assert_eq!(line["trace_id"], TRACE_ID);
    let (duration, database) = (line["duration_ms"].as_f64().unwrap(), line["database_ms"].as_f64().unwrap());
    assert!(0.0 < database && database <= duration, "{line}");
    let hash = line["user"].as_str().unwrap();
    assert!(hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{line}");

    let created = errand.send("POST", &user.path("/tasks"), &user.token, Some(br#"{"title": "mackerel"}"#)).expect(201);
    let line = line_of(&created);
    assert_eq!(line["user"], hash, "a user is the same in every line");
    let other = User::new("logged");
    let refused = errand.get(&user.path("/tasks"), &other.token).expect(403);
    let line = line_of(&refused);
    assert_eq!((&line["code"], &line["level"]), (&json!("forbidden"), &json!("info")));
    assert!(line["user"].is_string() && line["user"] != hash, "the refused user is not named: {line}");

    let written = [&reply, &created, &refused].map(|reply| log_with(reply.header("x-request-id")).concat()).concat();
    let signature = user.token.rsplit('.').next().unwrap();
    for secret in [&user.token, signature, &user.id, &other.id, "sardines", "mackerel", LOG_KEY, SECRET, "postgres:"] {
        assert!(!written.contains(secret), "{secret} in {written}");
    }
}

#[test]
fn without_a_key_the_log_names_nobody() {
    let errand = start(&[]);
    let user = User::new("nameless");
    let line = line_of(&errand.get(&user.path("/tasks"), &user.token).expect(200));
    let all = ["time", "level", "request_id", "route", "method", "status", "duration_ms", "database_ms"];
    assert_eq!(members(&line), BTreeSet::from(all), "{line}");
}

#[test]
fn what_a_client_makes_up_does_not_reach_the_log() {
    let errand = start(&[("log_key", LOG_KEY)]);
    let user = User::new("inventive");
    let made_up = "%0A%7B%22level%22:%22sardines%22%7D";
    for (method, path, route) in [
        ("GET", format!("/sardines{made_up}?sardines"), "none"),
        ("GET", format!("/api/sardines{made_up}/tasks"), "/api/{user_id}/tasks"),
        ("GET", user.path(&format!("/tasks/sardines{made_up}")), "/api/{user_id}/tasks/{id}"),
        ("SARDINES", user.path("/tasks"), "/api/{user_id}/tasks"),
    ] {
        let authorization = format!("Bearer {}", user.token);
        let headers = [
            ("authorization", authorization.as_str()),
            ("x-request-id", "sardines\"} {"),
            ("traceparent", "00-sardines-00f067aa0ba902b7-01"),
            ("user-agent", "sardines"),
        ];
        let reply = errand.raw(method, &path, &headers);
        let line = line_of(&reply);
        assert_eq!(line["route"], route, "{line}");
        assert_eq!(line["method"], if method == "GET" { "GET" } else { "other" }, "{line}");
        assert!(line.get("trace_id").is_none() && !line.to_string().contains("sardines"), "{line}");
    }
}

#[test]
fn a_log_of_errors_leaves_the_rest_out() {
    let errand = start_without_database(&[("access_log", "errors"), ("log_key", LOG_KEY)]);
    let user = User::new("errors");
    let live = errand.raw("GET", "/health/live", &[]).expect(200);
    let unknown = errand.raw("GET", "/nowhere", &[]).expect(404);
    // A later request's line: by then those of the earlier ones would be there.
    let failed = errand.get(&user.path("/tasks"), &user.token).expect(503);
    let line = line_of(&failed);
    assert_eq!((&line["level"], &line["code"]), (&json!("warn"), &json!("unavailable")));
    assert!(line["user"].is_string(), "{line}");
    for reply in [live, unknown] {
        let id = reply.header("x-request-id");
        assert!(!log_with(failed.header("x-request-id")).concat().contains(id));
        assert!(!log_with("duration_ms").concat().contains(id));
    }
}

#[test]
fn a_failure_is_told_once_with_its_causes_and_to_the_log_alone() {
    let errand = start_without_database(&[]);
    let user = User::new("unreachable");
    let reply = errand.get(&user.path("/tasks"), &user.token).expect(503);
    let ready = errand.raw("GET", "/health/ready", &[]).expect(503);
    for reply in [reply, ready] {
        let line = line_of(&reply);
        assert_eq!((&line["code"], &line["cause_code"]), (&json!("unavailable"), &json!("no_connection")));
        let cause = line["cause"].as_str().unwrap();
        assert!(cause.contains("no connection: "), "{cause}");
        assert!(cause.contains("refused"), "the innermost cause is there: {cause}");
        for absent in ["swordfish", "errand_app"] {
            assert!(!cause.contains(absent), "{absent} in {cause}");
        }
        // Spin writes several lines, and a backtrace where it is told to have them.
        assert!(kind().starts_with("spin") || !cause.contains('\n'), "{cause}");
        assert!(!reply.body.contains("refused") && !reply.body.contains("connection"), "{}", reply.body);
    }
}

#[test]
fn a_refused_configuration_is_told_in_the_log() {
    let errand = start(&[("server_timing", "sometimes")]);
    let id = Uuid::now_v7().to_string();
    let reply = errand.raw("GET", "/health/ready", &[("x-request-id", &id)]).expect(503);
    assert_eq!(reply.problem().code, "unavailable");
    assert!(!reply.problem().detail.contains("database"), "{}", reply.body);
    let line = line_of(&reply);
    assert!(line["cause"].as_str().is_some_and(|cause| cause.contains("configuration")));
    assert_eq!(line["cause_code"], "configuration");
    let lines = log_with("server_timing");
    let line: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(members(&line), BTreeSet::from(["time", "level", "event", "cause"]), "{line}");
    assert_eq!(line["event"], "refusing to serve");
}

#[test]
fn keys_that_cannot_be_had_are_told_in_the_log() {
    let issuer = Issuer::start(Answer::Status(503));
    let errand = start(&[("jwt_jwks_url", &issuer.jwks_url()), ("jwks_origin", &issuer.origin)]);
    let token = Signer::new("ES256", "a").token(&claims(json!({})));
    let reply = errand.get("/api/me/tasks", &token).expect(503);
    let line = line_of(&reply);
    assert!(line["cause"].as_str().is_some_and(|cause| cause.contains("the issuer's keys")));
    assert_eq!(line["cause_code"], "no_keys");
    let lines = log_with(&issuer.jwks_url());
    let line: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(members(&line), BTreeSet::from(["time", "level", "event", "cause"]), "{line}");
    assert_eq!((&line["event"], &line["level"]), (&json!("no JWKS"), &json!("error")));
    assert!(line["cause"].as_str().unwrap().contains("503"), "{line}");
}

#[test]
fn answers_tell_their_times_where_that_is_asked_for() {
    let errand = start(&[("server_timing", "on")]);
    let user = User::new("timed");
    let authorization = format!("Bearer {}", user.token);
    let headers = [("authorization", authorization.as_str()), ("origin", CORS_ORIGIN)];
    let reply = errand.raw("GET", &user.path("/tasks"), &headers).expect(200);
    let timing = times(&reply);
    let names: Vec<_> = timing.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["auth", "db", "total"]);
    assert!(timing[0].1 + timing[1].1 <= timing[2].1 + 0.01 && timing[1].1 > 0.0, "{timing:?}");
    assert_eq!(reply.header("timing-allow-origin"), CORS_ORIGIN);
    assert!(reply.header("access-control-expose-headers").contains("Server-Timing"));

    let refused = errand.raw("GET", &user.path("/tasks"), &[("origin", "https://other.example")]).expect(401);
    assert_eq!(times(&refused).last().unwrap().0, "total");
    assert!(!refused.headers.contains_key("timing-allow-origin"));
    let names: Vec<_> = times(&errand.raw("GET", "/health/live", &[]).expect(200)).into_iter().map(|t| t.0).collect();
    assert_eq!(names, ["total"]);
}

#[test]
fn answers_do_not_tell_their_times_otherwise() {
    let user = User::new("untimed");
    let reply = user.get_with("/tasks", &[("origin", CORS_ORIGIN)]).expect(200);
    for name in ["server-timing", "timing-allow-origin"] {
        assert!(!reply.headers.contains_key(name), "{name}");
    }
    assert!(!reply.header("access-control-expose-headers").contains("Server-Timing"));
}

/// `Server-Timing` by its grammar: names with their durations, in milliseconds.
#[track_caller]
fn times(reply: &Reply) -> Vec<(String, f64)> {
    let metrics = reply.header("server-timing").split(", ");
    let parsed = metrics.map(|metric| {
        let [name, description, duration] = metric.split(';').collect::<Vec<_>>().try_into().unwrap();
        assert!(description.starts_with("desc=\"") && description.ends_with('"'), "{metric}");
        (name.to_owned(), duration.strip_prefix("dur=").unwrap().parse().unwrap())
    });
    parsed.collect()
}
