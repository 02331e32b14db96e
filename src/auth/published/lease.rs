//! The lease that instances take before they fetch an issuer's keys, in a record of the shared store.
//!
//! An instance that needs keys reads the record and takes what is newer there: a key set, a failure, the refetches for unknown `kid`s.
//! If the lease is free and a fetch is allowed, it writes itself as the holder, waits for [`SETTLE_TIME`], and reads again. It holds the
//! lease if its name is still there. The store has no compare-and-swap, so two instances may fetch if one of them took longer than
//! that between reading and writing. The issuer then gets one more request. If another instance holds the lease, the instance
//! serves its stale keys or, without any, waits. A lease expires after [`LEASE_TTL`].
//!
//! The store is an optimisation. If it fails, the instance fetches on its own. If it loses writes, or if clocks disagree, the instance
//! fetches as well.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use super::record::{MAX_CLOCK_SKEW, Record, age, unix_millis};
use super::{
    CachedKeys, FAILURE_BACKOFF, FAILURE_BACKOFF_WITHOUT_KEYS, FetchReason, MAX_REFETCHES, MAX_STALE_AGE,
    PublishedKeys, REFETCH_WINDOW, Timestamp,
};
use crate::Event;
use crate::auth::keys::KeySet;
use crate::auth::{FETCH_TIMEOUT, Moment, SharedStore};

/// How long the holder waits before it checks that its name is still in the record.
pub(super) const SETTLE_TIME: Duration = Duration::from_millis(100);
/// How often an instance looks whether another one has released the lease.
pub(super) const LEASE_POLL_INTERVAL: Duration = Duration::from_millis(50);
/// How long a lease is valid.
pub(super) const LEASE_TTL: Duration = FETCH_TIMEOUT.saturating_add(Duration::from_secs(2));
/// How long an instance waits for leases of others. After that, a lease has expired by any clock.
const MAX_LEASE_WAIT: Duration = LEASE_TTL.saturating_add(MAX_CLOCK_SKEW);

/// What came of the attempt to acquire the lease.
pub(super) enum Acquisition {
    /// There is nothing to fetch, or no fetch is allowed now.
    NotNeeded,
    /// This instance fetches, and publishes the outcome in the record.
    Acquired(Record),
    /// The store does not work, or there is none. This instance fetches.
    NoStore,
}

/// The state of the lease in a record.
enum LeaseState {
    /// No instance holds it, or it has expired.
    Free,
    HeldByThis,
    HeldByOther,
}

impl LeaseState {
    fn of(record: &Record, instance: &str, now: SystemTime) -> Self {
        let is_valid = age(record.lease_acquired_at, now).is_some_and(|age| age < LEASE_TTL);
        match record.lease_holder.as_deref().filter(|_| is_valid) {
            None => Self::Free,
            Some(holder) if holder == instance => Self::HeldByThis,
            Some(_) => Self::HeldByOther,
        }
    }
}

impl PublishedKeys {
    /// Acquires the lease, unless the record has what is wanted.
    pub(super) async fn acquire_lease(&self, start: Moment, reason: FetchReason<'_>) -> Acquisition {
        let Some(store) = self.store() else {
            return Acquisition::NoStore;
        };
        let begun = (self.ambient.clock)();
        let (mut waited, mut requested) = (Duration::ZERO, false);
        loop {
            let Some(mut record) = self.read(store).await else {
                return Acquisition::NoStore;
            };
            // A slow store takes time, too.
            waited = waited.max((self.ambient.clock)().saturating_duration_since(begun));
            let now = start.later(waited);
            self.merge(&record, now, reason);
            if self.is_satisfied(now, reason) {
                return Acquisition::NotNeeded;
            }
            match LeaseState::of(&record, store.instance(), now.wall) {
                LeaseState::HeldByThis => return Acquisition::Acquired(record),
                LeaseState::HeldByOther if self.serves_stale(now, reason) => return Acquisition::NotNeeded,
                LeaseState::HeldByOther if waited < MAX_LEASE_WAIT => {
                    requested = false;
                    self.source.sleep(LEASE_POLL_INTERVAL).await;
                    waited += LEASE_POLL_INTERVAL;
                }
                LeaseState::Free if self.is_rate_limited(&record, now, reason) => return Acquisition::NotNeeded,
                LeaseState::Free if !requested => {
                    record.lease_holder = Some(store.instance().to_owned());
                    record.lease_acquired_at = Some(unix_millis(now.wall));
                    if !self.write(store, &record).await {
                        return Acquisition::NoStore;
                    }
                    requested = true;
                    self.source.sleep(SETTLE_TIME).await;
                    waited += SETTLE_TIME;
                }
                // The lease was lost without a result, or the wait has exceeded its limit. Treat the store as unreliable and fetch
                // directly.
                LeaseState::Free | LeaseState::HeldByOther => {
                    record.lease_acquired_at = Some(unix_millis(now.wall));
                    return Acquisition::Acquired(record);
                }
            }
        }
    }

