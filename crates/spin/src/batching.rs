//! Batching of concurrent reads, as a data loader does.
//!
//! Round trips dominate the cost of a small read: pool checkout, parse, bind, and a dozen host calls. So one batch of a statement is in
//! flight at a time. Reads that arrive meanwhile are queued. When the batch returns, the first of them becomes the leader: it sends
//! one statement for the whole queue and distributes the rows.
//!
//! A read is sent immediately unless a batch is in flight. If that batch has been in flight for more than [`JOIN_WINDOW`] (a slow or
//! remote database), the read is sent at once as well, with the reads that are queued. One call's failure never fails another: a call
//! without a row in the batch is retried on its own. Only connection-level failures are reported to the whole batch.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::timers::{Timer, TimerWaker};
use errand::data::{DatabaseError, Row, Value};

/// The maximum number of calls in a batch.
const MAX_BATCH_SIZE: usize = 16;
/// A new call waits for the batch in flight only if that was sent less than this ago.
const JOIN_WINDOW: Duration = Duration::from_millis(20);
/// How long a call waits in the queue behind a batch in flight before it is sent on its own.
const QUEUE_TIMEOUT: Duration = Duration::from_millis(250);

thread_local! {
    static LOADERS: RefCell<Vec<Rc<Loader>>> = const { RefCell::new(Vec::new()) };
}

/// The calls of one statement.
struct Loader {
    statement: &'static str,
    state: Cell<State>,
    queue: RefCell<VecDeque<Rc<QueuedCall>>>,
}

#[derive(Clone, Copy)]
enum State {
    Idle,
    /// A leader waits for a connection.
    Forming,
    /// The batch was sent then.
    InFlight(Instant),
}

/// A queued call. Held by the waiting task and by the queue or batch; a strong count of 1 means that the caller was cancelled.
struct QueuedCall {
    parameters: Vec<Value>,
    waker: Cell<TimerWaker>,
    /// Whether a batch has taken it.
    batched: Cell<bool>,
    outcome: RefCell<Option<Outcome>>,
}

/// What ends the wait of a queued call, once.
enum Outcome {
    Answer(Result<Row, DatabaseError>),
    Lead(Leader),
    SendSingle,
}

/// What a call does.
pub(super) enum Role {
    /// It sends the next batch.
    Lead(Leader),
    /// It is sent on its own.
    Single,
    /// A batch has answered it, or failed with the connection.
    Answered(Result<Row, DatabaseError>),
    /// Its deadline has passed.
    DeadlinePassed {
        /// Whether the database may have received the statement.
        sent: bool,
    },
}

/// The right to send the next batch. Dropping it makes the next queued call the leader.
pub(super) struct Leader {
    loader: Rc<Loader>,
    sent: bool,
}

/// A batch in flight. When it is dropped, its calls without an answer are sent on their own.
pub(super) struct Batch {
    /// The calls other than the leader's.
    calls: Vec<Rc<QueuedCall>>,
    /// Dropped last, so that the calls without an answer hear of it before there is another leader.
    _leader: Leader,
}

/// Joins the calls of this statement. If a batch is in flight, waits for the answer or for a role.
pub(super) async fn join(statement: &'static str, parameters: &[Value], deadline: Instant) -> Role {
    let loader = Loader::of(statement);
    if !loader.has_batch_within(JOIN_WINDOW) {
        return Role::Lead(loader.lead());
    }
    let mut timer = Timer::at(deadline.min(Instant::now() + QUEUE_TIMEOUT));
    let call = loader.enqueue(parameters, timer.waker());
    loop {
        timer.fire().await;
        let outcome = call.outcome.take();
        if let Some(Outcome::Answer(answer)) = outcome {
            return Role::Answered(answer);
        }
        if Instant::now() >= deadline {
            return Role::DeadlinePassed { sent: call.batched.get() };
        }
        match outcome {
            Some(Outcome::Lead(leader)) => return Role::Lead(leader),
            Some(_) => return Role::Single,
            None if !loader.has_batch_within(QUEUE_TIMEOUT) && !call.batched.get() => return Role::Single,
            None => {
                timer = Timer::at(deadline.min(Instant::now() + QUEUE_TIMEOUT));
                call.waker.set(timer.waker());
            }
        }
    }
}

