//! Request bodies: POST, PUT, PATCH and `complete`, and the meaning of a merge patch.

use errand::domain::{
    Completion, DateOrInstant, Errors, IdempotencyKey, Instant, Invalid, KeyedRequest, NewTask, Place, Replacement,
    TaskPatch, TimeZone, Title,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// A body, parsed for each of the four operations.
pub fn body(data: &[u8]) {
    let members = match serde_json::from_slice(data) {
        Ok(Value::Object(members)) => Some(members),
        _ => None,
    };
    let with_unknown = members.clone().map(|mut members| {
        members.insert("unknown".to_owned(), Value::Null);
        Value::Object(members).to_string()
    });
    let with_unknown = with_unknown.unwrap_or_default();

    let patch = checked(TaskPatch::parse(data)).map(|patch| fields(&patch));
    let created = checked(NewTask::parse(data)).map(|task| fields(&task));
    let replaced = checked(Replacement::parse(data)).map(|task| fields(&task));
    if let Some(created) = &created {
        assert!(NewTask::parse(with_unknown.as_bytes()).is_err());
        assert!(patch.is_some(), "the body of a new task is a patch, too");
        let title = created["title"].as_str().unwrap();
        assert!((1..=255).contains(&title.chars().count()) && title == title.trim());
        assert_eq!(Errors::collect(|errors| Title::parse(title, errors)).unwrap().as_str(), title);
        let shortest = fields(&NewTask::parse(br#"{"title":"t"}"#).unwrap());
        assert!(created.keys().eq(shortest.keys()), "every field is in the document");
    }
    if let Some(patch) = patch {
        assert!(TaskPatch::parse(with_unknown.as_bytes()).is_err());
        assert!(!has_nul(&Value::Object(patch)), "PostgreSQL has no NUL");
    }
    let says_completed = members.as_ref().is_some_and(|members| members.contains_key("completed"));
    assert_eq!(replaced, created.filter(|_| says_completed));

    match checked(Completion::parse(data)) {
        Some(Completion(None)) => assert!(data.is_empty()),
        Some(Completion(completed)) => assert_eq!(members.unwrap()["completed"].as_bool(), completed),
        None => {}
    }
    let repeatable = |subject| {
        IdempotencyKey::parse("key", &KeyedRequest { operation: "patch_task", subject, query: None, body: data })
            .unwrap()
            .fingerprint
    };
    assert_ne!(repeatable("a"), repeatable("b"));
}

/// Looks into the strings, not at the JSON: `"\\u0000"` is a backslash and letters.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(has_nul),
        Value::Object(members) => members.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A due date: the bytes are the JSON of it, and the text of an instant, a day or a zone.
pub fn due(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let instant = |text: &str| Errors::collect(|errors| Instant::parse(text, errors));
        if let Ok(parsed) = instant(text) {
            assert_eq!(instant(parsed.as_str()), Ok(parsed));
        }
        if let Ok(DateOrInstant::Date(date)) = Errors::collect(|errors| DateOrInstant::parse(text, errors)) {
            assert_eq!((date.len(), date.as_str()), (10, text));
        }
        if let Ok(zone) = Errors::collect(|errors| TimeZone::parse(text.to_owned(), errors)) {
            assert_eq!(zone.as_str(), text);
            assert!(text.len() <= 100 && text.is_ascii());
        }
    }
    let Ok(due) = serde_json::from_slice::<Value>(data) else { return };
    let task = json!({"title": "t", "due": due}).to_string();
    let patch = checked(TaskPatch::parse(json!({"due": due}).to_string().as_bytes()));
    if let Some(task) = checked(NewTask::parse(task.as_bytes())) {
        assert!(patch.is_some());
        let fields = fields(&task);
        // The parts come back as they were written, and none is made up.
        for (part, field) in [("date", "due_date"), ("time", "due_time"), ("time_zone", "due_zone")] {
            assert_eq!(&fields[field], due.get(part).unwrap_or(&Value::Null));
        }
    }
}

/// Two documents: a task, and behind a line end a patch of it. The patch that the database applies, field by field, must
/// come to the same as RFC 7396 applied to the documents.
pub fn merge_patch(data: &[u8]) {
    let Some(end) = data.iter().position(|byte| *byte == b'\n') else { return };
    let (before, patch) = (&data[..end], &data[end + 1..]);
    let (Ok(task), Ok(change)) = (NewTask::parse(before), TaskPatch::parse(patch)) else { return };

    let mut changed = fields(&task);
    changed.extend(fields(&change));
    changed.retain(|_, value| !value.is_null());

    let mut document: Value = serde_json::from_slice(before).unwrap();
    merge(&mut document, serde_json::from_slice(patch).unwrap());
    match NewTask::parse(document.to_string().as_bytes()) {
        Ok(expected) => {
            let mut expected = fields(&expected);
            expected.retain(|_, value| !value.is_null());
            assert_eq!(changed, expected);
        }
        // Only the two together can leave a due date that lacks a part. The database refuses it.
        Err(errors) => assert!(errors.iter().all(|error| match &error.place {
            Place::Body(place) => place.starts_with("/due"),
            _ => false,
        })),
    }
}

/// RFC 7396, section 2.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(members) = target else { return };
    for (name, value) in patch {
        match value {
            Value::Null => drop(members.remove(&name)),
            value => merge(members.entry(name).or_insert(Value::Null), value),
        }
    }
}

/// The document that the database functions take.
fn fields(body: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(body).unwrap() {
        Value::Object(fields) => fields,
        other => panic!("{other} is no object"),
    }
}

/// The parsed value, if there is one. Errors must have a place and a text.
fn checked<T>(result: Result<T, Vec<Invalid>>) -> Option<T> {
    let errors = match result {
        Ok(value) => return Some(value),
        Err(errors) => errors,
    };
    assert!(!errors.is_empty());
    for Invalid { place, detail } in errors {
        assert!(!detail.is_empty());
        let Place::Body(pointer) = place else { panic!("{place:?} is not in the body") };
        assert!(pointer.is_empty() || pointer.starts_with('/'), "{pointer} is no JSON pointer");
    }
    None
}
