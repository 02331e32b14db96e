//! Clients at work: each a user of its own, with one request at a time and a ledger.

use std::collections::HashSet;
use std::mem;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use errand_testing::token::SECRET;
use fastrand::Rng;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::{sleep, sleep_until};

use super::client::{Client, Failure, Reply};
use super::ledger::{Change, Ledger};

/// A client makes no more tasks than this; it deletes some instead.
const TASKS: usize = 300;
/// How long a client repeats what it has a key for, until it knows.
const PERSISTENCE: Duration = Duration::from_secs(60);

/// What the clients have seen together.
#[derive(Default)]
pub struct Seen {
    pub requests: AtomicU64,
    /// Requests that were done.
    pub done: AtomicU64,
    /// Requests without an answer that says what became of them.
    pub unknown: AtomicU64,
    /// Writes that were sent again with their key.
    pub repeated: AtomicU64,
    /// The longest that a request took, in microseconds.
    pub longest: AtomicU64,
    /// Whether they read by id and by page alone.
    pub searchless: AtomicBool,
    stop: AtomicBool,
    abandoned: AtomicBool,
    failures: Mutex<Vec<Failed>>,
    /// What no fault excuses.
    wrong: Mutex<Vec<String>>,
}

/// A request that was not done, and says so properly.
#[derive(Debug, Clone)]
pub struct Failed {
    pub begun: Instant,
    pub told: String,
}

/// Clients at work.
pub struct Load {
    pub seen: Arc<Seen>,
    workers: Vec<JoinHandle<Worker>>,
}

/// A client after its work.
pub struct Worker {
    pub client: Client,
    pub ledger: Ledger,
    /// When the latest request that was done had begun.
    pub last_done: Instant,
    seen: Arc<Seen>,
    rng: Rng,
    number: u64,
}

/// What came of a request.
enum Outcome {
    Done(Reply),
    NotDone,
    Unknown,
    /// It should not be; that has been noted.
    Wrong,
}

impl Load {
    /// Starts so many clients that send so many requests a second together (`None`: as many as they can).
    pub fn start(address: SocketAddr, run: &str, clients: u64, rate: Option<f64>, seed: u64) -> Self {
        Self::start_signed(address, SECRET, run, clients, rate, seed)
    }

    /// The same with tokens of another secret.
    pub fn start_signed(
        address: SocketAddr,
        secret: &str,
        run: &str,
        clients: u64,
        rate: Option<f64>,
        seed: u64,
    ) -> Self {
        let seen = Arc::new(Seen::default());
        let workers = (0..clients).map(|number| {
            let worker = Worker {
                client: Client::signed(address, &format!("{run}-{number}"), secret),
                ledger: Ledger::default(),
                last_done: Instant::now(),
                seen: Arc::clone(&seen),
                rng: Rng::with_seed(seed.wrapping_add(number)),
                number: 0,
            };
            tokio::spawn(worker.run(rate.map(|rate| Duration::from_secs_f64(clients as f64 / rate))))
        });
        Self { workers: workers.collect(), seen }
    }

    /// Lets the clients give up what they do not know yet: there is nobody to answer any more.
    pub async fn abandon(self) -> Vec<Worker> {
        self.seen.abandoned.store(true, Ordering::SeqCst);
        self.finish().await
    }

    /// Lets the clients finish what they have begun.
    pub async fn finish(mut self) -> Vec<Worker> {
        self.seen.stop.store(true, Ordering::SeqCst);
        let mut workers = Vec::new();
        for worker in mem::take(&mut self.workers) {
            workers.push(worker.await.unwrap());
        }
        workers
    }
}

/// The clients of a trial that failed must not go on during the next one.
impl Drop for Load {
    fn drop(&mut self) {
        self.seen.stop.store(true, Ordering::SeqCst);
    }
}

impl Seen {
    pub fn failures(&self) -> Vec<Failed> {
        self.failures.lock().unwrap().clone()
    }

    pub fn wrong(&self) -> Vec<String> {
        self.wrong.lock().unwrap().clone()
    }

    fn note_wrong(&self, told: String) {
        self.wrong.lock().unwrap().push(told);
    }
}

impl Worker {
    async fn run(mut self, pace: Option<Duration>) -> Self {
        let mut next = Instant::now();
        if let Some(pace) = pace {
            next += pace.mul_f64(self.rng.f64());
        }
        while !self.seen.stop.load(Ordering::SeqCst) {
            if let Some(pace) = pace {
                sleep_until(next.into()).await;
                // Who was kept waiting does not rush afterwards.
                next = (next + pace).max(Instant::now());
            }
            self.step().await;
        }
        self
    }

