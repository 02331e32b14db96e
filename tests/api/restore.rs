//! The restore drill: a dump of a database in use, writes that the restore takes back, and clients that kept what they had.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use errand_postgres::address::Address;
use errand_postgres::{cluster, migrate};
use errand_testing::{checkout, left_out};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{RUNTIME, Reply, SECRET, Target, User, target};

/// The orders that are walked, oldest or least first. What changes moves to another place in some of them.
const SORTS: [&str; 5] = ["-created_at", "-updated_at", "due", "-priority", "title"];

/// A client's copy of a representation.
struct Copy {
    path: String,
    tag: String,
    /// Without its entity tags, as those of other databases differ.
    body: Value,
}

/// A client in the middle of a list: the ids that it has seen, and where it goes on.
struct Walk {
    query: String,
    seen: Vec<String>,
    cursor: String,
}

/// What a client has at one time.
struct Client {
    copies: Vec<Copy>,
    walks: Vec<Walk>,
}

fn without_tags(mut body: Value) -> Value {
    if let Some(tasks) = body.get_mut("tasks") {
        tasks.as_array_mut().unwrap().iter_mut().for_each(|task| *task = without_tags(task.take()));
    }
    if let Some(members) = body.as_object_mut() {
        members.remove("etag");
        members.remove("next_cursor");
    }
    body
}

fn ids(page: &Reply) -> Vec<String> {
    page.json()["tasks"].as_array().unwrap().iter().map(|task| task["id"].as_str().unwrap().to_owned()).collect()
}

/// One user at one errand.
struct Account<'a> {
    errand: &'a Target,
    user: &'a User,
}

impl Account<'_> {
    fn send(&self, method: &str, rest: &str, headers: &[(&str, &str)], body: Option<Value>) -> Reply {
        self.errand.send_as(self.user, method, rest, headers, body.as_ref())
    }

    fn get(&self, rest: &str) -> Reply {
        self.send("GET", rest, &[], None)
    }

    fn create(&self, title: &str, key: Option<&str>) -> Reply {
        let headers: Vec<_> = key.iter().map(|key| ("idempotency-key", *key)).collect();
        let body = json!({"title": title, "priority": "medium", "due": {"date": "2026-12-24"}});
        self.send("POST", "/tasks", &headers, Some(body)).expect(201)
    }

    fn change(&self, id: &str, body: Value) {
        self.send("PATCH", &format!("/tasks/{id}"), &[], Some(body)).expect(200);
    }

    /// What a client has that reads everything now.
    fn client(&self) -> Client {
        let paths = ids(&self.get("/tasks").expect(200)).into_iter().map(|id| format!("/tasks/{id}"));
        let lists = ["/tasks", "/tasks?limit=2&sort=title", "/tasks?completed=false"].map(str::to_owned);
        let copies = paths.chain(lists).map(|path| {
            let reply = self.get(&path).expect(200);
            Copy { tag: reply.header("etag").to_owned(), body: without_tags(reply.json()), path }
        });
        let walks = SORTS
            .iter()
            .flat_map(|sort| ["", "&completed=false"].map(|filter| format!("/tasks?limit=2&sort={sort}{filter}")));
        let walks = walks.map(|query| {
            let page = self.get(&query).expect(200);
            let cursor = page.list().next_cursor.expect("the list has one page");
            Walk { seen: ids(&page), query, cursor }
        });
        Client { copies: copies.collect(), walks: walks.collect() }
    }

    /// The representation as it is, if it is there.
    fn now(&self, path: &str) -> Option<Value> {
        let reply = self.get(path);
        (reply.status == 200).then(|| without_tags(reply.json()))
    }

    /// 304 must mean that the copy is what is there, and a guarded write must not go over what its client has not seen.
    fn try_copies(&self, client: &Client, wrong: &mut Vec<String>) {
        for Copy { path, tag, body } in &client.copies {
            let now = self.now(path);
            let reply = self.send("GET", path, &[("if-none-match", tag)], None);
            match reply.status {
                304 if now.as_ref() != Some(body) => wrong.push(format!("304 {path}: {now:?}, and not {body}")),
                200 | 304 => {}
                status => assert_eq!((status, &now), (404, &None), "{path}"),
            }
            if path.contains('?') || path == "/tasks" {
                continue;
            }
            let reply = self.send("PATCH", path, &[("if-match", tag)], Some(json!({"description": tag})));
            match reply.status {
                200 if now.as_ref() != Some(body) => wrong.push(format!("lost update {path}: {now:?}, and not {body}")),
                200 | 412 => {}
                status => assert_eq!((status, &now), (404, &None), "{path}"),
            }
        }
    }

    /// A walk must end with every task seen, or be refused.
    fn try_walks(&self, client: &Client, wrong: &mut Vec<String>) {
        let all = ids(&self.get("/tasks").expect(200));
        for walk in &client.walks {
            let (mut seen, mut cursor) = (walk.seen.clone(), Some(walk.cursor.clone()));
            let mut refused = false;
            while let Some(from) = cursor {
                let page = self.get(&format!("{}&cursor={from}", walk.query));
                if page.status == 400 {
                    assert_eq!(page.mistakes(), ["cursor"]);
                    refused = true;
                    break;
                }
                seen.extend(ids(&page.clone().expect(200)));
                cursor = page.list().next_cursor;
            }
            let missed: Vec<_> = all.iter().filter(|id| !seen.contains(id)).collect();
            if !refused && !missed.is_empty() {
                wrong.push(format!("skipped {}: {missed:?}", walk.query));
            }
        }
    }

    /// A replay must be of a write that is there, and its tag must name what is there.
    fn try_key(&self, title: &str, key: &str, written: bool, wrong: &mut Vec<String>) {
        let reply = self.create(title, Some(key));
        let path = format!("/tasks/{}", reply.task().id);
        let replayed = reply.headers.contains_key("idempotency-replayed");
        if replayed != written {
            wrong.push(format!("key {key}: replayed is {replayed}, and written {written}"));
        }
        let now = self.now(&path);
        if now.as_ref() != Some(&without_tags(reply.json())) {
            wrong.push(format!("key {key}: {now:?} is there, and not {}", reply.body));
        }
        self.send("GET", &path, &[("if-none-match", reply.header("etag"))], None).expect(304);
    }
}

