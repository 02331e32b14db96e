//! Reads of this instance that are made together.
//!
//! What a small read costs is mostly its way: a place in the pool, a statement to parse, answers to wait for, a dozen calls
//! between component and host. So one read of a kind is on its way at a time. Those that come meanwhile gather, and the
//! first of them goes next, asks for all in one statement, and hands out the answers. Who finds nobody on the way goes at
//! once. Nothing is lost by gathering but time: whoever gets no answer that way goes alone.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::alarms::{Alarm, Bell};
use errand::data::{DatabaseError, Row, Value};

/// How many go together.
const MOST: usize = 16;
/// How long a statement may be on its way until who comes next waits for it no more: the database is far away, or busy.
const NEAR: Duration = Duration::from_millis(20);
/// How long until those do not either who have gathered already.
const PATIENCE: Duration = Duration::from_millis(250);

thread_local! {
    static GATHERINGS: RefCell<Vec<Rc<Gathering>>> = const { RefCell::new(Vec::new()) };
}

/// Those who want the same statement.
struct Gathering {
    statement: &'static str,
    way: Cell<Way>,
    waiting: RefCell<VecDeque<Rc<Place>>>,
}

#[derive(Clone, Copy)]
enum Way {
    Free,
    /// Somebody leads, and gets ready: waits for a connection.
    Taken,
    /// The statement was sent then.
    Sent(Instant),
}

/// Where one of them waits. Whoever waits there holds it, and the gathering or a group does: when only those are left, nobody
/// waits any more.
struct Place {
    parameters: Vec<Value>,
    bell: Cell<Bell>,
    /// Whether a group took it along.
    gone: Cell<bool>,
    word: RefCell<Option<Word>>,
}

/// What the one who waits is told, once, when its place has left the queue.
enum Word {
    Answer(Result<Row, DatabaseError>),
    Lead(Lead),
    GoAlone,
}

/// What a read has to do.
pub(super) enum Part {
    /// It leads whoever gathers until it has a connection.
    Lead(Lead),
    /// It goes alone.
    Alone,
    /// It was answered, or failed as the database did.
    Answered(Result<Row, DatabaseError>),
    /// Its time is over.
    TooLate {
        /// Whether the database may have got the statement.
        sent: bool,
    },
}

/// Held by the one who leads. When it goes, the next one leads.
pub(super) struct Lead {
    gathering: Rc<Gathering>,
    gone: bool,
}

/// Those who go with the one who leads. Who was not answered at the end goes alone.
pub(super) struct Group {
    others: Vec<Rc<Place>>,
    /// Goes last: those who were not answered are to hear of it before somebody else leads.
    _lead: Lead,
}

/// Learns what to do, which may be nothing: whoever finds company waits for it.
pub(super) async fn part(statement: &'static str, parameters: &[Value], deadline: Instant) -> Part {
    let gathering = Gathering::of(statement);
    if gathering.is_late_by(NEAR) {
        return Part::Lead(gathering.lead());
    }
    let mut alarm = Alarm::at(deadline.min(Instant::now() + PATIENCE));
    let place = gathering.join(parameters, alarm.bell());
    loop {
        alarm.ring().await;
        let word = place.word.take();
        if let Some(Word::Answer(answer)) = word {
            return Part::Answered(answer);
        }
        if Instant::now() >= deadline {
            return Part::TooLate { sent: place.gone.get() };
        }
        match word {
            Some(Word::Lead(lead)) => return Part::Lead(lead),
            Some(_) => return Part::Alone,
            None if gathering.is_late_by(PATIENCE) && !place.gone.get() => return Part::Alone,
            None => {
                alarm = Alarm::at(deadline.min(Instant::now() + PATIENCE));
                place.bell.set(alarm.bell());
            }
        }
    }
}

