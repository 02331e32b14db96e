//! The log: one line of JSON per request, with the cause of a failure, and `Server-Timing`, which tells the client the same times. The
//! runtime decides where a line goes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use axum::extract::{MatchedPath, Request};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::Serialize;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::problem::Problem;
use crate::config::AccessLog;
use crate::data::Stopwatch;
use crate::{Ambient, Event};

/// How requests are logged.
#[derive(Clone)]
pub(crate) struct Log {
    pub(crate) ambient: Ambient,
    pub(crate) access: AccessLog,
    /// The key of the hash that stands for a user. If it is empty, lines have no user.
    pub(crate) key: Arc<str>,
    /// Whether answers carry `Server-Timing`.
    pub(crate) timing: bool,
}

/// The maximum length of a cause in a line, in bytes: a line goes out in one piece, and a runtime's pieces end at 4,096.
const MAX_CAUSE_BYTES: usize = 2_000;

/// What handlers note about a request.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    user: OnceLock<String>,
    verification: AtomicU64,
    database: AtomicU64,
}

/// A request that is being served.
pub(super) struct Entry {
    begun: Instant,
    method: Method,
    route: Option<MatchedPath>,
    trace_id: Option<String>,
    observed: Arc<Observed>,
}

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    level: &'static str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'a str>,
    route: &'a str,
    method: &'a str,
    status: u16,
    duration_ms: f64,
    database_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'a str>,
}

impl Log {
    /// A log of failures only, for a component that cannot serve.
    pub(super) fn of_failures(ambient: Ambient) -> Self {
        Self { ambient, access: AccessLog::Errors, key: "".into(), timing: false }
    }

    pub(super) fn new_request_id(&self) -> String {
        (self.ambient.new_id)().to_string()
    }

    /// Begins an entry; the request carries along what is to be filled in.
    pub(super) fn begin(&self, request: &mut Request) -> Entry {
        let observed = Arc::new(Observed::default());
        request.extensions_mut().insert(Arc::clone(&observed));
        Entry {
            begun: (self.ambient.clock)(),
            method: request.method().clone(),
            route: request.extensions().get::<MatchedPath>().cloned(),
            trace_id: trace_id(request.headers()),
            observed,
        }
    }

    /// Ends an entry. Gives the value of `Server-Timing`, where answers have it.
    pub(super) fn end(
        &self,
        entry: &Entry,
        request_id: &str,
        status: StatusCode,
        problem: Option<&Problem>,
    ) -> Option<HeaderValue> {
        let logged = self.access == AccessLog::All || status.is_server_error();
        if !logged && !self.timing {
            return None;
        }
        let duration = (self.ambient.clock)().saturating_duration_since(entry.begun);
        if logged {
            self.write(entry, duration, request_id, status, problem);
        }
        self.timing.then(|| entry.observed.server_timing(duration)).flatten()
    }

    fn write(
        &self,
        entry: &Entry,
        duration: Duration,
        request_id: &str,
        status: StatusCode,
        problem: Option<&Problem>,
    ) {
        let cause = problem.and_then(|problem| problem.cause.as_deref());
        let line = Line {
            time: rfc3339((self.ambient.now)()),
            level: match status {
                StatusCode::SERVICE_UNAVAILABLE => "warn",
                status if status.is_server_error() => "error",
                _ => "info",
            },
            request_id,
            trace_id: entry.trace_id.as_deref(),
            route: entry.route.as_ref().map_or("none", MatchedPath::as_str),
            method: method_label(&entry.method),
            status: status.as_u16(),
            duration_ms: milliseconds(duration),
            database_ms: milliseconds(spent(&entry.observed.database)),
            user: entry.observed.user.get().map(|user_id| self.hash(user_id)),
            code: problem.map(|problem| problem.code.word()),
            cause_code: cause.map(|cause| cause.code.word()),
            cause: cause.map(|cause| shortened(&cause.text)),
        };
        (self.ambient.log)(&serde_json::to_string(&line).unwrap_or_default());
    }

