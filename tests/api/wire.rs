//! What no well-behaved client sends, as bytes on a connection: each row of the tables is one way to confuse a server,
//! and the statuses of the answers that it gets. hyper reads the bytes, in Spin as here; what it lets through, the
//! component must stand. After each table errand still serves. No row causes a trap, a hang or a 500 of the
//! component.
//!
//! `[]` is a connection that is closed without an answer.

mod connection;
mod h2;
mod slow;

use serde_json::json;

use crate::support::{User, kind};
use connection::{Connection, Ended};

/// A row: what it is called, what is sent, the statuses that come back; several lists where a runtime has the choice.
struct Row {
    name: String,
    bytes: Vec<u8>,
    allowed: Vec<Vec<u16>>,
}

impl Row {
    fn or(mut self, statuses: &[u16]) -> Self {
        self.allowed.push(statuses.to_owned());
        self
    }
}

/// A request that every errand answers with 200.
const LIVE: &str = "GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
/// A task of 13 bytes.
const TASK: &str = r#"{"title":"t"}"#;

/// Sends each row on a connection of its own, and reads until errand closes it.
#[track_caller]
fn check(rows: impl IntoIterator<Item = Row>) {
    let mut wrong = Vec::new();
    for Row { name, bytes, allowed } in rows {
        let mut connection = Connection::open();
        connection.send(&bytes);
        let (answers, ended) = connection.read_to_end();
        for answer in &answers {
            if answer.status >= 400 && !answer.body.is_empty() {
                let problem: errand::api::ProblemBody = serde_json::from_slice(&answer.body).unwrap();
                assert_eq!(
                    (problem.status, answer.content_type()),
                    (answer.status, Some("application/problem+json")),
                    "{name}"
                );
            }
        }
        let found: Vec<_> = answers.iter().map(|answer| answer.status).collect();
        if !allowed.contains(&found) || ended == Ended::NotAtAll {
            wrong.push(format!("{name}: {found:?}, {ended:?}, not {allowed:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    still_serves();
}

/// Reading, writing and searching still work.
#[track_caller]
fn still_serves() {
    let user = User::new("after");
    user.create(json!({"title": "still here"}));
    assert_eq!(user.titles("?q=still"), ["still here"]);
}

fn row(name: &str, bytes: impl Into<Vec<u8>>, statuses: &[u16]) -> Row {
    Row { name: name.to_owned(), bytes: bytes.into(), allowed: vec![statuses.to_owned()] }
}

/// A row about Spin's own doings, which the local host shares: what the component never sees, the native server answers.
fn row_of_spin(name: &str, bytes: impl Into<Vec<u8>>, spin: &[u16], native: &[u16]) -> Row {
    row(name, bytes, if kind() == "native" { native } else { spin })
}

#[test]
fn a_request_that_two_servers_may_read_differently_is_read_in_one_way() {
    let user = User::new("framing");
    let framed = |name: &str, lines: &str, body: &str, statuses: &[u16]| {
        let head = format!(
            "POST /api/me/tasks HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n",
            user.token
        );
        row(name, format!("{head}{lines}\r\n\r\n{body}"), statuses)
    };
    let close = |lines: &str| format!("{lines}\r\nconnection: close");
    let chunked = close("transfer-encoding: chunked");
    let whole = format!("d\r\n{TASK}\r\n0\r\n\r\n");
    let smuggled = format!("0\r\n\r\n{LIVE}");
    let chunk = |size: &str| format!("{size}\r\n{TASK}\r\n0\r\n\r\n");
    let rows = vec![
        framed("a length", &close("content-length: 13"), TASK, &[201]),
        framed("chunks", &chunked, &whole, &[201]),
        framed("no length", &close("x: y"), "", &[400]),
        // Chunks override a length, or the request is refused; either way the length ends nothing (RFC 9112, section 6.3).
        // By the length, the second request would begin in the middle of a word, and be answered with 400. The connection
        // must then be closed (section 6.1); the hyper of Spin 4.1 is older than that rule, and serves the second request.
        framed("a length and chunks", "content-length: 6\r\ntransfer-encoding: chunked", &smuggled, &[400])
            .or(&[400, 200]),
        framed("chunks and a length", "transfer-encoding: chunked\r\ncontent-length: 6", &smuggled, &[400])
            .or(&[400, 200]),
        framed("a length that is too short", "content-length: 6", &format!("{{}}    {LIVE}"), &[400, 200]),
        framed("the same length twice", &close("content-length: 13\r\ncontent-length: 13"), TASK, &[201]),
        framed("two lengths", "content-length: 13\r\ncontent-length: 0", TASK, &[400]),
        framed("two lengths, the first one zero", "content-length: 0\r\ncontent-length: 13", TASK, &[400]),
        framed("a list of lengths", "content-length: 13, 13", TASK, &[400]),
        framed("a length with a plus", "content-length: +13", TASK, &[400]),
        framed("a negative length", "content-length: -1", TASK, &[400]),
        framed("a hexadecimal length", "content-length: 0x0d", TASK, &[400]),
        framed("a length with a gap", "content-length: 1 3", TASK, &[400]),
        framed("an empty length", "content-length:", TASK, &[400]),
        framed("a length with a fraction", "content-length: 13.0", TASK, &[400]),
        framed("a length of 2^64", "content-length: 18446744073709551616", TASK, &[400]),
        // Spin's library for components takes no number above that.
        framed("a length of 2^63", "content-length: 9223372036854775808", TASK, &[413]),
        framed("a length of 2^63 - 1", "content-length: 9223372036854775807", TASK, &[413]),
        // One byte over the limit. Sent without a body, because the server may close the connection before it is read.
        framed("a length of 400 KiB and one", "content-length: 409601", TASK, &[413]),
        framed("a length of a terabyte", "content-length: 1099511627776", TASK, &[413]),
        framed("a length with zeros before it", &close("content-length: 0000000000000000000000013"), TASK, &[201]),
        framed("a length with white space around it", &close("content-length: \t 13 \t"), TASK, &[201]),
        framed("a length with an underscore in its name", &close("content_length: 13"), "", &[400]),
        framed("chunked in capitals", &close("transfer-encoding: CHUNKED"), &whole, &[201]),
        framed("chunked behind a tab", &close("transfer-encoding:\tchunked"), &whole, &[201]),
        framed("a coding before chunked", &close("transfer-encoding: gzip, chunked"), &whole, &[201]),
        framed("a coding after chunked", "transfer-encoding: chunked, identity", &smuggled, &[400]),
        framed("identity", "transfer-encoding: identity", &smuggled, &[400]),
        framed("an unknown coding", "transfer-encoding: xchunked", &smuggled, &[400]),
        framed("chunked in quotes", "transfer-encoding: \"chunked\"", &smuggled, &[400]),
        framed("chunked behind a vertical tab", "transfer-encoding: \u{b}chunked", &smuggled, &[400]),
        framed("chunked with a NUL", "transfer-encoding: chunked\0", &smuggled, &[400]),
        framed(
            "chunked, and in another line not",
            "transfer-encoding: chunked\r\ntransfer-encoding: identity",
            &smuggled,
            &[400],
        ),
        framed("chunked with a space before the colon", "transfer-encoding : chunked", &smuggled, &[400]),
        framed("chunked in a folded line", "transfer-encoding:\r\n chunked", &smuggled, &[400]),
        framed("chunked in a line that begins with a space", "x: y\r\n transfer-encoding: chunked", &smuggled, &[400]),
        framed("chunked in HTTP's other name for it", &close("te: chunked"), "", &[400]),
        framed("a chunk of 2^68 bytes", &chunked, &chunk("fffffffffffffffff"), &[400]),
        framed("a chunk of 2^64 - 1 bytes", &chunked, &format!("ffffffffffffffff\r\n{}", " ".repeat(409_601)), &[413]),
        framed("a chunk with a negative size", &chunked, &chunk("-d"), &[400]),
        framed("a chunk with a plus", &chunked, &chunk("+d"), &[400]),
        framed("a chunk with a prefix", &chunked, &chunk("0xd"), &[400]),
        framed("a chunk without a size", &chunked, &chunk(""), &[400]),
        framed("a chunk with zeros before its size", &chunked, &chunk("000000000000000d"), &[201]),
        framed("a chunk with an extension", &chunked, &chunk("d;a=b;c=\"d\""), &[201]),
        framed("a chunk with an extension of 64 KiB", &chunked, &chunk(&format!("d;{}", "a".repeat(65_536))), &[400]),
        framed("a chunk with a line end in its extension", &chunked, &chunk("d;a=\nb"), &[400]),
        framed("a chunk that is longer than it says", &chunked, &chunk("c"), &[400]),
        framed("a chunk that ends in LF alone", &chunked, &format!("d\r\n{TASK}\n0\r\n\r\n"), &[400]),
        framed("trailers", &chunked, &format!("d\r\n{TASK}\r\n0\r\nx: y\r\n\r\n"), &[201]),
        framed("trailers that frame", &chunked, &format!("d\r\n{TASK}\r\n0\r\ncontent-length: 99\r\n\r\n"), &[201]),
        framed(
            "trailers of 64 KiB",
            &chunked,
            &format!("d\r\n{TASK}\r\n0\r\nx: {}\r\n\r\n", "y".repeat(65_536)),
            &[400],
        ),
        framed(
            "chunks of one byte each",
            &chunked,
            &(TASK.chars().map(|c| format!("1\r\n{c}\r\n")).collect::<String>() + "0\r\n\r\n"),
            &[201],
        ),
        framed(
            "more than fits in chunks",
            &chunked,
            &format!("{:x}\r\n{}\r\n0\r\n\r\n", 65_537, " ".repeat(65_537)),
            &[413],
        ),
    ];
    let created = rows.iter().filter(|row| row.allowed.iter().flatten().any(|status| *status == 201)).count();
    check(rows);
    assert_eq!(user.get("/tasks?limit=500").list().tasks.len(), created, "a task was made by what looked refused");
}

#[test]
fn the_head_of_a_request_is_read_strictly() {
    let live = |name: &str, lines: &str, statuses: &[u16]| {
        row(
            name,
            format!("GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{lines}\r\n\r\n"),
            statuses,
        )
    };
    let first = |name: &str, line: &str, statuses: &[u16]| {
        row(name, format!("{line}\r\nhost: localhost\r\nconnection: close\r\n\r\n"), statuses)
    };
    check([
        live("a plain one", "x: y", &[200]),
        row("LF alone", "GET /health/live HTTP/1.1\nhost: localhost\nconnection: close\n\n", &[200]),
        live("CR alone in a value", "x: a\rb: c", &[400]),
        live("CR alone behind a line", "x: a\r\r", &[400]),
        live("NUL in a value", "x: a\0b", &[400]),
        live("NUL in a name", "x\0: a", &[400]),
        live("no colon", "x", &[400]),
        live("no name", ": x", &[400]),
        live("a space before the colon", "x : a", &[400]),
        live("a parenthesis in a name", "x(y): a", &[400]),
        live("a name beyond ASCII", "\u{17e}: a", &[400]),
        live("a folded line", "x: a\r\n b", &[400]),
        live("a control character in a value", "x: a\u{7}b", &[400]),
        live("an empty value", "x:", &[200]),
        live("UTF-8 in a value", "x: \u{17e}", &[200]),
        // Spin's own answer; the component never sees it.
        row_of_spin(
            "no UTF-8 in a value",
            [&b"GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx: \xe9\r\n\r\n"[..]].concat(),
            &[500],
            &[200],
        ),
        live("ninety headers", &vec!["x: y"; 90].join("\r\n"), &[200]),
        live("a thousand headers", &vec!["x: y"; 1000].join("\r\n"), &[431]),
        live("a header of 64 KiB", &format!("x: {}", "y".repeat(65_536)), &[200]),
        live("a header of 1 MiB", &format!("x: {}", "y".repeat(1 << 20)), &[431]),
        live("a name of 70,000 letters", &format!("{}: y", "x".repeat(70_000)), &[431]),
        first("no version", "GET /health/live", &[400]),
        first("two spaces", "GET  /health/live HTTP/1.1", &[400]),
        first("a tab", "GET\t/health/live\tHTTP/1.1", &[400]),
        first("a space behind the version", "GET /health/live HTTP/1.1 ", &[400]),
        first("a space before the method", " GET /health/live HTTP/1.1", &[400]),
        first("lines before the first one", "\r\n\r\nGET /health/live HTTP/1.1", &[200]),
        first("no target", "GET HTTP/1.1", &[400]),
        first("a target that is no path", "GET health/live HTTP/1.1", &[400]),
        first("HTTP/1.0", "GET /health/live HTTP/1.0", &[200]),
        first("HTTP/1.2", "GET /health/live HTTP/1.2", &[400]),
        first("HTTP/2.0", "GET /health/live HTTP/2.0", &[400]),
        first("HTTP/0.9", "GET /health/live HTTP/0.9", &[400]),
        first("http/1.1", "GET /health/live http/1.1", &[400]),
        first("a method in small letters", "get /health/live HTTP/1.1", &[405]),
        first("a method that nobody knows", "FROB /health/live HTTP/1.1", &[405]),
        first("a method of 10,000 letters", &format!("{} /health/live HTTP/1.1", "A".repeat(10_000)), &[405]),
        first("a method with a colon", "GE:T /health/live HTTP/1.1", &[400]),
        first("TRACE", "TRACE /health/live HTTP/1.1", &[405]),
        first("OPTIONS of everything", "OPTIONS * HTTP/1.1", &[404]),
        first("GET of everything", "GET * HTTP/1.1", &[404]),
        first("OPTIONS of a path", "OPTIONS /api/me/tasks HTTP/1.1", &[204]),
        first("HEAD", "HEAD /health/live HTTP/1.1", &[200]),
        first("HEAD of nothing", "HEAD /nothing HTTP/1.1", &[404]),
        row_of_spin(
            "CONNECT",
            "CONNECT localhost:80 HTTP/1.1\r\nhost: localhost:80\r\nconnection: close\r\n\r\n",
            &[],
            &[404],
        ),
        first("a target of 60,000 bytes", &format!("GET /{} HTTP/1.1", "a".repeat(60_000)), &[404]),
        first("a target of 70,000 bytes", &format!("GET /{} HTTP/1.1", "a".repeat(70_000)), &[414]),
        first("a query of 60,000 bytes", &format!("GET /health/live?{} HTTP/1.1", "a".repeat(60_000)), &[200]),
        first("the whole URL", "GET http://localhost/health/live HTTP/1.1", &[200]),
        // Spin wants one authority and no other, and hangs up otherwise.
        row_of_spin(
            "the URL of another host",
            "GET http://evil.example/health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
            &[],
            &[200],
        ),
        row_of_spin("no Host", "GET /health/live HTTP/1.1\r\nconnection: close\r\n\r\n", &[], &[200]),
        row_of_spin(
            "a Host that is none",
            "GET /health/live HTTP/1.1\r\nhost: a b\r\nconnection: close\r\n\r\n",
            &[],
            &[200],
        ),
        row(
            "the Host of somebody else",
            "GET /health/live HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n",
            &[200],
        ),
        live("two Hosts", "host: evil.example", &[200]),
        first(
            "a URL with a user",
            "GET http://user:pass@localhost/health/live HTTP/1.1",
            if kind() == "native" { &[200] } else { &[] },
        ),
        live("an upgrade to HTTP/2", "upgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__", &[200]),
        live("an upgrade to WebSocket", "upgrade: websocket\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==", &[200]),
        live("an expectation that nobody knows", "expect: the-unexpected", &[200]),
        live("a range", "range: bytes=0-0", &[200]),
        row("three requests at once", LIVE.replace("connection: close\r\n", "").repeat(2) + LIVE, &[200, 200, 200]),
        row("a hundred requests at once", LIVE.replace("connection: close\r\n", "").repeat(99) + LIVE, &[200; 100]),
        row(
            "a bad one between two good ones",
            LIVE.replace("connection: close\r\n", "") + "GET /nothing HTTP/1.1\r\nhost: localhost\r\n\r\n" + LIVE,
            &[200, 404, 200],
        ),
        row(
            "nothing one can read between two good ones",
            LIVE.replace("connection: close\r\n", "") + "\u{1}\r\n\r\n" + LIVE,
            &[200, 400],
        ),
        row("a request of TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), &[400]),
    ]);
}

#[test]
fn a_path_means_one_thing() {
    let user = User::new("paths");
    let task = user.create(json!({"title": "t"})).id.to_string();
    let get = |path: &str, statuses: &[u16]| {
        let head = format!("host: localhost\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n", user.token);
        row(path, [b"GET ", path.as_bytes(), b" HTTP/1.1\r\n", head.as_bytes()].concat(), statuses)
    };
    check([
        get("/api/me/tasks", &[200]),
        get("/api/%6de/tasks", &[200]),
        get("/api/%6De/tasks?", &[200]),
        get("/api/me%2Ftasks", &[404]),
        get("/api%2Fme%2Ftasks", &[404]),
        get("/api/me/%74asks", &[404]),
        get("/api/me%5Ctasks", &[404]),
        get("/api\\me\\tasks", &[404]),
        get("//api/me/tasks", &[404]),
        get("/api//me/tasks", &[404]),
        get("/api//tasks", &[403]),
        get("/api/me/tasks/", &[404]),
        get("/api/me/tasks//", &[404]),
        get("/API/me/tasks", &[404]),
        get("/api/ME/tasks", &[403]),
        get("/api/me;a=b/tasks", &[403]),
        get("/api/me%20/tasks", &[403]),
        get("/api/me%00/tasks", &[403]),
        get("/api/%00/tasks", &[403]),
        get("/api/me/tasks%00", &[404]),
        get("/api/me/tasks.json", &[404]),
        get("/api/./me/tasks", &[404]),
        get("/api/other/../me/tasks", &[404]),
        get("/api/other/%2e%2e/me/tasks", &[404]),
        get("/health/live/../../api/me/tasks", &[404]),
        get("/api/../tasks", &[403]),
        get("/api/%2e%2e/tasks", &[403]),
        get("/api/%/tasks", &[403]),
        get("/api/%zz/tasks", &[403]),
        get("/api/%ff/tasks", &[400]),
        get("/api/%c0%ae/tasks", &[400]),
        get("/api/%ed%a0%80/tasks", &[400]),
        get("/api/me/tasks/%ff", &[400]),
        get("/api/me/tasks/%00", &[400]),
        get("/api/me/tasks/..", &[400]),
        get("/api/me/tasks/%2e%2e%2f", &[400]),
        get(&format!("/api/me/tasks/{task}"), &[200]),
        get(&format!("/api/me/tasks/{}", task.to_uppercase()), &[200]),
        get(&format!("/api/me/tasks/{task}%00"), &[400]),
        get(&format!("/api/me/tasks/%{:x}{}", task.as_bytes()[0], &task[1..]), &[200]),
        get(&format!("/api/me/tasks/{}", task.replace('-', "")), &[400]),
        get(&format!("/api/me/tasks/{{{task}}}"), &[400]),
        get(&format!("/api/me/tasks/urn:uuid:{task}"), &[400]),
        get(&format!("/api/{}/tasks", "a".repeat(10_000)), &[403]),
        get("/api/me/tasks#fragment", &[200]),
        get("/api/me/tasks?limit=1#fragment", &[200]),
        get("/api/me/tasks?q=%00", &[400]),
        get("/api/me/tasks?%00=1", &[400]),
        get("/api/me/tasks?q=%ff", &[400]),
        get("/api/me/tasks?%ff", &[400]),
        get("/api/me/tasks?q=%", &[200]),
        get("/api/me/tasks?limit=1;sort=due", &[400]),
        get("/api/me/tasks?limit=1&&&", &[200]),
        get("/api/me/tasks?=", &[400]),
        get("/api/me/tasks?limit=1?sort=due", &[400]),
        get("/api/me/tasks?limit=1%26sort=due", &[400]),
        get("/api/me/tasks?limit=%31", &[200]),
        get("/api/me/tasks?li%6dit=1", &[200]),
        get("/api/me/tasks?limit=1&li%6dit=2", &[400]),
        get(&format!("/api/me/tasks?{}", "tag=a&".repeat(9_000)), &[200]),
        get(&format!("/api/me/tasks?{}", "x=1&".repeat(12_000)), &[400]),
        get(&format!("/api/me/tasks?{}", (0..10_000).map(|n| format!("{n:04x}&")).collect::<String>()), &[400]),
        get(&format!("/api/me/tasks?{}", (0..6_000).map(|n| format!("tag={n:04x}&")).collect::<String>()), &[200]),
        get(
            &format!("/api/me/tasks?tag={}", (0..10_000).map(|n| format!("{n:04x},")).collect::<String>() + "x"),
            &[200],
        ),
        // Spin 4.0 refuses a path that is not ASCII.
        get("/api/\u{17e}/tasks", &[403]).or(if kind() == "spin-p2" { &[400] } else { &[403] }),
    ]);
}

#[test]
fn a_client_that_waits_for_leave_to_send_its_body_gets_it() {
    let user = User::new("expect");
    let head = |lines: &str| {
        format!(
            "POST /api/me/tasks HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\ncontent-length: 13\r\nexpect: \
             100-continue\r\nconnection: close\r\n{lines}\r\n\r\n",
            user.token
        )
    };
    let mut connection = Connection::open();
    connection.send(head("content-type: application/json").as_bytes());
    assert_eq!(connection.read_answer().unwrap().status, 100);
    connection.send(TASK.as_bytes());
    assert_eq!(connection.read_answer().unwrap().status, 201);
    // What would be refused in any case is refused before it is sent.
    let mut connection = Connection::open();
    connection.send(head("content-type: text/plain").as_bytes());
    assert_eq!(connection.read_answer().unwrap().status, 415);
    assert_eq!(user.get("/tasks").list().tasks.len(), 1);
}
