//! Keys at a URL, shared by instances: in what Spin keeps under the label `default`, and without it. An instance of the
//! component serves 128 requests in its life; natively there is one, and the store is its own.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::support::{Answer, Issuer, Signer, Target, jwks, kind, log_with, manifest, target};
use crate::tokens::claims;

fn variables(issuer: &Issuer) -> [(&'static str, String); 2] {
    [("jwt_jwks_url", issuer.jwks_url()), ("jwks_origin", issuer.origin.clone())]
}

fn trusting(issuer: &Issuer) -> Target {
    keeping(issuer, &[])
}

fn keeping(issuer: &Issuer, kept: &[(&str, &str)]) -> Target {
    let variables = variables(issuer);
    target().start_keeping(&variables.each_ref().map(|(name, value)| (*name, value.as_str())), kept)
}

fn started(issuer: &Issuer, arguments: &[&str]) -> Target {
    let variables = variables(issuer);
    target().start_as(&variables.each_ref().map(|(name, value)| (*name, value.as_str())), arguments)
}

/// Sends good tokens, from some threads, all of which must be taken.
fn send(errand: &Target, signer: &Signer, requests: usize, threads: usize) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while next.fetch_add(1, Ordering::SeqCst) < requests {
                    errand.get("/api/me/tasks", &signer.token(&claims(json!({})))).expect(200);
                }
            });
        }
    });
}

/// Where the record of an issuer is kept.
fn key(issuer: &Issuer) -> String {
    Sha256::digest(issuer.jwks_url()).iter().fold("jwks:".to_owned(), |mut key, byte| {
        write!(key, "{byte:02x}").unwrap();
        key
    })
}

/// A record of keys that were fetched some time ago.
fn record(issuer: &Issuer, keys: &Value, seconds: u64) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    json!({
        "version": 1,
        "url": issuer.jwks_url(),
        "document": keys.to_string(),
        "fetched_at": now - seconds * 1000,
        "trying": null,
        "tried_at": null,
        "failed_at": null,
        "curious_at": null,
    })
}

#[test]
fn two_thousand_requests_cause_one_fetch() {
    let signer = Signer::new("ES256", "a");
    let issuer = Issuer::publishing(&[&signer]);
    let errand = trusting(&issuer);
    // The first one alone: of instances that fetch in the same moment, two may; their unit tests have that moment in hand.
    send(&errand, &signer, 1, 1);
    send(&errand, &signer, 1999, 16);
    assert_eq!(issuer.asked(), 1);
}

#[test]
fn new_instances_serve_what_others_fetched_while_the_issuer_is_down() {
    let signer = Signer::new("ES256", "a");
    let issuer = Issuer::publishing(&[&signer]);
    let errand = trusting(&issuer);
    send(&errand, &signer, 1, 1);
    issuer.now_answers(Answer::Status(503));
    send(&errand, &signer, 400, 4);
    assert_eq!(issuer.asked(), 1);
}

#[test]
fn an_old_set_serves_while_the_issuer_is_down_and_is_replaced_when_it_is_back() {
    let [signer, stranger] = [Signer::new("ES256", "a"), Signer::new("ES256", "b")];
    let issuer = Issuer::start(Answer::Status(503));
    let kept = record(&issuer, &jwks(&[&signer]), 3600).to_string();
    let errand = keeping(&issuer, &[(&key(&issuer), &kept)]);
    // The failure is heeded by all for ten seconds.
    send(&errand, &signer, 150, 1);
    assert!((1..=3).contains(&issuer.asked()), "{}", issuer.asked());
    // A token with an unknown key causes a fetch.
    issuer.now_answers(Answer::Keys(jwks(&[&signer, &stranger])));
    send(&errand, &stranger, 150, 1);
}