/// A dump in PostgreSQL's custom format, in a folder that goes with it.
struct Dump {
    _folder: TempDir,
    file: PathBuf,
    restore: PathBuf,
}

impl Dump {
    /// `None` where that cannot be done here.
    fn of(database: &Address) -> Option<Self> {
        let [Some(dump), Some(restore)] =
            ["pg_dump", "pg_restore"].map(|program| cluster::client_program(&checkout(), program))
        else {
            left_out("pg_dump and pg_restore are not installed (Debian: postgresql-client)");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("dump");
        let dumped = Command::new(dump)
            .args(["--format=custom", "--file"])
            .arg(&file)
            .envs(database.libpq_env())
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&dumped.stderr);
        if told.contains("server version mismatch") {
            left_out("this pg_dump is older than the server");
            return None;
        }
        assert!(dumped.status.success(), "{told}");
        Some(Self { _folder: folder, file, restore })
    }

    /// Fills an empty database.
    fn restore(&self, to: &Address) {
        let mut command = Command::new(&self.restore);
        command.args(["--exit-on-error", "--dbname", to.database()]).arg(&self.file).envs(to.libpq_env());
        assert!(command.stdin(Stdio::null()).status().unwrap().success(), "the dump could not be restored");
    }
}

const VARIABLES: [(&str, &str); 1] = [("jwt_secret", SECRET)];

/// What goes wrong at a restored database, told of the restore or not.
fn wrong_answers(dump: &Dump, told: bool, user: &User, ids: &[String], clients: &[Client; 2]) -> Vec<String> {
    // Migrated, too, for the settings of the logins.
    let errand = target().start_on_filled_database(&VARIABLES, |database| dump.restore(database));
    if told {
        RUNTIME.block_on(migrate::begin_epoch(errand.admin())).unwrap();
    }
    let account = Account { errand: &errand, user };
    let mut wrong = Vec::new();
    for client in clients {
        account.try_walks(client, &mut wrong);
    }
    account.try_key("keyed before", "before", true, &mut wrong);
    // As many writes as the lost ones, and others: each number names another state now.
    for (n, id) in ids.iter().enumerate() {
        account.change(id, json!({"title": format!("restored {n}"), "priority": "low"}));
    }
    for client in clients.iter().rev() {
        account.try_copies(client, &mut wrong);
    }
    account.try_key("keyed after", "after", false, &mut wrong);
    wrong
}

#[test]
fn after_a_restore_no_client_is_given_wrong_data() {
    let user = User::new("drill");
    let errand = target().start_on_another_database(&VARIABLES);
    let account = Account { errand: &errand, user: &user };
    let ids: Vec<_> = ["a", "b", "c", "d"].map(|title| account.create(title, None).task().id.to_string()).into();
    account.create("keyed before", Some("before"));
    account.change(&ids[1], json!({"priority": "high"}));
    let before = account.client();
    let Some(dump) = Dump::of(errand.admin()) else { return };

    // The future that does not happen: tasks move to other places in each order, one goes, and others come.
    account.change(&ids[0], json!({"title": "z", "priority": "high", "due": {"date": "2027-01-01"}}));
    account.change(&ids[3], json!({"title": "y", "priority": "high", "due": null}));
    account.send("DELETE", &format!("/tasks/{}", ids[2]), &[], None).expect(204);
    account.create("keyed after", Some("after"));
    account.create("e", None);
    account.change(&ids[1], json!({"title": "x"}));
    let clients = [before, account.client()];

    assert_eq!(wrong_answers(&dump, true, &user, &ids, &clients), [""; 0]);
    // The proof that this sees it: a database that was not told of the restore.
    let wrong = wrong_answers(&dump, false, &user, &ids, &clients);
    for kind in [
        "304 /tasks/",
        "304 /tasks:",
        "lost update /tasks/",
        "skipped /tasks?limit=2&sort=-updated_at",
        "skipped /tasks?limit=2&sort=title",
    ] {
        assert!(wrong.iter().any(|what| what.starts_with(kind)), "no {kind} among {wrong:#?}");
    }
}
