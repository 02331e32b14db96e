use serde_json::{Value, json};

use super::*;

/// RFC 8037, appendix A.2, and points from RFC 7517, appendix A.1.
fn ed25519() -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
}

fn p256() -> Value {
    json!({"kty": "EC", "crv": "P-256", "kid": "ec",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"})
}

fn rsa(bytes: usize, exponent: &str) -> Value {
    json!({"kty": "RSA", "kid": "rsa", "n": BASE64_URL_SAFE_NO_PAD.encode(vec![0xff; bytes]), "e": exponent})
}

fn parse(keys: Value) -> Result<KeySet, String> {
    KeySet::parse(json!({"keys": keys}).to_string().as_bytes())
}

fn with(mut key: Value, name: &str, value: Value) -> Value {
    key[name] = value;
    key
}

#[test]
fn a_key_without_alg_is_good_for_what_its_type_is_good_for() {
    let keys = parse(json!([ed25519(), p256(), rsa(256, "AQAB")])).unwrap();
    let fits = |kid| {
        let all = Algorithm::ASYMMETRIC.into_iter().chain([Algorithm::Hs256]);
        all.filter(|algorithm| keys.find(Some(kid), *algorithm).is_some()).collect::<Vec<_>>()
    };
    assert_eq!(fits("ed"), [Algorithm::EdDsa]);
    assert_eq!(fits("ec"), [Algorithm::Es256]);
    assert_eq!(fits("rsa"), [Algorithm::Rs256, Algorithm::Ps256]);
}

#[test]
fn a_key_with_alg_is_good_for_that_alone() {
    let keys = parse(json!([with(rsa(256, "AQAB"), "alg", json!("PS256"))])).unwrap();
    assert!(keys.find(None, Algorithm::Rs256).is_none());
    assert!(keys.find(None, Algorithm::Ps256).is_some());
    assert!(parse(json!([with(p256(), "alg", json!("RS256"))])).is_err());
}

#[test]
fn without_kid_the_key_must_be_the_only_one_that_fits() {
    let other = with(p256(), "kid", json!("other"));
    let keys = parse(json!([p256(), other, ed25519()])).unwrap();
    assert!(keys.find(None, Algorithm::Es256).is_none());
    assert!(keys.find(Some("other"), Algorithm::Es256).is_some());
    assert!(keys.find(None, Algorithm::EdDsa).is_some());
}

#[test]
fn keys_for_other_things_are_left_out() {
    for key in [
        with(p256(), "use", json!("enc")),
        with(p256(), "key_ops", json!(["sign"])),
        with(p256(), "alg", json!("ECDH-ES")),
        with(p256(), "crv", json!("P-521")),
        with(ed25519(), "crv", json!("X25519")),
        json!({"kty": "PQ", "kid": "new"}),
    ] {
        let keys = parse(json!([key, ed25519()])).unwrap_or_else(|problem| panic!("{key}: {problem}"));
        assert_eq!(keys.0.len(), 1, "{key}");
        assert!(parse(json!([key])).is_err(), "{key}");
    }
}

#[test]
fn a_set_with_a_bad_key_is_refused_with_its_problem() {
    let identity = BASE64_URL_SAFE_NO_PAD.encode([&[1][..], &[0; 31]].concat());
    let (secret, exponent) = ("it is a secret, and secrets are not published", "its exponent is not one");
    let modulus = "an RSA modulus must have 2048 to 4096 bits";
    let even = "its modulus is not the product of two odd primes";
    let (missing, text) = ("a part of it is missing", "a part of it is not base64url");
    let coordinates = "its coordinates have the wrong length";
    for (key, problem) in [
        (rsa(128, "AQAB"), modulus),
        (rsa(255, "AQAB"), modulus),
        (rsa(513, "AQAB"), modulus),
        (with(rsa(256, "AQAB"), "n", json!(BASE64_URL_SAFE_NO_PAD.encode(vec![0xfe; 256]))), even),
        (rsa(256, "AQ"), exponent),
        (rsa(256, "BA"), exponent),
        (rsa(256, "_________w"), exponent),
        (rsa(256, ""), exponent),
        (with(rsa(256, "AQAB"), "n", json!("not+base64/")), text),
        (with(rsa(256, "AQAB"), "e", json!(null)), missing),
        (with(p256(), "x", json!("AA")), coordinates),
        (with(p256(), "y", json!("AA")), coordinates),
        (with(p256(), "y", json!("MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4")), "it is not a point of its curve"),
        (json!({"kty": "EC", "crv": "P-256"}), missing),
        (with(ed25519(), "x", json!("AA")), "it has the wrong length"),
        (with(ed25519(), "x", json!(identity)), "it is not a point of its curve, or a weak one"),
        (with(ed25519(), "d", json!("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")), secret),
        (with(ed25519(), "k", json!("AAAA")), secret),
        (json!({"kty": "oct"}), secret),
        (json!({"kty": "oct", "alg": "HS256", "k": "AAAA"}), secret),
        (with(p256(), "alg", json!("RS256")), "its alg does not fit its kty and crv"),
    ] {
        let kid = key["kid"].as_str().unwrap_or("without kid");
        let refusal = parse(json!([with(p256(), "kid", json!("good")), key])).map(|_| ());
        assert_eq!(refusal, Err(format!("has a bad key ({kid}): {problem}")), "{key}");
    }
    assert_eq!(parse(json!([p256(), p256()])).map(|_| ()), Err("has two keys with the same kid (ec)".to_owned()));
    for key in [json!({"kid": "no kty"}), with(ed25519(), "kid", json!(5))] {
        assert!(parse(json!([p256(), key])).err().unwrap().starts_with("is no JWKS: "), "{key}");
    }
}

#[test]
fn what_is_no_jwks_is_refused() {
    let many = |count| (0..count).map(|number| with(ed25519(), "kid", json!(number.to_string()))).collect::<Vec<_>>();
    assert_eq!(parse(json!(many(MAX_KEYS))).unwrap().0.len(), 100);
    assert!(parse(json!(many(MAX_KEYS + 1))).is_err());
    for document in ["", "null", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[]}"#, r#"{"keys":[],"keys":[]}"#, "<html>"] {
        assert!(KeySet::parse(document.as_bytes()).is_err(), "{document}");
    }
}

#[test]
fn a_key_keeps_its_name_as_long_as_it_stays_the_same() {
    let id = |key: Value| parse(json!([key])).unwrap().0[0].id;
    assert_eq!(id(p256()), id(p256()));
    assert_eq!(id(p256()), id(with(p256(), "x5t", json!("new"))));
    assert_ne!(id(p256()), id(with(p256(), "kid", json!("new"))));
    assert_ne!(id(p256()), id(with(p256(), "alg", json!("ES256"))));
}
