//! The log: one line of JSON per request, with the cause of a failure once. Where a line goes, the runtime decides.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use axum::extract::{MatchedPath, Request};
use http::{HeaderMap, Method, StatusCode};
use serde::Serialize;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::problem::Problem;
use crate::Ambient;
use crate::config::AccessLog;
use crate::data::Stopwatch;

/// How requests are logged.
#[derive(Clone)]
pub(crate) struct Log {
    pub(crate) ambient: Ambient,
    pub(crate) access: AccessLog,
    /// Users appear as a hash under this key, so that a log names nobody; not at all where it is empty.
    pub(crate) key: Arc<str>,
}

/// What is learned about a request on its way.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    user: OnceLock<String>,
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
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'a str>,
}

impl Log {
    /// A log of failures only, for a component that cannot serve.
    pub(super) fn of_failures(ambient: Ambient) -> Self {
        Self { ambient, access: AccessLog::Errors, key: "".into() }
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

    /// Ends an entry.
    pub(super) fn end(&self, entry: Entry, request_id: &str, status: StatusCode, problem: Option<&Problem>) {
        if self.access == AccessLog::Errors && !status.is_server_error() {
            return;
        }
        let now: SystemTime = (self.ambient.now)();
        let line = Line {
            time: OffsetDateTime::from(now).format(&Rfc3339).unwrap_or_default(),
            level: match status {
                StatusCode::SERVICE_UNAVAILABLE => "warn",
                status if status.is_server_error() => "error",
                _ => "info",
            },
            request_id,
            trace_id: entry.trace_id.as_deref(),
            route: entry.route.as_ref().map_or("none", MatchedPath::as_str),
            method: entry.method.as_str(),
            status: status.as_u16(),
            duration_ms: milliseconds((self.ambient.clock)().saturating_duration_since(entry.begun)),
            database_ms: milliseconds(Duration::from_micros(entry.observed.database.load(Ordering::Relaxed))),
            user: entry.observed.user.get().map(String::as_str),
            code: problem.map(|problem| problem.code),
            cause: problem.and_then(|problem| problem.cause.as_deref()),
        };
        (self.ambient.log)(&serde_json::to_string(&line).unwrap_or_default());
    }

    /// Notes who the caller is, as a hash.
    pub(super) fn note_user(&self, observed: &Observed, user_id: &str) {
        if !self.key.is_empty() && self.access == AccessLog::All {
            // The key comes first and has a fixed length for the whole deployment; nothing is authenticated by this.
            let digest =
                Sha256::new().chain_update(self.key.as_bytes()).chain_update([0]).chain_update(user_id).finalize();
            let hash = digest.iter().take(8).fold(String::new(), |hash, octet| hash + &format!("{octet:02x}"));
            _ = observed.user.set(hash);
        }
    }
}

impl Stopwatch for Observed {
    fn add(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.database.fetch_add(micros, Ordering::Relaxed);
    }
}

fn milliseconds(time: Duration) -> f64 {
    // Microseconds are as fine as anyone looks.
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// The trace id of `traceparent` (W3C Trace Context, section 3.2), if there is a valid one.
fn trace_id(headers: &HeaderMap) -> Option<String> {
    let mut parts = headers.get("traceparent")?.to_str().ok()?.split('-');
    let (version, trace_id, _parent) = (parts.next()?, parts.next()?, parts.next()?);
    let hex = |text: &str, length| {
        text.len() == length && text.bytes().all(|octet| matches!(octet, b'0'..=b'9' | b'a'..=b'f'))
    };
    let valid = hex(version, 2) && version != "ff" && hex(trace_id, 32) && trace_id.bytes().any(|octet| octet != b'0');
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
