//! HTTP/2 without TLS, frame by frame (RFC 9113). Here, too, hyper reads and the component must stand what comes of it.

use super::connection::{Connection, Ended};
use super::still_serves;
use crate::support::{User, kind};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Header fields, each a literal that is not indexed (RFC 7541, section 6.2.2).
fn fields(fields: &[(&str, &str)]) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    fields.iter().flat_map(|(name, value)| [vec![0], text(name), text(value)].concat()).collect()
}

fn get(path: &str) -> Vec<(&str, &str)> {
    vec![(":method", "GET"), (":scheme", "http"), (":authority", "localhost"), (":path", path)]
}

/// A connection on which these frames were sent, the last of them a farewell.
fn send(frames: &[Vec<u8>]) -> (Vec<(u8, Vec<u8>)>, Ended) {
    ask(frames, 0)
}

/// The same. Spin 4.0 closes the connection at the farewell, so there it is sent after so many answers.
fn ask(frames: &[Vec<u8>], answers: usize) -> (Vec<(u8, Vec<u8>)>, Ended) {
    let mut connection = Connection::open();
    connection.send(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat());
    connection.send(&frames.concat());
    if kind() == "spin-p2" {
        connection.read_until(|bytes| statuses(&split(bytes)).len() >= answers);
    }
    connection.send(&frame(GOAWAY, 0, 0, &[0; 8]));
    let (bytes, ended) = connection.read_bytes();
    (split(&bytes), ended)
}

/// The frames that are whole: kind and payload.
fn split(bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut found = Vec::new();
    let mut rest = bytes;
    while let Some((head, behind)) = rest.split_at_checked(9) {
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let Some((payload, behind)) = behind.split_at_checked(length) else { break };
        found.push((head[3], payload.to_vec()));
        rest = behind;
    }
    found
}

/// The status of each answer. hyper writes those that HPACK has in its table as one byte, others as a literal.
fn statuses(frames: &[(u8, Vec<u8>)]) -> Vec<u16> {
    let heads = frames.iter().filter(|(kind, _)| *kind == HEADERS);
    heads
        .map(|(_, payload)| match payload[..] {
            [0x88, ..] => 200,
            [0x89, ..] => 204,
            [0x8c, ..] => 400,
            [0x8d, ..] => 404,
            [0x8e, ..] => 500,
            _ => 0,
        })
        .collect()
}

#[test]
fn requests_are_answered() {
    let one = frame(HEADERS, END_STREAM | END_HEADERS, 1, &fields(&get("/health/live")));
    let other = frame(HEADERS, END_STREAM | END_HEADERS, 3, &fields(&get("/nothing")));
    let (frames, ended) = ask(&[one, other], 2);
    let mut found = statuses(&frames);
    found.sort_unstable();
    assert_eq!((found, ended), (vec![200, 404], Ended::Closed));
}

/// What must not be taken for a request, whatever else comes of it.
#[test]
fn frames_that_are_wrong_are_refused() {
    let live = get("/health/live");
    let head = |fields: &[u8]| frame(HEADERS, END_STREAM | END_HEADERS, 1, fields);
    let with = |name, value| fields(&[&live[..], &[(name, value)]].concat());
    let without = |name| fields(&live.iter().copied().filter(|(other, _)| *other != name).collect::<Vec<_>>());
    for (name, frames) in [
        ("a name in capitals", vec![head(&with("X", "y"))]),
        ("a name with a space", vec![head(&with("x ", "y"))]),
        ("a line end in a value", vec![head(&with("x", "y\r\nz: w"))]),
        ("NUL in a value", vec![head(&with("x", "y\0"))]),
        ("a pseudo-header that nobody knows", vec![head(&with(":status", "200"))]),
        ("a pseudo-header twice", vec![head(&with(":path", "/nothing"))]),
        ("a pseudo-header behind a header", vec![head(&[fields(&[("x", "y")]), fields(&live)].concat())]),
        ("no method", vec![head(&without(":method"))]),
        ("no path", vec![head(&without(":path"))]),
        ("no scheme", vec![head(&without(":scheme"))]),
        ("an empty path", vec![head(&fields(&[&live[..3], &[(":path", "")]].concat()))]),
        ("a path with a line end", vec![head(&fields(&[&live[..3], &[(":path", "/health/live\r\nx: y")]].concat()))]),
        ("connection", vec![head(&with("connection", "close"))]),
        ("transfer-encoding", vec![head(&with("transfer-encoding", "chunked"))]),
        ("a length that the body has not", vec![head(&with("content-length", "5"))]),
        ("fields that are none", vec![head(&[0xff; 40])]),
        ("an index that is not there", vec![head(&[0xfe])]),
        ("a stream of even number", vec![frame(HEADERS, END_STREAM | END_HEADERS, 2, &fields(&live))]),
        ("stream 0", vec![frame(HEADERS, END_STREAM | END_HEADERS, 0, &fields(&live))]),
        ("data before a head", vec![frame(DATA, END_STREAM, 1, b"x")]),
        ("a continuation of nothing", vec![frame(CONTINUATION, END_HEADERS, 1, &fields(&live))]),
        ("a frame that is too long", vec![frame(DATA, 0, 1, &[0; 20_000])]),
        ("settings of an odd length", vec![frame(SETTINGS, 0, 0, &[0; 5])]),
        ("a ping of an odd length", vec![frame(PING, 0, 0, &[0; 5])]),
        ("a window that overflows", vec![frame(WINDOW_UPDATE, 0, 0, &0x7fff_ffff_u32.to_be_bytes()); 2]),
        ("a window that grows by nothing", vec![frame(WINDOW_UPDATE, 0, 0, &[0; 4])]),
    ] {
        let (frames, ended) = send(&frames);
        let found = statuses(&frames);
        assert!(found.iter().all(|status| *status == 400), "{name}: {found:?}");
        assert_ne!(ended, Ended::NotAtAll, "{name}");
    }
    still_serves();
}

