//! The deadlines of this instance's calls.
//!
//! A timer of its own for each call would be cancelled by nearly all of them, and to cancel a host call suspends a task
//! until the host has let go of it: that costs more than a small query, and of the stacks that the runtime has for tasks
//! (1,000 in Spin), a thousand connections would take all. So one task sleeps for all calls of the instance, and wakes
//! those whose time has come as [`turns`](super::turns) does.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use spin_sdk::time::sleep;
use spin_sdk::wasip3::wit_stream;
use wit_bindgen::{StreamReader, StreamWriter, spawn};

/// How long the task sleeps at most: it ends when it finds nothing to watch.
const NAP: Duration = Duration::from_millis(50);

thread_local! {
    static ALARMS: Alarms = Alarms::default();
}

#[derive(Default)]
struct Alarms {
    set: RefCell<BTreeMap<Key, StreamWriter<u8>>>,
    serial: Cell<u64>,
    watched: Cell<bool>,
}

type Key = (Instant, u64);

/// Rings at its time or when its bell is rung, unless it is dropped before.
pub(super) struct Alarm {
    key: Key,
    end: StreamReader<u8>,
}

/// Rings an alarm before its time.
#[derive(Clone, Copy)]
pub(super) struct Bell(Key);

impl Bell {
    /// Rings, unless it has rung.
    pub(super) fn ring(self) {
        ALARMS.with(|alarms| alarms.set.borrow_mut().remove(&self.0));
    }
}

impl Alarm {
    /// Its bell.
    pub(super) fn bell(&self) -> Bell {
        Bell(self.key)
    }

    /// Sets an alarm.
    pub(super) fn at(deadline: Instant) -> Self {
        let (bell, end) = wit_stream::new();
        ALARMS.with(|alarms| {
            let key = (deadline, alarms.serial.get());
            alarms.serial.set(key.1.wrapping_add(1));
            alarms.set.borrow_mut().insert(key, bell);
            if !alarms.watched.replace(true) {
                spawn(watch(Watch));
            }
            Self { key, end }
        })
    }

    /// Whether its time is over. It may ring some milliseconds later.
    pub(super) fn is_due(&self) -> bool {
        Instant::now() >= self.key.0
    }

    /// Waits until it rings.
    pub(super) async fn ring(&mut self) {
        // What has rung may have done so while nobody waited any more: reading once more from a stream that has ended traps.
        if ALARMS.with(|alarms| alarms.set.borrow().contains_key(&self.key)) {
            self.end.next().await;
        }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        ALARMS.with(|alarms| alarms.set.borrow_mut().remove(&self.key));
    }
}

impl Alarms {
    /// Rings those whose time has come. How long until they are to be looked at again; `None` when there is none.
    fn tend(&self) -> Option<Duration> {
        let now = Instant::now();
        let mut set = self.set.borrow_mut();
        while let Some(first) = set.first_entry() {
            let left = first.key().0.saturating_duration_since(now);
            if !left.is_zero() {
                return Some(left.min(NAP));
            }
            first.remove();
        }
        None
    }
}

/// Held by the task while it runs: if the runtime gives up the request that it came with, the next alarm begins another.
struct Watch;

impl Drop for Watch {
    fn drop(&mut self) {
        ALARMS.with(|alarms| alarms.watched.set(false));
    }
}

async fn watch(_watch: Watch) {
    while let Some(nap) = ALARMS.with(Alarms::tend) {
        sleep(nap).await;
    }
}
