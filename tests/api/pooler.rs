//! A PgBouncer between the component and the database.

use std::path::Path;
use std::thread;

use errand_db::doctor;
use errand_postgres::address::Address;
use errand_postgres::pooler::{self, Pooler, Statements};
use serde_json::json;

use crate::support::{RUNTIME, SECRET, User, kind, target, token_with};
use errand_testing::left_out;

const CHECKOUT: &str = env!("CARGO_MANIFEST_DIR");

/// A PgBouncer before the target's database, and the component's connection string through it.
fn pooled(statements: Statements) -> Option<(Pooler, String)> {
    let Some(program) = pooler::find(Path::new(CHECKOUT)) else {
        left_out("there is no PgBouncer (Debian: the package pgbouncer)");
        return None;
    };
    match target().pooled(&program, statements) {
        Ok(pooled) => Some(pooled),
        Err(error) if statements == Statements::Kept => {
            left_out(&format!("{error:#}; PGBOUNCER names another one"));
            None
        }
        Err(error) => panic!("{error:#}"),
    }
}

fn examine(url: &str) -> Vec<doctor::Finding> {
    RUNTIME.block_on(doctor::examine(&Address::parse(url).unwrap())).unwrap()
}

/// The things that are wrong.
fn wrong(findings: &[doctor::Finding]) -> Vec<&str> {
    findings.iter().filter(|(_, found)| found.is_err()).map(|(thing, _)| *thing).collect()
}

/// The same statement name stands for one statement in one session and for none, or another one, in the next.
#[test]
fn a_pooler_that_mixes_up_statements_is_told_and_sent_nothing_more() {
    let Some((_pooler, url)) = pooled(Statements::MixedUp) else { return };
    assert_eq!(wrong(&examine(&url)), ["pooler"]);

    let host = Address::parse(&url).unwrap().endpoint();
    let errand = target().start_with(&[("jwt_secret", SECRET), ("database_url", &url), ("database_host", &host)]);
    let user = User::new("pooler");
    user.create(json!({"title": "kept"}));
    let token = token_with(&json!({"sub": user.id, "exp": 4_000_000_000_u64}));
    let mut told = 0;
    for _ in 0..20 {
        thread::scope(|scope| {
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(|| errand.get("/api/me/tasks", &token))).collect();
            for thread in threads {
                let reply = thread.join().unwrap();
                match reply.status {
                    200 => assert_eq!(reply.list().tasks.len(), 1),
                    503 => {
                        assert_eq!(
                            (reply.problem().code.as_str(), reply.header("retry-after")),
                            ("unsafe_pooler", "1")
                        );
                        told += 1;
                    }
                    other => panic!("{other}: {}", reply.json()),
                }
            }
        });
        if told > 0 {
            break;
        }
    }
    assert!(told > 0, "no statement was mixed up in 320 requests");
    if kind() == "native" {
        // One instance for good: it has the proof.
        for path in ["/api/me/tasks", "/health/ready"] {
            assert_eq!(errand.get(path, &token).expect(503).problem().code, "unsafe_pooler");
        }
    }
    assert_eq!(user.titles(""), ["kept"]);
}

#[test]
fn the_doctor_finds_nothing_wrong_with_a_pooler_that_keeps_statements() {
    let Some((_pooler, url)) = pooled(Statements::Kept) else { return };
    let findings = examine(&url);
    assert_eq!(wrong(&findings), [""; 0], "{findings:?}");
    let pooler = findings.iter().find(|(thing, _)| *thing == "pooler").unwrap();
    assert!(pooler.1.as_ref().unwrap().contains("keeps prepared statements apart"), "{pooler:?}");
}

#[test]
fn the_doctor_examines_a_database_without_a_pooler() {
    let url = target().app_url();
    let findings = examine(url);
    assert_eq!(wrong(&findings), [""; 0], "{findings:?}");
    let bare = url.split('?').next().unwrap();
    assert_eq!(wrong(&examine(bare)), ["time limits of the connection"]);
    let findings = RUNTIME.block_on(doctor::examine(target().admin())).unwrap();
    assert!(wrong(&findings).contains(&"role"), "{findings:?}");
}
