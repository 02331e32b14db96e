//! The parameters of the functions for tasks, and the meaning of their rows.

use uuid::Uuid;

use super::*;
use crate::data::{Listing, Stored};
use crate::domain::{EntityTag, Filter, Invalid, ListQuery, Order, Page, PagePosition, Search, TagMatch};

const ID: Uuid = Uuid::from_u128(1);

/// Makes one call of a caller on a database that gives this answer. What came of it, and what was asked.
pub(super) fn call<T>(answer: Answer, make: impl AsyncFnOnce(&Scope<'_>) -> T) -> (T, Asked) {
    let (fake, data) = data();
    fake.gives(answer);
    let (caller, times) = (caller(), Times::default());
    let outcome = run(make(&data.scope(&caller, &times)));
    let [asked] = &fake.asked()[..] else { panic!("one call") };
    (outcome, asked.clone())
}

fn get(answer: Answer) -> Result<Option<Stored>, Error> {
    call(answer, async |scope| scope.get_task(ID).await).0
}

fn list(answer: Answer) -> Result<Listing, Error> {
    call(answer, async |scope| scope.list_tasks(&newest(), None).await).0
}

fn newest() -> ListQuery {
    ListQuery {
        order: Order::default(),
        filter: Filter::default(),
        search: Search::default(),
        limit: 100,
        after: None,
        count: false,
    }
}

/// As the database gives a task, and as a client gets it.
const JSON: &str = r#"{"title":"t}"}"#;

fn stored() -> Stored {
    let etag = state(3);
    Stored { json: format!(r#"{{"title":"t}}","etag":"\"{}\""}}"#, etag.as_str()), etag }
}

/// The tag of the state with this number.
fn state(number: i64) -> EntityTag {
    EntityTag::of_state("epoch", "alice", number)
}

pub(super) fn internal<T: std::fmt::Debug>(outcome: Result<T, Error>) -> String {
    match outcome {
        Err(Error::Internal(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_no_function_of_errand_answers_is_an_internal_error() {
    const INCOMPLETE: &str = "an answer of the database is incomplete";
    assert_eq!(internal(get(Ok(None))), "api.show_task gave no row");
    assert_eq!(internal(get(row([]))), "a column is missing");
    for answer in ["", "3", "3 epoch", "x epoch {}"] {
        assert_eq!(internal(get(row([text(answer)]))), INCOMPLETE, "{answer}");
    }
    assert_eq!(internal(list(Ok(None))), "api.show_tasks gave no row");
    assert_eq!(internal(list(row([Value::Null]))), "a column is null");
    for (answer, told) in [
        ("", "unknown outcome "),
        ("moved 9 epoch", "unknown outcome moved"),
        ("unchanged", INCOMPLETE),
        ("unchanged 9", INCOMPLETE),
        ("unchanged x epoch", INCOMPLETE),
        ("page 9 epoch", INCOMPLETE),
        ("page 9 epoch x", INCOMPLETE),
        ("page 9 epoch - i", INCOMPLETE),
        ("page 9 epoch - i k", INCOMPLETE),
    ] {
        assert_eq!(internal(list(row([text(answer)]))), told, "{answer}");
    }
}

#[test]
fn a_task_that_is_there_has_json_and_a_tag() {
    assert_eq!(get(row([text(&format!("3 epoch {JSON}"))])), Ok(Some(stored())));
    assert_eq!(get(row([Value::Null])), Ok(None));
}

fn unchanged() -> Listing {
    Listing::Unchanged { etag: state(9) }
}

/// The row of a list whose outcome comes with the number and the epoch.
fn list_row(outcome: &str) -> Answer {
    row([text(&format!("{outcome} 9 epoch"))])
}

#[test]
fn a_list_is_unchanged_or_a_page_which_may_be_the_last_one() {
    assert_eq!(list(list_row("unchanged")), Ok(unchanged()));
    let page = |behind: &str| {
        let lines = format!("9 4\n{{\"n\":1}}\n{{\"n\":2}}\n{{\"n\":3}}\npage 9 epoch {behind}");
        match list(row([text(&lines)])) {
            Ok(Listing::Page { etag, page: Page { objects, next, total } }) => {
                let [latest, other] = [9, 4].map(state);
                let [latest, other] = [latest.as_str(), other.as_str()];
                assert_eq!(etag.as_str(), latest);
                assert_eq!(objects, format!(r#"{{"n":1,"etag":"\"{latest}\""}},{{"n":2,"etag":"\"{other}\""}}"#));
                (next, total)
            }
            other => panic!("{other:?}"),
        }
    };
    let after = |key: &str| Some(PagePosition { key: key.to_owned(), id: "i".to_owned() });
    assert_eq!(page(r#"2 i "k""#), (after("k"), Some(2)));
    assert_eq!(page(r#"- i "a-0 two\nlines \"""#), (after("a-0 two\nlines \""), None));
    assert_eq!(page("-"), (None, None));
    let lines = |lines: &str| list(row([text(&format!("{lines}\npage 9 epoch -"))]));
    assert!(matches!(lines(""), Ok(Listing::Page { page, .. }) if page.objects.is_empty()));
    assert_eq!(internal(lines("2 1\n{}")), "a page has more numbers than objects");
}

#[test]
fn a_value_that_the_database_refuses_in_a_list_is_that_of_the_cursor() {
    let mistake = Invalid::parameter("cursor", "Not a cursor that errand gave.");
    assert_eq!(list(Err(refused("22007"))), Err(mistake.into()));
    assert!(internal(list(Err(refused("42501")))).contains("42501"));
}

/// The members `slot` and `short` of the parameters of a list.
fn slot_and_short(asked: &Asked) -> (bool, bool) {
    let Value::Json(list) = &asked.parameters[1] else { panic!("{asked:?}") };
    (list.contains(r#""slot":true"#), list.contains(r#""short":true"#))
}

#[test]
fn only_a_first_page_without_conditions_may_be_batched() {
    let batched = |query: ListQuery| {
        let (outcome, asked) =
            call(list_row("unchanged"), async |scope| scope.list_tasks(&query, Some(&TagMatch::Any)).await);
        assert_eq!(outcome, Ok(unchanged()));
        let bounded = query.filter.is_empty() && !query.count;
        let (slot, short) = slot_and_short(&asked);
        assert_eq!((slot, short), (!bounded, query.filter.completed.is_some()));
        assert_eq!(asked.statement.pool == Pool::Dedicated, slot && !short);
        asked.statement.batched.is_some()
    };
    let after = Some(PagePosition { key: "k".to_owned(), id: "i".to_owned() });
    let filter = Filter { completed: Some(true), ..Filter::default() };
    assert!(batched(newest()));
    assert!(batched(ListQuery { order: Order::parse("-title").unwrap(), limit: 1, ..newest() }));
    assert!(!batched(ListQuery { after, ..newest() }));
    assert!(!batched(ListQuery { filter, ..newest() }));
    assert!(!batched(ListQuery { count: true, ..newest() }));
}

#[test]
fn a_list_by_states_is_short_or_sent_again_over_the_dedicated_pool() {
    let (caller, times) = (caller(), Times::default());
    let by_states = Filter { completed: Some(true), priorities: vec![1], ..Filter::default() };
    let query = ListQuery { filter: by_states, ..newest() };
    for (first, asked) in [("unchanged", 1), ("long", 2), ("busy", 2)] {
        let (fake, data) = data();
        fake.gives(if first == "unchanged" { list_row(first) } else { row([text(first)]) })
            .gives(list_row("unchanged"));
        assert_eq!(run(data.scope(&caller, &times).list_tasks(&query, None)), Ok(unchanged()), "{first}");
        let calls = fake.asked();
        let pools = calls.iter().map(|call| (call.statement.pool, slot_and_short(call))).collect::<Vec<_>>();
        assert_eq!(pools, [(Pool::Shared, (true, true)), (Pool::Dedicated, (true, false))][..asked], "{first}");
        assert!(calls.iter().all(|call| call.deadline == calls[0].deadline));
        assert!(fake.sleeps.lock().unwrap().is_empty());
    }
    // The cost of the other filters has no bound.
    let some = || Some("2026-12-01".to_owned());
    for filter in [
        Filter { tags: vec!["t".to_owned()], ..Filter::default() },
        Filter { due_before_date: some(), ..Filter::default() },
        Filter { due_before_at: some(), ..Filter::default() },
        Filter { due_after_date: some(), ..Filter::default() },
        Filter { due_after_at: some(), ..Filter::default() },
        Filter { overdue: Some(true), ..Filter::default() },
        Filter { updated_since: some(), ..Filter::default() },
        Filter { q: some(), ..Filter::default() },
    ] {
        let query = ListQuery { filter: Filter { completed: Some(true), ..filter }, ..newest() };
        let (_, asked) = call(list_row("unchanged"), async |scope| scope.list_tasks(&query, None).await);
        assert_eq!((asked.statement.pool, slot_and_short(&asked)), (Pool::Dedicated, (true, false)), "{query:?}");
    }
}

#[test]
fn a_statement_for_many_calls_takes_and_gives_what_the_one_for_a_single_call_does() {
    let (_, get) = call(row([Value::Null]), async |scope| scope.get_task(ID).await);
    let (_, list) = call(list_row("unchanged"), async |scope| scope.list_tasks(&newest(), None).await);
    for asked in [get, list] {
        let function = |sql: &str| sql.split("api.").nth(1).unwrap().to_owned();
        let (single, batched) = (asked.statement.single, asked.statement.batched.unwrap());
        assert!(single.starts_with("select api.") && batched.starts_with("select number, caller, answer from api."));
        assert_eq!(function(batched), function(single).replacen('(', "_of_each(", 1));
        assert!(batched.ends_with(&format!(" where null::api.interface_{INTERFACE} is null")), "{batched}");
    }
}

#[test]
fn each_read_hands_its_parameters_on_in_the_order_of_its_function() {
    let check = |asked: Asked, function: &str, expected: Value| {
        let sql = asked.statement.single;
        assert_eq!(sql, format!("select api.{function}($1, $2) where null::api.interface_{INTERFACE} is null"));
        assert_eq!(asked.parameters, [text("alice"), expected], "{sql}");
    };
    let (_, asked) = call(row([Value::Null]), async |scope| scope.get_task(ID).await);
    check(asked, "show_task", Value::Uuid(ID));
    let (_, asked) = call(list_row("unchanged"), async |scope| {
        scope.list_tasks(&newest(), Some(&TagMatch::Tags(vec![EntityTag::new("a-4")]))).await
    });
    let expected = Value::Json(r#"{"order":"created_at_desc","limit":100,"known":["a-4"]}"#.to_owned());
    check(asked, "show_tasks", expected);
}