    async fn step(&mut self) {
        let keyed = self.rng.bool();
        let room = self.ledger.known.len() < TASKS;
        match self.rng.u32(0..100) {
            0..35 if room => self.create(keyed).await,
            35..60 => self.change(keyed, "").await,
            60..70 => self.change(keyed, "/complete").await,
            70..82 => self.get().await,
            82..88 => self.list().await,
            88..92 if !self.seen.searchless.load(Ordering::SeqCst) => self.search().await,
            92..95 => self.walk().await,
            _ => self.delete().await,
        }
    }

    fn title(&mut self) -> String {
        self.number += 1;
        format!("{} {}", self.client.user, self.number)
    }

    fn some_task(&mut self) -> Option<(String, String)> {
        let at = self.rng.usize(0..self.ledger.known.len().max(1));
        self.ledger.known.iter().nth(at).map(|(id, json)| (id.clone(), json.clone()))
    }

    async fn create(&mut self, keyed: bool) {
        let title = self.title();
        // Some are long, so that a walk meets pages that end by their size.
        let length = if self.rng.u32(0..10) == 0 { 10_000 } else { self.rng.usize(0..400) };
        let body = json!({"title": title, "description": "x".repeat(length), "tags": ["trial"]});
        match self.write("POST", "", keyed, &body).await {
            Outcome::Done(reply) => {
                let task = reply.json();
                self.expect(reply.status == 201 && task["title"] == title.as_str() && task["version"] == 1, &reply);
                self.ledger.acknowledge(&reply.body);
            }
            Outcome::Unknown | Outcome::Wrong => self.ledger.doubt_new(&title),
            Outcome::NotDone => {}
        }
    }

    async fn change(&mut self, keyed: bool, rest: &str) {
        let Some((id, before)) = self.some_task() else { return };
        let (body, change) = if rest.is_empty() {
            let title = self.title();
            (json!({"title": title}), Change::Title(title))
        } else {
            let completed = self.rng.bool();
            (json!({"completed": completed}), Change::Completed(completed))
        };
        match self.write("PATCH", &format!("/{id}{rest}"), keyed, &body).await {
            Outcome::Done(reply) => {
                let made = change.made(&serde_json::from_str(&before).unwrap(), &reply.json());
                self.expect(reply.status == 200 && made, &reply);
                self.ledger.acknowledge(&reply.body);
            }
            Outcome::Unknown | Outcome::Wrong => self.ledger.doubt(&id, change),
            Outcome::NotDone => {}
        }
    }

    async fn delete(&mut self) {
        let Some((id, _)) = self.some_task() else { return };
        match self.request("DELETE", &format!("/{id}"), None, None).await {
            Outcome::Done(reply) => {
                self.expect(reply.status == 204, &reply);
                self.ledger.acknowledge_gone(&id);
            }
            Outcome::Unknown | Outcome::Wrong => self.ledger.doubt(&id, Change::Gone),
            Outcome::NotDone => {}
        }
    }

    async fn get(&mut self) {
        let Some((id, json)) = self.some_task() else { return };
        if let Outcome::Done(reply) = self.request("GET", &format!("/{id}"), None, None).await {
            self.expect(reply.status == 200 && reply.body == json, &reply);
        }
    }

    async fn list(&mut self) {
        if let Outcome::Done(reply) = self.request("GET", "?limit=20&sort=-updated_at", None, None).await {
            let list = reply.json();
            let tasks = list["tasks"].as_array().cloned().unwrap_or_default();
            let agrees = !tasks.iter().any(|task| self.ledger.contradicts(task));
            self.expect(reply.status == 200 && agrees, &reply);
        }
    }

    /// Looks for a task by the words of its title.
    async fn search(&mut self) {
        let Some((id, json)) = self.some_task() else { return };
        let task: Value = serde_json::from_str(&json).unwrap();
        let words = task["title"].as_str().unwrap().replace(' ', "+");
        let sought = format!("?q={words}&tag=trial&sort=-updated_at&limit=500");
        if let Outcome::Done(reply) = self.request("GET", &sought, None, None).await {
            let tasks = reply.json()["tasks"].as_array().cloned().unwrap_or_default();
            let found = tasks.iter().any(|task| task["id"] == id.as_str());
            let agrees = !tasks.iter().any(|task| self.ledger.contradicts(task));
            self.expect(reply.status == 200 && found && agrees, &reply);
        }
    }

