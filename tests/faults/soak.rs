//! The soak: mixed load at most of the capacity, faults all the time, and at the end the ledger against the database.
//! `cargo xtask soak` says how long; in the fault suite it is short.

use std::env::var;
use std::str::FromStr;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use fastrand::Rng;
use tokio::time::sleep;
use uuid::Uuid;

use crate::support::host::DEADLINE;
use crate::support::load::{Load, Seen};
use crate::support::proxy::Mode;
use crate::support::trial::{CLIENT_SLACK, Fault, RECOVERY, SLACK, compare, patience, shown, summary, unexcused};
use crate::support::world::{RUNTIME, World, world};
use crate::support::{is_soak, keeps_deadlines, lasting};

const CLIENTS: u64 = 32;
/// The part of the capacity that is used.
const PART: f64 = 0.7;
/// How often progress is told.
const PROGRESS: Duration = Duration::from_secs(10);
/// When memory is looked at for the first time.
const SETTLED: Duration = Duration::from_secs(60);
/// How much the host may grow, where the soak was long enough to tell: 5 % over the whole of it. Single samples vary by a tenth with the
/// requests in flight, so the medians of the first and last third are compared. Two thirds of the time lie between those.
const GROWTH: f64 = 1.0 + 0.05 * 2.0 / 3.0;

/// When to stop: when all of this is reached.
struct Goals {
    time: Duration,
    operations: u64,
    drops: usize,
    restarts: u32,
}

impl Goals {
    fn of_environment() -> Self {
        Self {
            time: number("ERRAND_SOAK_SECONDS").map_or(lasting(30_000), Duration::from_secs),
            operations: number("ERRAND_SOAK_OPERATIONS").unwrap_or(0),
            drops: number("ERRAND_SOAK_DROPS").unwrap_or(20),
            restarts: number("ERRAND_SOAK_RESTARTS").unwrap_or(2),
        }
    }
}

fn number<T: FromStr>(name: &str) -> Option<T> {
    var(name).ok()?.parse().ok()
}

#[test]
fn the_ledger_agrees_after_a_soak() {
    let world = world();
    let seed = number("ERRAND_SOAK_SEED").unwrap_or(1);
    RUNTIME.block_on(soak(&world, &Goals::of_environment(), seed));
}

async fn soak(world: &World, goals: &Goals, seed: u64) {
    let capacity = capacity(world).await;
    let rate = capacity * PART;
    eprintln!("soak: seed {seed}; the capacity is {capacity:.0} requests a second, {rate:.0} will be sent");
    let (drops_before, log_from) = (world.proxy.drops(), world.host.log_end());
    let load = Load::start(world.host.address, &Uuid::now_v7().simple().to_string(), CLIENTS, Some(rate), seed);
    let mut chaos = Chaos { world, rng: Rng::with_seed(seed), restarts: 0, storms: 0, drops_before };
    let mut faults = Vec::new();
    let begun = Instant::now();
    let mut told = begun;
    let mut memory = Vec::new();
    while begun.elapsed() < goals.time
        || load.seen.requests.load(Ordering::Relaxed) < goals.operations
        || chaos.drops() < goals.drops
        || chaos.restarts < goals.restarts
    {
        sleep(Duration::from_millis(chaos.rng.u64(500..3_500))).await;
        let fault = Instant::now();
        chaos.strike(goals).await;
        faults.push(Fault { begun: fault, ended: Instant::now() });
        if begun.elapsed() > SETTLED {
            memory.extend(world.host.rss());
        }
        if told.elapsed() > PROGRESS {
            told = Instant::now();
            eprintln!("soak: {:4} s  {}", begun.elapsed().as_secs(), chaos.shown(&load.seen));
        }
    }
    sleep(RECOVERY).await;
    let seen = load.seen.clone();
    let workers = load.finish().await;
    let took = begun.elapsed();

    let failures = seen.failures();
    let mut wrong = seen.wrong();
    wrong.extend(unexcused(&failures, &faults));
    wrong.extend(compare(world, &workers).await);
    let late = world.host.complaints(log_from, patience() + SLACK);
    let longest = Duration::from_micros(seen.longest.load(Ordering::Relaxed));
    let doubts: usize = workers.iter().map(|worker| worker.ledger.doubts()).sum();
    let tasks: usize = workers.iter().map(|worker| worker.ledger.known.len()).sum();
    eprintln!("soak: {} s, seed {seed}: {}", took.as_secs(), chaos.shown(&seen));
    eprintln!("soak: {tasks} tasks agree byte for byte, {doubts} may be either way; {}", summary(&failures));
    eprintln!(
        "soak: {} requests past their deadline or failed with 500; longest {} ms",
        late.len(),
        longest.as_millis()
    );
    let third = memory.len() / 3;
    if let (Some(first), Some(last)) = (median(&memory[..third]), median(&memory[memory.len() - third..])) {
        eprintln!("soak: memory {} MiB in the first third, {} MiB in the last", first >> 20, last >> 20);
        if is_soak() && took > 5 * SETTLED && last as f64 > first as f64 * GROWTH {
            wrong.push("the host has grown by more than 5 %".to_owned());
        }
    }
    wrong.extend(late);
    if keeps_deadlines() && longest > DEADLINE + CLIENT_SLACK {
        wrong.push(format!("a client waited {} ms", longest.as_millis()));
    }
    assert!(wrong.is_empty(), "{} things are wrong:\n{}", wrong.len(), shown(&wrong));
    eprintln!("soak: the ledger and the database agree");
}

