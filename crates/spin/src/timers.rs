//! The deadlines of this instance's calls, on one timer.
//!
//! A host timer for each call would nearly always be cancelled. Cancelling a host call suspends a task on a stack of its own until the
//! host has released it. That costs more than a small query, and Spin has only 1,000 stacks, which a thousand connections would use
//! up. So one task sleeps for all calls of the instance, and wakes the expired ones by dropping a stream, as
//! [`wait_queue`](super::wait_queue) does.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use spin_sdk::time::sleep;
use spin_sdk::wasip3::wit_stream;
use wit_bindgen::{StreamReader, StreamWriter, spawn};

/// The longest sleep of the task, which ends when it wakes and finds no pending timer.
const MAX_SLEEP: Duration = Duration::from_millis(50);

thread_local! {
    static TIMERS: Timers = Timers::default();
}

#[derive(Default)]
struct Timers {
    pending: RefCell<BTreeMap<Key, StreamWriter<u8>>>,
    next_serial: Cell<u64>,
    task_is_running: Cell<bool>,
}

/// The deadline, and a serial number that makes the key unique.
type Key = (Instant, u64);

/// Fires at its deadline or when its waker is used, whichever is first. Dropping it cancels it.
pub(super) struct Timer {
    key: Key,
    fired: StreamReader<u8>,
}

/// Fires a timer before its deadline. It works across tasks of the component model, unlike a [`std::task::Waker`].
#[derive(Clone, Copy)]
pub(super) struct TimerWaker(Key);

impl TimerWaker {
    /// Fires the timer, unless it has fired.
    pub(super) fn wake(self) {
        TIMERS.with(|timers| timers.pending.borrow_mut().remove(&self.0));
    }
}

impl Timer {
    /// Starts a timer.
    pub(super) fn at(deadline: Instant) -> Self {
        let (writer, fired) = wit_stream::new();
        TIMERS.with(|timers| {
            let key = (deadline, timers.next_serial.get());
            timers.next_serial.set(key.1.wrapping_add(1));
            timers.pending.borrow_mut().insert(key, writer);
            if !timers.task_is_running.replace(true) {
                spawn(fire_timers(RunningTask));
            }
            Self { key, fired }
        })
    }

    /// The waker of this timer.
    pub(super) fn waker(&self) -> TimerWaker {
        TimerWaker(self.key)
    }

    /// Whether the deadline has passed. The timer may fire up to [`MAX_SLEEP`] later.
    pub(super) fn is_expired(&self) -> bool {
        Instant::now() >= self.key.0
    }

    /// Waits until the timer fires.
    pub(super) async fn fire(&mut self) {
        // It may have fired without a reader. Reading again from a stream that has ended traps.
        if TIMERS.with(|timers| timers.pending.borrow().contains_key(&self.key)) {
            self.fired.next().await;
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        TIMERS.with(|timers| timers.pending.borrow_mut().remove(&self.key));
    }
}

impl Timers {
    /// Fires the expired timers. Returns the time to sleep until the next check; `None` when no timer is pending.
    fn fire_expired(&self) -> Option<Duration> {
        let now = Instant::now();
        let mut pending = self.pending.borrow_mut();
        while let Some(first) = pending.first_entry() {
            let left = first.key().0.saturating_duration_since(now);
            if !left.is_zero() {
                return Some(left.min(MAX_SLEEP));
            }
            first.remove();
        }
        None
    }
}

/// Held by the task while it runs. If the runtime drops the request that spawned the task, the next timer spawns another.
struct RunningTask;

impl Drop for RunningTask {
    fn drop(&mut self) {
        TIMERS.with(|timers| timers.task_is_running.set(false));
    }
}

async fn fire_timers(_running: RunningTask) {
    while let Some(time) = TIMERS.with(Timers::fire_expired) {
        sleep(time).await;
    }
}
