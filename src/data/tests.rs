//! Tests with a fake database, because a real one cannot fail in each of these ways on demand.

mod calls;
mod ready;
mod tasks;
mod writes;

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::{LazyLock, Mutex};
use std::task::{Context, Poll, Waker};

use super::*;

/// Returns prepared answers in order, and records the calls.
#[derive(Default)]
struct Fake {
    answers: Mutex<VecDeque<(Duration, Answer)>>,
    asked: Mutex<Vec<Asked>>,
    sleeps: Mutex<Vec<Duration>>,
    /// The users whose writes were locked, and the timeouts.
    locks: Mutex<Vec<(String, Duration)>>,
    /// Each lock holds a clone.
    lock: Arc<()>,
    /// Of the [`Data`] that calls it.
    admission: OnceLock<Arc<Admission>>,
}

type Answer = Result<Option<Row>, DatabaseError>;

#[derive(Debug, Clone)]
struct Asked {
    statement: Statement,
    parameters: Vec<Value>,
    deadline: Instant,
    locked: bool,
    /// How many operations admission control counted meanwhile.
    in_flight: u32,
}

impl Database for Fake {
    fn call<'a>(&'a self, statement: Statement, parameters: Vec<Value>, deadline: Instant) -> CallFuture<'a> {
        let locked = Arc::strong_count(&self.lock) > 1;
        let in_flight = self.admission.get().unwrap().in_flight();
        self.asked.lock().unwrap().push(Asked { statement, parameters, deadline, locked, in_flight });
        let (time, answer) = self.answers.lock().unwrap().pop_front().expect("it is asked more often than expected");
        PASSED.set(PASSED.get() + time);
        Box::pin(std::future::ready(answer))
    }

    fn lock_writes<'a>(&'a self, user: &'a str, timeout: Duration) -> LockFuture<'a> {
        self.locks.lock().unwrap().push((user.to_owned(), timeout));
        Box::pin(std::future::ready(Box::new(Arc::clone(&self.lock)) as WriteLock))
    }

    fn sleep(&self, time: Duration) -> SleepFuture {
        self.sleeps.lock().unwrap().push(time);
        PASSED.set(PASSED.get() + time);
        Box::pin(std::future::ready(()))
    }
}

impl Fake {
    /// The next answer, which comes at once.
    fn gives(self: &Arc<Self>, answer: Answer) -> &Arc<Self> {
        self.gives_after(Duration::ZERO, answer)
    }

    /// The next answer, and how long it takes by the tests' clock.
    fn gives_after(self: &Arc<Self>, time: Duration, answer: Answer) -> &Arc<Self> {
        self.answers.lock().unwrap().push_back((time, answer));
        self
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// The clock of these tests goes on only when an answer takes time.
static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

thread_local! {
    static PASSED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

fn now() -> Instant {
    *BEGAN + PASSED.get()
}

/// The time limit of an operation in these tests.
const BUDGET: Duration = Duration::from_secs(5);

fn data() -> (Arc<Fake>, Data) {
    data_within(BUDGET)
}

fn data_within(budget: Duration) -> (Arc<Fake>, Data) {
    let fake = Arc::new(Fake::default());
    let database: Arc<dyn Database> = fake.clone();
    let data = Data::new(database, now, budget);
    _ = fake.admission.set(Arc::clone(&data.admission));
    (fake, data)
}

fn caller() -> Caller {
    Caller::unverified("alice")
}

/// Records the times.
#[derive(Default)]
struct Times(Mutex<Vec<Duration>>);

impl Stopwatch for Times {
    fn add(&self, time: Duration) {
        self.0.lock().unwrap().push(time);
    }
}

impl Times {
    fn told(&self) -> Vec<Duration> {
        self.0.lock().unwrap().clone()
    }
}

/// The outcome of a call that never waits.
fn run<T>(future: impl Future<Output = T>) -> T {
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

fn row(columns: impl IntoIterator<Item = Value>) -> Answer {
    Ok(Some(Row::new(columns.into_iter().collect())))
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn refused(sqlstate: &str) -> DatabaseError {
    DatabaseError::Refused { sqlstate: sqlstate.to_owned(), constraint: None, message: "because".to_owned() }
}