#[test]
fn floods_are_ended() {
    let live = fields(&get("/health/live"));
    let padding = fields(&[("x", &"y".repeat(100))]).repeat(100);
    let opened: Vec<_> = (0..1000_u32)
        .flat_map(|n| {
            [
                frame(HEADERS, END_STREAM | END_HEADERS, 2 * n + 1, &live),
                frame(RST_STREAM, 0, 2 * n + 1, &8_u32.to_be_bytes()),
            ]
        })
        .collect();
    let continued: Vec<_> = [frame(HEADERS, END_STREAM, 1, &live)]
        .into_iter()
        .chain(std::iter::repeat_n(frame(CONTINUATION, 0, 1, &padding), 500))
        .collect();
    for (name, frames) in [
        ("requests that are taken back at once", opened),
        ("a head without an end", continued),
        ("settings", vec![frame(SETTINGS, 0, 0, &[]); 5_000]),
        ("pings", vec![frame(PING, 0, 0, &[0; 8]); 5_000]),
        ("empty data", [vec![frame(HEADERS, END_HEADERS, 1, &live)], vec![frame(DATA, 0, 1, &[]); 5_000]].concat()),
    ] {
        let (frames, ended) = send(&frames);
        assert!(statuses(&frames).iter().all(|status| *status < 500), "{name}");
        // With a request that never ends, the connection is the client's to close.
        assert!(ended != Ended::NotAtAll || name == "empty data", "{name}");
    }
    still_serves();
}

#[test]
fn a_conversation_that_ends_before_it_began_is_over() {
    let cut_off = [PREFACE, &[0, 0, 200, HEADERS, END_HEADERS, 0, 0, 0, 1]].concat();
    for bytes in
        [&b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"[..], b"PRI * HTTP/1.1\r\nhost: localhost\r\n\r\n", PREFACE, &cut_off]
    {
        let mut connection = Connection::open();
        connection.send(bytes);
        connection.finish();
        assert_ne!(connection.read_bytes().1, Ended::NotAtAll);
    }
    still_serves();
}

/// A token and a path of the API, over HTTP/2 as over HTTP/1.1.
#[test]
fn a_user_is_the_same_over_http2() {
    let user = User::new("h2");
    let authorization = format!("Bearer {}", user.token);
    // The value is longer than one byte can say (RFC 7541, section 5.1).
    let length = authorization.len() - 127;
    let literal = [
        vec![0, 13],
        b"authorization".to_vec(),
        vec![127, u8::try_from(length % 128).unwrap() | 128, u8::try_from(length / 128).unwrap()],
        authorization.into_bytes(),
    ];
    let fields = [fields(&get("/api/me/tasks")), literal.concat()].concat();
    let (frames, _) = ask(&[frame(HEADERS, END_STREAM | END_HEADERS, 1, &fields)], 1);
    assert_eq!(statuses(&frames), [200]);
}
