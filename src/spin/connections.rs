//! The connections of this instance.
//!
//! Spin recycles a connection at every checkout, which costs a round trip: as much as a small query. So the requests that
//! an instance serves at the same time share one, and it stays for some milliseconds after its last use. Not longer: an
//! idle instance that keeps a connection takes a place in the pool away from all others. And not too many on one: they
//! queue behind each other there. A connection that met an error is shared no further, because what was abandoned may
//! still run on it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use spin_sdk::pg::{Connection, Error};
use spin_sdk::time::sleep;
use spin_sdk::wit_bindgen::spawn;

/// How many requests may be on one connection.
const SHARERS: u32 = 6;
/// How long a connection stays after its last use.
const LINGER: Duration = Duration::from_millis(5);

thread_local! {
    /// The connection that the next request takes, if it has room.
    static SHARED: RefCell<Option<Rc<Shared>>> = const { RefCell::new(None) };
}

struct Shared {
    connection: Connection,
    users: Cell<u32>,
    used: Cell<Instant>,
    watched: Cell<bool>,
}

/// A request's hold of a connection. Unless it says at the end that the connection is good, nobody else gets it: a
/// request that was given up in between cannot say so.
pub(super) struct Lease {
    shared: Rc<Shared>,
    good: Cell<bool>,
}

/// Takes a connection: the shared one if it has room, else a new one.
pub(super) async fn lease(address: &str) -> Result<Lease, Error> {
    if let Some(lease) = shared() {
        return Ok(lease);
    }
    // Those who come while this one is being opened open their own: requests are tasks of the component model, and one
    // cannot wake another that waits for it.
    let connection = Connection::open(address).await?;
    let shared =
        Rc::new(Shared { connection, users: Cell::new(1), used: Cell::new(Instant::now()), watched: Cell::new(false) });
    SHARED.with(|slot| slot.replace(Some(Rc::clone(&shared))));
    Ok(Lease::of(shared))
}

fn shared() -> Option<Lease> {
    SHARED.with(|slot| {
        let slot = slot.borrow();
        let shared = slot.as_ref().filter(|shared| shared.users.get() < SHARERS)?;
        shared.users.set(shared.users.get() + 1);
        Some(Lease::of(Rc::clone(shared)))
    })
}

/// Takes the connection out of the slot, if it is there.
fn withdraw(shared: &Rc<Shared>) {
    SHARED.with(|slot| slot.borrow_mut().take_if(|current| Rc::ptr_eq(current, shared)));
}

/// Waits until the connection has been idle for long enough, and lets it go; or until it is in use again.
async fn watch(shared: Rc<Shared>) {
    loop {
        let idle = shared.used.get().elapsed();
        if idle >= LINGER {
            break withdraw(&shared);
        }
        sleep(LINGER - idle).await;
        if shared.users.get() > 0 {
            // The last of the users will call for a new watch.
            break shared.watched.set(false);
        }
    }
}

impl Lease {
    fn of(shared: Rc<Shared>) -> Self {
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
        shared.used.set(Instant::now());
        if !self.good.get() {
            withdraw(shared);
        }
        let offered = SHARED.with(|slot| slot.borrow().as_ref().is_some_and(|current| Rc::ptr_eq(current, shared)));
        if users == 0 && offered && !shared.watched.replace(true) {
            spawn(watch(Rc::clone(shared)));
        }
    }
}
