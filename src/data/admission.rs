//! Admission: under overload, an operation is refused before its first statement, because one that waits until its deadline costs the
//! database as much as one that is answered.
//!
//! What is measured is the time that calls over shared connections take. Their cost is bounded, so a long time is mostly waiting. The
//! shortest time in a window tells waiting that all share from one slow statement. A pause of the database is no overload: calls end
//! together when it is over, and the next ones are fast. During overload there may be as many operations in flight as the database
//! answers within the target (Little's law), by its rate in the last window.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::DatabaseError;
use crate::domain::Error;

/// How long times are collected before they decide anything.
const WINDOW: Duration = Duration::from_millis(300);
/// How long a call may take, unless half of the deadline is less: far more than one takes that does not wait.
const TARGET: Duration = Duration::from_millis(500);
/// So few operations in flight are no overload, and so few deadlines that were missed say nothing.
const FEW: u32 = 4;
/// The lowest limit. There is room for a second user.
const LOWEST: u32 = 2;
/// Users are counted by their hash. Users that share a number share what one user may have.
const NUMBERS: usize = 256;
/// The longest `Retry-After`, in seconds.
const LONGEST_RETRY: u64 = 3;

/// The operations of a process.
pub(super) struct Admission {
    deadline: Duration,
    hasher: RandomState,
    state: Mutex<State>,
}

struct State {
    in_flight: u32,
    of_number: [u32; NUMBERS],
    limit: Option<Limit>,
    refused: u64,
    window: Option<Window>,
}

/// The maximum number in flight, during overload.
struct Limit {
    number: u32,
    set: Instant,
}

/// What is learned in a window. It begins with the end of a call, so that a time without calls is not part of it.
struct Window {
    begun: Instant,
    shortest: Duration,
    answered: u32,
    missed: u32,
    refused_before: u64,
}

/// An operation in flight.
pub(super) struct Admitted<'a> {
    admission: &'a Admission,
    number: usize,
}

impl Admission {
    pub(super) fn new(deadline: Duration) -> Self {
        let state = State { in_flight: 0, of_number: [0; NUMBERS], limit: None, refused: 0, window: None };
        Self { deadline, hasher: RandomState::new(), state: Mutex::new(state) }
    }

    /// Takes an operation of this user in, or refuses it.
    #[inline(never)]
    pub(super) fn enter(&self, user: &str, now: Instant) -> Result<Admitted<'_>, Error> {
        let hash = self.hasher.hash_one(user);
        let number = hash as usize % NUMBERS;
        let mut state = self.state();
        let State { in_flight, of_number, limit, refused, .. } = &mut *state;
        // A call ends at its deadline, so without one for so long nothing waits.
        if limit.as_ref().is_some_and(|limit| now.saturating_duration_since(limit.set) > 2 * self.deadline) {
            *limit = None;
        }
        let Some(of_user) = of_number.get_mut(number) else { return Err(Error::Overloaded { retry_after: 1 }) };
        // A user may have as many as there is room for others (Choudhury and Hahne's dynamic threshold): so users in flight have the
        // same share, and there is room for one who has nothing in flight.
        if limit.as_ref().is_some_and(|limit| *of_user >= limit.number.saturating_sub(*in_flight)) {
            *refused += 1;
            // Clients that are refused together do not come back together.
            let retry_after = 1 + hash.wrapping_add(*refused) % LONGEST_RETRY;
            return Err(Error::Overloaded { retry_after });
        }
        *in_flight += 1;
        *of_user += 1;
        Ok(Admitted { admission: self, number })
    }

    /// Takes note of the end of a call over a shared connection. Failures say nothing of how long others wait, except for a deadline.
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
            shortest: took,
            answered: 0,
            missed: 0,
            refused_before: state.refused,
        });
        window.shortest = window.shortest.min(took);
        window.answered += u32::from(!missed);
        window.missed += u32::from(missed);
        let length = now.saturating_duration_since(window.begun);
        if length < WINDOW && window.missed < FEW {
            return;
        }
        // Deadlines are of 60 s at most (config.rs), so all of this fits.
        let target = TARGET.min(self.deadline / 2);
        let (waits, refuses) = (window.shortest >= target, state.refused > window.refused_before);
        let milliseconds = length.clamp(WINDOW, self.deadline.max(WINDOW)).as_millis() as u32;
        let in_target = window.answered.saturating_mul(target.as_millis() as u32) / milliseconds;
        state.window = None;
        let is_overload = match state.limit {
            None => waits && state.in_flight > FEW,
            Some(_) => waits || refuses,
        };
        state.limit = is_overload.then(|| Limit { number: LOWEST.max(in_target), set: now });
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
        if let Some(of_user) = state.of_number.get_mut(self.number) {
            *of_user = of_user.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests;
