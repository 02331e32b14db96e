//! A cache of verified tokens, so that a client's second request costs a hash and not a signature.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::Caller;
use super::claims::has_expired;
use super::keys::KeyId;

/// The maximum number of tokens in a generation.
const GENERATION_SIZE: usize = 512;

/// Verified tokens by their SHA-256.
#[derive(Default)]
pub(super) struct Cache(Mutex<Generations>);

/// A lookup moves a token to the young generation. When that is full, it becomes the old one, which is dropped. So tokens in use stay,
/// without bookkeeping per entry.
#[derive(Default)]
struct Generations {
    young: HashMap<[u8; 32], Verified>,
    old: HashMap<[u8; 32], Verified>,
}

/// The result of a verification.
#[derive(Clone)]
pub(super) struct Verified {
    pub(super) caller: Caller,
    /// When it was verified. If the clock was set back since, it is verified again.
    pub(super) at: u64,
    /// Its `exp`.
    pub(super) expires: u64,
    /// The key that verified it. The entry is valid only while the key is.
    pub(super) key: KeyId,
}

impl Cache {
    /// The result for a token that has not expired.
    pub(super) fn get(&self, digest: &[u8; 32], now: u64) -> Option<Verified> {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = match generations.young.get(digest) {
            Some(found) => found.clone(),
            None => {
                let found = generations.old.remove(digest)?;
                generations.insert(*digest, found.clone());
                found
            }
        };
        (found.at <= now && !has_expired(found.expires, now)).then_some(found)
    }

    /// Adds a result.
    pub(super) fn insert(&self, digest: [u8; 32], verified: Verified) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(digest, verified);
    }
}

impl Generations {
    fn insert(&mut self, digest: [u8; 32], verified: Verified) {
        if self.young.len() >= GENERATION_SIZE {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(digest, verified);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verified(expires: u64) -> Verified {
        let caller = Caller { user_id: "alice".to_owned(), reads: true, writes: false };
        Verified { caller, at: 50, expires, key: [0; 32] }
    }

    fn digest(number: u32) -> [u8; 32] {
        let mut digest = [0; 32];
        digest[..4].copy_from_slice(&number.to_be_bytes());
        digest
    }

    #[test]
    fn the_number_of_entries_is_bounded_and_what_is_in_use_stays() {
        let cache = Cache::default();
        for number in 0..10_000 {
            cache.insert(digest(number), verified(100));
            assert!(cache.get(&digest(0), 50).is_some(), "{number}");
        }
        let generations = cache.0.lock().unwrap();
        assert!(generations.young.len() + generations.old.len() <= 2 * GENERATION_SIZE);
        drop(generations);
        assert!(cache.get(&digest(1), 50).is_none());
    }

    #[test]
    fn a_clock_that_is_set_back_forgets_what_it_was_ahead_for() {
        let cache = Cache::default();
        cache.insert(digest(0), verified(100));
        assert!(cache.get(&digest(0), 49).is_none());
        assert!(cache.get(&digest(0), 50).is_some());
    }

    #[test]
    fn nothing_outlives_its_exp() {
        let cache = Cache::default();
        cache.insert(digest(0), verified(100));
        assert!(cache.get(&digest(0), 159).is_some());
        assert!(cache.get(&digest(0), 160).is_none());
    }
}
