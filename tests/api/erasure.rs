//! `errand-db account`: after an erasure, nothing that a client kept is taken for something of the user's new account.

use std::os::unix::fs::PermissionsExt;

use errand_db::{Account, Command, Embedded};
use errand_postgres::account;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{RUNTIME, Reply, SECRET, Target, User, scratch, target};

/// A user at an errand of their own: an erasure moves the numbers of all accounts that begin later.
struct Client {
    errand: Target,
    user: User,
}

/// What a client keeps of an account.
struct Kept {
    /// Of the task, after each of its writes.
    tags: [String; 2],
    /// Of the list.
    list: String,
    cursor: String,
}

impl Client {
    fn new(name: &str) -> Self {
        Self { errand: target().start_on_another_database(&[("jwt_secret", SECRET)]), user: User::new(name) }
    }

    fn send(&self, method: &str, rest: &str, headers: &[(&str, &str)], body: Option<Value>) -> Reply {
        self.errand.send_as(&self.user, method, rest, headers, body.as_ref())
    }

    fn get(&self, rest: &str) -> Reply {
        self.send("GET", rest, &[], None)
    }

    fn titles(&self) -> Vec<String> {
        self.get("/tasks").expect(200).list().tasks.into_iter().map(|task| task.title).collect()
    }

    fn keyed(&self) -> Reply {
        self.send("POST", "/tasks", &[("idempotency-key", "k")], Some(json!({"title": "keyed"}))).expect(201)
    }

    /// Always the same writes.
    fn write(&self, path: &str) -> Kept {
        let created = self.send("PUT", path, &[("if-none-match", "*")], Some(fields("first"))).expect(201);
        let changed = self.send("PATCH", path, &[], Some(json!({"title": "second"}))).expect(200);
        self.keyed();
        let list = self.get("/tasks?limit=1&sort=title").expect(200);
        Kept {
            tags: [created, changed].map(|reply| reply.header("etag").to_owned()),
            list: list.header("etag").to_owned(),
            cursor: list.list().next_cursor.unwrap(),
        }
    }

    fn erase(&self) -> u64 {
        RUNTIME.block_on(account::erase(self.errand.admin(), &self.user.id, |_| true)).unwrap().rows()
    }
}

fn fields(title: &str) -> Value {
    json!({"title": title, "completed": false})
}

#[test]
fn what_was_kept_of_an_erased_account_matches_nothing_of_the_next_one() {
    let client = Client::new("erased");
    let path = format!("/tasks/{}", Uuid::now_v7());
    let mut kept = vec![client.write(&path)];
    for _ in 0..2 {
        // Two tasks, a key and the account.
        assert_eq!(client.erase(), 4);
        client.get(&path).expect(404);
        assert_eq!(client.titles(), [""; 0]);
        let next = client.write(&path);
        for old in &kept {
            for tag in old.tags.iter().chain([&old.list]) {
                assert!(!next.tags.contains(tag) && next.list != *tag, "{tag} names two states");
                for path in [&path, "/tasks"] {
                    client.send("GET", path, &[("if-none-match", tag)], None).expect(200);
                }
                let guard = [("if-match", tag.as_str())];
                client.send("PUT", &path, &guard, Some(fields("lost"))).expect(412);
                client.send("PATCH", &path, &guard, Some(json!({"title": "lost"}))).expect(412);
                client.send("PATCH", &format!("{path}/complete"), &guard, None).expect(412);
                client.send("DELETE", &path, &guard, None).expect(412);
            }
            let query = format!("/tasks?limit=1&sort=title&cursor={}", old.cursor);
            assert_eq!(client.get(&query).mistakes(), ["cursor"]);
        }
        let rest = client.get(&format!("/tasks?limit=1&sort=title&cursor={}", next.cursor)).expect(200);
        assert_eq!(rest.list().tasks.len(), 1);
        let task = client.get(&path).task();
        assert_eq!((task.title.as_str(), task.version), ("second", 2));
        for (tag, status) in [(&next.tags[0], 412), (&next.tags[1], 200)] {
            client.send("PATCH", &path, &[("if-match", tag)], Some(json!({"title": "second"}))).expect(status);
        }
        kept.push(next);
    }
}

