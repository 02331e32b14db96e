//! The instance's pool of shared connections, without a runtime. The connection type, the wait queue and the clock are parameters, so
//! that the pool is tested without Spin. `connections.rs` says why connections are shared.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The maximum number of requests on one connection.
const MAX_LEASES_PER_CONNECTION: u32 = 16;
/// The maximum number of open connections that requests can join.
const MAX_CONNECTIONS: usize = 3;
/// How long an unused connection stays open.
const IDLE_TIMEOUT: Duration = Duration::from_millis(5);
/// A connection in use without progress for this long accepts no further requests.
const STALL_TIMEOUT: Duration = Duration::from_millis(250);

/// A first-in, first-out queue of requests that wait.
pub(super) trait WaitQueue {
    /// A place in the queue. Dropping it leaves the queue.
    type Waiter;

    /// Adds a waiter at the end.
    fn enqueue(&self) -> Self::Waiter;

    /// Wakes the first waiter that was not dropped.
    fn wake_one(&self);
}

/// The pool.
pub(super) struct ConnectionPool<C, Q> {
    connections: RefCell<Vec<Rc<Pooled<C>>>>,
    is_opening: Cell<bool>,
    queue: Q,
    clock: fn() -> Instant,
    /// Starts a task that calls [`Idle::time_left`] until it returns `None`.
    start_idle_timer: fn(Idle<C, Q>),
}

struct Pooled<C> {
    connection: C,
    leases: Cell<u32>,
    /// When the last answer came, or when the connection came into use again.
    last_progress: Cell<Instant>,
    has_idle_timer: Cell<bool>,
}

/// What a request does to get a connection.
pub(super) enum Checkout<C, Q: WaitQueue> {
    /// It uses this one.
    Use(Lease<C, Q>),
    /// It opens one.
    Open(Opening<C, Q>),
    /// It waits, and tries again.
    Wait(Q::Waiter),
}

/// A request's use of a connection. Unless the request marks the connection as reusable, dropping the lease removes the connection from
/// the pool. A cancelled request cannot mark it.
pub(super) struct Lease<C, Q: WaitQueue> {
    pool: Rc<ConnectionPool<C, Q>>,
    pooled: Rc<Pooled<C>>,
    is_reusable: Cell<bool>,
}

/// The permit to open a connection. One request of the instance opens one at a time. Dropping the permit wakes the requests that wait
/// for the connection, whether it was opened or not.
pub(super) struct Opening<C, Q: WaitQueue> {
    pool: Rc<ConnectionPool<C, Q>>,
}

/// A connection that its last user has released.
pub(super) struct Idle<C, Q> {
    pool: Rc<ConnectionPool<C, Q>>,
    pooled: Rc<Pooled<C>>,
}

impl<C, Q: WaitQueue> ConnectionPool<C, Q> {
    /// An empty pool.
    pub(super) fn new(queue: Q, clock: fn() -> Instant, start_idle_timer: fn(Idle<C, Q>)) -> Rc<Self> {
        Rc::new(Self { connections: RefCell::default(), is_opening: Cell::new(false), queue, clock, start_idle_timer })
    }

    /// Leases the connection with the fewest users. If all are full or stalled, says how to get another.
    pub(super) fn checkout(self: &Rc<Self>) -> Checkout<C, Q> {
        let now = (self.clock)();
        let connections = self.connections.borrow();
        let available = connections.iter().filter(|pooled| pooled.is_available(now));
        match available.min_by_key(|pooled| pooled.leases.get()) {
            Some(pooled) => Checkout::Use(Lease::new(self, Rc::clone(pooled), now)),
            None if self.is_opening.get() || connections.len() >= MAX_CONNECTIONS => {
                Checkout::Wait(self.queue.enqueue())
            }
            None => {
                self.is_opening.set(true);
                Checkout::Open(Opening { pool: Rc::clone(self) })
            }
        }
    }
}

