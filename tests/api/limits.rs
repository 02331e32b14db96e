//! Both sides of each limit: the last good value, and the first bad one.

use serde_json::{Value, json};

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

use crate::support::{Answer, Issuer, Signer, User, jwks, scratch, target};
use crate::tokens::claims;

/// A word of this many characters, each of two bytes.
fn long(characters: usize) -> String {
    "ž".repeat(characters)
}

#[test]
fn of_a_task() {
    let user = User::new("limits-task");
    let tags = |count: usize| json!((0..count).map(|number| number.to_string()).collect::<Vec<_>>());
    let path = format!("/tasks/{}", user.create(json!({"title": "t"})).id);
    for (field, good, bad, place) in [
        ("title", json!(long(1)), json!(""), "/title"),
        ("title", json!(long(255)), json!(long(256)), "/title"),
        // White space around a title is not of it.
        ("title", json!(format!(" {} ", long(255))), json!(format!(" {} ", long(256))), "/title"),
        ("description", json!(long(10_000)), json!(long(10_001)), "/description"),
        ("tags", tags(20), tags(21), "/tags"),
        ("tags", json!([long(50)]), json!([long(51)]), "/tags/0"),
        ("tags", json!([long(1)]), json!([""]), "/tags/0"),
    ] {
        let with = |value: &Value| {
            let mut body = json!({"title": "t", "completed": false});
            body[field] = value.clone();
            body
        };
        user.post("/tasks", with(&good)).expect(201);
        user.put(&path, with(&good)).expect(200);
        user.patch(&path, json!({field: good})).expect(200);
        for reply in
            [user.post("/tasks", with(&bad)), user.put(&path, with(&bad)), user.patch(&path, json!({field: bad}))]
        {
            assert_eq!(reply.mistakes(), [place]);
        }
    }
}

#[test]
fn of_a_list() {
    let user = User::new("limits-list");
    user.create(json!({"title": long(200)}));
    let words = |count: usize| vec!["a"; count].join("+");
    for (name, good, bad) in [
        ("limit", "1", "0"),
        ("limit", "500", "501"),
        ("q", &*long(200), &*long(201)),
        ("q", &words(100), &words(101)),
        ("tag", &*long(50), &*long(51)),
    ] {
        user.get(&format!("/tasks?{name}={good}")).expect(200);
        assert_eq!(user.get(&format!("/tasks?{name}={bad}")).mistakes(), [name], "{bad}");
    }
    // What is allowed is searched for whole.
    assert_eq!(user.titles(&format!("?q={}", long(200))).len(), 1);
    assert_eq!(user.titles(&format!("?q={}+b", long(198))).len(), 0);
}

#[test]
fn of_headers_and_bodies() {
    let user = User::new("limits-header");
    let create = |headers: &[(&str, &str)]| user.with_json("POST", "/tasks", headers, json!({"title": "t"}));
    let (key, id) = ("k".repeat(256), "r".repeat(129));
    create(&[("idempotency-key", &key[1..])]).expect(201);
    create(&[("idempotency-key", &format!("\"{}\"", &key[1..]))]).expect(201);
    assert_eq!(create(&[("idempotency-key", &key)]).mistakes(), ["Idempotency-Key"]);
    assert_eq!(create(&[("x-request-id", &id[1..])]).header("x-request-id"), &id[1..]);
    assert_ne!(create(&[("x-request-id", &id)]).header("x-request-id"), id);
    let send = |length| {
        let mut body = json!({"title": "t"}).to_string().into_bytes();
        body.resize(length, b' ');
        user.send("POST", "/tasks", &[("content-type", "application/json")], Some(&body))
    };
    send(64 * 1024).expect(201);
    send(64 * 1024 + 1).expect(413);
}

