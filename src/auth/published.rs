//! An issuer's JWKS, kept in the instance.
//!
//! However many requests want it, one fetches. They are served from what is there while that goes on: a set is fresh for
//! ten minutes, and good for a day when the issuer cannot be reached. A `kid` that is not in it may be a new one, so it
//! has the set fetched again; but anyone can make up a `kid`, so that happens once a minute at most.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::KeySource;
use super::keys::KeySet;

/// How old a set may be before it is fetched again.
const FRESH: Duration = Duration::from_secs(10 * 60);
/// How old a set may be when there is no newer one to be had.
const GOOD: Duration = Duration::from_secs(24 * 60 * 60);
/// How often unknown names of keys may cause a fetch.
const CURIOSITY: Duration = Duration::from_secs(60);
/// How long the issuer is left alone after a failure, while there is a set to go on with.
const PATIENCE: Duration = Duration::from_secs(10);
/// The same without a set: every request fails until there is one.
const IMPATIENCE: Duration = Duration::from_secs(1);

/// The keys at a URL.
pub(super) struct PublishedKeys {
    url: String,
    source: Arc<dyn KeySource>,
    log: fn(&str),
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last: Option<(Arc<KeySet>, Instant)>,
    asking: bool,
    failed: Option<Instant>,
    curious: Option<Instant>,
}

/// What a request has to do for its keys.
enum Step {
    Take(Arc<KeySet>),
    Ask,
    Wait,
    Fail,
}

impl PublishedKeys {
    /// Names the place. It is first asked when the first token comes.
    pub(super) fn new(url: String, source: Arc<dyn KeySource>, log: fn(&str)) -> Self {
        Self { url, source, log, state: Mutex::default() }
    }

    /// The keys to verify with now; `None` when there are none to be had.
    pub(super) async fn get(&self, now: Instant) -> Option<Arc<KeySet>> {
        loop {
            let step = self.state().step(now);
            match step {
                Step::Take(keys) => return Some(keys),
                Step::Fail => return None,
                Step::Wait => self.source.pause().await,
                Step::Ask => {
                    self.ask(now).await;
                    return self.state().good(now);
                }
            }
        }
    }

    /// The keys after `seen`, in which some key was missing; `None` when there is nothing newer, nor may be for now.
    pub(super) async fn after(&self, seen: &Arc<KeySet>, now: Instant) -> Option<Arc<KeySet>> {
        loop {
            let asking = {
                let mut state = self.state();
                match &state.last {
                    Some((keys, _)) if !Arc::ptr_eq(keys, seen) => return Some(Arc::clone(keys)),
                    _ if state.asking => true,
                    _ if state.curious.is_some_and(|then| now.saturating_duration_since(then) < CURIOSITY) => {
                        return None;
                    }
                    _ => {
                        (state.curious, state.asking) = (Some(now), true);
                        false
                    }
                }
            };
            match asking {
                true => self.source.pause().await,
                false => self.ask(now).await,
            }
        }
    }

    /// Fetches the set. Whoever calls this has set `asking`.
    async fn ask(&self, now: Instant) {
        // A request that is given up half-way must not leave the others waiting for it.
        let asking = Asking(self);
        let outcome = self
            .source
            .fetch(&self.url)
            .await
            .and_then(|document| KeySet::parse(&document).map_err(|problem| format!("the document {problem}")));
        let mut state = self.state();
        match outcome {
            Ok(keys) => (state.last, state.failed) = (Some((Arc::new(keys), now)), None),
            Err(cause) => {
                state.failed = Some(now);
                let line = serde_json::json!({"level": "error", "event": "no JWKS", "url": self.url, "cause": cause});
                (self.log)(&line.to_string());
            }
        }
        drop(state);
        drop(asking);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn step(&mut self, now: Instant) -> Step {
        let age = self.last.as_ref().map(|(_, then)| now.saturating_duration_since(*then));
        let good = self.good(now);
        let patience = if good.is_some() { PATIENCE } else { IMPATIENCE };
        let failed = self.failed.is_some_and(|then| now.saturating_duration_since(then) < patience);
        match good {
            Some(keys) if age.is_some_and(|age| age < FRESH) || self.asking || failed => Step::Take(keys),
            None if self.asking => Step::Wait,
            None if failed => Step::Fail,
            _ => {
                self.asking = true;
                Step::Ask
            }
        }
    }

    /// The last set, if it is not too old.
    fn good(&self, now: Instant) -> Option<Arc<KeySet>> {
        let (keys, then) = self.last.as_ref()?;
        (now.saturating_duration_since(*then) < GOOD).then(|| Arc::clone(keys))
    }
}

struct Asking<'a>(&'a PublishedKeys);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.state().asking = false;
    }
}

#[cfg(test)]
#[path = "published/tests.rs"]
mod tests;