#[test]
fn what_is_wrong_in_the_store_is_ignored_and_replaced() {
    let [signer, stranger] = [Signer::new("ES256", "a"), Signer::new("ES256", "a")];
    let issuer = Issuer::publishing(&[&signer]);
    let good = record(&issuer, &jwks(&[&signer]), 60);
    let with = |member: &str, value: Value| {
        let mut record = record(&issuer, &jwks(&[&stranger]), 60);
        record[member] = value;
        record.to_string()
    };
    let future = good["fetched_at"].as_u64().unwrap() + 86_400_000;
    for (name, kept) in [
        ("no record", "not JSON".to_owned()),
        ("another version", with("version", json!(2))),
        ("another URL", with("url", json!("https://elsewhere.example"))),
        ("a time to come", with("fetched_at", json!(future))),
        ("a bad set", with("document", json!(r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#))),
        ("no document", with("document", Value::Null)),
        ("a claim of nobody from the future", {
            let mut record = record(&issuer, &jwks(&[&stranger]), 0);
            record["document"] = Value::Null;
            record["trying"] = json!("nobody");
            record["tried_at"] = json!(future);
            record.to_string()
        }),
    ] {
        let before = issuer.asked();
        let errand = keeping(&issuer, &[(&key(&issuer), &kept)]);
        send(&errand, &signer, 1, 1);
        errand.get("/api/me/tasks", &stranger.token(&claims(json!({})))).expect(401);
        send(&errand, &signer, 200, 1);
        assert_eq!(issuer.asked() - before, 1, "{name}");
    }
    // The same record is taken when nothing is wrong with it.
    let before = issuer.asked();
    send(&keeping(&issuer, &[(&key(&issuer), &good.to_string())]), &signer, 10, 1);
    assert_eq!(issuer.asked(), before);
}

#[test]
fn what_was_fetched_outlives_the_server() {
    if kind() == "native" {
        // Its store is memory.
        return;
    }
    let signer = Signer::new("ES256", "a");
    let issuer = Issuer::publishing(&[&signer]);
    let folder = TempDir::new().unwrap();
    let state = ["--state-dir", folder.path().to_str().unwrap()];
    send(&started(&issuer, &state), &signer, 1, 1);
    issuer.now_answers(Answer::Status(503));
    send(&started(&issuer, &state), &signer, 10, 1);
    assert_eq!(issuer.asked(), 1);
    assert!(folder.path().join("sqlite_key_value.db").is_file());
}

#[test]
fn without_a_store_each_instance_fetches_for_itself() {
    if kind() == "native" {
        // Its store cannot be taken away.
        return;
    }
    let folder = TempDir::new().unwrap();
    // A store that is a folder cannot be opened; a component that is granted none may not open any.
    let broken = folder.path().join("broken.toml");
    fs::write(&broken, format!("[key_value_store.default]\ntype = \"spin\"\npath = {:?}\n", folder.path())).unwrap();
    let denied = folder.path().join("spin.toml");
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(checkout.join(manifest())).unwrap();
    let without = manifest
        .replace("key_value_stores = [\"default\"]\n", "")
        .replace("\"target/", &format!("\"{}/target/", checkout.display()));
    assert!(without.len() != manifest.len() && !without.contains("key_value_stores"));
    fs::write(&denied, without).unwrap();
    let cache = checkout.join("target/errand-host");
    let mut denied = vec!["--from", denied.to_str().unwrap()];
    if kind().starts_with("host") {
        denied.extend(["--cache-dir", cache.to_str().unwrap()]);
    }
    for arguments in [vec!["--runtime-config-file", broken.to_str().unwrap()], denied] {
        let signer = Signer::new("ES256", "a");
        let issuer = Issuer::publishing(&[&signer]);
        let errand = started(&issuer, &arguments);
        send(&errand, &signer, 200, 1);
        // A component of WASI 0.2 has an instance for each request, and the last request below is one more.
        let (instances, more) = if kind().ends_with("-p2") { (200, 1) } else { (2, 0) };
        assert_eq!(issuer.asked(), instances, "{arguments:?}");
        errand.get("/api/me/tasks", &signer.with_header(&json!({"kid": "new"}), &claims(json!({})))).expect(401);
        assert_eq!(issuer.asked(), instances + 1);
        let lines: Vec<_> = log_with("no shared JWKS");
        let of_this: Vec<_> = lines.iter().filter(|line| line.contains(&issuer.origin)).collect();
        assert_eq!(of_this.len(), instances + more, "once per instance: {lines:#?}");
        let line: Value = serde_json::from_str(of_this[0]).unwrap();
        assert!(line["time"].is_string() && line["level"] == "warn", "{line}");
    }
}