#[test]
fn of_time_zones() {
    let user = User::new("limits-zone");
    let create = |zone: &str| {
        let due = json!({"date": "2026-12-01", "time": "12:00", "time_zone": zone});
        user.post("/tasks", json!({"title": "t", "due": due}))
    };
    for (zone, instant) in [
        ("Etc/GMT-14", "2026-11-30T22:00:00Z"),
        ("Etc/GMT+12", "2026-12-02T00:00:00Z"),
        ("Etc/GMT-0", "2026-12-01T12:00:00Z"),
        ("Etc/GMT", "2026-12-01T12:00:00Z"),
        ("Pacific/Kiritimati", "2026-11-30T22:00:00Z"),
        ("America/Argentina/ComodRivadavia", "2026-12-01T15:00:00Z"),
    ] {
        assert_eq!(create(zone).expect(201).task().due_at.as_deref(), Some(instant), "{zone}");
    }
    // PostgreSQL reads an unknown name with a number in it as a rule of POSIX's: fifteen hours would pass.
    for zone in [
        "Etc/GMT-15",
        "Etc/GMT+13",
        "Etc/GMT+14",
        "Etc/GMT-99",
        "Etc/GMT-014",
        "Etc/GMT-",
        "Etc/GMT-1x",
        "Etc/GMT-1:30",
        "Etc/UTC-3",
        "UTC+3",
        "<A>-3",
        "Europe/Vilnius1",
        &format!("Europe/{}", "a".repeat(94)),
    ] {
        let reply = create(zone);
        assert_eq!(reply.status, 400, "{zone}: {}", reply.body);
        assert_eq!((reply.status, reply.mistakes()), (400, vec!["/due/time_zone".to_owned()]), "{zone}");
    }
}

#[test]
fn of_a_set_of_keys() {
    let signer = Signer::new("ES256", "mine");
    let stranger = Signer::new("ES256", "another");
    for (count, status) in [(100, 200), (101, 503)] {
        let mut keys = jwks(&[&stranger; 101][..count]);
        for (number, key) in keys["keys"].as_array_mut().unwrap().iter_mut().enumerate() {
            key["kid"] = json!(format!("k{number}"));
        }
        keys["keys"][count - 1] = signer.jwk();
        let issuer = Issuer::start(Answer::Keys(keys));
        let errand = target().start_with(&[("jwt_jwks_url", &issuer.jwks_url()), ("jwks_origin", &issuer.origin)]);
        errand.get("/api/me/tasks", &signer.token(&claims(json!({})))).expect(status);
    }
}

/// The worst that is known: marks of alternating and of descending classes, characters that come apart into marks or into
/// words, syllables that come apart into letters.
fn worst(characters: usize) -> Vec<String> {
    [
        "a\u{344}\u{f73}",
        "a\u{301}\u{316}",
        "a\u{345}\u{315}\u{301}\u{327}\u{334}",
        "\u{fdfa}",
        "\u{344}",
        "\u{f73}",
        "각\u{3099}",
    ]
    .map(|pattern| {
        let (first, rest) = pattern.split_at(if pattern.starts_with('a') { 1 } else { 0 });
        let marks = rest.chars().cycle();
        first.chars().chain(marks).take(characters).collect()
    })
    .into()
}

/// What PostgreSQL does to bring the marks of a text into their order: the square of each row of them.
fn steps(text: &str) -> usize {
    let mut steps = 0;
    let mut row: usize = 0;
    for character in text.nfkd() {
        row = if canonical_combining_class(character) == 0 { 0 } else { row + 1 };
        // The next in a row passes those before it, one after another.
        steps += row + 1;
    }
    steps
}

