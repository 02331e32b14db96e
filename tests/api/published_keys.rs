//! Keys at a URL: found, kept, renewed, and refused. The issuer is a server in this process that counts its visitors.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Answer, Issuer, Signer, Target, fixture, jwks, kind, target};
use crate::tokens::claims;

/// An errand that trusts an issuer.
fn trusting(issuer: &Issuer) -> Target {
    target().start_with(&[("jwt_jwks_url", &issuer.jwks_url()), ("jwks_origin", &issuer.origin)])
}

fn good() -> Value {
    claims(json!({}))
}

#[test]
fn keys_are_found_at_their_url() {
    let signers = [Signer::new("EdDSA", "a"), Signer::new("ES384", "b"), Signer::new("PS256", "c")];
    let issuer = Issuer::publishing(&signers.each_ref());
    let errand = trusting(&issuer);
    for signer in &signers {
        errand.get("/api/me/tasks", &signer.token(&good())).expect(200);
        errand
            .get("/api/me/tasks", &Signer::new(signer.alg, "stranger").with_header(&json!({"kid": "a"}), &good()))
            .expect(401);
    }
    assert!(issuer.asked() <= 2, "{}", issuer.asked());
}

#[test]
fn only_the_origin_that_is_configured_is_asked() {
    if kind() == "native" {
        // The wall around outbound requests is the runtime's.
        return;
    }
    let signer = Signer::new("ES256", "a");
    let issuer = Issuer::publishing(&[&signer]);
    for origin in ["", "https://issuer.example", "http://127.0.0.1:1"] {
        let errand = target().start_with(&[("jwt_jwks_url", &issuer.jwks_url()), ("jwks_origin", origin)]);
        errand.get("/api/me/tasks", &signer.token(&good())).expect(503);
    }
    assert_eq!(issuer.asked(), 0);
}

#[test]
fn a_thousand_unknown_keys_cause_four_fetches() {
    let signer = Signer::new("ES256", "a");
    let issuer = Issuer::publishing(&[&signer]);
    let errand = trusting(&issuer);
    errand.get("/api/me/tasks", &signer.token(&good())).expect(200);
    let before = issuer.asked();
    let made_up = |number: usize| {
        let token = signer.with_header(&json!({"kid": format!("made-up-{number}")}), &good());
        errand.get("/api/me/tasks", &token)
    };
    // The first ones alone: of instances that fetch in the same moment, two may; their unit tests have that moment in hand.
    for number in 0..4 {
        made_up(number).expect(401);
    }
    // Now no instance can tell whether a key is new. A token with an unknown key is answered 503.
    let next = AtomicUsize::new(4);
    std::thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= 1000 {
                        break;
                    }
                    let reply = made_up(number).expect(503);
                    assert_eq!(reply.problem().code, "unavailable");
                    assert!((1..=60).contains(&reply.header("retry-after").parse::<u32>().unwrap()));
                }
            });
        }
    });
    // An instance of the component serves 128 requests in its life: eight of them had a part in this.
    assert_eq!(issuer.asked() - before, 4);
    errand.get("/api/me/tasks", &signer.token(&good())).expect(200);
}

