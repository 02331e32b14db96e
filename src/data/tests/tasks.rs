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
    let (_, etag) = state(3);
    Stored { json: format!(r#"{{"title":"t}}","etag":"\"{}\""}}"#, etag.as_str()), etag }
}

/// The columns `seq` and `epoch` of the state with this number, and its tag.
fn state(number: i64) -> ([Value; 2], EntityTag) {
    ([Value::Int(number), text("epoch")], EntityTag::of_state("epoch", "alice", number))
}

pub(super) fn internal<T: std::fmt::Debug>(outcome: Result<T, Error>) -> String {
    match outcome {
        Err(Error::Internal(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_no_function_of_errand_answers_is_an_internal_error() {
    assert_eq!(internal(get(Ok(None))), "api.read_task gave no row");
    let ([number, epoch], _) = state(3);
    let task = [text("{}"), number.clone(), epoch.clone()];
    for length in 0..task.len() {
        assert_eq!(internal(get(row(task[..length].to_vec()))), "a column is missing");
    }
    assert_eq!(internal(get(row([text("{}"), Value::Null, epoch.clone()]))), "a column is null");
    assert_eq!(internal(get(row([text("{}"), number.clone(), Value::Null]))), "a column is null");
    assert_eq!(internal(list(Ok(None))), "api.read_tasks gave no row");
    let page = [text("page"), number, epoch, text("")];
    for length in 0..=page.len() {
        assert_eq!(internal(list(row(page[..length].to_vec()))), "a column is missing");
    }
}

#[test]
fn a_task_that_is_there_has_json_and_a_tag() {
    let ([number, epoch], _) = state(3);
    assert_eq!(get(row([text(JSON), number, epoch])), Ok(Some(stored())));
    assert_eq!(get(row([Value::Null, Value::Null, Value::Null])), Ok(None));
}

fn unchanged() -> Listing {
    Listing::Unchanged { etag: state(9).1 }
}

/// The row of a list: its outcome, and the parts of its tag before the other columns.
fn list_row(outcome: &str, others: impl IntoIterator<Item = Value>) -> Answer {
    row([text(outcome)].into_iter().chain(state(9).0).chain(others).collect::<Vec<_>>())
}

#[test]
fn a_list_is_unchanged_or_a_page_which_may_be_the_last_one() {
    assert_eq!(list(list_row("unchanged", [])), Ok(unchanged()));
    let page = |key: Value, id: Value, total: Value| {
        let lines = text("9 4\n{\"n\":1}\n{\"n\":2}\n{\"n\":3}");
        match list(list_row("page", [lines, key, id, total])) {
            Ok(Listing::Page { etag, page: Page { objects, next, total } }) => {
                let [latest, other] = [9, 4].map(|number| state(number).1);
                let [latest, other] = [latest.as_str(), other.as_str()];
                assert_eq!(etag.as_str(), latest);
                assert_eq!(objects, format!(r#"{{"n":1,"etag":"\"{latest}\""}},{{"n":2,"etag":"\"{other}\""}}"#));
                (next, total)
            }
            other => panic!("{other:?}"),
        }
    };
    let after = PagePosition { key: "k".to_owned(), id: "i".to_owned() };
    assert_eq!(page(text("k"), text("i"), Value::Int(2)), (Some(after), Some(2)));
    assert_eq!(page(Value::Null, Value::Null, Value::Null), (None, None));
    assert_eq!(page(text("k"), Value::Null, Value::Null), (None, None));
    assert_eq!(page(Value::Null, text("i"), Value::Null), (None, None));
    let lines = |lines: &str| list(list_row("page", [text(lines), Value::Null, Value::Null, Value::Null]));
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
            call(list_row("unchanged", []), async |scope| scope.list_tasks(&query, Some(&TagMatch::Any)).await);
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
        fake.gives(list_row(first, [])).gives(list_row("unchanged", []));
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
        let (_, asked) = call(list_row("unchanged", []), async |scope| scope.list_tasks(&query, None).await);
        assert_eq!((asked.statement.pool, slot_and_short(&asked)), (Pool::Dedicated, (true, false)), "{query:?}");
    }
}

#[test]
fn a_statement_for_many_calls_takes_and_gives_what_the_one_for_a_single_call_does() {
    let (_, get) = call(row([Value::Null]), async |scope| scope.get_task(ID).await);
    let (_, list) = call(list_row("unchanged", []), async |scope| scope.list_tasks(&newest(), None).await);
    for asked in [get, list] {
        let (single, batched) = (asked.statement.single, asked.statement.batched.unwrap());
        let columns = |sql: &str| sql.split(" from ").next().unwrap().trim().to_owned();
        let expected = columns(single).replace("select ", "select number, caller, ");
        assert_eq!(columns(batched), expected);
        let call = |sql: &str| sql.split(" from api.").nth(1).unwrap().to_owned();
        assert_eq!(call(batched), call(single).replacen('(', "_of_each(", 1));
    }
}

#[test]
fn each_read_hands_its_parameters_on_in_the_order_of_its_function() {
    let check = |asked: Asked, function: &str, expected: Value| {
        let sql = asked.statement.single;
        assert!(
            sql.ends_with(&format!(" from api.{function}($1, $2) where null::api.interface_{INTERFACE} is null")),
            "{sql}"
        );
        assert_eq!(asked.parameters, [text("alice"), expected], "{sql}");
    };
    let (_, asked) = call(row([Value::Null]), async |scope| scope.get_task(ID).await);
    check(asked, "read_task", Value::Uuid(ID));
    let (_, asked) = call(list_row("unchanged", []), async |scope| {
        scope.list_tasks(&newest(), Some(&TagMatch::Tags(vec![EntityTag::new("a-4")]))).await
    });
    let expected = Value::Json(r#"{"order":"created_at_desc","limit":100,"known":["a-4"]}"#.to_owned());
    check(asked, "read_tasks", expected);
}
