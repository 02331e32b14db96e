//! Admission control: under overload, an operation is refused before its first statement, because an operation that misses its deadline
//! costs the database as much as one that is answered.
//!
//! The measured value is the latency of calls over the shared pool. Their cost is bounded, so a high latency is mostly queueing. The
//! lowest latency in a window distinguishes queueing, which affects all calls, from one slow statement. A pause of the database is no
//! overload: the waiting calls end together after it, and the next ones are fast. A crowd of clients that each wait for their answer is no
//! overload either, while they wait for less than the target latency. During overload, the limit of operations in flight is the number that
//! the database answers within the target latency at its last measured rate (Little's law). Both are of the shared pool: an operation that
//! goes on over the dedicated pool is no longer in flight here, because it does not wait in that queue. Its user's slots bound it.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::DatabaseError;
use crate::domain::Error;

/// The bounds of the length of a measurement window.
const MIN_WINDOW_LENGTH: Duration = Duration::from_millis(150);
const MAX_WINDOW_LENGTH: Duration = Duration::from_millis(300);
/// The latency that shows queueing, unless the deadline is short. A call that does not wait takes far less.
const QUEUEING_LATENCY: Duration = Duration::from_millis(500);
/// Up to this many operations in flight are no overload. So many missed deadlines end a window early, and so many answers more than those
/// that were measured are still possible.
const OVERLOAD_THRESHOLD: u32 = 4;
/// The lowest limit, which leaves room for a second user.
const MIN_LIMIT: u32 = 2;
/// Operations are counted by a hash of the user. Users in the same bucket share the limit of one user.
const USER_BUCKETS: usize = 256;
/// The maximum `Retry-After`, in seconds.
const MAX_RETRY_AFTER: u64 = 3;

/// The operations of a process over the shared pool.
pub(super) struct Admission {
    deadline: Duration,
    hasher: RandomState,
    state: Mutex<State>,
}

struct State {
    in_flight: u32,
    in_flight_by_bucket: [u32; USER_BUCKETS],
    limit: Option<Limit>,
    refused: u64,
    window: Option<Window>,
    /// Whether the last window missed the target.
    missed_target: bool,
}

/// The maximum number in flight, during overload.
struct Limit {
    number: u32,
    set: Instant,
}

/// The measurements of a window. It begins at the end of a call, so that an idle period is not part of it.
struct Window {
    begun: Instant,
    min_latency: Duration,
    answered: u32,
    missed: u32,
    refused_before: u64,
}

/// An operation in flight over the shared pool, until it is dropped.
pub(super) struct Admitted<'a> {
    admission: &'a Admission,
    bucket: usize,
}

impl Admission {
    pub(super) fn new(deadline: Duration) -> Self {
        let state = State {
            in_flight: 0,
            in_flight_by_bucket: [0; USER_BUCKETS],
            limit: None,
            refused: 0,
            window: None,
            missed_target: false,
        };
        Self { deadline, hasher: RandomState::new(), state: Mutex::new(state) }
    }

    /// Admits an operation of this user, or refuses it.
    #[inline(never)]
    pub(super) fn enter(&self, user: &str, now: Instant) -> Result<Admitted<'_>, Error> {
        let hash = self.hasher.hash_one(user);
        let bucket = hash as usize % USER_BUCKETS;
        let mut state = self.state();
        let State { in_flight, in_flight_by_bucket, limit, refused, .. } = &mut *state;
        // A call ends at its deadline. After twice that time without a measurement, no call is waiting.
        if limit.as_ref().is_some_and(|limit| now.saturating_duration_since(limit.set) > 2 * self.deadline) {
            *limit = None;
        }
        let Some(in_flight_of_user) = in_flight_by_bucket.get_mut(bucket) else {
            return Err(Error::Overloaded { retry_after: 1 });
        };
        // The limit of a user is the room that is left for others (the dynamic threshold of Choudhury and Hahne). So active users get
        // equal shares, and there is always room for a new user.
        if limit.as_ref().is_some_and(|limit| *in_flight_of_user >= limit.number.saturating_sub(*in_flight)) {
            *refused += 1;
            // Spread out, so that clients that are refused together do not retry together.
            let retry_after = 1 + hash.wrapping_add(*refused) % MAX_RETRY_AFTER;
            return Err(Error::Overloaded { retry_after });
        }
        *in_flight += 1;
        *in_flight_of_user += 1;
        Ok(Admitted { admission: self, bucket })
    }

    /// Records the end of a call over the shared pool. Failures other than a missed deadline are not a measure of queueing.
    #[inline(never)]
    pub(super) fn ended(&self, begun: Instant, now: Instant, failure: Option<&DatabaseError>) {
        let missed = match failure {
            None => false,
            Some(DatabaseError::Deadline { .. }) => true,
            Some(_) => return,
        };
        let took = now.saturating_duration_since(begun);
        let mut state = self.state();
        let state = &mut *state;
        let window = state.window.get_or_insert(Window {
            begun: now,
            min_latency: took,
            answered: 0,
            missed: 0,
            refused_before: state.refused,
        });
        window.min_latency = window.min_latency.min(took);
        window.answered += u32::from(!missed);
        window.missed += u32::from(missed);
        let length = now.saturating_duration_since(window.begun);
        if length < self.window_length() && window.missed < OVERLOAD_THRESHOLD {
            return;
        }
        // A deadline is at most 60 s (config.rs), so these numbers fit.
        let milliseconds =
            length.clamp(self.window_length(), self.deadline.max(self.window_length())).as_millis() as u32;
        let in_time = |answered: u32, time: Duration| answered.saturating_mul(time.as_millis() as u32) / milliseconds;
        let misses_target = window.min_latency >= self.target_latency();
        // A long queue shows before its calls miss the target: the operations in flight need half of the deadline, at the highest rate that
        // the answers allow.
        let answers = window.answered.saturating_add(OVERLOAD_THRESHOLD);
        let is_long_queue =
            window.min_latency >= self.queueing_latency() && state.in_flight > in_time(answers, self.deadline / 2);
        let is_overload = match state.limit {
            None => (misses_target && state.missed_target || is_long_queue) && state.in_flight > OVERLOAD_THRESHOLD,
            Some(_) => misses_target || state.refused > window.refused_before,
        };
        let in_target = in_time(window.answered, self.target_latency());
        (state.window, state.missed_target) = (None, misses_target);
        state.limit = is_overload.then(|| Limit { number: MIN_LIMIT.max(in_target), set: now });
    }

    /// A sixteenth of the deadline: two windows take less time than the target.
    fn window_length(&self) -> Duration {
        (self.deadline / 16).clamp(MIN_WINDOW_LENGTH, MAX_WINDOW_LENGTH)
    }

    fn queueing_latency(&self) -> Duration {
        QUEUEING_LATENCY.min(self.deadline / 2)
    }

    /// A fifth of the deadline. At twice the capacity, the newest call will wait twice as long as the call that is answered, and it must
    /// not miss its deadline while the overload is noticed.
    fn target_latency(&self) -> Duration {
        self.queueing_latency().max(self.deadline / 5)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Admitted<'_> {
    #[inline(never)]
    fn drop(&mut self) {
        let mut state = self.admission.state();
        state.in_flight = state.in_flight.saturating_sub(1);
        if let Some(in_flight_of_user) = state.in_flight_by_bucket.get_mut(self.bucket) {
            *in_flight_of_user = in_flight_of_user.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests;