impl Loader {
    fn of(statement: &'static str) -> Rc<Self> {
        LOADERS.with_borrow_mut(|loaders| {
            if let Some(loader) = loaders.iter().find(|loader| loader.statement == statement) {
                return Rc::clone(loader);
            }
            let loader = Rc::new(Self { statement, state: Cell::new(State::Idle), queue: RefCell::default() });
            loaders.push(Rc::clone(&loader));
            loader
        })
    }

    fn lead(self: &Rc<Self>) -> Leader {
        self.state.set(State::Forming);
        Leader { loader: Rc::clone(self), sent: false }
    }

    fn enqueue(&self, parameters: &[Value], waker: TimerWaker) -> Rc<QueuedCall> {
        let (parameters, waker) = (parameters.to_vec(), Cell::new(waker));
        let call = Rc::new(QueuedCall { parameters, waker, batched: Cell::default(), outcome: RefCell::default() });
        self.queue.borrow_mut().push_back(Rc::clone(&call));
        call
    }

    /// Takes the first queued call whose caller was not cancelled.
    fn dequeue(&self) -> Option<Rc<QueuedCall>> {
        let mut queue = self.queue.borrow_mut();
        std::iter::from_fn(|| queue.pop_front()).find(|call| Rc::strong_count(call) > 1)
    }

    /// Whether a batch is being formed, or was sent less than this long ago and has not returned.
    fn has_batch_within(&self, limit: Duration) -> bool {
        match self.state.get() {
            State::Idle => false,
            State::Forming => true,
            State::InFlight(sent_at) => sent_at.elapsed() < limit,
        }
    }
}

impl QueuedCall {
    fn resolve(&self, outcome: Outcome) {
        self.outcome.replace(Some(outcome));
        self.waker.get().wake();
    }
}

impl Leader {
    /// Takes the queued calls into a batch, which is sent now.
    pub(super) fn start_batch(mut self) -> Batch {
        let calls: Vec<_> = std::iter::from_fn(|| self.loader.dequeue()).take(MAX_BATCH_SIZE - 1).collect();
        calls.iter().for_each(|call| call.batched.set(true));
        self.loader.state.set(State::InFlight(Instant::now()));
        self.sent = true;
        Batch { calls, _leader: self }
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        let Self { loader, sent } = self;
        if *sent && matches!(loader.state.get(), State::Forming) {
            return; // A call that arrived after the join window leads already.
        }
        loader.state.set(State::Idle);
        if let Some(call) = loader.dequeue() {
            call.resolve(Outcome::Lead(loader.lead()));
        }
    }
}

impl Batch {
    /// Whether the leader's call is the only one.
    pub(super) fn is_single(&self) -> bool {
        self.calls.is_empty()
    }

    /// The number of calls, with the leader's.
    pub(super) fn len(&self) -> usize {
        self.calls.len() + 1
    }

    /// The parameters of the batched statement: an array for each parameter, with the leader's value at the end.
    pub(super) fn parameters(&self, leader: &[Value]) -> Vec<Vec<Option<String>>> {
        let calls = || self.calls.iter().map(|call| &*call.parameters).chain([leader]);
        let array = |index| calls().map(|call| call.get(index).and_then(Value::text)).collect();
        (0..leader.len()).map(array).collect()
    }

    /// Answers the call with this number, counted from 1 on, with the leader's at the end. Returns the row if it is the leader's. A row
    /// goes only to a call whose caller is the one that the database names in it.
    pub(super) fn answer(&self, number: i64, caller: String, row: Row, leader: &[Value]) -> Option<Row> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        let caller = Some(Value::Text(caller));
        match self.calls.get(index) {
            Some(call) if call.parameters.first() == caller.as_ref() => call.resolve(Outcome::Answer(Ok(row))),
            None if index == self.calls.len() && leader.first() == caller.as_ref() => return Some(row),
            _ => {}
        }
        None
    }

    /// Fails the calls without an answer.
    pub(super) fn fail(&self, error: &DatabaseError) {
        self.unresolved().for_each(|call| call.resolve(Outcome::Answer(Err(error.clone()))));
    }

    /// The calls without an outcome. Another outcome would replace the first.
    fn unresolved(&self) -> impl Iterator<Item = &Rc<QueuedCall>> {
        self.calls.iter().filter(|call| call.outcome.borrow().is_none())
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.unresolved().for_each(|call| call.resolve(Outcome::SendSingle));
    }
}
