//! What a network can do to the connections between the component and its database.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::support::client::Client;
use crate::support::host::DEADLINE;
use crate::support::proxy::Mode;
use crate::support::trial::{CLIENT_SLACK, RECOVERY, Trial};
use crate::support::world::{RUNTIME, world};
use crate::support::{keeps_deadlines, lasting, times};

/// How long readiness may take to see what has happened.
const NOTICED: Duration = Duration::from_secs(2);

/// What a network does that is only slow, a component that cannot give up a call waits out.
fn suffer_slowness(name: &'static str, mode: Mode) {
    suffer_until(name, mode, keeps_deadlines());
}

fn suffer(name: &'static str, mode: Mode) {
    suffer_until(name, mode, true);
}

fn suffer_until(name: &'static str, mode: Mode, noticed: bool) {
    let world = world();
    RUNTIME.block_on(async {
        let mut trial = Trial::begin(&world, name).await;
        trial
            .fault(async {
                world.proxy.set(mode);
                sleep(lasting(2_500)).await;
                world.proxy.set(Mode::Pass);
            })
            .await;
        assert!(!noticed || !trial.failures().is_empty(), "{name} went unnoticed");
        trial.judge().await;
    });
}

#[test]
fn a_database_that_refuses_connections() {
    suffer("refuse", Mode::Refuse);
}

#[test]
fn a_network_that_is_two_seconds_slow() {
    suffer_slowness("delay", Mode::Delay(Duration::from_secs(2)));
}

#[test]
fn answers_that_break_off() {
    suffer("cut answers", Mode::CutAnswers(40));
}

#[test]
fn commits_whose_answer_is_lost() {
    suffer_slowness("lose answers", Mode::LoseAnswers);
}

#[test]
fn answers_that_drip() {
    suffer_slowness("drip", Mode::Drip(Duration::from_millis(20)));
}

#[test]
fn connections_that_break_all_the_time() {
    let world = world();
    RUNTIME.block_on(async {
        let mut trial = Trial::begin(&world, "drops").await;
        trial
            .fault(async {
                for _ in 0..20 * times() {
                    world.proxy.drop_some(3);
                    sleep(Duration::from_millis(100)).await;
                }
                world.proxy.drop_some(0);
            })
            .await;
        trial.judge().await;
    });
}

#[test]
fn a_database_that_falls_silent_under_load() {
    let world = world();
    RUNTIME.block_on(async {
        let mut trial = Trial::begin(&world, "blackhole").await;
        let mut probe = Client::new(world.host.address, "probe");
        trial
            .fault(async {
                world.proxy.set(Mode::Hold);
                if !keeps_deadlines() {
                    // It lives, and readiness has no answer.
                    sleep(lasting(4_000)).await;
                    assert_eq!(status(&mut probe, "/health/live").await, 200);
                    world.proxy.set(Mode::Pass);
                    return;
                }
                becomes(&mut probe, 503).await;
                let until = Instant::now() + lasting(4_000);
                while Instant::now() < until {
                    let begun = Instant::now();
                    assert_eq!(status(&mut probe, "/health/live").await, 200);
                    assert_eq!(status(&mut probe, "/health/ready").await, 503);
                    assert!(begun.elapsed() < DEADLINE + CLIENT_SLACK);
                }
                world.proxy.set(Mode::Pass);
            })
            .await;
        becomes(&mut probe, 200).await;
        assert!(!keeps_deadlines() || !trial.failures().is_empty());
        trial.judge().await;
    });
}

#[test]
fn a_database_that_falls_silent_and_then_breaks_its_connections() {
    let world = world();
    RUNTIME.block_on(async {
        let mut trial = Trial::begin(&world, "blackhole, then reset").await;
        trial
            .fault(async {
                world.proxy.set(Mode::Hold);
                sleep(lasting(2_500)).await;
                world.proxy.reset();
                world.proxy.set(Mode::Pass);
            })
            .await;
        trial.judge().await;
    });
}

async fn status(client: &mut Client, path: &str) -> u16 {
    client.send_to("GET", path, None, None).await.unwrap().status
}

/// Waits until readiness has this status.
async fn becomes(probe: &mut Client, expected: u16) {
    let begun = Instant::now();
    while status(probe, "/health/ready").await != expected {
        assert!(begun.elapsed() < NOTICED.max(RECOVERY), "readiness is not {expected} within {} s", NOTICED.as_secs());
        sleep(Duration::from_millis(20)).await;
    }
}
