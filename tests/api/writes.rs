//! `api.run_writes`, the one door for writes: the writes of one request, in one transaction. Over HTTP a request has one write today.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Session, User, target};

/// A request of `api.run_writes`: its key, whether it is atomic, and its writes.
fn request(key: Option<&str>, atomic: bool, list: &[Value]) -> Value {
    let mut request = json!({"atomic": atomic, "wait": true, "list": list});
    if let Some(key) = key {
        request["key"] = json!(key);
        request["fingerprint"] = json!("print");
    }
    request
}

/// Runs it; gives its outcome, and for each write the outcome, the number, the version and the title.
fn write(session: &Session, user: &User, request: &Value) -> (String, Vec<String>) {
    let request = request.to_string().replace('\'', "''");
    let rows = session.rows(&format!(
        "select coalesce(
             array_to_string((regexp_match(line, '^(\\w+) \\S+ (\\d+)(?: (\\d+))?(?: .*\"title\":\"(\\w+)\")?'))[1:4], ' '),
             split_part(line, ' ', 1))
         from string_to_table(api.run_writes('{}', '{request}'), chr(10)) as line",
        user.id
    ));
    let (outcome, writes) = rows.split_first().unwrap();
    (outcome.clone(), writes.to_vec())
}

fn create(id: Uuid, title: &str) -> Value {
    let document = json!({
        "title": title, "description": null, "completed": false, "priority": 0, "tags": [],
        "due_date": null, "due_time": null, "due_zone": null
    });
    json!({"operation": "task.create", "id": id, "document": document})
}

fn patch(id: Uuid, document: Value) -> Value {
    json!({"operation": "task.patch", "id": id, "document": document})
}

fn delete(id: Uuid) -> Value {
    json!({"operation": "task.delete", "id": id, "document": null})
}

fn done(writes: &[&str]) -> (String, Vec<String>) {
    ("done".to_owned(), writes.iter().map(|write| (*write).to_owned()).collect())
}

#[test]
fn the_writes_of_a_request_see_each_others_effects() {
    let (user, session, id, other) = (User::new("writes"), target().app_session(), Uuid::now_v7(), Uuid::now_v7());
    let list = [
        create(id, "a"),
        patch(id, json!({"title": "b"})),
        // Nothing changes, and no number is taken.
        patch(id, json!({"title": "b"})),
        json!({"operation": "task.complete", "id": id, "document": {}}),
        create(other, "c"),
        delete(other),
        patch(other, json!({"title": "d"})),
    ];
    let expected = done(&[
        "created 1 1 a",
        "changed 2 2 b",
        "changed 2 2 b",
        "changed 3 3 b",
        "created 4 1 c",
        "deleted 5 1",
        "not_found",
    ]);
    assert_eq!(write(&session, &user, &request(None, false, &list)), expected);
    assert!(user.get("/tasks").header("etag").ends_with("-5\""));
    let task = user.get(&format!("/tasks/{id}")).task();
    assert_eq!((task.title.as_str(), task.completed, task.version), ("b", true, 3));
    assert!(task.etag.ends_with("-3\""));
}

/// All or nothing: not a number is lost, and the same key may try again.
#[test]
fn a_refused_write_undoes_an_atomic_request() {
    let (user, session, id, other) = (User::new("atomic"), target().app_session(), Uuid::now_v7(), Uuid::now_v7());
    user.create(json!({"title": "before"}));
    let list = [create(id, "a"), delete(other), create(other, "b")];
    let atomic = request(Some("k"), true, &list);
    assert_eq!(write(&session, &user, &atomic), done(&["created 2 1 a", "not_found"]));
    assert_eq!(user.titles(""), ["before"]);
    assert!(user.get("/tasks").header("etag").ends_with("-1\""));
    let keys = format!("select count(*) from errand.idempotency where user_id = '{}'", user.id);
    assert_eq!(target().admin_query(&keys), ["0"]);
    // What only the database refuses undoes a request of either kind.
    let zone = patch(id, json!({"due_date": "2026-12-01", "due_time": "09:30", "due_zone": "No/Zone"}));
    let refusal = |atomic| {
        let request = request(None, atomic, &[create(id, "a"), zone.clone()]).to_string();
        session.run(&format!("select api.run_writes('{}', '{request}')", user.id)).unwrap_err()
    };
    for atomic in [true, false] {
        assert_eq!(refusal(atomic).constraint.as_deref(), Some("task_due_zone_known"));
    }
    assert_eq!(user.titles(""), ["before"]);
    let list = [create(id, "a"), create(other, "b")];
    let whole = done(&["created 2 1 a", "created 3 1 b"]);
    assert_eq!(write(&session, &user, &request(Some("k"), true, &list)), whole);
}

