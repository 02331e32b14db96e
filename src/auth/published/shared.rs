//! How instances agree that one of them fetches.
//!
//! An instance that wants something reads the record. It takes a newer set from there, and heeds the failures and the
//! curiosity of all. While another instance fetches it goes on with an old set, or waits. Otherwise it writes its name into
//! the record, rests, and reads again: of several that came at once, the one whose name has stayed fetches. The store
//! compares nothing, so two may fetch when one of them took longer than that rest between reading and writing; nothing worse
//! comes of it.
//!
//! The store makes things better and is needed for nothing: when it fails, the instance goes on alone; when it loses what
//! was written, or the clocks of instances are far apart, it fetches all the same.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::record::{Record, SKEW, age, stamp};
use super::{CURIOSITY, GOOD, Held, IMPATIENCE, LOOKS, PATIENCE, PublishedKeys, Since, Wish};
use crate::Event;
use crate::auth::keys::KeySet;
use crate::auth::{FETCH_DEADLINE, Moment, SharedStore};

/// How long a name has to stay in the record.
pub(super) const REST: Duration = Duration::from_millis(100);
/// How long an instance waits before it looks again whether another one's fetch has ended.
pub(super) const LOOK: Duration = Duration::from_millis(50);
/// After how long an instance that fetches is taken for gone.
pub(super) const GONE: Duration = FETCH_DEADLINE.saturating_add(Duration::from_secs(2));
/// How long an instance waits for others at most: for longer than that, no claim looks alive by any clock.
const ENOUGH: Duration = GONE.saturating_add(SKEW);

/// What the instances agreed on.
pub(super) enum Agreed {
    /// There is nothing to fetch: the wish is fulfilled, or may not be for now.
    Done,
    /// This instance fetches, and tells the others.
    Mine(Record),
    /// There is nobody to agree with.
    Alone,
}

impl PublishedKeys {
    /// Finds out who fetches.
    pub(super) async fn agree(&self, start: Moment, wish: Wish<'_>) -> Agreed {
        let Some(store) = self.store() else {
            return Agreed::Alone;
        };
        let begun = (self.ambient.clock)();
        let (mut waited, mut claimed) = (Duration::ZERO, false);
        loop {
            let Some(mut record) = self.read(store).await else {
                return Agreed::Alone;
            };
            // A slow store takes time, too.
            waited = waited.max((self.ambient.clock)().saturating_duration_since(begun));
            let now = start.later(waited);
            self.heed(&record, now, wish);
            if self.fulfilled(now, wish) {
                return Agreed::Done;
            }
            let alive = age(record.tried_at, now.wall).is_some_and(|age| age < GONE);
            let trying = record.trying.as_deref().filter(|_| alive);
            match trying {
                Some(name) if name == store.instance() => return Agreed::Mine(record),
                Some(_) if self.spares(now, wish) => return Agreed::Done,
                Some(_) if waited < ENOUGH => {
                    claimed = false;
                    self.source.pause(LOOK).await;
                    waited += LOOK;
                }
                None if self.denied(&record, now, wish) => return Agreed::Done,
                None if !claimed => {
                    record.trying = Some(store.instance().to_owned());
                    record.tried_at = Some(stamp(now.wall));
                    if !self.write(store, &record).await {
                        return Agreed::Alone;
                    }
                    claimed = true;
                    self.source.pause(REST).await;
                    waited += REST;
                }
                // The name is gone and nothing came of it, or others took too long: who knows what the store is doing.
                _ => {
                    record.tried_at = Some(stamp(now.wall));
                    return Agreed::Mine(record);
                }
            }
        }
    }

    /// Tells the other instances what came of fetching.
    pub(super) async fn tell(&self, mut record: Record, document: Option<String>, now: Moment, wish: Wish<'_>) {
        let Some(store) = self.store() else {
            return;
        };
        let began = record.tried_at;
        match document {
            Some(document) => {
                (record.document, record.fetched_at, record.failed_at) = (Some(document), began, None);
                if let Some((held, began)) = self.state().last.as_mut().zip(began) {
                    held.fetched_at = began;
                }
            }
            // At its end, for those that waited.
            None => record.failed_at = began.max(Some(stamp(now.wall))),
        }
        if let Wish::Newer(_) = wish {
            record.curious.extend(began);
            let old = record.curious.len().saturating_sub(LOOKS);
            record.curious.drain(..old);
        }
        (record.trying, record.tried_at) = (None, None);
        self.write(store, &record).await;
    }

