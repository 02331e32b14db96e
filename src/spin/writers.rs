//! The turns of this instance's writers: what they would wait for in the database, they wait for here.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::pin::pin;
use std::rc::Rc;
use std::time::Instant;

use futures::future::{Either, select};

use super::alarms::Alarm;
use super::turns::Turns;

thread_local! {
    static WRITERS: RefCell<HashMap<String, Rc<Writers>>> = RefCell::default();
}

/// The writers of one user.
#[derive(Default)]
struct Writers {
    writing: Cell<bool>,
    queue: Rc<Turns>,
}

/// A turn. The next one begins when the value goes.
pub(super) struct Writing {
    user: String,
    writers: Rc<Writers>,
}

/// Waits until nobody else is writing as this user. `None` where that takes longer than until the deadline.
pub(super) async fn turn(user: &str, deadline: Instant) -> Option<Writing> {
    let writers = WRITERS.with_borrow_mut(|all| match all.get(user) {
        Some(writers) => Rc::clone(writers),
        None => Rc::clone(all.entry(user.to_owned()).or_default()),
    });
    let mut alarm = None;
    while writers.writing.get() {
        let turn = writers.queue.join();
        let alarm = alarm.get_or_insert_with(|| Alarm::at(deadline));
        if let Either::Right(_) = select(pin!(turn.come()), pin!(alarm.ring())).await {
            return None;
        }
    }
    writers.writing.set(true);
    Some(Writing { user: user.to_owned(), writers })
}

impl Drop for Writing {
    fn drop(&mut self) {
        let Self { user, writers } = self;
        writers.writing.set(false);
        writers.queue.call();
        // One is here and one in the table; who waits has another.
        if Rc::strong_count(writers) == 2 {
            WRITERS.with_borrow_mut(|all| all.remove(user));
        }
    }
}
