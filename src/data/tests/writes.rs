//! The parameters of `api.write`, and the meaning of its row.

use uuid::Uuid;

use super::tasks::{call, internal};
use super::*;
use crate::domain::{
    Completion, EntityTag, IdempotencyKey, NewTask, Precondition, Replacement, TagMatch, TaskOperation, TaskPatch,
    Write, Writes, Written,
};

const ID: Uuid = Uuid::from_u128(1);
const OTHER: Uuid = Uuid::from_u128(2);

fn of(operation: TaskOperation) -> Writes {
    let write = Write { operation: operation.into(), id: ID, precondition: Precondition::default() };
    Writes { key: None, atomic: true, list: vec![write] }
}

fn texts<const N: usize>(texts: [Option<&str>; N]) -> Value {
    Value::Texts(texts.map(|text| text.map(str::to_owned)).to_vec())
}

fn numbers<const N: usize>(numbers: [Option<i64>; N]) -> Value {
    Value::Ints(numbers.to_vec())
}

/// The row of `api.write` for one write.
fn answer(request: &str, outcome: &str, body: Option<&str>) -> Vec<Value> {
    let id = ID.to_string();
    let numbers = [numbers([Some(3)]), numbers([Some(2)])];
    let [seq, version] = numbers;
    vec![text(request), text("epoch"), texts([Some(outcome)]), texts([Some(&id)]), seq, version, texts([body])]
}

type Outcome = Result<Vec<Result<Written, Error>>, Error>;

fn delete(answer: Answer) -> Outcome {
    call(answer, async |scope| scope.write(&of(TaskOperation::Delete)).await).0
}