    /// Takes over what the record knows better.
    fn heed(&self, record: &Record, now: Moment, wish: Wish<'_>) {
        let since = |stamped| age(stamped, now.wall).map(|before| Since { seen: now.steady, before });
        let fetched = since(record.fetched_at).filter(|fetched| fetched.before < GOOD);
        // The store has the last word, unless it has clearly gone back.
        let newer = |held: &Held| {
            record.fetched_at != Some(held.fetched_at)
                && fetched.is_some_and(|fetched| fetched.before < held.since.age(now.steady).saturating_add(SKEW))
        };
        let wanted = self.state().last.as_ref().is_none_or(newer);
        let set = match (&record.document, fetched, record.fetched_at) {
            (Some(document), Some(fetched), Some(fetched_at)) if wanted => match KeySet::parse(document.as_bytes()) {
                Ok(keys) => Some((keys, fetched, fetched_at)),
                Err(problem) => {
                    self.complain(&format!("the document {problem}"));
                    None
                }
            },
            _ => None,
        };
        let mut state = self.state();
        if let Some((keys, fetched, fetched_at)) = set {
            state.hold(keys, fetched, fetched_at);
        }
        state.failed = since(record.failed_at).or(state.failed);
        let mut curious: Vec<_> = record.curious.iter().filter_map(|then| since(Some(*then))).collect();
        if let Wish::Newer(_) = wish {
            curious.push(Since::now(now.steady));
        }
        // A store may have lost what this instance knows.
        if curious.len() >= state.curious.len() {
            state.curious = curious;
        }
    }

    fn fulfilled(&self, now: Moment, wish: Wish<'_>) -> bool {
        let state = self.state();
        match wish {
            Wish::Fresh => state.fresh(now.steady),
            Wish::Newer(seen) => state.last.as_ref().is_some_and(|held| !Arc::ptr_eq(&held.keys, seen)),
        }
    }

    /// Whether an old set will do while another instance fetches.
    fn spares(&self, now: Moment, wish: Wish<'_>) -> bool {
        let mut state = self.state();
        let spares = matches!(wish, Wish::Fresh) && state.good(now.steady).is_some();
        if spares {
            state.busy = Some(Since::now(now.steady));
        }
        spares
    }

    /// Whether the issuer was asked too lately.
    fn denied(&self, record: &Record, now: Moment, wish: Wish<'_>) -> bool {
        let lately = |stamped, limit| age(stamped, now.wall).is_some_and(|age| age < limit);
        match wish {
            Wish::Fresh if self.state().good(now.steady).is_some() => lately(record.failed_at, PATIENCE),
            Wish::Fresh => lately(record.failed_at, IMPATIENCE),
            Wish::Newer(_) => record.curious.iter().filter(|then| lately(Some(**then), CURIOSITY)).count() >= LOOKS,
        }
    }

    fn store(&self) -> Option<&dyn SharedStore> {
        self.source.shared().filter(|_| !self.alone.load(Ordering::Relaxed))
    }

    /// Reads the record; a bad one is as good as none. `None` when the store fails.
    async fn read(&self, store: &dyn SharedStore) -> Option<Record> {
        match store.read(&Record::key(&self.url)).await {
            Ok(None) => Some(Record::new(&self.url)),
            Ok(Some(bytes)) => Some(Record::parse(&bytes, &self.url).unwrap_or_else(|problem| {
                self.complain(&format!("the record {problem}"));
                Record::new(&self.url)
            })),
            Err(cause) => {
                self.give_up(&cause);
                None
            }
        }
    }

    async fn write(&self, store: &dyn SharedStore, record: &Record) -> bool {
        let written = match record.to_bytes() {
            Ok(bytes) => store.write(&Record::key(&self.url), bytes).await,
            Err(cause) => Err(cause),
        };
        written.inspect_err(|cause| self.give_up(cause)).is_ok()
    }

    fn give_up(&self, cause: &str) {
        self.alone.store(true, Ordering::Relaxed);
        self.complain(cause);
    }

    /// Logs, once per instance, that the shared store is not as it should be.
    fn complain(&self, cause: &str) {
        if !self.complained.swap(true, Ordering::Relaxed) {
            self.ambient.report(Event::NoSharedJwks, &format!("{}: {cause}", self.url));
        }
    }
}
