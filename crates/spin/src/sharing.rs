//! Who shares which connection, without a runtime: what a connection is, how one waits and what time it is come from
//! outside, so that this is tested without Spin. `connections.rs` says why there is sharing at all.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How many requests may be on one connection.
const SHARERS: u32 = 16;
/// How many connections an instance may have that others can join.
const MOST: usize = 3;
/// How long a connection stays after its last use.
const LINGER: Duration = Duration::from_millis(5);
/// How long the answers on a busy connection may stay away until nobody joins it any more.
const STUCK: Duration = Duration::from_millis(250);

/// Those who wait for a connection. First come, first called.
pub(super) trait Queue {
    /// A place in the queue.
    type Turn;

    /// Takes a place.
    fn join(&self) -> Self::Turn;

    /// Calls the first who still waits.
    fn call(&self);
}

/// What the requests of an instance share.
pub(super) struct Sharing<C, Q> {
    open: RefCell<Vec<Rc<Shared<C>>>>,
    opening: Cell<bool>,
    queue: Q,
    clock: fn() -> Instant,
    /// Watches a connection that nobody uses, as long as [`Idle::left`] says.
    watch: fn(Idle<C, Q>),
}

struct Shared<C> {
    connection: C,
    users: Cell<u32>,
    /// When the last answer came, or the first user after a pause.
    moved: Cell<Instant>,
    watched: Cell<bool>,
}

/// What a request has to do for a connection.
pub(super) enum Step<C, Q: Queue> {
    Share(Lease<C, Q>),
    Open(Opening<C, Q>),
    Wait(Q::Turn),
}

/// A request's hold of a connection. Unless it says at the end that the connection is good, nobody else gets it: a
/// request that was given up in between cannot say so.
pub(super) struct Lease<C, Q: Queue> {
    sharing: Rc<Sharing<C, Q>>,
    shared: Rc<Shared<C>>,
    good: Cell<bool>,
}

/// One request of the instance opens a connection at a time. Those who wait for it are called when this value goes,
/// whether there is a connection or not.
pub(super) struct Opening<C, Q: Queue> {
    sharing: Rc<Sharing<C, Q>>,
}

/// A connection that was let go by its last user.
pub(super) struct Idle<C, Q> {
    sharing: Rc<Sharing<C, Q>>,
    shared: Rc<Shared<C>>,
}

impl<C, Q: Queue> Sharing<C, Q> {
    /// Without a connection.
    pub(super) fn new(queue: Q, clock: fn() -> Instant, watch: fn(Idle<C, Q>)) -> Rc<Self> {
        Rc::new(Self { open: RefCell::default(), opening: Cell::new(false), queue, clock, watch })
    }

    /// Finds a connection that has room, or says how to come to one.
    pub(super) fn step(self: &Rc<Self>) -> Step<C, Q> {
        let now = (self.clock)();
        let open = self.open.borrow();
        let roomy = open.iter().filter(|shared| shared.has_room(now)).min_by_key(|shared| shared.users.get());
        match roomy {
            Some(shared) => Step::Share(Lease::of(self, Rc::clone(shared), now)),
            None if self.opening.get() || open.len() >= MOST => Step::Wait(self.queue.join()),
            None => {
                self.opening.set(true);
                Step::Open(Opening { sharing: Rc::clone(self) })
            }
        }
    }
}

impl<C, Q> Sharing<C, Q> {
    fn has(&self, shared: &Rc<Shared<C>>) -> bool {
        self.open.borrow().iter().any(|open| Rc::ptr_eq(open, shared))
    }

    fn withdraw(&self, shared: &Rc<Shared<C>>) {
        self.open.borrow_mut().retain(|open| !Rc::ptr_eq(open, shared));
    }
}

impl<C, Q: Queue> Opening<C, Q> {
    /// Shares the connection that was opened.
    pub(super) fn done(self, connection: C) -> Lease<C, Q> {
        let sharing = &self.sharing;
        let now = (sharing.clock)();
        let shared =
            Rc::new(Shared { connection, users: Cell::new(0), moved: Cell::new(now), watched: Cell::new(false) });
        let lease = Lease::of(sharing, Rc::clone(&shared), now);
        sharing.open.borrow_mut().push(shared);
        // One more is called when this value goes.
        (2..SHARERS).for_each(|_| sharing.queue.call());
        lease
    }
}

impl<C, Q: Queue> Drop for Opening<C, Q> {
    fn drop(&mut self) {
        self.sharing.opening.set(false);
        self.sharing.queue.call();
    }
}

impl<C> Shared<C> {
    fn has_room(&self, now: Instant) -> bool {
        let users = self.users.get();
        users < SHARERS && (users == 0 || now.saturating_duration_since(self.moved.get()) < STUCK)
    }
}

impl<C, Q: Queue> Lease<C, Q> {
    fn of(sharing: &Rc<Sharing<C, Q>>, shared: Rc<Shared<C>>, now: Instant) -> Self {
        if shared.users.get() == 0 {
            shared.moved.set(now);
        }
        shared.users.set(shared.users.get() + 1);
        Self { sharing: Rc::clone(sharing), shared, good: Cell::new(false) }
    }

    /// The connection.
    pub(super) fn connection(&self) -> &C {
        &self.shared.connection
    }

    /// Says that an answer came whole: the connection is good for others.
    pub(super) fn is_good(&self) {
        self.good.set(true);
    }
}

impl<C, Q: Queue> Drop for Lease<C, Q> {
    fn drop(&mut self) {
        let Self { sharing, shared, good } = self;
        let users = shared.users.get().saturating_sub(1);
        shared.users.set(users);
        shared.moved.set((sharing.clock)());
        if !good.get() {
            sharing.withdraw(shared);
        }
        sharing.queue.call();
        if users == 0 && sharing.has(shared) && !shared.watched.replace(true) {
            (sharing.watch)(Idle { sharing: Rc::clone(sharing), shared: Rc::clone(shared) });
        }
    }
}

impl<C, Q> Idle<C, Q> {
    /// How long to wait until asking again; `None` when there is nothing to wait for: the connection has been idle for
    /// long enough and goes, or it is in use again, and the last of its users will call for a new watch.
    pub(super) fn left(&self) -> Option<Duration> {
        if self.shared.users.get() > 0 {
            self.shared.watched.set(false);
            return None;
        }
        let idle = (self.sharing.clock)().saturating_duration_since(self.shared.moved.get());
        let left = LINGER.checked_sub(idle).filter(|left| !left.is_zero());
        if left.is_none() {
            self.sharing.withdraw(&self.shared);
        }
        left
    }
}

#[cfg(test)]
pub(crate) mod calls;
#[cfg(test)]
mod tests;
