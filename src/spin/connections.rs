//! The connections of this instance.
//!
//! Spin recycles a connection at every checkout, which costs a round trip: as much as a small query. So the requests that
//! an instance serves at the same time share one, and it stays for some milliseconds after its last use. Not longer: an
//! idle instance that keeps a connection takes a place in the pool away from all others. Those who come while the first
//! connection is being opened wait for that one, for the same reason. A connection on which nothing moves is joined by
//! nobody, and one that met an error is shared no further, because what was abandoned may still run on it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use spin_sdk::pg::{Connection, Error};
use spin_sdk::time::sleep;
use spin_sdk::wit_bindgen::spawn;

use super::turns::{Turn, Turns};

/// How many requests may be on one connection.
const SHARERS: u32 = 16;
/// How many connections an instance may have that others can join.
const MOST: usize = 3;
/// How long a connection stays after its last use.
const LINGER: Duration = Duration::from_millis(5);
/// How long the answers on a busy connection may stay away until nobody joins it any more.
const STUCK: Duration = Duration::from_millis(50);

thread_local! {
    static CONNECTIONS: Connections = Connections::default();
}

/// What the requests of an instance share.
#[derive(Default)]
struct Connections {
    open: RefCell<Vec<Rc<Shared>>>,
    opening: Cell<bool>,
    turns: Rc<Turns>,
}

struct Shared {
    connection: Connection,
    users: Cell<u32>,
    /// When the last answer came, or the first user after a pause.
    moved: Cell<Instant>,
    watched: Cell<bool>,
}

/// A request's hold of a connection. Unless it says at the end that the connection is good, nobody else gets it: a
/// request that was given up in between cannot say so.
pub(super) struct Lease {
    shared: Rc<Shared>,
    good: Cell<bool>,
}

/// What a request has to do for a connection.
enum Step {
    Share(Lease),
    Open(Opening),
    Wait(Turn),
}

/// One request of the instance opens a connection at a time.
struct Opening;

/// Takes a connection: one that has room, else a new one.
pub(super) async fn lease(address: &str) -> Result<Lease, Error> {
    loop {
        match CONNECTIONS.with(Connections::step) {
            Step::Share(lease) => return Ok(lease),
            Step::Open(opening) => {
                let connection = Connection::open(address).await?;
                return Ok(opening.done(connection));
            }
            Step::Wait(turn) => turn.come().await,
        }
    }
}

impl Connections {
    fn step(&self) -> Step {
        let now = Instant::now();
        let open = self.open.borrow();
        let roomy = open.iter().filter(|shared| shared.has_room(now)).min_by_key(|shared| shared.users.get());
        match roomy {
            Some(shared) => Step::Share(Lease::of(Rc::clone(shared), now)),
            None if self.opening.get() || open.len() >= MOST => Step::Wait(self.turns.join()),
            None => {
                self.opening.set(true);
                Step::Open(Opening)
            }
        }
    }

    fn has(&self, shared: &Rc<Shared>) -> bool {
        self.open.borrow().iter().any(|open| Rc::ptr_eq(open, shared))
    }

    fn withdraw(&self, shared: &Rc<Shared>) {
        self.open.borrow_mut().retain(|open| !Rc::ptr_eq(open, shared));
    }
}

impl Opening {
    fn done(self, connection: Connection) -> Lease {
        let now = Instant::now();
        let shared =
            Rc::new(Shared { connection, users: Cell::new(0), moved: Cell::new(now), watched: Cell::new(false) });
        let lease = Lease::of(Rc::clone(&shared), now);
        CONNECTIONS.with(|connections| {
            connections.open.borrow_mut().push(shared);
            // One more is called when this value goes.
            (2..SHARERS).for_each(|_| connections.turns.call());
        });
        lease
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        CONNECTIONS.with(|connections| {
            connections.opening.set(false);
            connections.turns.call();
        });
    }
}

impl Shared {
    fn has_room(&self, now: Instant) -> bool {
        let users = self.users.get();
        users < SHARERS && (users == 0 || now.saturating_duration_since(self.moved.get()) < STUCK)
    }
}

impl Lease {
    fn of(shared: Rc<Shared>, now: Instant) -> Self {
        if shared.users.get() == 0 {
            shared.moved.set(now);
        }
        shared.users.set(shared.users.get() + 1);
        Self { shared, good: Cell::new(false) }
    }

    /// The connection.
    pub(super) fn connection(&self) -> &Connection {
        &self.shared.connection
    }

    /// Says that an answer came whole: the connection is good for others.
    pub(super) fn is_good(&self) {
        self.good.set(true);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let shared = &self.shared;
        let users = shared.users.get().saturating_sub(1);
        shared.users.set(users);
        shared.moved.set(Instant::now());
        CONNECTIONS.with(|connections| {
            if !self.good.get() {
                connections.withdraw(shared);
            }
            connections.turns.call();
            if users == 0 && connections.has(shared) && !shared.watched.replace(true) {
                spawn(watch(Rc::clone(shared)));
            }
        });
    }
}

/// Waits until the connection has been idle for long enough, and lets it go; or until it is in use again.
async fn watch(shared: Rc<Shared>) {
    loop {
        let idle = shared.moved.get().elapsed();
        if idle >= LINGER {
            break CONNECTIONS.with(|connections| connections.withdraw(&shared));
        }
        sleep(LINGER - idle).await;
        if shared.users.get() > 0 {
            // The last of the users will call for a new watch.
            break shared.watched.set(false);
        }
    }
}
