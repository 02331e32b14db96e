//! A write is acknowledged when it is committed. PostgreSQL sends its row before that, and may refuse the commit afterwards.

use serde_json::{Value, json};

use crate::support::{SECRET, User, target};

/// Deferred triggers run at the commit (PostgreSQL manual, CREATE TRIGGER).
const REFUSE_EVERY_COMMIT: &str = "
    create function public.refuse() returns trigger language plpgsql as $$ begin raise exception 'not today'; end $$;
    create constraint trigger refuse after insert or update or delete on errand.task
        deferrable initially deferred for each row execute function public.refuse()";

#[test]
fn a_write_whose_commit_is_refused_is_not_acknowledged() {
    let errand = target().start_on_another_database(&[("jwt_secret", SECRET)]);
    let user = User::new("commit");
    let send = |method: &str, rest: &str, body: Option<Value>| {
        errand.send_as(&user, method, &format!("/tasks{rest}"), &[], body.as_ref())
    };
    let kept = send("POST", "", Some(json!({"title": "kept"}))).expect(201).json();
    let one = format!("/{}", kept["id"].as_str().unwrap());
    let mut whole = kept.clone();
    whole["title"] = json!("lost");
    for statement in REFUSE_EVERY_COMMIT.split_inclusive("$$;") {
        errand.admin_query(statement);
    }
    for (method, rest, body) in [
        ("POST", "", Some(json!({"title": "lost"}))),
        ("PUT", one.as_str(), Some(whole)),
        ("PATCH", one.as_str(), Some(json!({"title": "lost"}))),
        ("DELETE", one.as_str(), None),
    ] {
        let reply = send(method, rest, body);
        assert!(reply.status >= 500, "{method} is acknowledged: {} {}", reply.status, reply.body);
    }
    assert_eq!(send("GET", "", None).expect(200).json()["tasks"], json!([kept]));
}
