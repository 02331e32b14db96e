//! Many users at once, in random order: an answer has only data of the user who asked.
//!
//! Each title has the id of its user, so text of another user is recognized anywhere in an answer.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use uuid::Uuid;

use crate::support::{Reply, User, kind, patiently};

/// What every user's id in a run begins with, and how long ids are.
const MARK: &str = "tenant-";
const LENGTH: usize = MARK.len() + 36 + 4;

/// How many requests the long test sends; `cargo xtask test --leaks` sets it.
const LEAK_REQUESTS: &str = "ERRAND_TEST_LEAK_REQUESTS";

#[test]
fn interleaved_requests_of_many_users_stay_apart() {
    interleave(40, 16, 2_000);
}

#[test]
fn nothing_leaks_between_a_hundred_users() {
    let requests = std::env::var(LEAK_REQUESTS).ok().map_or(4_000, |text| text.parse().unwrap());
    interleave(100, 64, requests);
}

/// Reads that come together travel in arrays of text.
#[test]
fn users_whose_ids_need_quoting_stay_apart() {
    let run = Uuid::now_v7();
    let odd = ["", "x", ",", "{}", "\"", "\\", "'", "NULL", ",NULL", "é", "e\u{301}", "$1", "%s"];
    let users = odd.map(|odd| User::with_id(&format!("{odd}{run}{odd}")));
    std::thread::scope(|threads| {
        for user in &users {
            threads.spawn(|| {
                let body = json!({"title": user.id}).to_string();
                let headers = [("content-type", "application/json")];
                let made = user.send_to("POST", "/api/me/tasks", &headers, Some(body.as_bytes())).expect(201).task();
                for _ in 0..40 {
                    let read = user.send_to("GET", &format!("/api/me/tasks/{}", made.id), &[], None).expect(200).task();
                    assert_eq!((&read.owner_id, &read.title), (&user.id, &user.id));
                    let list = user.send_to("GET", "/api/me/tasks", &[], None).expect(200).list();
                    assert_eq!(list.tasks, [read]);
                }
            });
        }
    });
}

/// A user of the test, and what is known of their tasks.
struct Tenant {
    user: User,
    tasks: Mutex<HashMap<Uuid, i64>>,
}

fn interleave(users: usize, at_once: usize, requests: usize) {
    let run = Uuid::now_v7();
    let tenants: Vec<_> = (0..users)
        .map(|number| Tenant { user: User::with_id(&format!("{MARK}{run}-{number:03}")), tasks: Mutex::default() })
        .collect();
    let (next, begun) = (AtomicUsize::new(0), std::time::Instant::now());
    std::thread::scope(|threads| {
        for client in 0..at_once {
            let (tenants, next) = (&tenants, &next);
            threads.spawn(move || {
                let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ (client as u64 + 1));
                while next.fetch_add(1, Ordering::Relaxed) < requests {
                    let tenant = &tenants[random.below(tenants.len())];
                    let other = &tenants[random.below(tenants.len())];
                    tenant.act(other, &mut random);
                }
            });
        }
    });
    eprintln!("{requests} requests of {users} users, {at_once} at once: {:.0} s", begun.elapsed().as_secs_f64());
    // Everyone has what they made, all of it, and nothing else.
    for tenant in &tenants {
        let known = tenant.tasks.lock().unwrap().len() as i64;
        let list = tenant.checked(tenant.user.get("/tasks?limit=1&count=exact").expect(200)).list();
        assert_eq!(list.total, Some(known), "{}", tenant.user.id);
    }
    assert!(["native", "host", "host-p2", "spin", "spin-p2"].contains(&kind().as_str()));
}

impl Tenant {
    /// Sends one request and checks that its answer is this user's.
    fn act(&self, other: &Self, random: &mut Random) {
        let user = &self.user;
        let title = format!("of {} {}", user.id, random.below(1_000_000));
        let mine = self.any_task(random);
        let theirs = other.any_task(random).filter(|_| user.id != other.user.id);
        match (random.below(10), mine, theirs) {
            (0 | 1, ..) | (_, None, None) => {
                let task = self.checked(patiently(|| user.post("/tasks", json!({"title": title}))).expect(201)).task();
                self.tasks.lock().unwrap().insert(task.id, task.version);
            }
            (2, ..) => {
                let list = self.checked(user.get("/tasks?limit=20").expect(200)).list();
                assert!(list.tasks.iter().all(|task| task.owner_id == user.id));
            }
            // Words that stand in the titles of all.
            (3, ..) => {
                let list =
                    self.checked(patiently(|| user.get("/tasks?q=tenant&limit=20&sort=title")).expect(200)).list();
                assert!(list.tasks.iter().all(|task| task.owner_id == user.id));
            }
            (4, ..) => {
                let path = format!("/api/me/tasks?limit=5&cursor={}", "x".repeat(random.below(3)));
                self.checked(user.send_to("GET", &path, &[], None));
            }
            (5, Some(id), _) => {
                let reply = self.checked(patiently(|| user.patch(&format!("/tasks/{id}"), json!({"title": title}))));
                assert!(matches!(reply.status, 200 | 404), "{}", reply.body);
            }
            (6, Some(id), _) => {
                let reply = self.checked(user.get(&format!("/tasks/{id}")));
                assert!(matches!(reply.status, 200 | 404), "{}", reply.body);
                if reply.status == 200 {
                    assert_eq!((reply.task().id, reply.task().owner_id), (id, user.id.clone()));
                }
            }
            (7, _, Some(id)) => {
                self.checked(user.get(&format!("/tasks/{id}")).expect(404));
                self.checked(patiently(|| user.patch(&format!("/tasks/{id}"), json!({"title": title}))).expect(404));
                self.checked(patiently(|| user.delete(&format!("/tasks/{id}"))).expect(404));
            }
            (8, _, Some(_)) => {
                let reply = user.send_to("GET", &other.user.path("/tasks"), &[], None).expect(403);
                self.checked(reply);
            }
            (9, Some(id), _) if random.below(4) == 0 => {
                // Only the thread that removes the id from the map deletes the task, so it is counted once.
                if self.tasks.lock().unwrap().remove(&id).is_some() {
                    self.checked(patiently(|| user.delete(&format!("/tasks/{id}"))).expect(204));
                }
            }
            _ => {
                self.checked(patiently(|| user.get("/tasks?completed=false&sort=-updated_at&limit=3")).expect(200));
            }
        }
    }

    fn any_task(&self, random: &mut Random) -> Option<Uuid> {
        let tasks = self.tasks.lock().unwrap();
        let count = tasks.len();
        tasks.keys().nth(random.below(count.max(1))).copied()
    }

    /// Whatever looks like a user's id in the answer must be this user's.
    #[track_caller]
    fn checked(&self, reply: Reply) -> Reply {
        let headers = reply.headers.values().map(|value| value.to_str().unwrap());
        for text in headers.chain([reply.body.as_str()]) {
            for (at, _) in text.match_indices(MARK) {
                // A search for the mark alone is not an id.
                let Some(id) = text.get(at..at + LENGTH) else { continue };
                assert_eq!(id, self.user.id, "a leak: {text}");
            }
        }
        reply
    }
}

/// Xorshift: the same sequence in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % bound
    }
}
