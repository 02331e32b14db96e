//! More requests than the database can answer. Its capacity is that of a lock, so that the trial measures no processor: each write
//! holds the same lock for some milliseconds. Goodput is the number of requests that were acknowledged in a fixed time.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::sleep;

use crate::support::arrivals::{Crowd, Tally};
use crate::support::client::{Client, HANGS};
use crate::support::host::DEADLINE;
use crate::support::trial::RECOVERY;
use crate::support::world::{RUNTIME, World, world};
use crate::support::{is_p2, keeps_deadlines, lasting, native};

/// Clients that come at once for the peak: enough that the lock is always held, and so few that none waits for long.
const CLIENTS: u64 = 8;
/// Enough users that no write waits for another write of its user.
const USERS: u64 = 5_000;
/// How much more than the capacity comes.
const TIMES: f64 = 2.0;
/// The part of the peak that is acknowledged at least. It is 0.9 or more; without admission, 0.4 or less.
const PART: f64 = 0.6;
/// The gateway's timeout before a component that has no limit of its own.
const GATEWAY: Duration = Duration::from_secs(3);

/// The deadline where it is kept: longer than what waits before the overload is noticed.
const LONGER: Duration = Duration::from_millis(2_500);

const CAPACITY: &str = "
    create function errand.one_at_a_time() returns trigger language plpgsql as
        'begin perform pg_advisory_xact_lock(-1); perform pg_sleep(0.01); return null; end';
    create trigger one_at_a_time after insert on errand.task for each row execute function errand.one_at_a_time()";
const NO_LIMIT: &str = "drop function if exists errand.one_at_a_time() cascade";

#[test]
fn at_twice_the_capacity_the_component_answers_what_it_can() {
    let world = world();
    RUNTIME.block_on(async {
        let deadline = match keeps_deadlines() {
            true => LONGER,
            false => DEADLINE,
        };
        let deadline = [("SPIN_VARIABLE_DATABASE_DEADLINE_MS", deadline.as_millis().to_string())];
        let host = world.another_host("overload.log", &[], &deadline);
        limit(&world).await;
        match keeps_deadlines() {
            true => survive(host.address, "component").await,
            false => wait_for_the_gateway(host.address).await,
        }
        world.execute(NO_LIMIT).await;
        assert_eq!(host.complaints(0, Duration::MAX), [""; 0]);
        assert!(is_p2() || host.told(0, "overload: ") > 0, "the log does not name the cause");
        world.quiet().await;
    });
}

#[test]
fn at_twice_the_capacity_the_native_server_answers_what_it_can() {
    if is_p2() {
        return; // It is the same server.
    }
    let world = world();
    RUNTIME.block_on(async {
        let address = native::start(&world.url(), LONGER).await;
        limit(&world).await;
        survive(address, "native").await;
        world.execute(NO_LIMIT).await;
        world.quiet().await;
    });
}

async fn limit(world: &World) {
    world.execute(NO_LIMIT).await;
    world.execute(CAPACITY).await;
}

async fn survive(address: SocketAddr, name: &str) {
    let crowd = Crowd::new(address, USERS, HANGS);
    let (peak, rate) = peak(&crowd, name).await;
    let over = lasting(8_000);
    let (twice, ready) = tokio::join!(crowd.open(rate * TIMES, over), readiness(address, over));
    eprintln!("{name}: at twice the peak {}", twice.shown());
    assert!(twice.acknowledged as f64 / over.as_secs_f64() > rate * PART, "{} after {}", twice.shown(), peak.shown());
    // Who is told so after the deadline has cost the database as much as one who is answered.
    let unknown = twice.other("503 outcome_unknown");
    assert!(unknown < twice.acknowledged / 2, "{}", twice.shown());
    let retry_after: BTreeSet<_> = twice.refusals.iter().map(|(_, word)| word.as_str()).collect();
    assert_eq!(retry_after, BTreeSet::from(["1", "2", "3"]));
    assert!(ready.contains(&200), "readiness was answered {ready:?}");
    sleep(RECOVERY).await;
    let after = crowd.open(rate / 2.0, lasting(2_000)).await;
    eprintln!("{name}: at half the peak {}", after.shown());
    assert_eq!((after.refusals.len(), after.given_up), (0, 0), "{}", after.shown());
}

/// An instance for each request knows nothing of the others, and cannot give up a call: all wait for as long as the gateway lets them.
async fn wait_for_the_gateway(address: SocketAddr) {
    let crowd = Crowd::new(address, USERS, GATEWAY);
    let (_, rate) = peak(&crowd, "component").await;
    let twice = crowd.open(rate * TIMES, lasting(6_000)).await;
    eprintln!("component: at twice the peak {}", twice.shown());
    assert!(twice.given_up > 0, "the gateway had nothing to end: {}", twice.shown());
    assert!(twice.times.iter().any(|took| *took > DEADLINE), "the deadline was a limit: {}", twice.shown());
    let told = twice.others.keys().any(|outcome| outcome.starts_with('5'));
    assert!(twice.refusals.is_empty() && !told, "something else was a limit: {}", twice.shown());
    // The database still executes the writes that the gateway gave up.
    sleep(GATEWAY + RECOVERY).await;
    let after = crowd.open(rate / 2.0, lasting(2_000)).await;
    eprintln!("component: at half the peak {}", after.shown());
    assert!(after.acknowledged > after.given_up, "{}", after.shown());
}

/// What the clients get done when each waits for its answer, and how much of it in a second.
async fn peak(crowd: &Crowd, name: &str) -> (Tally, f64) {
    crowd.closed(CLIENTS, Duration::from_secs(1)).await;
    let time = lasting(4_000);
    let peak = crowd.closed(CLIENTS, time).await;
    eprintln!("{name}: at the peak {}", peak.shown());
    let rate = peak.acknowledged as f64 / time.as_secs_f64();
    (peak, rate)
}

/// How readiness is answered meanwhile.
async fn readiness(address: SocketAddr, time: Duration) -> Vec<u16> {
    let mut probe = Client::new(address, "probe");
    let mut statuses = Vec::new();
    for _ in 0..8 {
        statuses.push(probe.send_to("GET", "/health/ready", None, None).await.unwrap().status);
        sleep(time / 10).await;
    }
    statuses
}