#[test]
fn keys_change_under_load_and_no_good_token_is_refused() {
    let [old, new] = [Signer::new("ES256", "old"), Signer::new("EdDSA", "new")];
    let issuer = Issuer::publishing(&[&old]);
    let errand = trusting(&issuer);
    let (rotated, stopped, served) = (AtomicBool::new(false), AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|threads| {
        for client in 0..16 {
            let (old, new, errand) = (&old, &new, &errand);
            let (rotated, stopped, served) = (&rotated, &stopped, &served);
            threads.spawn(move || {
                for number in 0.. {
                    if stopped.load(Ordering::SeqCst) {
                        break;
                    }
                    // Old tokens go on until they end; new ones are signed as soon as the new key is published.
                    let signer = if rotated.load(Ordering::SeqCst) && number % 2 == 0 { new } else { old };
                    let user = format!("rotation-{client}");
                    let reply = errand.get(&format!("/api/{user}/tasks"), &signer.token(&claims(json!({"sub": user}))));
                    assert_eq!(reply.status, 200, "{}", reply.body);
                    served.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        std::thread::sleep(Duration::from_millis(700));
        issuer.now_answers(Answer::Keys(jwks(&[&old, &new])));
        rotated.store(true, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(1500));
        // A slow machine takes longer to make a load of it.
        let patience = Instant::now() + Duration::from_secs(60);
        while served.load(Ordering::SeqCst) <= 100 && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(50));
        }
        stopped.store(true, Ordering::SeqCst);
    });
    let served = served.load(Ordering::SeqCst);
    assert!(served > 100, "{served}");
    assert_eq!(issuer.asked(), 2, "for {served} requests");
}

#[test]
fn hostile_key_sets_are_refused() {
    let signer = Signer::new("ES256", "a");
    let good_keys = || jwks(&[&signer]);
    let with = |key: Value| {
        let mut keys = good_keys();
        keys["keys"].as_array_mut().unwrap().push(key);
        Answer::Keys(keys)
    };
    for (name, answer) in [
        ("2 MiB", Answer::Padded(good_keys(), 2 * 1024 * 1024)),
        ("a redirect", Answer::Redirect(good_keys())),
        ("slow", Answer::Late(good_keys(), Duration::from_secs(6))),
        ("404", Answer::Status(404)),
        ("500", Answer::Status(500)),
        ("204", Answer::Status(204)),
        ("not a JWKS", Answer::Keys(json!({"issuer": "x"}))),
        ("two keys of one name", with(Signer::new("ES256", "a").jwk())),
        ("a weak RSA key", with(fixture("weak_rsa"))),
        ("a secret", with(Signer::secret("0123456789abcdef0123456789abcdef").jwk())),
        ("a private key", {
            let mut key = Signer::new("ES256", "b").jwk();
            key["d"] = json!("AAAA");
            with(key)
        }),
        ("a key whose alg is of another type", {
            let mut key = Signer::new("ES256", "b").jwk();
            key["alg"] = json!("RS256");
            with(key)
        }),
    ] {
        let issuer = Issuer::start(answer);
        let errand = trusting(&issuer);
        let begun = Instant::now();
        let reply = errand.get("/api/me/tasks", &signer.token(&good()));
        assert_eq!(reply.status, 503, "{name}: {}", reply.body);
        assert_eq!(reply.header("retry-after"), "1");
        assert!(begun.elapsed() < Duration::from_millis(4500), "{name}: {:?}", begun.elapsed());
        // What needs no key is answered all the same.
        errand.get("/api/me/tasks", "x").expect(401);
        errand.get("/health/ready", "").expect(200);
        // And it recovers as soon as the issuer does.
        issuer.now_answers(Answer::Keys(good_keys()));
        std::thread::sleep(Duration::from_millis(1100));
        let reply = errand.get("/api/me/tasks", &signer.token(&good()));
        assert_eq!(reply.status, 200, "{name}: {}", reply.body);
    }
}

#[test]
fn keys_without_alg_fit_their_type_alone() {
    let [rsa, ec] = [Signer::new("RS256", "rsa"), Signer::new("ES256", "ec")];
    let mut keys = jwks(&[&rsa, &ec]);
    for key in keys["keys"].as_array_mut().unwrap() {
        key.as_object_mut().unwrap().retain(|name, _| name != "alg" && name != "use");
    }
    let issuer = Issuer::start(Answer::Keys(keys));
    let errand = trusting(&issuer);
    errand.get("/api/me/tasks", &rsa.token(&good())).expect(200);
    errand.get("/api/me/tasks", &Signer::new("PS256", "rsa").token(&good())).expect(200);
    errand.get("/api/me/tasks", &ec.token(&good())).expect(200);
    for header in [json!({"alg": "ES384"}), json!({"alg": "EdDSA"}), json!({"alg": "RS256"}), json!({"alg": "HS256"})] {
        errand.get("/api/me/tasks", &ec.with_header(&header, &good())).expect(401);
    }
}

#[test]
fn an_issuer_that_is_down_does_not_stop_those_who_have_its_keys() {
    let signer = Signer::new("ES256", "a");
    let issuer = Issuer::publishing(&[&signer]);
    let errand = trusting(&issuer);
    errand.get("/api/me/tasks", &signer.token(&good())).expect(200);
    issuer.now_answers(Answer::Status(503));
    // An unknown key has it asked again; the failure changes nothing for the known one.
    errand.get("/api/me/tasks", &signer.with_header(&json!({"kid": "new"}), &good())).expect(503);
    assert_eq!(issuer.asked(), 2);
    for _ in 0..20 {
        errand.get("/api/me/tasks", &signer.token(&good())).expect(200);
    }
    assert_eq!(issuer.asked(), 2);
}
