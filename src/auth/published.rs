//! An issuer's JWKS, kept in the instance and shared among instances.
//!
//! However many requests want it, one fetches. They are served from what is there while that goes on: a set is fresh for
//! ten minutes, and good for a day when the issuer cannot be reached. A `kid` that is not in it may be a new one, so it
//! has the set fetched again; but anyone can make up a `kid`, so that happens a few times a minute at most. Meanwhile nobody can
//! tell whether a key is new, and whoever comes with one is told to come again. Where there is a
//! shared store, all of this holds for the instances together ([`shared`]); an instance that has what it wants does not
//! look there.

mod record;
mod shared;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::keys::KeySet;
use super::{KeySource, Moment};
use crate::{Ambient, Event};
use record::stamp;
use shared::{Agreed, LOOK};

/// How old a set may be before it is fetched again.
const FRESH: Duration = Duration::from_secs(10 * 60);
/// How old a set may be when there is no newer one to be had.
const GOOD: Duration = Duration::from_secs(24 * 60 * 60);
/// So many fetches may be caused by unknown names of keys
const LOOKS: usize = 4;
/// within this time.
const CURIOSITY: Duration = Duration::from_secs(60);
/// How long the issuer is left alone after a failure, while there is a set to go on with.
const PATIENCE: Duration = Duration::from_secs(10);
/// The same without a set: every request fails until there is one.
const IMPATIENCE: Duration = Duration::from_secs(1);
/// How long a request waits before it looks again whether another one's fetch has ended.
const PAUSE: Duration = Duration::from_millis(5);

/// The keys at a URL.
pub(super) struct PublishedKeys {
    url: String,
    source: Arc<dyn KeySource>,
    ambient: Ambient,
    state: Mutex<State>,
    /// The shared store failed: this instance goes on without it.
    alone: AtomicBool,
    /// What is wrong with the shared store was said.
    complained: AtomicBool,
}

#[derive(Default)]
struct State {
    last: Option<Held>,
    asking: bool,
    failed: Option<Since>,
    /// When unknown names caused the latest fetches, at most [`LOOKS`].
    curious: Vec<Since>,
    /// Another instance was fetching then.
    busy: Option<Since>,
}

/// A set, with its age.
struct Held {
    keys: Arc<KeySet>,
    since: Since,
    /// The time of its fetch in the shared record.
    fetched_at: u64,
}

/// A point in time that may lie before this instance's clock began.
#[derive(Clone, Copy)]
struct Since {
    seen: Instant,
    before: Duration,
}

/// What there is instead of the keys in which some key was missing.
pub(super) enum Newer {
    /// These.
    Keys(Arc<KeySet>),
    /// The same: they were fetched since the request came.
    Same,
    /// Nobody knows: the issuer may be asked again after this time.
    Later(Duration),
}

/// What a request has to do for its keys.
enum Step {
    Take(Arc<KeySet>),
    Ask,
    Wait,
    Fail,
}

/// Why the issuer is to be asked.
#[derive(Clone, Copy)]
enum Wish<'a> {
    /// There is no set, or an old one.
    Fresh,
    /// A key is not in this one.
    Newer(&'a Arc<KeySet>),
}

impl PublishedKeys {
    /// Names the place. It is first asked when the first token comes.
    pub(super) fn new(url: String, source: Arc<dyn KeySource>, ambient: Ambient) -> Self {
        let [alone, complained] = Default::default();
        Self { url, source, ambient, state: Mutex::default(), alone, complained }
    }

    /// The keys to verify with now; `None` when there are none to be had.
    pub(super) async fn get(&self, now: Moment) -> Option<Arc<KeySet>> {
        loop {
            let step = self.state().step(now.steady);
            match step {
                Step::Take(keys) => return Some(keys),
                Step::Fail => return None,
                Step::Wait => self.source.pause(PAUSE).await,
                Step::Ask => {
                    // In a box, here and below: it is rarely needed, and would make the future of every request larger.
                    Box::pin(self.ask(now, Wish::Fresh)).await;
                    return self.state().good(now.steady);
                }
            }
        }
    }

    /// What there is instead of `seen`, in which some key was missing.
    pub(super) async fn after(&self, seen: &Arc<KeySet>, now: Moment) -> Newer {
        let mut asked = false;
        loop {
            let asking = {
                let mut state = self.state();
                if let Some(newer) = state.newer(seen, now.steady) {
                    return newer;
                }
                match state.asking {
                    true => true,
                    false if asked => return Newer::Later(PATIENCE),
                    false => match state.look(now.steady) {
                        Ok(()) => false,
                        Err(wait) => return Newer::Later(wait),
                    },
                }
            };
            match asking {
                true => self.source.pause(PAUSE).await,
                false => {
                    Box::pin(self.ask(now, Wish::Newer(seen))).await;
                    asked = true;
                }
            }
        }
    }

