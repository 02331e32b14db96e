//! Turns of the writes of a user that an instance serves. Writes wait here instead of in the database. As `sharing.rs`, it needs no
//! runtime.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::sharing::Queue;

/// The users who have writes in flight.
pub(super) struct Writers<Q>(RefCell<HashMap<String, Rc<Line<Q>>>>);

/// The writes of one user.
#[derive(Default)]
struct Line<Q> {
    writing: Cell<bool>,
    queue: Q,
}

/// A write in the line of its user. When the value goes, the next one may have its turn.
pub(super) struct Place<Q: Queue> {
    writers: Rc<Writers<Q>>,
    user: String,
    line: Rc<Line<Q>>,
    has_turn: Cell<bool>,
}

impl<Q: Queue + Default> Writers<Q> {
    /// Without a write.
    pub(super) fn new() -> Rc<Self> {
        Rc::new(Self(RefCell::default()))
    }

    /// Puts a write in line.
    pub(super) fn join(self: &Rc<Self>, user: &str) -> Place<Q> {
        let line = Rc::clone(self.0.borrow_mut().entry(user.to_owned()).or_insert_with(|| Rc::new(Line::default())));
        Place { writers: Rc::clone(self), user: user.to_owned(), line, has_turn: Cell::new(false) }
    }
}

impl<Q: Queue> Place<Q> {
    /// Takes the turn. If another write has it, gives what to wait for before this is tried again.
    pub(super) fn take_turn(&self) -> Option<Q::Turn> {
        if self.line.writing.replace(true) {
            return Some(self.line.queue.join());
        }
        self.has_turn.set(true);
        None
    }
}

impl<Q: Queue> Drop for Place<Q> {
    fn drop(&mut self) {
        if self.has_turn.get() {
            self.line.writing.set(false);
            self.line.queue.call();
        }
        // One is here and one in the table.
        if Rc::strong_count(&self.line) == 2 {
            self.writers.0.borrow_mut().remove(&self.user);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sharing::calls::Calls;
    use super::*;

    #[test]
    fn writes_of_a_user_have_the_turn_one_after_the_other() {
        let writers = Writers::<Calls>::new();
        let [first, second, other] = ["alice", "alice", "bob"].map(|user| writers.join(user));
        assert!(first.take_turn().is_none());
        assert!(second.take_turn().is_some() && other.take_turn().is_none());
        assert_eq!((second.line.queue.waiting.get(), other.line.queue.waiting.get()), (1, 0));
        drop(first);
        assert_eq!(second.line.queue.called.get(), 1);
        assert!(second.take_turn().is_none());
    }

    #[test]
    fn a_write_that_is_given_up_leaves_the_turn_to_the_one_that_has_it() {
        let writers = Writers::<Calls>::new();
        let [first, given_up, third] = [(); 3].map(|()| writers.join("alice"));
        assert!(first.take_turn().is_none() && given_up.take_turn().is_some());
        drop(given_up);
        assert_eq!(first.line.queue.called.get(), 0);
        assert!(third.take_turn().is_some());
    }

    #[test]
    fn a_line_goes_with_its_last_write() {
        let writers = Writers::<Calls>::new();
        let [first, second] = [(); 2].map(|()| writers.join("alice"));
        assert!(first.take_turn().is_none() && second.take_turn().is_some());
        drop(first);
        assert_eq!(writers.0.borrow().len(), 1);
        drop(second);
        assert_eq!(writers.0.borrow().len(), 0);
    }
}
