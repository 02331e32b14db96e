//! Waiting for another request of this instance.
//!
//! Requests are tasks of the component model: one cannot wake another through Rust's wakers. But a task that reads a
//! stream wakes when the other end is dropped, whoever drops it.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use spin_sdk::wasip3::wit_stream;
use wit_bindgen::{StreamReader, StreamWriter};

/// A queue of those who wait. First come, first called.
#[derive(Default)]
pub(super) struct Turns {
    waiting: RefCell<VecDeque<Waiting>>,
}

/// The queue's side of a place.
struct Waiting {
    called: Rc<Cell<bool>>,
    bell: StreamWriter<u8>,
}

/// A place in the queue. Whoever is called and leaves without having noticed passes the call on.
pub(super) struct Turn {
    queue: Rc<Turns>,
    end: StreamReader<u8>,
    called: Rc<Cell<bool>>,
    noticed: bool,
}

impl Turns {
    /// Takes a place.
    pub(super) fn join(self: &Rc<Self>) -> Turn {
        let (bell, end) = wit_stream::new();
        let called = Rc::new(Cell::new(false));
        self.waiting.borrow_mut().push_back(Waiting { called: Rc::clone(&called), bell });
        Turn { queue: Rc::clone(self), end, called, noticed: false }
    }

    /// Calls the first who still waits.
    pub(super) fn call(&self) {
        while let Some(Waiting { called, bell }) = self.next() {
            // Otherwise nobody waits there any more.
            if Rc::strong_count(&called) > 1 {
                called.set(true);
                return drop(bell);
            }
        }
    }

    fn next(&self) -> Option<Waiting> {
        self.waiting.borrow_mut().pop_front()
    }
}

impl Turn {
    /// Waits for the call.
    pub(super) async fn come(mut self) {
        self.end.next().await;
        self.noticed = true;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.called.get() && !self.noticed {
            self.queue.call();
        }
    }
}
