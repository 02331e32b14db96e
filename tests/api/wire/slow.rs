//! Clients that take their time. Nobody else waits for them. Spin has no limit on how long a head or a body may take to
//! arrive, so none is tested: the gateway before it has to have one (docs/security.md).

use std::time::Duration;

use serde_json::json;

use super::connection::{Connection, Ended};
use super::{LIVE, TASK, still_serves};
use crate::support::User;

/// As many as an instance takes at once, a few times over.
const MANY: usize = 60;
/// More than an instance takes at once.
const SOME: usize = 20;

fn post(user: &User) -> String {
    format!(
        "POST /api/me/tasks HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         content-length: 13\r\nconnection: close\r\n\r\n",
        user.token
    )
}

#[test]
fn slow_heads_keep_nobody_waiting() {
    let mut slow: Vec<_> = (0..MANY)
        .map(|_| {
            let mut connection = Connection::open();
            connection.send(b"GET /health/live HTTP/1.1\r\nhost: loc");
            connection
        })
        .collect();
    still_serves();
    for connection in &mut slow {
        connection.send(b"alhost\r\nconnection: close\r\n\r\n");
    }
    for mut connection in slow {
        assert_eq!(connection.read_answer().unwrap().status, 200);
    }
}

#[test]
fn slow_bodies_keep_nobody_waiting() {
    // A user each: the writes of one would wait for one another, and that is not what is meant.
    let mut slow: Vec<_> = (0..SOME)
        .map(|_| {
            let (user, mut connection) = (User::new("slow"), Connection::open());
            connection.send(post(&user).as_bytes());
            connection.send(&TASK.as_bytes()[..5]);
            (user, connection)
        })
        .collect();
    still_serves();
    // An byte at a time is as good as all at once.
    for byte in &TASK.as_bytes()[5..] {
        for (_, connection) in &mut slow {
            connection.send(&[*byte]);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    for (user, mut connection) in slow {
        assert_eq!(connection.read_answer().unwrap().status, 201);
        assert_eq!(user.titles(""), ["t"]);
    }
}

#[test]
fn a_body_that_ends_early_is_not_taken_for_a_whole_one() {
    let user = User::new("early");
    // What has arrived by then is a whole task, but not the length that was announced.
    for lines in ["content-length: 14", "transfer-encoding: chunked"] {
        let mut connection = Connection::open();
        connection.send(post(&user).replace("content-length: 13", lines).as_bytes());
        let body = if lines.starts_with('c') { TASK.to_owned() } else { format!("d\r\n{TASK}\r\n") };
        connection.send(body.as_bytes());
        connection.finish();
        match connection.read_answer() {
            Ok(answer) => assert_eq!(answer.status, 400),
            Err(ended) => assert_ne!(ended, Ended::NotAtAll),
        }
    }
    assert!(user.get("/tasks").list().tasks.is_empty());
}

#[test]
fn clients_that_hang_up_leave_nothing_behind() {
    let user = User::new("gone");
    user.create(json!({"title": "t"}));
    let list = format!(
        "GET /api/me/tasks?limit=500 HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\r\n",
        user.token
    );
    for _ in 0..MANY {
        for request in [LIVE, list.as_str(), "GET /hea", &post(&user)] {
            Connection::open().send(request.as_bytes());
        }
    }
    still_serves();
    assert_eq!(user.titles(""), ["t"]);
}
