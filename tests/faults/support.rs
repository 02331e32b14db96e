//! What the trials stand on.

pub mod arrivals;
pub mod client;
pub mod host;
pub mod ledger;
pub mod load;
pub mod native;
pub mod proxy;
pub mod trial;
mod wire;
pub mod world;

use std::time::Duration;

/// Whether this is the soak alone: what takes room there is left out.
pub fn is_soak() -> bool {
    std::env::var("ERRAND_SOAK").is_ok()
}

/// How many times over the short form's numbers, and how much longer its faults: 1, or 5 with `--long`.
pub fn times() -> u32 {
    if std::env::var("ERRAND_FAULTS_LONG").is_ok() { 5 } else { 1 }
}

/// A length of time of the short form.
pub fn lasting(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds) * times()
}

/// Whether the component is that of WASI 0.2.
pub fn is_p2() -> bool {
    std::env::var("ERRAND_FAULTS_P2").is_ok()
}

/// Whether the component answers within its deadline whatever the database does. That of WASI 0.2 cannot give up a call: limits of
/// PostgreSQL and of TCP end it, and where there are none, the gateway's patience, which is that of the clients here.
pub fn keeps_deadlines() -> bool {
    !is_p2()
}
