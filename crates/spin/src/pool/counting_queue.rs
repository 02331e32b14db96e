//! A wait queue for tests.

use std::cell::Cell;

use super::WaitQueue;

/// Counts the waiters that were added and the wake-ups.
#[derive(Default)]
pub(crate) struct CountingQueue {
    pub(crate) waiting: Cell<u32>,
    pub(crate) woken: Cell<u32>,
}

impl WaitQueue for CountingQueue {
    type Waiter = ();

    fn enqueue(&self) {
        self.waiting.set(self.waiting.get() + 1);
    }

    fn wake_one(&self) {
        self.woken.set(self.woken.get() + 1);
    }
}
