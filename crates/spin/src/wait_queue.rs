//! A queue of requests of this instance that wait for another request.
//!
//! Requests are tasks of the component model, and Rust's wakers do not work across them. But a task that reads a stream wakes when
//! any task drops the writing end, so a waiting request reads a stream.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use spin_sdk::wasip3::wit_stream;
use wit_bindgen::{StreamReader, StreamWriter};

/// A first-in, first-out queue.
#[derive(Default)]
pub(super) struct StreamQueue {
    entries: RefCell<VecDeque<Entry>>,
}

/// The queue's side of a waiter. A strong count of 1 on `woken` means that the waiter was dropped.
struct Entry {
    woken: Rc<Cell<bool>>,
    writer: StreamWriter<u8>,
}

/// A place in the queue. If it is dropped after it was woken and before it noticed, it wakes the next waiter.
pub(super) struct Waiter {
    queue: Rc<StreamQueue>,
    reader: StreamReader<u8>,
    woken: Rc<Cell<bool>>,
    noticed: bool,
}

impl StreamQueue {
    /// Adds a waiter at the end.
    pub(super) fn enqueue(self: &Rc<Self>) -> Waiter {
        let (writer, reader) = wit_stream::new();
        let woken = Rc::new(Cell::new(false));
        self.entries.borrow_mut().push_back(Entry { woken: Rc::clone(&woken), writer });
        Waiter { queue: Rc::clone(self), reader, woken, noticed: false }
    }

    /// Wakes the first waiter that was not dropped.
    pub(super) fn wake_one(&self) {
        while let Some(Entry { woken, writer }) = self.pop() {
            if Rc::strong_count(&woken) > 1 {
                woken.set(true);
                return drop(writer);
            }
        }
    }

    fn pop(&self) -> Option<Entry> {
        self.entries.borrow_mut().pop_front()
    }
}

impl Waiter {
    /// Waits to be woken.
    pub(super) async fn wait(mut self) {
        self.reader.next().await;
        self.noticed = true;
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if self.woken.get() && !self.noticed {
            self.queue.wake_one();
        }
    }
}