fn median(values: &[u64]) -> Option<u64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
}

/// Requests a second that the same clients get done when nothing holds them back.
async fn capacity(world: &World) -> f64 {
    let load = Load::start(world.host.address, &Uuid::now_v7().simple().to_string(), CLIENTS, None, 0);
    sleep(Duration::from_secs(1)).await;
    let (before, begun) = (load.seen.done.load(Ordering::Relaxed), Instant::now());
    sleep(lasting(3_000)).await;
    let done = load.seen.done.load(Ordering::Relaxed) - before;
    let rate = done as f64 / begun.elapsed().as_secs_f64();
    load.finish().await;
    rate
}

/// What goes wrong.
struct Chaos<'a> {
    world: &'a World,
    rng: Rng,
    restarts: u32,
    storms: u32,
    drops_before: usize,
}

impl Chaos<'_> {
    /// Connections that were broken on their way.
    fn drops(&self) -> usize {
        self.world.proxy.drops() - self.drops_before
    }

    fn shown(&self, seen: &Seen) -> String {
        format!(
            "{} operations, {} unknown, {} repeated; {} drops, {} restarts, {} storms; {} MiB",
            seen.requests.load(Ordering::Relaxed),
            seen.unknown.load(Ordering::Relaxed),
            seen.repeated.load(Ordering::Relaxed),
            self.drops(),
            self.restarts,
            self.storms,
            self.world.host.rss().unwrap_or_default() >> 20,
        )
    }

    /// One fault, to its end.
    async fn strike(&mut self, goals: &Goals) {
        let world = self.world;
        let some = Duration::from_millis(self.rng.u64(100..1_000));
        match self.rng.u32(0..100) {
            0..40 => {
                world.proxy.drop_some(self.rng.usize(1..20));
                sleep(some / 2).await;
                world.proxy.drop_some(0);
            }
            40..50 => self.network(Mode::LoseAnswers, some / 4).await,
            50..60 => {
                let bytes = self.rng.usize(1..300);
                self.network(Mode::CutAnswers(bytes), some / 4).await;
            }
            60..68 => self.network(Mode::Refuse, some).await,
            68..75 => self.network(Mode::Hold, some * 3).await,
            75..82 => {
                let delay = Duration::from_millis(self.rng.u64(10..500));
                self.network(Mode::Delay(delay), some * 2).await;
            }
            82..85 => {
                world.proxy.set(Mode::Hold);
                sleep(some * 2).await;
                world.proxy.reset();
                world.proxy.set(Mode::Pass);
            }
            85..93 => {
                World::terminate_sessions(&world.admin().await).await;
                self.storms += 1;
            }
            // More of them than were asked for would only take time.
            _ if self.restarts > goals.restarts && self.restarts > 20 => {
                World::terminate_sessions(&world.admin().await).await
            }
            _ => self.restart(some).await,
        }
    }

    async fn network(&self, mode: Mode, time: Duration) {
        self.world.proxy.set(mode);
        sleep(time).await;
        self.world.proxy.set(Mode::Pass);
    }

    async fn restart(&mut self, down: Duration) {
        if self.rng.bool() {
            self.world.cluster.kill().unwrap();
        } else {
            self.world.cluster.stop_immediately().unwrap();
        }
        sleep(down).await;
        self.world.cluster.start_again().unwrap();
        self.restarts += 1;
    }
}