    /// Notes the caller's user id, if lines have users.
    pub(super) fn note_user(&self, observed: &Observed, user_id: &str) {
        if !self.key.is_empty() {
            _ = observed.user.set(user_id.to_owned());
        }
    }

    fn hash(&self, user_id: &str) -> String {
        // The key comes first and has a fixed length for the whole deployment; nothing is authenticated by this.
        let digest = Sha256::new().chain_update(self.key.as_bytes()).chain_update([0]).chain_update(user_id).finalize();
        digest.iter().take(8).fold(String::new(), |hash, byte| hash + &format!("{byte:02x}"))
    }
}

impl Observed {
    /// The token was verified, or refused, in this time.
    pub(super) fn note_verification(&self, time: Duration) {
        spend(&self.verification, time);
    }

    /// The times as `Server-Timing` has them (W3C Server Timing, section 2): milliseconds, and only of what happened.
    fn server_timing(&self, total: Duration) -> Option<HeaderValue> {
        let parts = [("auth", "Token", spent(&self.verification)), ("db", "Database", spent(&self.database))];
        let mut value = String::new();
        for (name, description, time) in parts.into_iter().filter(|(_, _, time)| !time.is_zero()) {
            value += &format!(r#"{name};desc="{description}";dur={}, "#, milliseconds(time));
        }
        value += &format!(r#"total;desc="Total";dur={}"#, milliseconds(total));
        value.try_into().ok()
    }
}

impl Stopwatch for Observed {
    fn add(&self, time: Duration) {
        spend(&self.database, time);
    }
}

impl Ambient {
    /// Writes a line about something that belongs to no request.
    pub fn report(self, event: Event, cause: &str) {
        let time = rfc3339((self.now)());
        let level = if event == Event::NoSharedJwks { "warn" } else { "error" };
        let line = serde_json::json!({"time": time, "level": level, "event": event.name(), "cause": shortened(cause)});
        (self.log)(&line.to_string());
    }
}

fn rfc3339(time: SystemTime) -> String {
    OffsetDateTime::from(time).format(&Rfc3339).unwrap_or_default()
}

fn spend(micros: &AtomicU64, time: Duration) {
    micros.fetch_add(u64::try_from(time.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
}

fn spent(micros: &AtomicU64) -> Duration {
    Duration::from_micros(micros.load(Ordering::Relaxed))
}

/// The method, or `other` for one that HTTP does not define: metrics count by it, so clients may not make up values.
fn method_label(method: &Method) -> &str {
    match *method {
        Method::GET | Method::HEAD | Method::POST | Method::PUT | Method::PATCH | Method::DELETE | Method::OPTIONS => {
            method.as_str()
        }
        _ => "other",
    }
}

fn shortened(cause: &str) -> &str {
    cause.get(..cause.floor_char_boundary(MAX_CAUSE_BYTES)).unwrap_or_default()
}

fn milliseconds(time: Duration) -> f64 {
    // Rounded to microseconds.
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// The trace id of `traceparent` (W3C Trace Context, section 3.2), if there is a valid one.
fn trace_id(headers: &HeaderMap) -> Option<String> {
    let mut parts = headers.get("traceparent")?.to_str().ok()?.split('-');
    let (version, trace_id, _parent) = (parts.next()?, parts.next()?, parts.next()?);
    let hex =
        |text: &str, length| text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let valid = hex(version, 2) && version != "ff" && hex(trace_id, 32) && trace_id.bytes().any(|byte| byte != b'0');
    valid.then(|| trace_id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_valid_trace_parent_counts() {
        let of =
            |value: &str| trace_id(&HeaderMap::from_iter([("traceparent".parse().unwrap(), value.parse().unwrap())]));
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(of(&format!("00-{id}-00f067aa0ba902b7-01")).as_deref(), Some(id));
        for value in [
            "",
            id,
            "00-0-0-0",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(of(value), None, "{value}");
        }
    }
}