    /// Gets the set from the other instances or from the issuer. Whoever calls this has set `asking`.
    async fn ask(&self, came: Moment, wish: Wish<'_>) {
        // A request that is given up half-way must not leave the others waiting for it.
        let asking = Asking(self);
        match self.agree(self.by_now(came), wish).await {
            Agreed::Done => {}
            Agreed::Alone => _ = self.fetch(came).await,
            Agreed::Mine(record) => {
                let outcome = self.fetch(came).await;
                self.tell(record, outcome, self.by_now(came), wish).await;
            }
        }
        drop(asking);
    }

    /// Fetches the set. What comes of it is the document.
    async fn fetch(&self, came: Moment) -> Option<String> {
        let now = self.by_now(came);
        let outcome = self.source.fetch(&self.url).await.and_then(|document| {
            // JSON is (RFC 8259, section 8.1), and the others could not be told of anything else.
            let document = String::from_utf8(document).map_err(|_| "the document is not UTF-8".to_owned())?;
            let keys = KeySet::parse(document.as_bytes()).map_err(|problem| format!("the document {problem}"))?;
            Ok((document, keys))
        });
        let mut state = self.state();
        match outcome {
            Ok((document, keys)) => {
                state.hold(keys, Since::now(now.steady), stamp(now.wall));
                Some(document)
            }
            Err(cause) => {
                // At its end, so that whoever waited for it fails with it and does not wait for another one.
                state.failed = Some(Since::now(self.by_now(came).steady));
                drop(state);
                self.ambient.report(Event::NoJwks, &format!("{}: {cause}", self.url));
                None
            }
        }
    }

    /// What time it is for a request that came then, and may have waited since.
    fn by_now(&self, came: Moment) -> Moment {
        came.later((self.ambient.clock)().saturating_duration_since(came.steady))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn step(&mut self, now: Instant) -> Step {
        let fresh = self.fresh(now);
        let good = self.good(now);
        let patience = if good.is_some() { PATIENCE } else { IMPATIENCE };
        let failed = self.failed.is_some_and(|then| then.age(now) < patience);
        let busy = self.busy.is_some_and(|then| then.age(now) < LOOK);
        match good {
            Some(keys) if fresh || self.asking || failed || busy => Step::Take(keys),
            None if self.asking => Step::Wait,
            None if failed => Step::Fail,
            _ => {
                self.asking = true;
                Step::Ask
            }
        }
    }

    /// What there is instead of these keys, without asking; `None` where to ask may help.
    fn newer(&self, seen: &Arc<KeySet>, came: Instant) -> Option<Newer> {
        let held = self.last.as_ref()?;
        if !Arc::ptr_eq(&held.keys, seen) {
            return Some(Newer::Keys(Arc::clone(&held.keys)));
        }
        let since_then = |then: Since| then.age(came).is_zero();
        if since_then(held.since) {
            return Some(Newer::Same);
        }
        // Whoever waited for a fetch fails with it, and does not begin another.
        self.failed.is_some_and(since_then).then_some(Newer::Later(PATIENCE))
    }

    /// Asks for a fetch because of an unknown name; the error is the time until there may be one.
    fn look(&mut self, now: Instant) -> Result<(), Duration> {
        self.curious.retain(|then| then.age(now) < CURIOSITY);
        if self.curious.len() >= LOOKS {
            let oldest = self.curious.iter().map(|then| then.age(now)).max().unwrap_or_default();
            return Err(CURIOSITY.saturating_sub(oldest));
        }
        self.curious.push(Since::now(now));
        self.asking = true;
        Ok(())
    }

    fn hold(&mut self, keys: KeySet, since: Since, fetched_at: u64) {
        self.last = Some(Held { keys: Arc::new(keys), since, fetched_at });
        self.failed = None;
    }

    /// Whether the last set needs no other one yet.
    fn fresh(&self, now: Instant) -> bool {
        self.last.as_ref().is_some_and(|held| held.since.age(now) < FRESH)
    }

    /// The last set, if it is not too old.
    fn good(&self, now: Instant) -> Option<Arc<KeySet>> {
        let held = self.last.as_ref()?;
        (held.since.age(now) < GOOD).then(|| Arc::clone(&held.keys))
    }
}

impl Since {
    fn now(now: Instant) -> Self {
        Self { seen: now, before: Duration::ZERO }
    }

    fn age(self, now: Instant) -> Duration {
        now.saturating_duration_since(self.seen).saturating_add(self.before)
    }
}

struct Asking<'a>(&'a PublishedKeys);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.state().asking = false;
    }
}

#[cfg(test)]
mod tests;
