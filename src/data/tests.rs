//! Tests over a database that answers as the test says, because a real one cannot be made to fail in each of these ways.

mod calls;
mod ready;
mod tasks;
mod writes;

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::{LazyLock, Mutex};
use std::task::{Context, Poll, Waker};

use super::*;

/// Gives the answers that it was given, in order, and keeps what it was asked.
#[derive(Default)]
struct Fake {
    answers: Mutex<VecDeque<(Duration, Answer)>>,
    asked: Mutex<Vec<Asked>>,
    pauses: Mutex<Vec<Duration>>,
    /// Whose turns there were, and how long they would have been waited for.
    turns: Mutex<Vec<(String, Duration)>>,
    /// Each turn holds a clone.
    turn: Arc<()>,
}

type Answer = Result<Option<Row>, DatabaseError>;

#[derive(Debug, Clone)]
struct Asked {
    statement: Statement,
    parameters: Vec<Value>,
    deadline: Instant,
    in_turn: bool,
}

impl Database for Fake {
    fn call<'a>(&'a self, statement: Statement, parameters: Vec<Value>, deadline: Instant) -> Calling<'a> {
        let in_turn = Arc::strong_count(&self.turn) > 1;
        self.asked.lock().unwrap().push(Asked { statement, parameters, deadline, in_turn });
        let (time, answer) = self.answers.lock().unwrap().pop_front().expect("it is asked more often than expected");
        PASSED.set(PASSED.get() + time);
        Box::pin(std::future::ready(answer))
    }

    fn turn<'a>(&'a self, caller: &'a str, patience: Duration) -> Turning<'a> {
        self.turns.lock().unwrap().push((caller.to_owned(), patience));
        Box::pin(std::future::ready(Box::new(Arc::clone(&self.turn)) as Turn))
    }

    fn pause(&self, time: Duration) -> Pausing {
        self.pauses.lock().unwrap().push(time);
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

/// What each operation of these tests may take.
const BUDGET: Duration = Duration::from_secs(5);

fn data() -> (Arc<Fake>, Data) {
    data_within(BUDGET)
}

fn data_within(budget: Duration) -> (Arc<Fake>, Data) {
    let fake = Arc::new(Fake::default());
    let database: Arc<dyn Database> = fake.clone();
    (fake, Data::new(database, now, budget))
}

fn caller() -> Caller {
    Caller::unverified("alice")
}

/// Keeps the times that it is told.
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
