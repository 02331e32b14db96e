//! The parameters of `api.run_writes`, and the meaning of its lines.

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

/// The row of `api.run_writes` for one write.
fn answer(request: &str, outcome: &str, body: Option<&str>) -> Answer {
    let body = body.map(|body| format!(" {body}")).unwrap_or_default();
    lines(&format!("{request} epoch\n{outcome} {ID} 3 2{body}"))
}

fn lines(lines: &str) -> Answer {
    row([text(lines)])
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
    let done = |request, outcome, body| delete(answer(request, outcome, body));
    let changed = written(3, Some("t}"));
    assert_eq!(done("done", "changed", JSON), Ok(vec![Ok(changed.clone())]));
    assert_eq!(done("done", "created", JSON), Ok(vec![Ok(Written { created: true, ..changed.clone() })]));
    assert_eq!(done("replayed", "changed", JSON), Ok(vec![Ok(Written { replayed: true, ..changed.clone() })]));
    assert_eq!(done("replayed", "created", JSON), Ok(vec![Ok(Written { created: true, replayed: true, ..changed })]));
    assert_eq!(done("done", "deleted", None), Ok(vec![Ok(written(3, None))]));
    assert_eq!(done("done", "not_found", None), Ok(vec![Err(Error::NotFound)]));
    assert_eq!(done("done", "precondition_failed", None), Ok(vec![Err(Error::PreconditionFailed)]));
    assert_eq!(done("replayed", "gone", None), Ok(vec![Err(Error::Gone)]));
    assert_eq!(delete(lines("key_reused")), Err(Error::KeyReused));
    assert_eq!(delete(lines("in_flight")), Err(Error::InFlight));
}

#[test]
fn each_write_of_a_request_has_its_result() {
    let answer = format!(
        "done epoch\nchanged {ID} 3 2 {{\"title\":\"t\"}}\nnot_found {OTHER}\nprecondition_failed {ID} 3\ndeleted {OTHER} 4 2"
    );
    let deleted = Written { id: OTHER, ..written(4, None) };
    let expected = vec![Ok(written(3, Some("t"))), Err(Error::NotFound), Err(Error::PreconditionFailed), Ok(deleted)];
    assert_eq!(delete(lines(&answer)), Ok(expected));
}

#[test]
fn what_no_function_of_errand_answers_is_an_internal_error() {
    assert_eq!(internal(delete(lines("moved"))), "unknown outcome moved");
    assert_eq!(internal(delete(lines(""))), "unknown outcome ");
    assert_eq!(internal(delete(answer("done", "moved", None))), "unknown outcome moved");
    for answer in ["done", "replayed", "done \ndeleted"] {
        assert_eq!(internal(delete(lines(answer))), "an answer of the database is incomplete", "{answer}");
    }
    assert_eq!(internal(delete(Ok(None))), "api.run_writes gave no row");
    assert_eq!(internal(delete(row([]))), "a column is missing");
    assert_eq!(internal(delete(row([Value::Null]))), "a column is null");
    for (outcome, body) in [("created", None), ("changed", None), ("deleted", Some("{}"))] {
        let why = format!("a resource is {outcome}, which its body contradicts");
        assert_eq!(internal(delete(answer("done", outcome, body))), why);
    }
    for columns in ["", " x 3 2", &format!(" {ID}"), &format!(" {ID} 3"), &format!(" {ID} x 2"), &format!(" {ID} 3 x")]
    {
        let told = internal(delete(lines(&format!("done epoch\ndeleted{columns}"))));
        assert_eq!(told, "a resource is deleted, and has no id or number", "{columns}");
    }
}

#[test]
fn each_operation_is_a_document() {
    let document = |writes: &Writes| {
        let (_, asked) = call(answer("done", "deleted", None), async |scope| scope.write(writes).await);
        let sql = format!("select api.run_writes($1, $2) where null::api.interface_{INTERFACE} is null");
        assert_eq!(asked.statement.single, sql);
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
    fake.gives(Err(refused("55P03"))).gives(answer("done", "deleted", None));
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
