//! An entity tag names one state of one caller's representation, for ever.

use std::collections::HashMap;

use errand::api::routes;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Reply, User, scratch, target};

/// Two users with the same number of writes, and a task of the same id and title each.
fn twins(name: &str) -> (User, User, Uuid) {
    let (one, other, id) = (User::new(name), User::new(name), Uuid::now_v7());
    for user in [&one, &other] {
        create_under(user, id, "t");
        user.create(json!({"title": "u"}));
    }
    (one, other, id)
}

fn create_under(user: &User, id: Uuid, title: &str) -> Reply {
    let body = json!({"title": title, "completed": false});
    user.with_json("PUT", &format!("/tasks/{id}"), &[("if-none-match", "*")], body).expect(201)
}

/// A body that the operation takes.
fn body(method: &str, path: &str) -> Option<&'static [u8]> {
    match method {
        "GET" | "DELETE" => None,
        _ if path.ends_with("/complete") => Some(br#"{"completed":true}"#),
        _ => Some(br#"{"title":"t","completed":false}"#),
    }
}

#[test]
fn another_users_tag_matches_nothing() {
    let (alice, bob, id) = twins("tag");
    let path = |template: &str| template.replace("{user_id}", "me").replace("{id}", &id.to_string());
    let (mut reads, mut writes) = (0, 0);
    for route in routes().filter(|route| route.path.contains("/tasks")) {
        let path = path(route.path);
        for method in route.methods() {
            if method == "GET" {
                // Whichever way it is asked for, whatever it depends on.
                for query in ["", "?limit=1", "?completed=false"] {
                    let path = format!("{path}{}", if route.path.contains("{id}") { "" } else { query });
                    let [hers, his] = [&alice, &bob]
                        .map(|user| user.send_to("GET", &path, &[], None).expect(200).header("etag").to_owned());
                    assert_ne!(hers, his, "{path}");
                    for (user, tag, status) in
                        [(&alice, &hers, 304), (&bob, &his, 304), (&alice, &his, 200), (&bob, &hers, 200)]
                    {
                        user.send_to("GET", &path, &[("if-none-match", tag)], None).expect(status);
                    }
                    reads += 1;
                }
            } else if route.path.contains("{id}") {
                let hers = alice.send_to("GET", &format!("/api/me/tasks/{id}"), &[], None).header("etag").to_owned();
                let headers = [("content-type", "application/json"), ("if-match", hers.as_str())];
                let before = everything(&bob);
                bob.send_to(method, &path, &headers, body(method, route.path)).expect(412);
                assert_eq!(everything(&bob), before, "{method} {path}");
                writes += 1;
            }
        }
    }
    assert!(reads >= 6 && writes >= 4, "{reads} reads, {writes} writes");
}

fn everything(user: &User) -> (String, String) {
    let list = user.get("/tasks").expect(200);
    (list.header("etag").to_owned(), list.body)
}

#[test]
fn what_came_in_any_answer_can_be_written_with() {
    let user = User::new("writable");
    let created = user.post("/tasks", json!({"title": "t"})).expect(201);
    let path = format!("/tasks/{}", created.task().id);
    let listed = user.get("/tasks").list().tasks.remove(0);
    let read = user.get(&path).expect(200);
    for reply in [&created, &read] {
        assert_eq!(reply.task().etag, reply.header("etag"));
    }
    assert_eq!(listed, read.task());
    let patched = user.with_json("PATCH", &path, &[("if-match", &listed.etag)], json!({"title": "u"})).expect(200);
    assert_eq!(patched.task().etag, patched.header("etag"));
    // A document can be sent back as it was read; what only the server changes is ignored.
    let mut document = user.get("/tasks?limit=1").json()["tasks"][0].clone();
    document["title"] = json!("v");
    document["id"] = json!(7);
    document["version"] = json!("forged");
    let replaced = user.with_json("PUT", &path, &[("if-match", &patched.task().etag)], document).expect(200).task();
    assert_eq!((replaced.title.as_str(), replaced.version, replaced.id), ("v", 3, listed.id));
    // In other bodies it is still a mistake.
    let mistakes = user.patch(&path, json!({"etag": replaced.etag, "title": "w"})).mistakes();
    assert_eq!(mistakes, ["/etag"]);
    assert_eq!(user.post("/tasks", json!({"etag": replaced.etag, "title": "w"})).mistakes(), ["/etag"]);
}

/// A deleted task may come back under its id, with its version.
#[test]
fn a_tag_of_a_task_that_was_deleted_is_not_that_of_the_next_one() {
    let (user, id) = (User::new("again"), Uuid::now_v7());
    let path = format!("/tasks/{id}");
    let first = create_under(&user, id, "t").task();
    user.delete(&path).expect(204);
    let second = create_under(&user, id, "t").task();
    assert_eq!((first.version, second.version), (1, 1));
    user.get_with(&path, &[("if-none-match", &first.etag)]).expect(200);
    user.get_with(&path, &[("if-none-match", &second.etag)]).expect(304);
    let guard = [("if-match", first.etag.as_str())];
    user.with_json("PATCH", &path, &guard, json!({"title": "lost"})).expect(412);
    user.with_json("PATCH", &format!("{path}/complete"), &guard, json!({"completed": true})).expect(412);
    user.with_json("PUT", &path, &guard, json!({"title": "lost", "completed": false})).expect(412);
    user.send("DELETE", &path, &guard, None).expect(412);
    assert_eq!(user.get(&path).task(), second);
}

/// What each tag was seen to name: a place, and the text there.
#[derive(Default)]
struct Seen(HashMap<(String, String), String>);

impl Seen {
    fn note(&mut self, place: &str, tag: &str, text: &str) {
        let key = (place.to_owned(), tag.to_owned());
        let before = self.0.entry(key).or_insert_with(|| text.to_owned());
        assert_eq!(before, text, "{tag} of {place} names two states");
    }
}

/// Twins do the same random things in turn: whatever they see, a tag of one place names one text.
#[test]
fn no_tag_ever_names_two_states() {
    let (one, other) = (User::new("states"), User::new("states"));
    let ids = [Uuid::now_v7(), Uuid::now_v7()];
    let mut seen = Seen::default();
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    eprintln!("seed {seed}");
    // So many that chance leaves no run with too few states.
    for _ in 0..100 {
        let id = ids[random.usize(..ids.len())];
        let path = format!("/tasks/{id}");
        let (what, priority) = (random.u8(..5), ["low", "high"][random.usize(..2)]);
        for user in [&one, &other] {
            let json = [("content-type", "application/json")];
            let reply = match what {
                0 | 1 => {
                    let headers = [json[0], ("if-none-match", "*")];
                    user.send("PUT", &path, &headers, Some(br#"{"title":"t","completed":false}"#))
                }
                2 => user.patch(&path, json!({ "priority": priority })),
                3 => user.send("PATCH", &format!("{path}/complete"), &[], None),
                _ => user.delete(&path),
            };
            assert!(matches!(reply.status, 200 | 201 | 204 | 404 | 412), "{}", reply.body);
            // `me` has one URL for all users.
            let list = user.send_to("GET", "/api/me/tasks", &[], None).expect(200);
            seen.note("list", list.header("etag"), &list.body);
            for id in ids {
                let task = user.send_to("GET", &format!("/api/me/tasks/{id}"), &[], None);
                if task.status == 200 {
                    assert_eq!(task.task().etag, task.header("etag"));
                    seen.note(&id.to_string(), task.header("etag"), &task.body);
                }
            }
        }
    }
    assert!(seen.0.len() > 60, "{} states", seen.0.len());
}

/// A version was a task's tag once, and the number of the latest write that of a list.
#[test]
fn a_tag_of_before_fails_closed() {
    let user = User::new("before");
    let path = format!("/tasks/{}", user.create(json!({"title": "t"})).id);
    user.get_with(&path, &[("if-none-match", "\"1\"")]).expect(200);
    user.get_with("/tasks", &[("if-none-match", "\"1\"")]).expect(200);
    user.with_json("PATCH", &path, &[("if-match", "\"1\"")], json!({"title": "u"})).expect(412);
    user.send("DELETE", &path, &[("if-match", "\"1\"")], None).expect(412);
}

/// The administrator's transaction, as a caller: what each statement gives in its first row and column.
fn as_alice(statements: &[&str]) -> Vec<String> {
    let session = scratch();
    let mut given = Vec::new();
    for statement in statements {
        given.extend(session.rows(statement));
    }
    given
}

/// The tag that the component makes of a row, before the name of a function.
const TAG: &str =
    "select left(encode(sha256(convert_to(epoch || ' 2 alice', 'UTF8')), 'hex'), 16) || '-' || seq from api.";
const ADD: &str = "add_task('alice', '00000000-0000-4000-8000-000000000001',
    '{\"title\": \"t\", \"completed\": false, \"priority\": 0, \"tags\": []}', 'k', 'f', null)";

#[test]
fn another_epoch_makes_other_tags_of_the_same_states() {
    let add = &format!("{TAG}{ADD}");
    let get = &format!("{TAG}read_task('alice', '00000000-0000-4000-8000-000000000001')");
    let list = &format!("{TAG}read_tasks('alice', '{{\"order\": \"due_asc\", \"limit\": 1}}')");
    let (app, owner) = ("set local role errand_app", "reset role");
    let given = as_alice(&[app, add, get, list, add, owner, "select errand.begin_epoch()", app, get, list, add, owner]);
    let [before @ .., void, get, list, replay] = &given[..] else { panic!("{given:?}") };
    assert_eq!(void, "");
    let (base, number) = before[0].split_at(17);
    assert!(base.ends_with('-') && base[..16].bytes().all(|byte| byte.is_ascii_hexdigit()), "{base}");
    assert_eq!(number, "1");
    // Every operation gives this state the same tag.
    assert_eq!(before, [&before[0], &before[0], &before[0], &before[0]].map(String::as_str));
    assert_ne!(get, &before[0]);
    assert!(get.ends_with("-1"), "{get}");
    assert_eq!((list, replay), (get, get));
}

/// Whatever one user's id and the epoch are, no other user's are the same text.
#[test]
fn a_tag_is_of_its_user() {
    let given = as_alice(&[
        "select string_agg(errand.tag_base(name), ' ') from unnest(array['a', 'A', 'a ', '', 'a2', '2 a']) as name",
    ]);
    let bases: std::collections::BTreeSet<_> = given[0].split(' ').collect();
    assert_eq!(bases.len(), 6, "{given:?}");
}

/// What the database keeps of a task has no tag in it, so that an epoch can end.
#[test]
fn no_stored_document_has_a_tag() {
    let user = User::new("stored");
    user.with_json("POST", "/tasks", &[("idempotency-key", "k")], json!({"title": "t"})).expect(201);
    let kept = target().admin_query(&format!("select json from errand.task where user_id = '{}'", user.id));
    let kept: Value = serde_json::from_str(&kept[0]).unwrap();
    assert!(kept.get("id").is_some() && kept.get("etag").is_none(), "{kept}");
}
