//! The cached result of the readiness check. The check needs no token, so its cost is bounded: a result is reused for half a second, and
//! while one request checks, the others get the last result.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::domain::Error;

/// How long a result is reused.
const MAX_AGE: Duration = Duration::from_millis(500);

/// The last result.
#[derive(Default)]
pub(super) struct Ready(Mutex<State>);

#[derive(Default)]
struct State {
    last: Option<(Instant, Result<(), Error>)>,
    asking: bool,
}

/// How a request gets its result.
pub(super) enum Step<'a> {
    Known(Result<(), Error>),
    Ask(Asking<'a>),
}

/// The right to check. If the request is cancelled, the next one gets it.
pub(super) struct Asking<'a>(&'a Ready);

impl Ready {
    pub(super) fn step(&self, now: Instant) -> Step<'_> {
        let mut state = self.state();
        match &state.last {
            Some((then, answer)) if state.asking || now.saturating_duration_since(*then) < MAX_AGE => {
                Step::Known(answer.clone())
            }
            _ => {
                state.asking = true;
                Step::Ask(Asking(self))
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asking<'_> {
    pub(super) fn done(self, now: Instant, answer: Result<(), Error>) {
        self.0.state().last = Some((now, answer));
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.state().asking = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Cause, CauseCode};

    #[test]
    fn an_answer_is_good_for_half_a_second() {
        let (ready, begun) = (Ready::default(), Instant::now());
        let known = |after: u64| match ready.step(begun + Duration::from_millis(after)) {
            Step::Known(answer) => Some(answer),
            Step::Ask(_) => None,
        };
        assert_eq!(known(0), None, "nobody has asked");
        let down = Err(Error::Unavailable(Cause::new(CauseCode::NoConnection, "because")));
        let Step::Ask(asking) = ready.step(begun) else { panic!("it is known") };
        assert_eq!(known(0), None, "there is no answer to give");
        asking.done(begun, down.clone());
        assert_eq!((known(0), known(499), known(500)), (Some(down.clone()), Some(down.clone()), None));
        let Step::Ask(asking) = ready.step(begun + Duration::from_secs(1)) else { panic!("it is old") };
        assert_eq!(known(1_000), Some(down), "one asks, the others do not wait");
        asking.done(begun + Duration::from_secs(1), Ok(()));
        assert_eq!(known(1_499), Some(Ok(())));
    }

    #[test]
    fn who_gives_up_leaves_the_question_to_the_next() {
        let (ready, begun) = (Ready::default(), Instant::now());
        let Step::Ask(asking) = ready.step(begun) else { panic!("it is known") };
        asking.done(begun, Ok(()));
        let late = begun + Duration::from_secs(1);
        drop(ready.step(late));
        assert!(matches!(ready.step(late), Step::Ask(_)));
    }
}
