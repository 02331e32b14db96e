//! A trial: clients at work, a fault, and what has to hold during it and after it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::time::sleep;
use uuid::Uuid;

use super::client::HANGS;
use super::host::{DEADLINE, Host};
use super::keeps_deadlines;
use super::load::{Failed, Load, Seen, Worker};
use super::world::World;

/// How long after its cause a fault may be felt.
pub const RECOVERY: Duration = Duration::from_secs(2);
/// How far past the deadline a request may go, as the component measures it.
pub const SLACK: Duration = Duration::from_millis(250);
/// The same as its client sees it, who shares a busy machine with everything else here.
pub const CLIENT_SLACK: Duration = Duration::from_millis(1_000);
/// How much more memory than before the host may have after a fault, in bytes: it keeps 2.5 MiB for each instance that
/// there ever was at the same time. Whether it grows for ever, a long soak tells.
pub const MEMORY: u64 = 96 << 20;

/// Requests a second, far below what the smallest machine does.
const RATE: f64 = 150.0;
const CLIENTS: u64 = 32;

/// How long a database operation may take.
pub fn patience() -> Duration {
    if keeps_deadlines() { DEADLINE } else { HANGS }
}

/// A trial that runs.
pub struct Trial<'a> {
    world: &'a World,
    name: &'static str,
    load: Load,
    faults: Vec<Fault>,
    log_from: usize,
    rss: Option<u64>,
    /// Whether requests may fail while the fault lasts.
    harmless: bool,
}

/// When something was wrong.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    pub begun: Instant,
    pub ended: Instant,
}

impl<'a> Trial<'a> {
    /// Puts the usual clients to work.
    pub async fn begin(world: &'a World, name: &'static str) -> Self {
        Self::with(world, name, CLIENTS, Some(RATE)).await
    }

    /// Puts so many clients to work.
    pub async fn with(world: &'a World, name: &'static str, clients: u64, rate: Option<f64>) -> Self {
        let run = Uuid::now_v7().simple().to_string();
        let log_from = world.host.log_end();
        let load = Load::start(world.host.address, &run, clients, rate, 1);
        sleep(Duration::from_secs(1)).await;
        let rss = world.host.rss();
        Self { world, name, load, faults: Vec::new(), log_from, rss, harmless: false }
    }

    /// From here on no request may fail, whatever happens.
    pub fn harmless(mut self) -> Self {
        self.harmless = true;
        self
    }

    /// Lets something go wrong for as long as the future takes.
    pub async fn fault<T>(&mut self, fault: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let result = fault.await;
        self.faults.push(Fault { begun, ended: Instant::now() });
        result
    }

    /// Watches the recovery, ends the load and judges. Prints what was seen.
    pub async fn judge(self) {
        sleep(RECOVERY + Duration::from_secs(1)).await;
        let seen = self.load.seen.clone();
        let workers = self.load.finish().await;
        let mut wrong = seen.wrong();
        let failures = seen.failures();
        let excused = if self.harmless { &[][..] } else { &self.faults };
        wrong.extend(unexcused(&failures, excused));
        let back = self.faults.last().map(|fault| fault.ended + RECOVERY);
        wrong.extend(
            workers
                .iter()
                .filter(|worker| back.is_some_and(|back| worker.last_done < back))
                .map(|worker| format!("{} was served nothing after {} s", worker.client.user, RECOVERY.as_secs())),
        );
        wrong.extend(compare(self.world, &workers).await);
        wrong.extend(self.world.host.complaints(self.log_from, patience() + SLACK));
        let longest = Duration::from_micros(seen.longest.load(Ordering::Relaxed));
        if keeps_deadlines() && longest > DEADLINE + CLIENT_SLACK {
            wrong.push(format!("a client waited {} ms", longest.as_millis()));
        }
        wrong.extend(self.rss.and_then(|before| grown(&self.world.host, before)));
        eprintln!(
            "{}: {} requests, {} done, longest {} ms, memory {} -> {} MiB; {}",
            self.name,
            seen.requests.load(Ordering::Relaxed),
            seen.done.load(Ordering::Relaxed),
            longest.as_millis(),
            self.rss.unwrap_or_default() >> 20,
            self.world.host.rss().unwrap_or_default() >> 20,
            summary(&failures),
        );
        assert!(wrong.is_empty(), "{}: {} things are wrong:\n{}", self.name, wrong.len(), shown(&wrong));
    }

    /// What the clients see, also while a fault lasts.
    pub fn seen(&self) -> Arc<Seen> {
        Arc::clone(&self.load.seen)
    }

    /// The clients' failures so far.
    pub fn failures(&self) -> Vec<Failed> {
        self.load.seen.failures()
    }
}

/// Failures that no fault explains.
pub fn unexcused(failures: &[Failed], faults: &[Fault]) -> Vec<String> {
    let begun = Instant::now();
    let is_excused = |failed: &&Failed| {
        // A request that was under way when the fault began is one of its victims, too.
        faults.iter().any(|fault| failed.begun + patience() >= fault.begun && failed.begun <= fault.ended + RECOVERY)
    };
    let ago = |failed: &Failed| begun.saturating_duration_since(failed.begun).as_millis();
    failures
        .iter()
        .filter(|failed| !is_excused(failed))
        .map(|failed| format!("{} without a reason, {} ms before the end", failed.told, ago(failed)))
        .collect()
}

/// What the ledgers and the database disagree in.
pub async fn compare(world: &World, workers: &[Worker]) -> Vec<String> {
    world.quiet().await;
    let admin = world.admin().await;
    let mut wrong = Vec::new();
    for worker in workers {
        wrong.extend(worker.ledger.compare(World::rows(&admin, &worker.client.user).await));
    }
    wrong
}

/// Failures by what was told.
pub fn summary(failures: &[Failed]) -> String {
    let mut counts = BTreeMap::new();
    for failed in failures {
        *counts.entry(failed.told.as_str()).or_insert(0) += 1;
    }
    format!("failures {counts:?}")
}

/// The first of them.
pub fn shown(wrong: &[String]) -> String {
    wrong.iter().take(20).map(|line| format!("  {line}\n")).collect()
}

pub fn grown(host: &Host, before: u64) -> Option<String> {
    let now = host.rss()?;
    (now > before + MEMORY).then(|| format!("the host grew from {} to {} MiB", before >> 20, now >> 20))
}