impl Gathering {
    fn of(statement: &'static str) -> Rc<Self> {
        GATHERINGS.with_borrow_mut(|all| {
            if let Some(known) = all.iter().find(|known| known.statement == statement) {
                return Rc::clone(known);
            }
            let new = Rc::new(Self { statement, way: Cell::new(Way::Free), waiting: RefCell::default() });
            all.push(Rc::clone(&new));
            new
        })
    }

    fn lead(self: &Rc<Self>) -> Lead {
        self.way.set(Way::Taken);
        Lead { gathering: Rc::clone(self), gone: false }
    }

    fn join(&self, parameters: &[Value], bell: Bell) -> Rc<Place> {
        let (parameters, bell) = (parameters.to_vec(), Cell::new(bell));
        let place = Rc::new(Place { parameters, bell, gone: Cell::default(), word: RefCell::default() });
        self.waiting.borrow_mut().push_back(Rc::clone(&place));
        place
    }

    /// The next who still waits: who does not any more has dropped its place.
    fn next(&self) -> Option<Rc<Place>> {
        let mut waiting = self.waiting.borrow_mut();
        std::iter::from_fn(|| waiting.pop_front()).find(|place| Rc::strong_count(place) > 1)
    }

    /// Whether nothing has come back for this long, or nobody is on the way.
    fn is_late_by(&self, long: Duration) -> bool {
        match self.way.get() {
            Way::Free => true,
            Way::Taken => false,
            Way::Sent(then) => then.elapsed() >= long,
        }
    }
}

impl Place {
    fn tell(&self, word: Word) {
        self.word.replace(Some(word));
        self.bell.get().ring();
    }
}

impl Lead {
    /// Takes those along who have gathered: now the statement is sent.
    pub(super) fn go(mut self) -> Group {
        let others: Vec<_> = std::iter::from_fn(|| self.gathering.next()).take(MOST - 1).collect();
        others.iter().for_each(|place| place.gone.set(true));
        self.gathering.way.set(Way::Sent(Instant::now()));
        self.gone = true;
        Group { others, _lead: self }
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        let Self { gathering, gone } = self;
        if *gone && matches!(gathering.way.get(), Way::Taken) {
            return; // Somebody who came later leads already.
        }
        gathering.way.set(Way::Free);
        if let Some(place) = gathering.next() {
            place.tell(Word::Lead(gathering.lead()));
        }
    }
}

impl Group {
    /// Whether nobody else goes.
    pub(super) fn is_empty(&self) -> bool {
        self.others.is_empty()
    }

    /// How many they are, with the one who leads.
    pub(super) fn size(&self) -> usize {
        self.others.len() + 1
    }

    /// The parameters of the statement for all: an array for each parameter, with the leader's at the end.
    pub(super) fn parameters(&self, leader: &[Value]) -> Vec<Vec<Option<String>>> {
        let calls = || self.others.iter().map(|place| &*place.parameters).chain([leader]);
        let array = |index| calls().map(|call| call.get(index).and_then(Value::text)).collect();
        (0..leader.len()).map(array).collect()
    }

    /// Hands the answer of that number out, the first having 1 and the leader the last. The leader's own comes back. The
    /// database says whose each answer is, and nobody else gets it.
    pub(super) fn hand_out(&self, number: i64, caller: String, row: Row, leader: &[Value]) -> Option<Row> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        let caller = Some(Value::Text(caller));
        match self.others.get(index) {
            Some(place) if place.parameters.first() == caller.as_ref() => place.tell(Word::Answer(Ok(row))),
            None if index == self.others.len() && leader.first() == caller.as_ref() => return Some(row),
            _ => {}
        }
        None
    }

    /// Tells those who were not answered that the database failed.
    pub(super) fn fail(&self, error: &DatabaseError) {
        self.unanswered().for_each(|place| place.tell(Word::Answer(Err(error.clone()))));
    }

    /// A word that was said already is heard: saying more would take it back.
    fn unanswered(&self) -> impl Iterator<Item = &Rc<Place>> {
        self.others.iter().filter(|place| place.word.borrow().is_none())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.unanswered().for_each(|place| place.tell(Word::GoAlone));
    }
}
