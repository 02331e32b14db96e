//! An issuer's JWKS, cached in the instance and shared among instances.
//!
//! One request fetches for all that wait. While it fetches, the others use the cached keys: a key set is fresh for ten minutes, and usable for
//! a day if the issuer cannot be reached. A `kid` that is not in the set may name a new key, so the set is fetched again. But anyone can
//! make up a `kid`, so that happens at most four times a minute. After that, it is unknown whether the key is new, and the client
//! is told to retry later. Where there is a shared store, these limits hold for all instances together ([`lease`]). An instance
//! that has fresh keys does not read the store.

mod lease;
mod record;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::keys::KeySet;
use super::{KeySource, Moment};
use crate::{Ambient, Event};
use lease::{Acquisition, LEASE_POLL_INTERVAL};
use record::unix_millis;

/// The age from which on a key set is fetched again.
const MAX_FRESH_AGE: Duration = Duration::from_secs(10 * 60);
/// The age from which on a key set is not used any more.
const MAX_STALE_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// The maximum number of fetches for unknown `kid`s within [`REFETCH_WINDOW`].
const MAX_REFETCHES: usize = 4;
/// The window of [`MAX_REFETCHES`].
const REFETCH_WINDOW: Duration = Duration::from_secs(60);
/// The minimum time between a failed fetch and the next one, while there are usable keys.
const FAILURE_BACKOFF: Duration = Duration::from_secs(10);
/// The same without keys, when every request fails until there are some.
const FAILURE_BACKOFF_WITHOUT_KEYS: Duration = Duration::from_secs(1);
/// How often a waiting request looks whether the fetch of another request has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// The keys at a URL.
pub(super) struct PublishedKeys {
    url: String,
    source: Arc<dyn KeySource>,
    ambient: Ambient,
    state: Mutex<State>,
    /// The shared store failed, so this instance does not use it any more.
    store_failed: AtomicBool,
    /// The warning about the shared store was logged.
    warned: AtomicBool,
}

#[derive(Default)]
struct State {
    cached: Option<CachedKeys>,
    is_fetching: bool,
    failed: Option<Timestamp>,
    /// The latest fetches for unknown `kid`s, at most [`MAX_REFETCHES`].
    refetches: Vec<Timestamp>,
    /// When another instance was seen to hold the lease.
    lease_seen: Option<Timestamp>,
}

/// A key set, with its age.
struct CachedKeys {
    keys: Arc<KeySet>,
    fetched: Timestamp,
    /// The time of the fetch in the shared record.
    fetched_at: u64,
}

/// A point in time that may lie before this instance's monotonic clock began.
#[derive(Clone, Copy)]
struct Timestamp {
    read_at: Instant,
    /// How long ago it was at `read_at`.
    age_then: Duration,
}

/// The answer to a request for newer keys than those in which a `kid` was missing.
pub(super) enum Newer {
    /// These.
    Keys(Arc<KeySet>),
    /// None: the keys were fetched after the request arrived.
    Unchanged,
    /// Unknown. The issuer may be asked again after this time.
    RetryAfter(Duration),
}

/// What a request does to get keys.
enum Lookup {
    Use(Arc<KeySet>),
    Fetch,
    Wait,
    Fail,
}

/// Why keys are fetched.
#[derive(Clone, Copy)]
enum FetchReason<'a> {
    /// There are no keys, or stale ones.
    Refresh,
    /// A `kid` is not in this set.
    UnknownKid(&'a Arc<KeySet>),
}

impl PublishedKeys {
    /// Names the URL. The first token causes the first fetch.
    pub(super) fn new(url: String, source: Arc<dyn KeySource>, ambient: Ambient) -> Self {
        let [store_failed, warned] = Default::default();
        Self { url, source, ambient, state: Mutex::default(), store_failed, warned }
    }

    /// The keys to verify with now; `None` if there are none.
    pub(super) async fn get(&self, now: Moment) -> Option<Arc<KeySet>> {
        loop {
            let lookup = self.state().look_up(now.steady);
            match lookup {
                Lookup::Use(keys) => return Some(keys),
                Lookup::Fail => return None,
                Lookup::Wait => self.source.sleep(POLL_INTERVAL).await,
                Lookup::Fetch => {
                    // Boxed, here and below, because the future of every request would otherwise reserve space for it.
                    Box::pin(self.refresh(now, FetchReason::Refresh)).await;
                    return self.state().usable(now.steady);
                }
            }
        }
    }

    /// Keys that are newer than `seen`, in which a `kid` was missing.
    pub(super) async fn newer_than(&self, seen: &Arc<KeySet>, now: Moment) -> Newer {
        let mut fetched = false;
        loop {
            let is_fetching = {
                let mut state = self.state();
                if let Some(newer) = state.newer(seen, now.steady) {
                    return newer;
                }
                match state.is_fetching {
                    true => true,
                    false if fetched => return Newer::RetryAfter(FAILURE_BACKOFF),
                    false => match state.start_refetch(now.steady) {
                        Ok(()) => false,
                        Err(wait) => return Newer::RetryAfter(wait),
                    },
                }
            };
            match is_fetching {
                true => self.source.sleep(POLL_INTERVAL).await,
                false => {
                    Box::pin(self.refresh(now, FetchReason::UnknownKid(seen))).await;
                    fetched = true;
                }
            }
        }
    }

