//! Retries, the errors for each failure, and time limits.

use super::*;

/// Which calls are made a second time after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    Never,
    /// A second write could do what the first one did already.
    Reads,
    Always,
}

/// The error for a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    PreconditionFailed,
    Invalid,
    Unavailable,
    OutcomeUnknown,
    UnsafePooler,
    SchemaMismatch,
    Internal,
}

/// Refusals of PostgreSQL. They are rolled back, so reads and writes get the same error.
const REFUSALS: [(&str, Again, Told); 35] = [
    // A serialization failure, a deadlock.
    ("40001", Again::Always, Told::Unavailable),
    ("40P01", Again::Always, Told::Unavailable),
    // A function that was replaced while it was looked up.
    ("XX000", Again::Always, Told::Internal),
    ("0A000", Again::Always, Told::Internal),
    ("42883", Again::Always, Told::SchemaMismatch),
    // The interface is not served.
    ("42704", Again::Never, Told::SchemaMismatch),
    // There is no schema of functions.
    ("3F000", Again::Never, Told::SchemaMismatch),
    // The session is another one than that in which the statement was prepared.
    ("26000", Again::Never, Told::UnsafePooler),
    ("42P05", Again::Never, Told::UnsafePooler),
    // The session or its connection has ended: shutdown, crash, starting up, database dropped, idle.
    ("57P01", Again::Reads, Told::Unavailable),
    ("57P02", Again::Reads, Told::Unavailable),
    ("57P03", Again::Reads, Told::Unavailable),
    ("57P04", Again::Reads, Told::Unavailable),
    ("57P05", Again::Reads, Told::Unavailable),
    ("08000", Again::Reads, Told::Unavailable),
    ("08006", Again::Reads, Told::Unavailable),
    ("08P01", Again::Reads, Told::Unavailable),
    // A standby, no room.
    ("25006", Again::Never, Told::Unavailable),
    ("53000", Again::Never, Told::Unavailable),
    ("53100", Again::Never, Told::Unavailable),
    ("53200", Again::Never, Told::Unavailable),
    ("53300", Again::Never, Told::Unavailable),
    ("23505", Again::Never, Told::PreconditionFailed),
    ("22001", Again::Never, Told::Invalid),
    ("22007", Again::Never, Told::Invalid),
    ("22P02", Again::Never, Told::Invalid),
    ("22P05", Again::Never, Told::Invalid),
    // Neighbours of the above in PostgreSQL's list, and what has nothing to do with them.
    ("40000", Again::Never, Told::Internal),
    ("42P01", Again::Never, Told::Internal),
    ("42501", Again::Never, Told::Internal),
    ("23503", Again::Never, Told::Internal),
    ("23514", Again::Never, Told::Internal),
    ("25P02", Again::Never, Told::Internal),
    ("XX001", Again::Never, Told::Internal),
    ("", Again::Never, Told::Internal),
];

/// Each failure: whether it is retried, and the errors of a read and of a write.
fn failures() -> Vec<(DatabaseError, Again, [Told; 2])> {
    use DatabaseError::{Deadline, Lost, Malformed, Unreachable};
    let why = || "because".to_owned();
    let mut failures = vec![
        (Unreachable(why()), Again::Never, [Told::Unavailable; 2]),
        (Deadline { sent: false }, Again::Never, [Told::Unavailable; 2]),
        (Deadline { sent: true }, Again::Never, [Told::Unavailable, Told::OutcomeUnknown]),
        (Lost(why()), Again::Reads, [Told::Unavailable, Told::OutcomeUnknown]),
        (Malformed(why()), Again::Never, [Told::Internal; 2]),
    ];
    failures.extend(REFUSALS.map(|(sqlstate, again, told)| (refused(sqlstate), again, [told; 2])));
    failures
}

const STATEMENT: Statement = Statement::batchable("select one", "select many");
const KINDS: [Kind; 2] = [Kind::Read, Kind::Write];

impl Again {
    fn applies(self, kind: Kind) -> bool {
        self == Self::Always || self == Self::Reads && kind == Kind::Read
    }
}

