//! Per-user write locks of this instance. Writes of a user wait here instead of in the database. Needs no runtime, as `pool.rs`.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::pool::WaitQueue;

/// The locks of the users that have writes in flight.
pub(super) struct WriteLocks<Q>(RefCell<HashMap<String, Rc<UserLock<Q>>>>);

/// The lock of one user.
#[derive(Default)]
struct UserLock<Q> {
    held: Cell<bool>,
    queue: Q,
}

/// A write that holds its user's lock or waits for it. Dropping it releases the lock and wakes the next write.
pub(super) struct LockRequest<Q: WaitQueue> {
    locks: Rc<WriteLocks<Q>>,
    user: String,
    lock: Rc<UserLock<Q>>,
    acquired: Cell<bool>,
}

impl<Q: WaitQueue + Default> WriteLocks<Q> {
    /// No locks.
    pub(super) fn new() -> Rc<Self> {
        Rc::new(Self(RefCell::default()))
    }

    /// A request for this user's lock, which does not hold it yet.
    pub(super) fn request(self: &Rc<Self>, user: &str) -> LockRequest<Q> {
        let lock =
            Rc::clone(self.0.borrow_mut().entry(user.to_owned()).or_insert_with(|| Rc::new(UserLock::default())));
        LockRequest { locks: Rc::clone(self), user: user.to_owned(), lock, acquired: Cell::new(false) }
    }
}

impl<Q: WaitQueue> LockRequest<Q> {
    /// Acquires the lock. If another write holds it, returns what to wait for before the next attempt.
    pub(super) fn try_acquire(&self) -> Result<(), Q::Waiter> {
        if self.lock.held.replace(true) {
            return Err(self.lock.queue.enqueue());
        }
        self.acquired.set(true);
        Ok(())
    }
}

impl<Q: WaitQueue> Drop for LockRequest<Q> {
    fn drop(&mut self) {
        if self.acquired.get() {
            self.lock.held.set(false);
            self.lock.queue.wake_one();
        }
        // The references of this request and of the map are the last ones.
        if Rc::strong_count(&self.lock) == 2 {
            self.locks.0.borrow_mut().remove(&self.user);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::pool::counting_queue::CountingQueue;
    use super::*;

    #[test]
    fn writes_of_a_user_hold_the_lock_one_after_the_other() {
        let locks = WriteLocks::<CountingQueue>::new();
        let [first, second, other] = ["alice", "alice", "bob"].map(|user| locks.request(user));
        assert!(first.try_acquire().is_ok());
        assert!(second.try_acquire().is_err() && other.try_acquire().is_ok());
        assert_eq!((second.lock.queue.waiting.get(), other.lock.queue.waiting.get()), (1, 0));
        drop(first);
        assert_eq!(second.lock.queue.woken.get(), 1);
        assert!(second.try_acquire().is_ok());
    }

    #[test]
    fn a_cancelled_request_does_not_release_the_lock_of_another_write() {
        let locks = WriteLocks::<CountingQueue>::new();
        let [first, cancelled, third] = [(); 3].map(|()| locks.request("alice"));
        assert!(first.try_acquire().is_ok() && cancelled.try_acquire().is_err());
        drop(cancelled);
        assert_eq!(first.lock.queue.woken.get(), 0);
        assert!(third.try_acquire().is_err());
    }

    #[test]
    fn the_last_request_removes_the_lock_of_its_user() {
        let locks = WriteLocks::<CountingQueue>::new();
        let [first, second] = [(); 2].map(|()| locks.request("alice"));
        assert!(first.try_acquire().is_ok() && second.try_acquire().is_err());
        drop(first);
        assert_eq!(locks.0.borrow().len(), 1);
        drop(second);
        assert_eq!(locks.0.borrow().len(), 0);
    }
}