    /// Gets the keys from the shared store or from the issuer. The caller has set `is_fetching`.
    async fn refresh(&self, arrived: Moment, reason: FetchReason<'_>) {
        // Resets `is_fetching` even if the request is cancelled, so that the others do not wait forever.
        let fetching = Fetching(self);
        match self.acquire_lease(self.now_for(arrived), reason).await {
            Acquisition::NotNeeded => {}
            Acquisition::NoStore => _ = self.fetch(arrived).await,
            Acquisition::Acquired(record) => {
                let document = self.fetch(arrived).await;
                self.release_lease(record, document, self.now_for(arrived), reason).await;
            }
        }
        drop(fetching);
    }

    /// Fetches the keys from the issuer. Returns the document.
    async fn fetch(&self, arrived: Moment) -> Option<String> {
        let now = self.now_for(arrived);
        let outcome = self.source.fetch(&self.url).await.and_then(|document| {
            // JSON is UTF-8 (RFC 8259, section 8.1), and the shared record holds text.
            let document = String::from_utf8(document).map_err(|_| "the document is not UTF-8".to_owned())?;
            let keys = KeySet::parse(document.as_bytes()).map_err(|problem| format!("the document {problem}"))?;
            Ok((document, keys))
        });
        let mut state = self.state();
        match outcome {
            Ok((document, keys)) => {
                state.cache(keys, Timestamp::now(now.steady), unix_millis(now.wall));
                Some(document)
            }
            Err(cause) => {
                // The end of the fetch, so that the requests that waited for it fail with it and do not start another.
                state.failed = Some(Timestamp::now(self.now_for(arrived).steady));
                drop(state);
                self.ambient.report(Event::NoJwks, &format!("{}: {cause}", self.url));
                None
            }
        }
    }

    /// The current time, for a request that arrived then.
    fn now_for(&self, arrived: Moment) -> Moment {
        arrived.later((self.ambient.clock)().saturating_duration_since(arrived.steady))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn look_up(&mut self, now: Instant) -> Lookup {
        let is_fresh = self.is_fresh(now);
        let usable = self.usable(now);
        let backoff = if usable.is_some() { FAILURE_BACKOFF } else { FAILURE_BACKOFF_WITHOUT_KEYS };
        let has_failed = self.failed.is_some_and(|then| then.age(now) < backoff);
        let is_leased = self.lease_seen.is_some_and(|then| then.age(now) < LEASE_POLL_INTERVAL);
        match usable {
            Some(keys) if is_fresh || self.is_fetching || has_failed || is_leased => Lookup::Use(keys),
            None if self.is_fetching => Lookup::Wait,
            None if has_failed => Lookup::Fail,
            _ => {
                self.is_fetching = true;
                Lookup::Fetch
            }
        }
    }

    /// The answer to a request for newer keys, without a fetch; `None` if a fetch may help.
    fn newer(&self, seen: &Arc<KeySet>, arrived: Instant) -> Option<Newer> {
        let cached = self.cached.as_ref()?;
        if !Arc::ptr_eq(&cached.keys, seen) {
            return Some(Newer::Keys(Arc::clone(&cached.keys)));
        }
        let is_after_arrival = |then: Timestamp| then.age(arrived).is_zero();
        if is_after_arrival(cached.fetched) {
            return Some(Newer::Unchanged);
        }
        // A request that waited for a fetch fails with it, and does not start another.
        self.failed.is_some_and(is_after_arrival).then_some(Newer::RetryAfter(FAILURE_BACKOFF))
    }

    /// Starts a fetch for an unknown `kid`. The error is the time until one is allowed.
    fn start_refetch(&mut self, now: Instant) -> Result<(), Duration> {
        self.refetches.retain(|then| then.age(now) < REFETCH_WINDOW);
        if self.refetches.len() >= MAX_REFETCHES {
            let oldest = self.refetches.iter().map(|then| then.age(now)).max().unwrap_or_default();
            return Err(REFETCH_WINDOW.saturating_sub(oldest));
        }
        self.refetches.push(Timestamp::now(now));
        self.is_fetching = true;
        Ok(())
    }

    fn cache(&mut self, keys: KeySet, fetched: Timestamp, fetched_at: u64) {
        self.cached = Some(CachedKeys { keys: Arc::new(keys), fetched, fetched_at });
        self.failed = None;
    }

    /// Whether there are keys that need no refresh.
    fn is_fresh(&self, now: Instant) -> bool {
        self.cached.as_ref().is_some_and(|cached| cached.fetched.age(now) < MAX_FRESH_AGE)
    }

    /// The cached keys, unless they are too old.
    fn usable(&self, now: Instant) -> Option<Arc<KeySet>> {
        let cached = self.cached.as_ref()?;
        (cached.fetched.age(now) < MAX_STALE_AGE).then(|| Arc::clone(&cached.keys))
    }
}

impl Timestamp {
    fn now(now: Instant) -> Self {
        Self { read_at: now, age_then: Duration::ZERO }
    }

    fn age(self, now: Instant) -> Duration {
        now.saturating_duration_since(self.read_at).saturating_add(self.age_then)
    }
}

/// Held while a request fetches.
struct Fetching<'a>(&'a PublishedKeys);

impl Drop for Fetching<'_> {
    fn drop(&mut self) {
        self.0.state().is_fetching = false;
    }
}

#[cfg(test)]
mod tests;