fn ask(data: &Data, kind: Kind) -> Result<Option<Row>, Error> {
    let (caller, times) = (caller(), Times::default());
    let scope = data.scope(&caller, &times);
    run(async {
        match kind {
            Kind::Read => scope.read(STATEMENT, [Value::Int(7)]).await,
            Kind::Write => scope.call_as_writer(STATEMENT, |wait| Ok(wait.into())).await,
        }
    })
}

pub(super) fn told(error: &Error) -> Told {
    match error {
        Error::PreconditionFailed => Told::PreconditionFailed,
        Error::Invalid(_) => Told::Invalid,
        Error::Unavailable(_) => Told::Unavailable,
        Error::OutcomeUnknown(_) => Told::OutcomeUnknown,
        Error::UnsafePooler(_) => Told::UnsafePooler,
        Error::SchemaMismatch(_) => Told::SchemaMismatch,
        Error::Internal(_) => Told::Internal,
        other => panic!("{other}"),
    }
}

#[test]
fn a_second_try_is_made_only_where_the_first_one_left_nothing_behind() {
    for (failure, again, _) in failures() {
        for kind in KINDS {
            let (fake, data) = data();
            fake.gives(Err(failure.clone())).gives(row([Value::Int(1)]));
            let answer = ask(&data, kind);
            let name = format!("{failure} {again:?}");
            match again.applies(kind) {
                true => {
                    assert_eq!(answer.unwrap().unwrap().require::<i64>(), Ok(1), "{name}");
                    let [first, second] = &fake.asked()[..] else { panic!("{name}") };
                    assert_eq!((first.statement, second.statement), (STATEMENT, STATEMENT), "{name}");
                    assert_eq!(first.parameters, second.parameters, "{name}");
                }
                false => {
                    answer.expect_err(&name);
                    assert_eq!(fake.asked().len(), 1, "{name}");
                }
            }
        }
    }
}

#[test]
fn a_failure_that_stays_is_told_as_what_the_client_can_do_about_it() {
    for (failure, again, expected) in failures() {
        for (kind, expected) in KINDS.into_iter().zip(expected) {
            let (fake, data) = data();
            let tries = if again.applies(kind) { 2 } else { 1 };
            (0..tries).for_each(|_| _ = fake.gives(Err(failure.clone())));
            let error = ask(&data, kind).unwrap_err();
            assert_eq!(told(&error), expected, "{failure}");
            assert_eq!(fake.asked().len(), tries, "{failure}");
            let text = match error {
                Error::Unavailable(cause) | Error::OutcomeUnknown(cause) => cause.text,
                Error::Internal(text) => text,
                _ => continue,
            };
            assert_eq!(text, failure.to_string(), "the log has the cause");
        }
    }
}

#[test]
fn the_second_failure_is_the_one_that_counts() {
    let deadlock = || Err(refused("40P01"));
    let lost = || Err(DatabaseError::Lost("because".to_owned()));
    for (kind, answers, expected) in [
        (Kind::Write, [deadlock(), lost()], Told::OutcomeUnknown),
        (Kind::Write, [deadlock(), Err(DatabaseError::Deadline { sent: true })], Told::OutcomeUnknown),
        (Kind::Write, [deadlock(), Err(refused("23505"))], Told::PreconditionFailed),
        (Kind::Read, [deadlock(), lost()], Told::Unavailable),
        (Kind::Read, [lost(), deadlock()], Told::Unavailable),
        (Kind::Read, [lost(), Err(refused("42501"))], Told::Internal),
    ] {
        let (fake, data) = data();
        answers.into_iter().for_each(|answer| _ = fake.gives(answer));
        assert_eq!(told(&ask(&data, kind).unwrap_err()), expected);
        assert_eq!(fake.asked().len(), 2);
    }
}

#[test]
fn nothing_is_tried_again_when_the_time_is_over() {
    for (failure, again, _) in failures() {
        for kind in KINDS.into_iter().filter(|kind| again.applies(*kind)) {
            let (fake, data) = data();
            fake.gives_after(BUDGET, Err(failure.clone()));
            ask(&data, kind).unwrap_err();
            assert_eq!(fake.asked().len(), 1, "{failure}");
        }
    }
    let (fake, data) = data();
    fake.gives_after(BUDGET - Duration::from_nanos(1), Err(refused("40001"))).gives(row([]));
    assert!(ask(&data, Kind::Write).is_ok());
}

