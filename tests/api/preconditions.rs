//! Conditional requests, on every route that takes them. What the validators of tasks stand for is in `conditional.rs`.

use crate::support::{User, operations, tell};

#[test]
fn a_reader_who_has_the_answer_gets_304_until_it_changes() {
    let mut cases = 0;
    for read in operations().filter(|operation| operation.method == "GET" && operation.takes("If-None-Match")) {
        let user = User::new("reader");
        let id = if read.public { String::new() } else { read.object(&user).id };
        let reply = read.send(&user, "me", &id, &[]).expect(200);
        let etag = reply.header("etag");
        for known in [etag, "*", &format!("W/{etag}"), &format!("\"7\", {etag}")] {
            let reply = read.send(&user, "me", &id, &[("if-none-match", known)]).expect(304);
            assert_eq!((reply.body.as_str(), reply.header("etag")), ("", etag), "{} {known}", read.id());
            assert_eq!(reply.header("cache-control").starts_with("private"), !read.public, "{}", read.id());
        }
        assert_eq!(read.send(&user, "me", &id, &[("if-none-match", "\"7\"")]).expect(200).body, reply.body);
        cases += 5;
        for write in ["PUT", "PATCH", "DELETE"].iter().filter_map(|method| read.of_the_object(method)) {
            let id = read.object(&user).id;
            let before = read.send(&user, "me", &id, &[]).expect(200);
            assert!(write.send(&user, "me", &id, &[]).status < 300, "{}", write.id());
            let after = read.send(&user, "me", &id, &[("if-none-match", before.header("etag"))]);
            let gone = write.method == "DELETE" && read.has_id();
            assert_eq!(after.status, if gone { 404 } else { 200 }, "{} after {}", read.id(), write.id());
            cases += 1;
        }
    }
    tell(cases, "conditional reads");
}

#[test]
fn a_writer_of_another_state_changes_nothing() {
    let mut cases = 0;
    for write in operations().filter(|operation| operation.takes("If-Match")) {
        let user = User::new("writer");
        let (object, other) = (write.object(&user), write.object(&user));
        let with = |name: &str, value: &str| write.send(&user, "me", &object.id, &[(name, value)]);
        let stored = || write.of_the_object("GET").map(|read| read.send(&user, "me", &object.id, &[]).expect(200).body);
        let before = stored();
        let weak = format!("W/{}", object.etag);
        let mut conditions = vec![("if-match", weak.as_str()), ("if-match", &other.etag), ("if-match", "\"x\", \"2\"")];
        if write.takes("If-None-Match") {
            conditions.push(("if-none-match", "*"));
        }
        for (name, value) in conditions {
            let reply = with(name, value).expect(412);
            assert_eq!(reply.problem().code, "precondition_failed", "{} {name}: {value}", write.id());
            cases += 1;
        }
        assert_eq!(with("if-match", "2").mistakes(), ["If-Match"], "{}", write.id());
        assert_eq!(stored(), before, "{}", write.id());
        let written = with("if-match", &object.etag);
        assert!(written.status < 300, "{}: {} {}", write.id(), written.status, written.body);
        // The tag that was just written with: its state has gone.
        with("if-match", &object.etag).expect(if write.method == "DELETE" { 404 } else { 412 });
        cases += 3;
    }
    tell(cases, "conditional writes");
}
