//! Load: an open loop sends at a fixed rate, a closed loop waits for each answer.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::client::Client;

/// How often requests are sent, at most.
const TICK: Duration = Duration::from_millis(5);

/// What became of the requests of a run.
#[derive(Debug, Default)]
pub struct Tally {
    /// Acknowledged before the run ended.
    pub acknowledged: u64,
    /// Acknowledged after that.
    pub late: u64,
    /// How long the acknowledged ones took.
    pub times: Vec<Duration>,
    /// Refusals with `unavailable` and the word in `Retry-After`, and how long each took.
    pub refusals: Vec<(Duration, String)>,
    /// No answer came within the patience.
    pub given_up: u64,
    /// All other outcomes.
    pub others: BTreeMap<String, u64>,
}

/// Users that send writes. Their connections are kept for the next request.
#[derive(Clone)]
pub struct Crowd {
    address: SocketAddr,
    /// How long they wait for an answer, as a gateway does.
    patience: Duration,
    run: String,
    users: u64,
    idle: Arc<Mutex<Vec<Client>>>,
    next: Arc<AtomicU64>,
}

impl Crowd {
    pub fn new(address: SocketAddr, users: u64, patience: Duration) -> Self {
        let run = Uuid::now_v7().simple().to_string();
        Self { address, patience, run, users, idle: Arc::default(), next: Arc::default() }
    }

    fn client(&self) -> Client {
        if let Some(client) = self.idle.lock().unwrap().pop() {
            return client;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed) % self.users;
        Client::new(self.address, &format!("{}-{number}", self.run))
    }

    /// Sends one write and notes its outcome; acknowledged after the end, it does not count.
    async fn send(&self, tally: &Mutex<Tally>, end: Instant) {
        let mut client = self.client();
        let begun = Instant::now();
        let body = json!({"title": "crowd"});
        let Ok(outcome) = timeout(self.patience, client.send("POST", "", None, Some(&body))).await else {
            tally.lock().unwrap().given_up += 1;
            return;
        };
        let took = begun.elapsed();
        let mut tally = tally.lock().unwrap();
        match outcome {
            Ok(reply) if reply.status == 201 && Instant::now() <= end => {
                tally.acknowledged += 1;
                tally.times.push(took);
            }
            Ok(reply) if reply.status == 201 => tally.late += 1,
            Ok(reply) if reply.code() == "unavailable" => {
                tally.refusals.push((took, reply.retry_after.unwrap_or_default()));
            }
            Ok(reply) => *tally.others.entry(format!("{} {}", reply.status, reply.code())).or_default() += 1,
            Err(failure) => *tally.others.entry(format!("{failure:?}")).or_default() += 1,
        }
        drop(tally);
        self.idle.lock().unwrap().push(client);
    }

    /// Keeps `clients` requests in flight; each client sends its next request after the answer.
    pub async fn closed(&self, clients: u64, time: Duration) -> Tally {
        let tally = Arc::new(Mutex::new(Tally::default()));
        let end = Instant::now() + time;
        let clients: Vec<_> = (0..clients)
            .map(|_| {
                let (crowd, tally) = (self.clone(), Arc::clone(&tally));
                tokio::spawn(async move {
                    while Instant::now() < end {
                        crowd.send(&tally, end).await;
                    }
                })
            })
            .collect();
        for client in clients {
            client.await.unwrap();
        }
        Arc::into_inner(tally).unwrap().into_inner().unwrap()
    }

    /// Sends `rate` requests a second for this time, and waits for all answers.
    pub async fn open(&self, rate: f64, time: Duration) -> Tally {
        let tally = Arc::new(Mutex::new(Tally::default()));
        let begun = Instant::now();
        let end = begun + time;
        let mut requests = Vec::new();
        while begun.elapsed() < time {
            let due = (begun.elapsed().as_secs_f64() * rate) as usize;
            while requests.len() < due {
                let (crowd, tally) = (self.clone(), Arc::clone(&tally));
                requests.push(tokio::spawn(async move { crowd.send(&tally, end).await }));
            }
            sleep(TICK).await;
        }
        for request in requests {
            request.await.unwrap();
        }
        Arc::into_inner(tally).unwrap().into_inner().unwrap()
    }
}

impl Tally {
    /// How many had this outcome.
    pub fn other(&self, outcome: &str) -> u64 {
        self.others.get(outcome).copied().unwrap_or_default()
    }

    /// In one line.
    pub fn shown(&self) -> String {
        let refusals: Vec<_> = self.refusals.iter().map(|(took, _)| *took).collect();
        let of = |times: &[Duration]| {
            let mut times = times.to_vec();
            times.sort_unstable();
            let at = |part: usize| times.get(times.len() * part / 100).map_or(0, Duration::as_millis);
            format!("p50 {} ms, p99 {} ms", at(50), at(99))
        };
        format!(
            "{} acknowledged ({}) and {} late, {} given up, {} refused ({}), others {:?}",
            self.acknowledged,
            of(&self.times),
            self.late,
            self.given_up,
            refusals.len(),
            of(&refusals),
            self.others
        )
    }
}