#[test]
fn both_tries_have_the_one_deadline_of_the_operation() {
    for kind in KINDS {
        let (fake, data) = data();
        fake.gives_after(Duration::from_secs(2), Err(refused("40001"))).gives(Ok(None));
        let begun = now();
        assert!(ask(&data, kind).unwrap().is_none());
        assert_eq!(fake.asked().iter().map(|asked| asked.deadline).collect::<Vec<_>>(), [begun + BUDGET; 2]);
    }
}

#[test]
fn the_caller_is_the_first_parameter() {
    for kind in KINDS {
        let (fake, data) = data();
        fake.gives(Ok(None));
        ask(&data, kind).unwrap();
        let parameters = &fake.asked()[0].parameters;
        // A write says that it waits for no other one.
        let own = if kind == Kind::Write { Value::Bool(false) } else { Value::Int(7) };
        assert_eq!(*parameters, [text("alice"), own]);
    }
}

#[test]
fn the_stopwatch_is_told_once_for_all_tries_of_an_operation() {
    let second = Duration::from_secs(1);
    for last in [Ok(None), Err(refused("42501"))] {
        let (fake, data) = data();
        fake.gives_after(second, Err(refused("40001"))).gives_after(second * 2, last);
        let (caller, times) = (caller(), Times::default());
        _ = run(data.scope(&caller, &times).call_as_writer(STATEMENT, |wait| Ok(wait.into())));
        assert_eq!(times.told(), [second * 3]);
    }
}

#[test]
fn after_the_proof_of_an_unsafe_pooler_nothing_is_sent_any_more() {
    for proof in ["26000", "42P05"] {
        // The first statement proves it, or the one that is sent again.
        for answers in [vec![refused(proof)], vec![refused("40001"), refused(proof)]] {
            let (fake, data) = data();
            let sent = answers.len();
            answers.into_iter().for_each(|error| _ = fake.gives(Err(error)));
            for kind in KINDS {
                assert_eq!(told(&ask(&data, kind).unwrap_err()), Told::UnsafePooler);
            }
            assert_eq!(told(&run(data.ready(&Times::default())).unwrap_err()), Told::UnsafePooler);
            assert_eq!(fake.asked().len(), sent, "{proof}");
        }
    }
}

fn busy() -> Answer {
    row([text("busy"), Value::Null])
}

fn milliseconds(times: &[Duration]) -> Vec<u128> {
    times.iter().map(Duration::as_millis).collect()
}

#[test]
fn a_write_that_would_wait_for_another_one_waits_in_the_dedicated_pool() {
    let (fake, data) = data();
    fake.gives(Err(refused("55P03"))).gives(row([Value::Int(1)]));
    assert!(ask(&data, Kind::Write).unwrap().is_some());
    let [shared, own] = &fake.asked()[..] else { panic!("two calls") };
    assert_eq!((shared.statement, own.statement), (STATEMENT, STATEMENT.with_pool(Pool::Dedicated)));
    assert_eq!(shared.parameters, [text("alice"), Value::Bool(false)]);
    assert_eq!(own.parameters, [text("alice"), Value::Bool(true)]);
    assert_eq!(shared.deadline, own.deadline);
    // There it waits as long as the database lets it.
    let (fake, data) = self::data();
    fake.gives(Err(refused("55P03"))).gives(Err(refused("55P03")));
    assert_eq!(told(&ask(&data, Kind::Write).unwrap_err()), Told::Unavailable);
    assert_eq!(fake.asked().len(), 2);
    // A read holds no locks, and waits for none.
    let (fake, data) = self::data();
    fake.gives(Err(refused("55P03")));
    assert_eq!(told(&ask(&data, Kind::Read).unwrap_err()), Told::Unavailable);
    assert_eq!(fake.asked().len(), 1);
}

