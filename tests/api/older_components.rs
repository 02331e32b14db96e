//! A component that was built before entity tags had a digest, beside the functions of now: tags were versions, and the
//! numbers of writes for lists. What it calls is in `migrations/functions/older.sql`.

use serde_json::json;

use crate::support::{Session, User, target};

const FIELDS: &str = r#"{"title": "t", "completed": false, "priority": 0, "tags": []}"#;

/// The columns of the one row that a function gives, as text.
fn call(session: &Session, call: &str) -> String {
    session.rows(&format!("select * from api.{call}")).join("\n")
}

#[test]
fn each_operation_goes_on_as_it_did() {
    let user = User::new("older");
    let (session, id, other) = (target().app_session(), uuid::Uuid::now_v7(), uuid::Uuid::now_v7());
    let me = format!("'{}', '{id}'", user.id);
    let told = |function: &str| {
        session.rows(&format!("select concat_ws(' ', outcome, version, task::jsonb ->> 'title', task::jsonb ? 'etag') from api.{function}")).concat()
    };
    assert_eq!(told(&format!("task_create({me}, '{FIELDS}', 'k', 'f')")), "created 1 t f");
    assert_eq!(told(&format!("task_create({me}, '{FIELDS}', 'k', 'f')")), "replayed 1 t f");
    assert_eq!(told(&format!("task_create({me}, '{FIELDS}', 'k', 'g')")), "key_reused 1 t f");
    assert_eq!(told(&format!("task_patch({me}, '{{1}}', '{{\"title\": \"u\"}}', null, null)")), "ok 2 u f");
    assert_eq!(told(&format!("task_patch({me}, '{{1}}', '{{\"title\": \"x\"}}', null, null)")), "stale");
    assert_eq!(told(&format!("task_patch({me}, null, '{{\"title\": \"v\"}}', 'p', 'f')")), "ok 3 v f");
    assert_eq!(told(&format!("task_patch({me}, null, '{{\"title\": \"v\"}}', 'p', 'f')")), "replayed 3 v f");
    assert_eq!(told(&format!("task_complete({me}, '{{7,3}}', true, null, null)")), "ok 4 v f");
    assert_eq!(told(&format!("task_complete({me}, '{{3}}', true, null, null)")), "stale");
    assert_eq!(told(&format!("task_complete({me}, null, null, 'c', 'f')")), "ok 5 v f");
    assert_eq!(told(&format!("task_complete({me}, null, null, 'c', 'f')")), "replayed 5 v f");
    assert_eq!(told(&format!("task_put({me}, '{{5}}', false, '{FIELDS}')")), "ok 6 t f");
    assert_eq!(told(&format!("task_put({me}, '{{}}', false, '{FIELDS}')")), "stale");
    assert_eq!(told(&format!("task_put({me}, null, true, '{FIELDS}')")), "exists");
    assert_eq!(told(&format!("task_put('{}', '{other}', null, true, '{FIELDS}')", user.id)), "created 1 t f");
    // The tags of this task alone, though the other one has such a version, too.
    let tags = format!("select cardinality(api.task_tags({me}, '{{1,6}}'))");
    assert_eq!(session.rows(&tags), ["1"]);
    let get =
        format!("select concat_ws(' ', version, task::jsonb ->> 'id', task::jsonb ? 'etag') from api.task_get({me})");
    assert_eq!(session.rows(&get), [format!("6 {id} f")]);
    assert_eq!(session.rows(&get.replace(&id.to_string(), &other.to_string())), [format!("1 {other} f")]);
    assert_eq!(call(&session, &format!("task_delete({me}, '{{5}}')")), "stale");
    assert_eq!(call(&session, &format!("task_delete({me}, '{{6}}')")), "deleted");
    assert_eq!(call(&session, &format!("task_delete({me}, null)")), "not_found");
    assert_eq!(told(&format!("task_patch({me}, '{{6}}', '{{}}', null, null)")), "not_found");
}

#[test]
fn a_list_is_what_it_was() {
    let user = User::new("older-list");
    let tasks: Vec<_> = ["a 1", "b 2", "c 3"].map(|title| user.create(json!({ "title": title }))).into();
    let session = target().app_session();
    let list = |rest: &str| {
        session.rows(&format!(
            "select concat_ws(' ', unchanged, seq, last_key, last_id, total, tasks)
             from api.task_list('{}', '{{\"order\": \"title_asc\", \"limit\": 2{rest}}}')",
            user.id
        ))
    };
    let stored = target().admin_query(&format!(
        "select string_agg(json, ',' order by title) from errand.task where user_id = '{}' and title < 'c'",
        user.id
    ));
    let page = format!("f 3 b 2 {} 3 {}", tasks[1].id, stored[0]);
    assert_eq!(list(r#", "count": true"#), std::slice::from_ref(&page));
    assert_eq!(list(r#", "count": true, "known": [2, 33]"#), [page]);
    for known in ["[3]", "[1, 3]", "true"] {
        assert_eq!(list(&format!(r#", "count": true, "known": {known}"#)), ["t 3"], "{known}");
    }
    // More than nine tasks: they are in order, not in that of their numbers as text.
    let user = User::new("older-long-list");
    for n in 0..12 {
        user.create(json!({"title": format!("{n:02}")}));
    }
    let titles = session.rows(&format!(
        "select string_agg(task ->> 'title', ' ' order by number)
         from api.task_list('{}', '{{\"order\": \"title_asc\", \"limit\": 50}}'),
             jsonb_array_elements(('[' || tasks || ']')::jsonb) with ordinality as one (task, number)",
        user.id
    ));
    assert_eq!(titles, ["00 01 02 03 04 05 06 07 08 09 10 11"]);
}
