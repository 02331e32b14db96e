//! The query string of a list, and the cursor in it.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{StatusCode, Uri};
use errand::data::Value;
use errand::domain::{Cursor, CursorBinding, Filter, PagePosition};
use uuid::Uuid;

use super::router::{Answer, ID, KEY, TOKEN, send};

/// A cursor: what opens is what was sealed, for that user and that query alone. The bytes are a cursor's text, and the
/// place that another one is made of.
pub fn cursor(data: &[u8]) {
    let filter = Filter::default();
    let binding = CursorBinding { user_id: "alice", order: "title_asc", filter: &filter };
    if let Ok(text) = std::str::from_utf8(data)
        && let Some(after) = Cursor::open(text, &binding)
    {
        assert_eq!(Cursor::seal(&after, &binding).unwrap().as_str(), text);
    }
    let (id, key) = data.split_at(data.len().min(16));
    let id = id.iter().fold(0_u128, |id, byte| id << 8 | u128::from(*byte));
    let after = PagePosition { key: String::from_utf8_lossy(key).into_owned(), id: Uuid::from_u128(id).to_string() };
    let cursor = Cursor::seal(&after, &binding).unwrap();
    assert_eq!(Cursor::open(cursor.as_str(), &binding).as_ref(), Some(&after));
    let done = Filter { completed: Some(true), ..Filter::default() };
    for other in [
        CursorBinding { user_id: "bob", ..binding },
        CursorBinding { order: "title_desc", ..binding },
        CursorBinding { filter: &done, ..binding },
    ] {
        assert_eq!(Cursor::open(cursor.as_str(), &other), None);
    }
}

/// The query string of a list: it is refused by the name of a parameter, or its `Link` leads on in the same list.
pub fn query(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(uri) = format!("/api/me/tasks?{text}").parse::<Uri>() else { return };
    let Some(first) = list(&uri) else { return };
    let link = first.headers["link"].to_str().ok();
    let Some(next) = link.and_then(|link| link.strip_prefix('<')?.strip_suffix(">; rel=\"next\"")) else {
        // A URI may come in with bytes beyond ASCII; as the text of a header they are not for everyone.
        assert!(!text.is_ascii(), "{link:?}");
        return;
    };
    let mut second = asked(&list(&next.parse().unwrap()).expect("the next page is one, too"));
    let after = second.as_object_mut().unwrap().remove("after").unwrap();
    assert_eq!(after, serde_json::json!({"key": KEY, "id": ID}));
    let mut first = asked(&first);
    first.as_object_mut().unwrap().remove("after");
    assert_eq!(first, second);
}

/// A list, if it is one.
fn list(uri: &Uri) -> Option<Answer> {
    let request = Request::get(uri).header("authorization", &*TOKEN).body(Body::empty()).unwrap();
    let answer = send(request);
    if answer.status == StatusCode::OK {
        return Some(answer);
    }
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.problem.unwrap().errors.iter().all(|mistake| mistake.parameter.is_some()));
    assert!(answer.calls.is_empty(), "the database was asked before the query was understood");
    None
}

/// What the database was asked for.
fn asked(answer: &Answer) -> serde_json::Value {
    let [(_, parameters)] = &answer.calls[..] else { panic!("{:?}", answer.calls) };
    let [Value::Text(caller), Value::Json(list)] = &parameters[..] else { panic!("{parameters:?}") };
    assert_eq!(caller, "alice");
    let list: serde_json::Value = serde_json::from_str(list).unwrap();
    assert!((1..=500).contains(&list["limit"].as_u64().unwrap()));
    list
}