    /// Reads all tasks, page by page.
    async fn walk(&mut self) {
        let mut missing: HashSet<String> = self.ledger.known.keys().cloned().collect();
        let mut next = String::new();
        loop {
            let page = format!("?limit=500&sort=title{next}");
            let Outcome::Done(reply) = self.request("GET", &page, None, None).await else { return };
            let list = reply.json();
            let tasks = list["tasks"].as_array().cloned().unwrap_or_default();
            let agrees = !tasks.iter().any(|task| self.ledger.contradicts(task));
            self.expect(reply.status == 200 && agrees, &reply);
            for task in &tasks {
                missing.remove(task["id"].as_str().unwrap_or_default());
            }
            let Some(cursor) = list["next_cursor"].as_str() else { break };
            next = format!("&cursor={cursor}");
        }
        if !missing.is_empty() {
            self.seen.note_wrong(format!("{}: not found on any page: {missing:?}", self.client.user));
        }
    }

    /// Sends a write. With a key it is repeated until its outcome is known.
    async fn write(&mut self, method: &str, rest: &str, keyed: bool, body: &Value) -> Outcome {
        let key = keyed.then(|| format!("{}-{}", self.client.user, self.rng.u64(..)));
        let begun = Instant::now();
        let mut unknown = false;
        loop {
            let outcome = self.request(method, rest, key.as_deref(), Some(body)).await;
            match outcome {
                Outcome::Done(_) | Outcome::Wrong => return outcome,
                _ if !keyed => return outcome,
                _ if self.seen.abandoned.load(Ordering::SeqCst) => return Outcome::Unknown,
                Outcome::NotDone if !unknown && self.seen.stop.load(Ordering::SeqCst) => return outcome,
                _ if begun.elapsed() > PERSISTENCE => {
                    self.seen.note_wrong(format!("{method} {rest} could not be settled with its key"));
                    return Outcome::Unknown;
                }
                Outcome::Unknown => unknown = true,
                _ => {}
            }
            self.seen.repeated.fetch_add(1, Ordering::Relaxed);
            sleep(Duration::from_millis(self.rng.u64(50..150))).await;
        }
    }

    /// Sends a request once and judges the answer.
    async fn request(&mut self, method: &str, rest: &str, key: Option<&str>, body: Option<&Value>) -> Outcome {
        let begun = Instant::now();
        let answer = self.client.send(method, rest, key, body).await;
        let took = begun.elapsed();
        let seen = Arc::clone(&self.seen);
        seen.requests.fetch_add(1, Ordering::Relaxed);
        seen.longest.fetch_max(took.as_micros() as u64, Ordering::Relaxed);
        let fail = |told: String| seen.failures.lock().unwrap().push(Failed { begun, told });
        match answer {
            Ok(reply) if reply.status < 300 => {
                seen.done.fetch_add(1, Ordering::Relaxed);
                self.last_done = begun;
                Outcome::Done(reply)
            }
            Ok(reply) => match (reply.status, reply.code().as_str()) {
                (503, "unavailable") => {
                    fail("unavailable".to_owned());
                    Outcome::NotDone
                }
                (503, "outcome_unknown") if method != "GET" => {
                    fail("outcome_unknown".to_owned());
                    seen.unknown.fetch_add(1, Ordering::Relaxed);
                    Outcome::Unknown
                }
                // Statements whose answers were lost are still at it.
                (429, "too_many_requests") => {
                    fail("too_many_requests".to_owned());
                    Outcome::NotDone
                }
                // An earlier attempt is still at it.
                (409, "in_flight") if key.is_some() => Outcome::Unknown,
                _ => {
                    seen.note_wrong(format!("{method} {rest}: {} {}", reply.status, reply.body));
                    Outcome::Wrong
                }
            },
            Err(Failure::NotSent(told)) => {
                fail(format!("not sent: {told}"));
                Outcome::NotDone
            }
            Err(Failure::NoAnswer(told)) => {
                fail(format!("no answer: {told}"));
                seen.unknown.fetch_add(1, Ordering::Relaxed);
                Outcome::Unknown
            }
        }
    }

    fn expect(&self, agrees: bool, reply: &Reply) {
        if !agrees {
            self.seen.note_wrong(format!("{} was told {} {}", self.client.user, reply.status, reply.body));
        }
    }
}
