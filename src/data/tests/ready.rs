//! Readiness: its query, the lifetime of a result, and the databases that fit.

use super::calls::{Told, told};
use super::*;

fn interfaces(current: i64, oldest: i64) -> Answer {
    row([Value::Int(current), Value::Int(oldest)])
}

fn fitting() -> Answer {
    interfaces(INTERFACE, INTERFACE)
}

/// What statements name is the number that is compared.
#[test]
fn statements_name_the_interface() {
    assert_eq!(served!("select 1"), format!("select 1 where null::api.interface_{INTERFACE} is null"));
}

#[test]
fn a_database_fits_that_has_the_interface_of_this_errand() {
    for (current, oldest, fits) in [
        (INTERFACE, INTERFACE, true),
        (INTERFACE, 1, true),
        (INTERFACE + 5, INTERFACE, true),
        (INTERFACE - 1, 1, false),
        (INTERFACE + 1, INTERFACE + 1, false),
    ] {
        let (fake, data) = data();
        fake.gives(interfaces(current, oldest));
        let answer = run(data.ready(&Times::default()));
        match fits {
            true => assert_eq!(answer, Ok(())),
            false => assert_eq!(told(&answer.unwrap_err()), Told::SchemaMismatch, "{current} {oldest}"),
        }
    }
}

#[test]
fn readiness_is_asked_within_a_second_at_most() {
    let second = Duration::from_secs(1);
    for (budget, expected) in [(second * 5, second), (second / 2, second / 2)] {
        let (fake, data) = data_within(budget);
        fake.gives_after(second / 4, fitting());
        let (begun, times) = (now(), Times::default());
        assert_eq!(run(data.ready(&times)), Ok(()));
        let asked = fake.asked();
        assert_eq!(
            asked[0].statement,
            Statement::single(served!("select current, oldest from api.interface()")).with_pool(Pool::Readiness)
        );
        assert_eq!((asked[0].parameters.len(), asked[0].deadline), (0, begun + expected));
        assert_eq!(times.told(), [second / 4]);
    }
}

#[test]
fn readiness_fails_as_a_read_does() {
    let lost = || Err(DatabaseError::Lost("because".to_owned()));
    for (answers, expected) in [
        (vec![lost(), fitting()], None),
        (vec![lost(), lost()], Some(Told::Unavailable)),
        (vec![Err(DatabaseError::Deadline { sent: true })], Some(Told::Unavailable)),
        (vec![Ok(None)], Some(Told::Internal)),
    ] {
        let (fake, data) = data();
        answers.into_iter().for_each(|answer| _ = fake.gives(answer));
        let times = Times::default();
        let answer = run(data.ready(&times));
        assert_eq!(answer.as_ref().err().map(told), expected, "{answer:?}");
        assert_eq!(times.told().len(), 1);
    }
}

#[test]
fn one_answer_of_readiness_serves_half_a_second() {
    let (fake, data) = data();
    fake.gives(fitting()).gives(Err(refused("42501")));
    let times = Times::default();
    let ready = || run(data.ready(&times));
    assert_eq!((ready(), ready()), (Ok(()), Ok(())));
    assert_eq!((fake.asked().len(), times.told().len()), (1, 1));
    PASSED.set(PASSED.get() + Duration::from_millis(500));
    assert_eq!((ready().is_err(), ready().is_err()), (true, true));
    assert_eq!(fake.asked().len(), 2);
}