#[test]
fn a_write_locks_the_writes_of_its_caller() {
    let (fake, data) = data();
    // Another process makes writes of the caller's, and then there is no free slot.
    (0..5).for_each(|_| _ = fake.gives(busy()));
    fake.gives(row([Value::Int(1)]));
    assert_eq!(ask(&data, Kind::Write).unwrap().unwrap().require::<i64>(), Ok(1));
    let asked = fake.asked();
    let [shared, dedicated] =
        [(Pool::Shared, false), (Pool::Dedicated, true)].map(|(pool, wait)| (pool, Value::Bool(wait), true));
    assert_eq!(
        asked.iter().map(|call| (call.statement.pool, call.parameters[1].clone(), call.locked)).collect::<Vec<_>>(),
        [&shared, &shared, &shared, &shared, &dedicated, &dedicated].map(Clone::clone)
    );
    assert_eq!(milliseconds(&fake.sleeps.lock().unwrap()), [2, 2, 2, 20]);
    assert_eq!(*fake.locks.lock().unwrap(), [("alice".to_owned(), Duration::from_millis(100))]);
    assert_eq!(Arc::strong_count(&fake.lock), 1);
    // A second try of the same statement holds the same lock; a read needs none.
    let (fake, data) = self::data();
    fake.gives(Err(refused("40001"))).gives(Ok(None)).gives(Ok(None));
    ask(&data, Kind::Write).unwrap();
    ask(&data, Kind::Read).unwrap();
    assert_eq!(fake.asked().iter().map(|call| call.locked).collect::<Vec<_>>(), [true, true, false]);
    assert_eq!(fake.locks.lock().unwrap().len(), 1);
}

#[test]
fn a_write_whose_user_has_another_one_elsewhere_is_sent_again_after_as_long_as_its_try_took() {
    let tries = [(1, 2), (7, 7), (300, 10)];
    for busies in 1..=3 {
        let (fake, data) = data();
        for (took, _) in &tries[..busies] {
            fake.gives_after(Duration::from_millis(*took), busy());
        }
        fake.gives(row([Value::Int(1)]));
        assert_eq!(ask(&data, Kind::Write).unwrap().unwrap().require::<i64>(), Ok(1));
        let asked = fake.asked();
        assert_eq!(asked.len(), busies + 1);
        assert!(asked.iter().all(|call| call.statement == STATEMENT && call.parameters[1] == Value::Bool(false)));
        assert!(asked.iter().all(|call| call.deadline == asked[0].deadline));
        assert_eq!(milliseconds(&fake.sleeps.lock().unwrap()), tries.map(|(_, pause)| pause)[..busies]);
    }
    // What ends a try after a pause is judged as the first try's end.
    let (fake, data) = data();
    fake.gives(busy()).gives(Err(refused("55P03"))).gives(row([Value::Int(1)]));
    assert!(ask(&data, Kind::Write).unwrap().is_some());
    assert_eq!(fake.asked().last().map(|call| call.statement), Some(STATEMENT.with_pool(Pool::Dedicated)));
    let (fake, data) = self::data();
    fake.gives(busy()).gives(Err(refused("53100")));
    assert_eq!(told(&ask(&data, Kind::Write).unwrap_err()), Told::Unavailable);
    assert_eq!(fake.asked().len(), 2);
}

#[test]
fn a_write_that_is_cancelled_at_once_has_met_a_lock_and_later_a_time_limit() {
    let second = Duration::from_secs(1);
    let (fake, data) = data();
    fake.gives_after(second - Duration::from_nanos(1), Err(refused("57014"))).gives(row([Value::Int(1)]));
    assert!(ask(&data, Kind::Write).unwrap().is_some());
    let [shared, own] = &fake.asked()[..] else { panic!("two calls") };
    assert_eq!((shared.statement, own.statement), (STATEMENT, STATEMENT.with_pool(Pool::Dedicated)));
    assert_eq!(own.parameters, [text("alice"), Value::Bool(true)]);
    for (kind, time) in [(Kind::Write, second), (Kind::Read, Duration::ZERO)] {
        let (fake, data) = self::data();
        fake.gives_after(time, Err(refused("57014")));
        assert_eq!(told(&ask(&data, kind).unwrap_err()), Told::Unavailable);
        assert_eq!(fake.asked().len(), 1);
    }
}

