//! The shared connections of this instance, over Spin.
//!
//! Spin recycles a connection at every checkout, which costs as much as a small query. So concurrent requests of an instance share
//! a connection, which stays open for some milliseconds after its last use. It does not stay longer, because the connections of idle
//! instances would exhaust Spin's pool. While a request opens the first connection, the others wait for it, for the same reason.
//! A stalled connection accepts no further requests. A connection that met an error is not shared further, because an abandoned
//! statement may still run on it. `pool.rs` implements these rules without Spin.

use std::rc::Rc;
use std::time::Instant;

use spin_sdk::pg::{Connection, Error};
use spin_sdk::time::sleep;
use wit_bindgen::spawn;

use super::pool::{self, Checkout, ConnectionPool, Idle, WaitQueue};
use super::wait_queue::{StreamQueue, Waiter};

/// A queue of requests of this instance.
pub(super) type RequestQueue = Rc<StreamQueue>;

/// A request's use of a connection.
pub(super) type Lease = pool::Lease<Connection, RequestQueue>;

thread_local! {
    static CONNECTIONS: Rc<ConnectionPool<Connection, RequestQueue>> =
        ConnectionPool::new(RequestQueue::default(), Instant::now, |idle| spawn(close_when_idle(idle)));
}

/// Leases an open connection that has room, or opens one.
pub(super) async fn lease(address: &str) -> Result<Lease, Error> {
    loop {
        match CONNECTIONS.with(ConnectionPool::checkout) {
            Checkout::Use(lease) => return Ok(lease),
            Checkout::Open(opening) => {
                let connection = Connection::open(address).await?;
                return Ok(opening.add(connection));
            }
            Checkout::Wait(waiter) => waiter.wait().await,
        }
    }
}

async fn close_when_idle(idle: Idle<Connection, RequestQueue>) {
    while let Some(left) = idle.time_left() {
        sleep(left).await;
    }
}

impl WaitQueue for RequestQueue {
    type Waiter = Waiter;

    fn enqueue(&self) -> Waiter {
        StreamQueue::enqueue(self)
    }

    fn wake_one(&self) {
        StreamQueue::wake_one(self);
    }
}
