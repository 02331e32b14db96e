//! The connections of this instance.
//!
//! Spin recycles a connection at every checkout, which costs a round trip: as much as a small query. So the requests that
//! an instance serves at the same time share one, and it stays for some milliseconds after its last use. Not longer: an
//! idle instance that keeps a connection takes a place in the pool away from all others. Those who come while the first
//! connection is being opened wait for that one, for the same reason. A connection on which nothing moves is joined by
//! nobody, and one that met an error is shared no further, because what was abandoned may still run on it. `sharing.rs`
//! decides all that; here it meets Spin.

use std::rc::Rc;
use std::time::Instant;

use spin_sdk::pg::{Connection, Error};
use spin_sdk::time::sleep;
use wit_bindgen::spawn;

use super::sharing::{self, Queue, Sharing, Step};
use super::turns::{Turn, Turns};

/// Requests that wait for another one.
pub(super) type Waiters = Rc<Turns>;

/// A request's hold of a connection.
pub(super) type Lease = sharing::Lease<Connection, Waiters>;

thread_local! {
    static CONNECTIONS: Rc<Sharing<Connection, Waiters>> =
        Sharing::new(Waiters::default(), Instant::now, |idle| spawn(watch(idle)));
}

/// Takes a connection: one that has room, else a new one.
pub(super) async fn lease(address: &str) -> Result<Lease, Error> {
    loop {
        match CONNECTIONS.with(Sharing::step) {
            Step::Share(lease) => return Ok(lease),
            Step::Open(opening) => {
                let connection = Connection::open(address).await?;
                return Ok(opening.done(connection));
            }
            Step::Wait(turn) => turn.come().await,
        }
    }
}

async fn watch(idle: sharing::Idle<Connection, Waiters>) {
    while let Some(left) = idle.left() {
        sleep(left).await;
    }
}

impl Queue for Waiters {
    type Turn = Turn;

    fn join(&self) -> Turn {
        Turns::join(self)
    }

    fn call(&self) {
        Turns::call(self);
    }
}
