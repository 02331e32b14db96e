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

fn rsa(octets: usize, exponent: &str) -> Value {
    json!({"kty": "RSA", "kid": "rsa", "n": BASE64_URL_SAFE_NO_PAD.encode(vec![0xff; octets]), "e": exponent})
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
fn a_set_with_a_bad_key_is_refused() {
    let identity = BASE64_URL_SAFE_NO_PAD.encode([&[1][..], &[0; 31]].concat());
    for key in [
        rsa(128, "AQAB"),
        rsa(255, "AQAB"),
        rsa(513, "AQAB"),
        rsa(256, "AQ"),
        rsa(256, "BA"),
        rsa(256, "_________w"),
        rsa(256, ""),
        with(rsa(256, "AQAB"), "n", json!("not+base64/")),
        with(p256(), "x", json!("AA")),
        with(p256(), "y", json!("MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4")),
        with(ed25519(), "x", json!("AA")),
        with(ed25519(), "x", json!(identity)),
        with(ed25519(), "d", json!("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")),
        json!({"kty": "oct", "kid": "k", "k": "AAAA"}),
        json!({"kty": "EC", "crv": "P-256"}),
        json!({"kid": "no kty"}),
        with(ed25519(), "kid", json!(5)),
        ed25519(),
    ] {
        assert!(parse(json!([ed25519(), key])).is_err(), "{key}");
    }
}

#[test]
fn what_is_no_jwks_is_refused() {
    let many = |count| (0..count).map(|number| with(ed25519(), "kid", json!(number.to_string()))).collect::<Vec<_>>();
    assert_eq!(parse(json!(many(MOST_KEYS))).unwrap().0.len(), 100);
    assert!(parse(json!(many(MOST_KEYS + 1))).is_err());
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