/// Asks for a read that needs a slot.
fn ask_in_a_slot(data: &Data) -> Result<Option<Row>, Error> {
    let (caller, times) = (caller(), Times::default());
    run(data.scope(&caller, &times).read(STATEMENT.with_pool(Pool::Dedicated), [Value::Int(7)]))
}

#[test]
fn who_finds_no_slot_asks_again_and_holds_no_connection_meanwhile() {
    for tries in 1..=4 {
        let (fake, data) = data();
        (1..tries).for_each(|_| _ = fake.gives(busy()));
        fake.gives(row([Value::Int(1)]));
        assert_eq!(ask_in_a_slot(&data).unwrap().unwrap().require::<i64>(), Ok(1));
        assert_eq!(milliseconds(&fake.sleeps.lock().unwrap()), [20, 50, 100][..tries - 1]);
        let asked = fake.asked();
        assert!(asked.iter().all(|call| call.statement.pool == Pool::Dedicated && call.deadline == asked[0].deadline));
    }
    let (fake, data) = data();
    (0..4).for_each(|_| _ = fake.gives(busy()));
    assert_eq!(ask_in_a_slot(&data).unwrap_err(), Error::TooManyRequests);
    assert_eq!((fake.asked().len(), fake.sleeps.lock().unwrap().len()), (4, 3));
    // A write does so where it waits.
    let (fake, data) = self::data();
    fake.gives(Err(refused("55P03"))).gives(busy()).gives(row([Value::Int(1)]));
    assert!(ask(&data, Kind::Write).unwrap().is_some());
    assert_eq!(milliseconds(&fake.sleeps.lock().unwrap()), [20]);
}

#[test]
fn admission_control_counts_an_operation_until_it_leaves_the_shared_pool() {
    let counts =
        |fake: &Fake| fake.asked().iter().map(|call| (call.statement.pool, call.in_flight)).collect::<Vec<_>>();
    let [shared, dedicated] = [(Pool::Shared, 1), (Pool::Dedicated, 0)];
    for kind in KINDS {
        let (fake, data) = data();
        fake.gives(row([Value::Int(1)]));
        ask(&data, kind).unwrap();
        assert_eq!(counts(&fake), [shared]);
        assert_eq!(data.admission.in_flight(), 0);
    }
    let (fake, data) = data();
    fake.gives(busy()).gives(row([Value::Int(1)]));
    ask_in_a_slot(&data).unwrap();
    assert_eq!(counts(&fake), [dedicated, dedicated]);
    let (fake, data) = self::data();
    fake.gives(row([text("long")])).gives(busy()).gives(row([Value::Int(1)]));
    let (caller, times) = (caller(), Times::default());
    run(data.scope(&caller, &times).read_short_first(STATEMENT, |short| Ok(short.into()))).unwrap();
    assert_eq!(counts(&fake), [shared, dedicated, dedicated]);
    let (fake, data) = self::data();
    fake.gives(busy()).gives(Err(refused("55P03"))).gives(busy()).gives(row([Value::Int(1)]));
    ask(&data, Kind::Write).unwrap();
    assert_eq!(counts(&fake), [shared, shared, dedicated, dedicated]);
}

#[test]
fn a_busy_write_is_not_sent_again_past_the_deadline() {
    for (left, asked) in [(2, 1), (3, 2), (4, 2), (5, 3)] {
        let (fake, data) = data_within(Duration::from_millis(left));
        (0..5).for_each(|_| _ = fake.gives(busy()));
        assert_eq!(ask(&data, Kind::Write).unwrap_err(), Error::TooManyRequests, "{left} ms");
        assert_eq!(fake.asked().len(), asked, "{left} ms");
    }
}

#[test]
fn nobody_waits_for_a_slot_past_the_deadline() {
    for (left, asked) in [(20, 1), (21, 2), (70, 2), (71, 3)] {
        let (fake, data) = data_within(Duration::from_millis(left));
        (0..4).for_each(|_| _ = fake.gives(busy()));
        assert_eq!(ask_in_a_slot(&data).unwrap_err(), Error::TooManyRequests, "{left} ms");
        assert_eq!(fake.asked().len(), asked, "{left} ms");
    }
}
