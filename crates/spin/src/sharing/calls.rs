//! A queue for tests.

use std::cell::Cell;

use super::Queue;

/// Counts the requests that wait and the calls.
#[derive(Default)]
pub(crate) struct Calls {
    pub(crate) waiting: Cell<u32>,
    pub(crate) called: Cell<u32>,
}

impl Queue for Calls {
    type Turn = ();

    fn join(&self) {
        self.waiting.set(self.waiting.get() + 1);
    }

    fn call(&self) {
        self.called.set(self.called.get() + 1);
    }
}