#[test]
fn one_key_serves_all_writes_of_a_request() {
    let (user, session, id, other) = (User::new("one-key"), target().app_session(), Uuid::now_v7(), Uuid::now_v7());
    let stale = json!({"operation": "task.patch", "id": id, "if_match": ["x"], "document": {"title": "lost"}});
    let list =
        [create(id, "a"), create(other, "b"), stale, patch(id, json!({"title": "c"})), delete(other), delete(other)];
    let request = request(Some("k"), false, &list);
    let first =
        done(&["created 1 1 a", "created 2 1 b", "precondition_failed 1", "changed 3 2 c", "deleted 4 1", "not_found"]);
    assert_eq!(write(&session, &user, &request), first);
    user.patch(&format!("/tasks/{id}"), json!({"title": "now"})).expect(200);
    // Nothing is tried again. Each write answers its first status, with the task as it is now.
    let (outcome, again) = write(&session, &user, &request);
    assert_eq!(outcome, "replayed");
    let outcomes: Vec<_> = again.iter().map(|write| write.split(' ').next().unwrap()).collect();
    assert_eq!(outcomes, ["created", "gone", "precondition_failed", "changed", "deleted", "not_found"]);
    assert!(again[0].ends_with(" now") && again[3].ends_with(" now"), "{again:?}");
    assert_eq!(user.titles(""), ["now"]);
    // What wrote nothing is not kept.
    let refused = self::request(Some("nothing"), false, &[delete(other), delete(other)]);
    for _ in 0..2 {
        assert_eq!(write(&session, &user, &refused), done(&["not_found", "not_found"]));
    }
}

/// Whatever the document names: caller, id, number, version and times are the door's, and derived columns are the trigger's.
#[test]
fn a_document_names_only_what_a_client_may_write() {
    let (user, other, session, id) =
        (User::new("document"), User::new("document-other"), target().app_session(), Uuid::now_v7());
    let foreign = json!({
        "user_id": other.id, "id": Uuid::now_v7(), "seq": 77, "version": 9, "created_at": "2001-01-01", "updated_at": "2001-01-01",
        "completed_at": "2001-01-01", "due_at": "2001-01-01", "due_key": "2001-01-01", "title_key": "x", "words": "'x'", "json": "{}"
    });
    let mut made = create(id, "t");
    made["document"].as_object_mut().unwrap().extend(foreign.as_object().unwrap().clone());
    assert_eq!(write(&session, &user, &request(None, true, &[made])), done(&["created 1 1 t"]));
    let mut changed = foreign;
    changed["title"] = json!("u");
    assert_eq!(write(&session, &user, &request(None, true, &[patch(id, changed)])), done(&["changed 2 2 u"]));
    let task = user.get(&format!("/tasks/{id}")).expect(200).task();
    assert_eq!((task.owner_id.as_str(), task.id, task.title.as_str(), task.version), (user.id.as_str(), id, "u", 2));
    assert!(task.created_at.starts_with("20") && !task.created_at.starts_with("2001"), "{task:?}");
    assert_eq!((task.completed_at, task.due_at), (None, None));
    assert_eq!(user.titles("?q=u&sort=title"), ["u"]);
    assert!(other.titles("").is_empty());
}

/// PostgreSQL writes a long text anew where a statement assigns it. One that a patch does not name stays where it is.
#[test]
fn a_patch_leaves_a_long_text_that_it_does_not_name_where_it_is() {
    let user = User::new("long-text");
    // Random, because PostgreSQL compresses a text that repeats itself.
    let description: String = (0..277).map(|_| Uuid::now_v7().to_string()).collect();
    let task = user.create(json!({"title": "t", "description": description}));
    let path = format!("/tasks/{}", task.id);
    // Each long value that the last write of the task wrote.
    let written = || {
        let class = "select reltoastrelid::regclass from pg_class where oid = 'errand.task'::regclass";
        let table = target().admin_query(class).concat();
        target().admin_query(&format!(
            "select count(distinct chunk_id) from {table}
             where xmin = (select xmin from errand.task where user_id = '{}')",
            user.id
        ))
    };
    // All of it: the description, the words, the JSON.
    assert_eq!(written(), ["3"]);
    user.patch(&path, json!({"priority": "high"})).expect(200);
    // The JSON alone.
    assert_eq!(written(), ["1"]);
    user.patch(&path, json!({"description": format!("x{}", &description[1..])})).expect(200);
    assert_eq!(written(), ["3"]);
}
