//! Components that were built earlier, beside the functions of now. What they call is in `migrations/functions/older.sql`. Tags were
//! versions, and the numbers of writes for lists, before they had a digest. Later the database made the tags.

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
    assert_eq!(told(&format!("task_create({me}, '{FIELDS}', 'k', 'g')")), "key_reused");
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
    let mark = session.rows(&format!("select errand.tag_base('{}') || '0'", user.id)).concat();
    let page = format!("f 3 {mark} b 2 {} 3 {}", tasks[1].id, stored[0]);
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

#[test]
fn a_read_may_have_its_entity_tag_from_the_database() {
    let [user, other] = ["older-tags", "older-tags-other"].map(User::new);
    let id = user.create(json!({"title": "a"})).id;
    user.create(json!({"title": "b"}));
    other.create(json!({"title": "c"}));
    let tag = |user: &User, path: &str| user.get(path).header("etag").replace('"', "");
    let (of_task, of_list, of_other) =
        (tag(&user, &format!("/tasks/{id}")), tag(&user, "/tasks"), tag(&other, "/tasks"));
    let (session, me, you) = (target().app_session(), &user.id, &other.id);
    let task = "concat_ws(' ', etag, task::jsonb ->> 'title')";
    assert_eq!(session.rows(&format!("select {task} from api.get_task('{me}', '{id}')")), [format!("{of_task} a")]);
    assert_eq!(session.rows(&format!("select {task} from api.get_task('{you}', '{id}')")), [""]);
    let each =
        format!("select number || caller || {task} from api.get_task_of_each('{{{you},{me}}}', '{{{id},{id}}}')");
    assert_eq!(session.rows(&each), [format!("1{you}"), format!("2{me}{of_task} a")]);

    let columns = "tasks, last_key, last_id, total";
    let list = |rest: &str| format!(r#"{{"order": "title_asc", "limit": 1, "count": true{rest}}}"#);
    let page = |columns: &str, function: &str, rest: &str| {
        session.rows(&format!("select concat_ws(' ', {columns}) from api.{function}('{me}', '{}')", list(rest)))
    };
    let read = page(columns, "read_tasks", "");
    assert!(read[0].contains(r#""title":"a""#) && read[0].ends_with(" 2"), "{read:?}");
    assert_eq!(page(columns, "list_tasks", ""), read);
    for (known, outcome) in [("", "page"), (of_task.as_str(), "page"), (&of_list, "unchanged")] {
        let known = format!(r#", "known": ["{known}"]"#);
        assert_eq!(page("outcome, etag", "list_tasks", &known), [format!("{outcome} {of_list}")]);
    }
    let each = format!(
        "select number || caller || concat_ws(' ', outcome, etag, split_part(tasks, chr(10), 2)::jsonb ->> 'title', last_key, total)
         from api.list_tasks_of_each(array['{you}', '{me}'], array['{list}', '{list}'])",
        list = list("")
    );
    // A place is marked with the digest of the tags, and with the upper bits of the number.
    let mark = of_list.replace("-2", "-0");
    assert_eq!(
        session.rows(&each),
        [format!("1{you}page {of_other} c 1"), format!("2{me}page {of_list} a {mark} a 2")]
    );
}

#[test]
fn a_write_may_have_its_entity_tag_from_the_database() {
    let user = User::new("older-write-tags");
    let (session, id, other) = (target().app_session(), uuid::Uuid::now_v7(), uuid::Uuid::now_v7());
    let me = format!("'{}', '{id}'", user.id);
    let tag = |id: &uuid::Uuid| user.get(&format!("/tasks/{id}")).header("etag").replace('"', "");
    let told = |function: &str| {
        session.rows(&format!("select concat_ws(' ', outcome, etag, task::jsonb ->> 'title', task::jsonb ? 'etag') from api.{function}")).concat()
    };
    let created = told(&format!("create_task({me}, '{FIELDS}', 'k', 'f', true)"));
    let first = tag(&id);
    assert_eq!(created, format!("created {first} t f"));
    let patch = r#"{"title": "u"}"#;
    assert_eq!(told(&format!("patch_task({me}, '{{x}}', '{patch}', null, null, true)")), "stale");
    let patched = told(&format!("patch_task({me}, '{{x,{first}}}', '{patch}', 'p', 'f', true)"));
    let second = tag(&id);
    assert_eq!(patched, format!("ok {second} u f"));
    assert_eq!(told(&format!("patch_task({me}, null, '{patch}', 'p', 'f', true)")), format!("replayed {second} u f"));
    assert_eq!(told(&format!("patch_task({me}, null, '{patch}', 'p', 'g', true)")), "key_reused");
    let completed = told(&format!("complete_task({me}, '{{{second}}}', null, 'c', 'f', true)"));
    let third = tag(&id);
    assert_eq!(completed, format!("ok {third} u f"));
    assert_eq!(told(&format!("complete_task({me}, null, null, 'c', 'f', true)")), format!("replayed {third} u f"));
    assert_eq!(told(&format!("complete_task({me}, '{{{second}}}', true, null, null, true)")), "stale");
    assert_eq!(told(&format!("replace_task({me}, '{{{second}}}', false, '{FIELDS}', true)")), "stale");
    let replaced = told(&format!("replace_task({me}, '{{{third}}}', false, '{FIELDS}', true)"));
    assert_eq!(replaced, format!("ok {} t f", tag(&id)));
    assert_eq!(told(&format!("replace_task({me}, null, true, '{FIELDS}', true)")), "exists");
    let made = told(&format!("replace_task('{}', '{other}', null, true, '{FIELDS}', true)", user.id));
    assert_eq!(made, format!("created {} t f", tag(&other)));
    // A replay has the task as it is now, and one of a task that is gone finds none.
    assert_eq!(told(&format!("create_task({me}, '{FIELDS}', 'k', 'f', true)")), format!("replayed {} t f", tag(&id)));
    user.delete(&format!("/tasks/{id}")).expect(204);
    assert_eq!(told(&format!("create_task({me}, '{FIELDS}', 'k', 'f', true)")), "not_found");
    assert_eq!(told(&format!("create_task({me}, '{FIELDS}', 'k2', 'f', true)")), format!("created {} t f", tag(&id)));
    // While a write of the user's has the turn, one that may not wait is told so.
    let turn = target().app_session();
    turn.rows(&format!("begin; select errand.announce('{0}'), errand.try_turn('{0}', false)", user.id));
    for write in [
        format!("create_task('{}', gen_random_uuid(), '{FIELDS}', null, null, false)", user.id),
        format!("replace_task({me}, null, false, '{FIELDS}', false)"),
        format!("patch_task({me}, null, '{patch}', null, null, false)"),
        format!("complete_task({me}, null, null, null, null, false)"),
    ] {
        assert_eq!(told(&write), "busy", "{write}");
    }
}