impl<C, Q> ConnectionPool<C, Q> {
    fn contains(&self, pooled: &Rc<Pooled<C>>) -> bool {
        self.connections.borrow().iter().any(|other| Rc::ptr_eq(other, pooled))
    }

    fn remove(&self, pooled: &Rc<Pooled<C>>) {
        self.connections.borrow_mut().retain(|other| !Rc::ptr_eq(other, pooled));
    }
}

impl<C, Q: WaitQueue> Opening<C, Q> {
    /// Adds the opened connection to the pool, and leases it.
    pub(super) fn add(self, connection: C) -> Lease<C, Q> {
        let pool = &self.pool;
        let now = (pool.clock)();
        let pooled = Rc::new(Pooled {
            connection,
            leases: Cell::new(0),
            last_progress: Cell::new(now),
            has_idle_timer: Cell::new(false),
        });
        let lease = Lease::new(pool, Rc::clone(&pooled), now);
        pool.connections.borrow_mut().push(pooled);
        // Dropping the permit wakes one more.
        (2..MAX_LEASES_PER_CONNECTION).for_each(|_| pool.queue.wake_one());
        lease
    }
}

impl<C, Q: WaitQueue> Drop for Opening<C, Q> {
    fn drop(&mut self) {
        self.pool.is_opening.set(false);
        self.pool.queue.wake_one();
    }
}

impl<C> Pooled<C> {
    fn is_available(&self, now: Instant) -> bool {
        let leases = self.leases.get();
        let is_stalled = || now.saturating_duration_since(self.last_progress.get()) >= STALL_TIMEOUT;
        leases < MAX_LEASES_PER_CONNECTION && (leases == 0 || !is_stalled())
    }
}

impl<C, Q: WaitQueue> Lease<C, Q> {
    fn new(pool: &Rc<ConnectionPool<C, Q>>, pooled: Rc<Pooled<C>>, now: Instant) -> Self {
        if pooled.leases.get() == 0 {
            pooled.last_progress.set(now);
        }
        pooled.leases.set(pooled.leases.get() + 1);
        Self { pool: Rc::clone(pool), pooled, is_reusable: Cell::new(false) }
    }

    /// The connection.
    pub(super) fn connection(&self) -> &C {
        &self.pooled.connection
    }

    /// Keeps the connection in the pool, because the answer was complete.
    pub(super) fn mark_reusable(&self) {
        self.is_reusable.set(true);
    }
}

impl<C, Q: WaitQueue> Drop for Lease<C, Q> {
    fn drop(&mut self) {
        let Self { pool, pooled, is_reusable } = self;
        let leases = pooled.leases.get().saturating_sub(1);
        pooled.leases.set(leases);
        pooled.last_progress.set((pool.clock)());
        if !is_reusable.get() {
            pool.remove(pooled);
        }
        pool.queue.wake_one();
        if leases == 0 && pool.contains(pooled) && !pooled.has_idle_timer.replace(true) {
            (pool.start_idle_timer)(Idle { pool: Rc::clone(pool), pooled: Rc::clone(pooled) });
        }
    }
}

impl<C, Q> Idle<C, Q> {
    /// The time until the next check. `None` ends the idle timer: the connection was idle for [`IDLE_TIMEOUT`] and is closed, or it is in
    /// use again, and its last user starts another timer.
    pub(super) fn time_left(&self) -> Option<Duration> {
        if self.pooled.leases.get() > 0 {
            self.pooled.has_idle_timer.set(false);
            return None;
        }
        let idle = (self.pool.clock)().saturating_duration_since(self.pooled.last_progress.get());
        let left = IDLE_TIMEOUT.checked_sub(idle).filter(|left| !left.is_zero());
        if left.is_none() {
            self.pool.remove(&self.pooled);
        }
        left
    }
}

#[cfg(test)]
pub(crate) mod counting_queue;
#[cfg(test)]
mod tests;