    /// Publishes the outcome of a fetch to the other instances, and releases the lease.
    pub(super) async fn release_lease(
        &self,
        mut record: Record,
        document: Option<String>,
        now: Moment,
        reason: FetchReason<'_>,
    ) {
        let Some(store) = self.store() else {
            return;
        };
        let acquired_at = record.lease_acquired_at;
        match document {
            Some(document) => {
                (record.document, record.fetched_at, record.failed_at) = (Some(document), acquired_at, None);
                if let Some((cached, acquired_at)) = self.state().cached.as_mut().zip(acquired_at) {
                    cached.fetched_at = acquired_at;
                }
            }
            // The end of the fetch, so that the instances that waited for it fail with it.
            None => record.failed_at = acquired_at.max(Some(unix_millis(now.wall))),
        }
        if let FetchReason::UnknownKid(_) = reason {
            record.refetched_at.extend(acquired_at);
            let excess = record.refetched_at.len().saturating_sub(MAX_REFETCHES);
            record.refetched_at.drain(..excess);
        }
        (record.lease_holder, record.lease_acquired_at) = (None, None);
        self.write(store, &record).await;
    }

    /// Takes over what is newer in the record.
    fn merge(&self, record: &Record, now: Moment, reason: FetchReason<'_>) {
        let timestamp = |millis| age(millis, now.wall).map(|age_then| Timestamp { read_at: now.steady, age_then });
        let fetched = timestamp(record.fetched_at).filter(|fetched| fetched.age_then < MAX_STALE_AGE);
        // The store takes precedence, unless its keys are clearly older.
        let is_newer = |cached: &CachedKeys| {
            record.fetched_at != Some(cached.fetched_at)
                && fetched.is_some_and(|fetched| {
                    fetched.age_then < cached.fetched.age(now.steady).saturating_add(MAX_CLOCK_SKEW)
                })
        };
        let is_wanted = self.state().cached.as_ref().is_none_or(is_newer);
        let keys = match (&record.document, fetched, record.fetched_at) {
            (Some(document), Some(fetched), Some(fetched_at)) if is_wanted => {
                match KeySet::parse(document.as_bytes()) {
                    Ok(keys) => Some((keys, fetched, fetched_at)),
                    Err(problem) => {
                        self.warn_once(&format!("the document {problem}"));
                        None
                    }
                }
            }
            _ => None,
        };
        let mut state = self.state();
        if let Some((keys, fetched, fetched_at)) = keys {
            state.cache(keys, fetched, fetched_at);
        }
        state.failed = timestamp(record.failed_at).or(state.failed);
        let mut refetches: Vec<_> = record.refetched_at.iter().filter_map(|millis| timestamp(Some(*millis))).collect();
        if let FetchReason::UnknownKid(_) = reason {
            refetches.push(Timestamp::now(now.steady));
        }
        // The store may have lost refetches that this instance has counted.
        if refetches.len() >= state.refetches.len() {
            state.refetches = refetches;
        }
    }

    fn is_satisfied(&self, now: Moment, reason: FetchReason<'_>) -> bool {
        let state = self.state();
        match reason {
            FetchReason::Refresh => state.is_fresh(now.steady),
            FetchReason::UnknownKid(seen) => {
                state.cached.as_ref().is_some_and(|cached| !Arc::ptr_eq(&cached.keys, seen))
            }
        }
    }

    /// Whether stale keys suffice while another instance fetches.
    fn serves_stale(&self, now: Moment, reason: FetchReason<'_>) -> bool {
        let mut state = self.state();
        let suffices = matches!(reason, FetchReason::Refresh) && state.usable(now.steady).is_some();
        if suffices {
            state.lease_seen = Some(Timestamp::now(now.steady));
        }
        suffices
    }

    /// Whether it is too soon for another fetch, by the record.
    fn is_rate_limited(&self, record: &Record, now: Moment, reason: FetchReason<'_>) -> bool {
        let is_within = |millis, limit| age(millis, now.wall).is_some_and(|age| age < limit);
        match reason {
            FetchReason::Refresh if self.state().usable(now.steady).is_some() => {
                is_within(record.failed_at, FAILURE_BACKOFF)
            }
            FetchReason::Refresh => is_within(record.failed_at, FAILURE_BACKOFF_WITHOUT_KEYS),
            FetchReason::UnknownKid(_) => {
                let refetches = record.refetched_at.iter().filter(|millis| is_within(Some(**millis), REFETCH_WINDOW));
                refetches.count() >= MAX_REFETCHES
            }
        }
    }

    fn store(&self) -> Option<&dyn SharedStore> {
        self.source.shared().filter(|_| !self.store_failed.load(Ordering::Relaxed))
    }

    /// Reads the record. An invalid one is treated as an empty one. `None` if the store fails.
    async fn read(&self, store: &dyn SharedStore) -> Option<Record> {
        match store.read(&Record::key(&self.url)).await {
            Ok(None) => Some(Record::new(&self.url)),
            Ok(Some(bytes)) => Some(Record::parse(&bytes, &self.url).unwrap_or_else(|problem| {
                self.warn_once(&format!("the record {problem}"));
                Record::new(&self.url)
            })),
            Err(cause) => {
                self.abandon_store(&cause);
                None
            }
        }
    }

    async fn write(&self, store: &dyn SharedStore, record: &Record) -> bool {
        let written = match record.to_bytes() {
            Ok(bytes) => store.write(&Record::key(&self.url), bytes).await,
            Err(cause) => Err(cause),
        };
        written.inspect_err(|cause| self.abandon_store(cause)).is_ok()
    }

    fn abandon_store(&self, cause: &str) {
        self.store_failed.store(true, Ordering::Relaxed);
        self.warn_once(cause);
    }

    /// Logs, once per instance, that the shared store does not work as it should.
    fn warn_once(&self, cause: &str) {
        if !self.warned.swap(true, Ordering::Relaxed) {
            self.ambient.report(Event::NoSharedJwks, &format!("{}: {cause}", self.url));
        }
    }
}
