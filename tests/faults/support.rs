//! What the trials stand on.

#[path = "support/arrivals.rs"]
pub mod arrivals;
#[path = "support/client.rs"]
pub mod client;
#[path = "support/host.rs"]
pub mod host;
#[path = "support/ledger.rs"]
pub mod ledger;
#[path = "support/load.rs"]
pub mod load;
#[path = "support/native.rs"]
pub mod native;
#[path = "support/proxy.rs"]
pub mod proxy;
#[path = "support/trial.rs"]
pub mod trial;
#[path = "support/wire.rs"]
mod wire;
#[path = "support/world.rs"]
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
