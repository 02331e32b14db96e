//! Many writers at once: what is acknowledged is there, once.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;
use uuid::Uuid;

use crate::support::{User, patiently};

fn create(user: &User, title: &str) -> Uuid {
    patiently(|| user.post("/tasks", json!({"title": title}))).expect(201).task().id
}

#[test]
fn ten_thousand_tasks_from_32_clients_are_all_there() {
    const TASKS: u32 = 10_000;
    let user = User::new("volume");
    let next = AtomicU32::new(0);
    let acknowledged: HashSet<_> = std::thread::scope(|threads| {
        let clients: Vec<_> = (0..32)
            .map(|_| {
                threads.spawn(|| {
                    let mut ids = Vec::new();
                    while next.fetch_add(1, Ordering::Relaxed) < TASKS {
                        ids.push(create(&user, &format!("task {}", ids.len())));
                    }
                    ids
                })
            })
            .collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    assert_eq!(acknowledged.len(), TASKS as usize);
    let mut listed = HashSet::new();
    let mut cursor = String::new();
    loop {
        let page = user.get(&format!("/tasks?limit=500&count=exact{cursor}")).expect(200).list();
        assert_eq!(page.total, Some(i64::from(TASKS)));
        for task in page.tasks {
            assert!(listed.insert(task.id), "{} is listed twice", task.id);
        }
        match page.next_cursor {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(listed, acknowledged);
}