#[test]
fn a_key_of_an_erased_account_is_not_known() {
    let client = Client::new("erased-key");
    let first = client.keyed().task();
    assert_eq!(client.keyed().header("idempotency-replayed"), "true");
    client.erase();
    let second = client.keyed();
    assert!(!second.headers.contains_key("idempotency-replayed"));
    assert_ne!(second.task().id, first.id);
    assert_eq!(client.titles(), ["keyed"]);
    assert_eq!(client.keyed().header("idempotency-replayed"), "true");
}

#[test]
fn the_next_account_has_all_that_a_new_one_has() {
    let client = Client::new("erased-new");
    client.write(&format!("/tasks/{}", Uuid::now_v7()));
    client.erase();
    for n in 0..3 {
        let body = json!({"title": format!("word {n}"), "tags": ["a"], "due": {"date": "2026-12-01"}});
        client.send("POST", "/tasks", &[], Some(body)).expect(201);
    }
    for filter in
        ["", "completed=false&", "q=word&tag=a&", "due_before=2027-01-01&", "updated_since=2026-01-01T00:00:00Z&"]
    {
        let query = format!("/tasks?{filter}sort=title&limit=2&count=exact");
        let first = client.get(&query).expect(200).list();
        assert_eq!((first.tasks.len(), first.total), (2, Some(3)), "{query}");
        let rest = client.get(&format!("{query}&cursor={}", first.next_cursor.unwrap())).expect(200).list();
        assert_eq!((rest.tasks[0].title.as_str(), rest.next_cursor), ("word 2", None), "{query}");
    }
    // Slots and keys are named by it.
    assert_eq!(client.errand.admin_query("select count(number) from errand.account"), ["1"]);
}

/// How many writes an account has had says how long its walks are, and they are counted from the account's first number.
#[test]
fn a_list_of_the_next_account_does_not_end_early() {
    let scratch = scratch();
    let start = 3_i64 << 40;
    scratch.rows(&format!(
        "create or replace function errand.longest_walk() returns int language sql immutable as 'select 2';
         discard plans;
         insert into errand.account (user_id, seq, last_at, number) values
             ('alice', {start} + 2, now(), nextval('errand.account_number')),
             ('bob', {start} + 3, now(), nextval('errand.account_number'));
         insert into errand.task (user_id, id, seq, created_at, updated_at, completed, priority, tags, title)
         select name, gen_random_uuid(), {start} + n, now(), now(), false, 0, '{{}}', n
         from unnest(array['alice', 'bob']) as name, generate_series(1, 3) as n where n < 3 or name = 'bob';
         set local role errand_app"
    ));
    let list = r#"{"order": "title_asc", "limit": 9, "filter": {"completed": true}}"#;
    let ended = ["alice", "bob"]
        .map(|user| scratch.rows(&format!("select last_id is null from api.read_tasks('{user}', '{list}')")).concat());
    // The plans of the session have the other function's result in them.
    scratch.rows("rollback; discard plans");
    assert_eq!(ended, ["t", "f"]);
}

#[test]
fn an_officer_exports_and_erases_with_errand_db() {
    let client = Client::new("officer");
    let title = "žodžiai\n\"quoted\"";
    client.send("POST", "/tasks", &[], Some(json!({"title": title, "tags": ["a"]}))).expect(201);
    client.keyed();
    let folder = tempfile::tempdir().unwrap();
    let run = |action: Account| RUNTIME.block_on(Command::Account(action).run(client.errand.admin(), &Embedded));
    let user = || client.user.id.clone();
    let export = |name: &str| {
        let path = folder.path().join(name);
        run(Account::Export { user: user(), output: Some(path.clone()) }).unwrap();
        // Nobody else may read it.
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        serde_json::from_slice::<Value>(&std::fs::read(&path).unwrap()).unwrap()
    };
    let before = export("before.json");
    assert_eq!(before["user_id"], client.user.id);
    let titles: Vec<_> =
        before["tables"]["errand.task"].as_array().unwrap().iter().map(|task| &task["title"]).collect();
    assert!(titles.contains(&&json!(title)) && titles.len() == 2, "{titles:?}");
    run(Account::Erase { user: user(), yes: true }).unwrap();
    let after = export("after.json");
    assert!(after["tables"].as_object().unwrap().values().all(|rows| rows == &json!([])), "{after:#}");
    run(Account::Erase { user: user(), yes: true }).unwrap();
    assert_eq!(client.titles(), [""; 0]);
}