#[test]
fn no_text_costs_more_than_its_length() {
    let user = User::new("marks");
    let path = format!("/tasks/{}", user.create(json!({"title": "t"})).id);
    let (mut taken, mut refused) = (0, 0);
    for (field, characters, place) in
        [("title", 255, "/title"), ("description", 10_000, "/description"), ("tags", 50, "/tags/0")]
    {
        for text in worst(characters) {
            let value = if field == "tags" { json!([text]) } else { json!(text) };
            let reply = user.patch(&path, json!({ field: value }));
            let budget = 32 * text.nfkd().count();
            if reply.status == 200 {
                taken += 1;
                assert!(steps(&text) <= budget, "{field}: {} steps", steps(&text));
            } else {
                refused += 1;
                assert_eq!(reply.mistakes(), [place]);
                assert!(steps(&text) > 900, "{field} was refused for {} steps", steps(&text));
            }
        }
    }
    for text in worst(60) {
        for (name, text) in [("q", text.clone()), ("tag", text.chars().take(50).collect())] {
            let reply = user.get(&format!(
                "/tasks?{name}={}",
                percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC)
            ));
            if reply.status == 200 {
                taken += 1;
                assert!(steps(&text) <= 32 * text.nfkd().count());
            } else {
                refused += 1;
                assert_eq!(reply.mistakes(), [name]);
            }
        }
    }
    assert!(taken > 4 && refused > 12, "{taken} were taken, {refused} refused");
}

/// Texts from before there was a limit are cut before they are folded, where no word goes on.
#[test]
fn words_are_cut_before_they_are_folded() {
    let scratch = scratch();
    let words = |text: &str| scratch.rows(&format!("select unnest(errand.words({text}))"));
    let long = "z".repeat(64);
    // What is between is no place to cut, because it may come apart into letters.
    assert_eq!(words("repeat('ž', 250) || '¶end'"), [long.as_str(), "end"]);
    assert_eq!(words("repeat('ž', 256) || '¶end'"), [long.as_str()]);
    assert_eq!(words("repeat('ž', 300) || ' end'"), [long.as_str(), "end"]);
    // A piece is cut at 256 characters, and its combining marks count.
    let marked = |rest: &str| words(&format!("repeat(E'a\\u0301\\u0302\\u0303\\u0304', 51) || '{rest}'"));
    assert_eq!((marked("bc").concat(), marked("xyz").concat()), ("a".repeat(51) + "b", "a".repeat(51) + "x"));
    for between in [" ", ",", "\t", "\n", "/", "_", "\u{a0}", "\u{2014}", "\u{3001}"] {
        assert_eq!(words(&format!("repeat('ž', 300) || '{between}end'")), [long.as_str(), "end"], "{between:?}");
    }
    // ASCII needs no folding, and so no cut but the last one.
    assert_eq!(words("repeat('Z', 300) || '!End'"), [long.as_str(), "end"]);
    assert_eq!(words("'One, two-THREE: 4'"), ["one", "two", "three", "4"]);
    assert_eq!(words("'Ünö, e\u{301}É ①'"), ["uno", "ee", "1"]);
    assert_eq!(words("''"), [""; 0]);
}

/// The index compares sixteen terms, and the texts are compared with all of them. One character may come apart into many words.
#[test]
fn each_word_of_a_search_counts() {
    let user = User::new("terms");
    let words: Vec<_> = (10..40).map(|n| format!("w{n}")).collect();
    user.create(json!({"title": words.join(" ")}));
    let found = |q: &[String]| user.titles(&format!("?q={}", q.join("+"))).len();
    assert_eq!(found(&words), 1);
    assert_eq!(found(&[&words[..], &["missing".to_owned()]].concat()), 0);
    assert_eq!(found(&[&words[..15], &words[..15], &["missing".to_owned()]].concat()), 0);
    // An older component compares the first sixteen with tasks that are not folded.
    let nodes = |q: &str| scratch().rows(&format!("select numnode(errand.search_query(({q})))"));
    // 16 terms with 15 times `and` between.
    assert_eq!(nodes("select string_agg('w' || n, ' ') from generate_series(1, 50) as n"), ["31"]);
    assert_eq!(nodes("repeat(U&'\\FDFA', 96)"), ["9"]);
    assert_eq!(nodes("'a a b a'"), ["3"]);
}