fn written(number: i64, body: Option<&str>) -> Written {
    let etag = EntityTag::of_state("epoch", "alice", number);
    let body = body.map(|title| format!(r#"{{"title":"{title}","etag":"\"{}\""}}"#, etag.as_str()));
    Written { id: ID, etag, version: 2, body, created: false, replayed: false }
}

#[test]
fn each_outcome_is_a_resource_or_an_error() {
    const JSON: Option<&str> = Some(r#"{"title":"t}"}"#);
    let done = |request, outcome, body| delete(row(answer(request, outcome, body)));
    let changed = written(3, Some("t}"));
    assert_eq!(done("done", "changed", JSON), Ok(vec![Ok(changed.clone())]));
    assert_eq!(done("done", "created", JSON), Ok(vec![Ok(Written { created: true, ..changed.clone() })]));
    assert_eq!(done("replayed", "changed", JSON), Ok(vec![Ok(Written { replayed: true, ..changed.clone() })]));
    assert_eq!(done("replayed", "created", JSON), Ok(vec![Ok(Written { created: true, replayed: true, ..changed })]));
    assert_eq!(done("done", "deleted", None), Ok(vec![Ok(written(3, None))]));
    assert_eq!(done("done", "not_found", None), Ok(vec![Err(Error::NotFound)]));
    assert_eq!(done("done", "precondition_failed", None), Ok(vec![Err(Error::PreconditionFailed)]));
    assert_eq!(done("replayed", "gone", None), Ok(vec![Err(Error::Gone)]));
    assert_eq!(delete(row([text("key_reused")])), Err(Error::KeyReused));
    assert_eq!(delete(row([text("in_flight"), Value::Null, Value::Null])), Err(Error::InFlight));
}

#[test]
fn each_write_of_a_request_has_its_result() {
    let [first, second] = [ID, OTHER].map(|id| id.to_string());
    let columns = vec![
        text("done"),
        text("epoch"),
        texts([Some("changed"), Some("not_found"), Some("deleted")]),
        texts([Some(&first), None, Some(&second)]),
        numbers([Some(3), None, Some(4)]),
        numbers([Some(2), None, Some(2)]),
        texts([Some(r#"{"title":"t"}"#), None, None]),
    ];
    let expected = vec![Ok(written(3, Some("t"))), Err(Error::NotFound), Ok(Written { id: OTHER, ..written(4, None) })];
    assert_eq!(delete(row(columns)), Ok(expected));
}

#[test]
fn what_no_function_of_errand_answers_is_an_internal_error() {
    assert_eq!(internal(delete(row([text("moved")]))), "unknown outcome moved");
    assert_eq!(internal(delete(row(answer("done", "moved", None)))), "unknown outcome moved");
    assert_eq!(internal(delete(Ok(None))), "api.write gave no row");
    let whole = answer("done", "deleted", None);
    for length in 0..whole.len() {
        assert_eq!(internal(delete(row(whole[..length].to_vec()))), "a column is missing");
        let mut columns = whole.clone();
        columns[length] = Value::Null;
        assert_eq!(internal(delete(row(columns))), "a column is null");
    }
    for (outcome, body) in [("created", None), ("changed", None), ("deleted", Some("{}"))] {
        let why = format!("a resource is {outcome}, which its body contradicts");
        assert_eq!(internal(delete(row(answer("done", outcome, body)))), why);
    }
    for (place, value) in [(3, texts([None])), (3, texts([Some("x")])), (4, numbers([None])), (5, numbers([None]))] {
        let mut columns = whole.clone();
        columns[place] = value;
        assert_eq!(internal(delete(row(columns))), "a resource is deleted, and has no id or number");
    }
}

#[test]
fn each_operation_is_a_document() {
    let document = |writes: &Writes| {
        let (_, asked) = call(row(answer("done", "deleted", None)), async |scope| scope.write(writes).await);
        let function = format!(" from api.write($1, $2) where null::api.interface_{INTERFACE} is null");
        assert!(asked.statement.single.ends_with(&function), "{}", asked.statement.single);
        let [caller, Value::Json(document)] = &asked.parameters[..] else { panic!("{asked:?}") };
        assert_eq!(*caller, text("alice"));
        document.clone()
    };
    let task = NewTask::parse(br#"{"title":"t"}"#).unwrap();
    let replacement = Replacement::parse(br#"{"title":"t","completed":true}"#).unwrap();
    let patch = TaskPatch::parse(br#"{"priority":"low"}"#).unwrap();
    // With the folded texts behind.
    let folded = r#","title_key":"t","title_text":"\u0001t ","description_text":"","tags_text":""}"#;
    let fields = serde_json::to_string(&task).unwrap().replace('}', folded);
    let replacing = serde_json::to_string(&replacement).unwrap().replace('}', folded);
    for (operation, name, fields) in [
        (TaskOperation::Create(task), "create", fields.as_str()),
        (TaskOperation::Put(replacement), "put", replacing.as_str()),
        (TaskOperation::Patch(patch), "patch", r#"{"priority":1}"#),
        (TaskOperation::Complete(Completion(Some(false))), "complete", r#"{"completed":false}"#),
        (TaskOperation::Complete(Completion(None)), "complete", "{}"),
        (TaskOperation::Delete, "delete", "{}"),
    ] {
        let write = format!(r#"{{"operation":"task.{name}","id":"{ID}","document":{fields}}}"#);
        assert_eq!(document(&of(operation)), format!(r#"{{"atomic":true,"wait":false,"list":[{write}]}}"#));
    }
    let delete = |if_match, must_be_absent| {
        let precondition = Precondition { if_match, must_be_absent };
        Write { operation: TaskOperation::Delete.into(), id: ID, precondition }
    };
    let key = IdempotencyKey { key: "k".to_owned(), fingerprint: "f".to_owned() };
    let tags = TagMatch::Tags(vec![EntityTag::new("a-1"), EntityTag::new("a-2")]);
    let list = vec![delete(Some(tags), false), delete(Some(TagMatch::Any), true)];
    let write = |rest: &str| format!(r#"{{"operation":"task.delete","id":"{ID}",{rest},"document":{{}}}}"#);
    let [first, second] = [r#""if_match":["a-1","a-2"]"#, r#""if_match":true,"must_be_absent":true"#].map(write);
    assert_eq!(
        document(&Writes { key: Some(key), atomic: false, list }),
        format!(r#"{{"key":"k","fingerprint":"f","atomic":false,"wait":false,"list":[{first},{second}]}}"#)
    );
}

#[test]
fn only_the_second_request_may_wait() {
    let (fake, data) = data();
    fake.gives(Err(refused("55P03"))).gives(row(answer("done", "deleted", None)));
    let (caller, times) = (caller(), Times::default());
    assert!(run(data.scope(&caller, &times).write(&of(TaskOperation::Delete))).is_ok());
    let waits = |asked: &Asked| match asked.parameters.last() {
        Some(Value::Json(document)) => document.contains(r#""wait":true"#),
        other => panic!("{other:?}"),
    };
    assert_eq!(fake.asked().iter().map(waits).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn the_outcome_of_a_lost_write_is_unknown() {
    let outcome = delete(Err(DatabaseError::Lost("because".to_owned())));
    assert!(matches!(outcome, Err(Error::OutcomeUnknown(_))));
    let refused = delete(Err(refused("22007")));
    assert!(matches!(refused, Err(Error::Invalid(errors)) if errors[0].detail.contains("database")));
}
