//! Tokens that must not open the door, each with a name.

use serde_json::{Value, json};

use super::{AUDIENCE, ISSUER, Stage, claims, now};
use crate::support::{Signer, base64url};

/// Everything that must not open the door.
pub(super) fn rows(stage: &Stage) -> Vec<(String, String)> {
    let good = claims(json!({}));
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut row = |name: &str, token: String| rows.push((name.to_owned(), token));
    headers(stage, &good, &mut row);
    signatures(stage, &good, &mut row);
    bodies(stage, &mut row);
    shapes(stage, &good, &mut row);
    rows
}

type Row<'a> = &'a mut dyn FnMut(&str, String);

fn headers(stage: &Stage, good: &Value, row: Row) {
    let Stage { secret, rs256, ps256, es256, es384, eddsa, stranger, .. } = stage;
    let payload = base64url(good.to_string());
    for alg in
        ["none", "None", "NONE", "nOnE", "", "HS", "hs256", "HS384", "HS512", "RS384", "RS512", "ES512", "ES256K"]
    {
        let header = base64url(json!({"alg": alg, "typ": "JWT"}).to_string());
        row(&format!("alg {alg:?} without a signature"), format!("{header}.{payload}."));
        row(&format!("alg {alg:?} with a signature of the secret"), secret.sign(&header, &payload));
    }
    row("no alg", secret.with_header(&json!({"alg": null}), good));
    row("alg null", secret.sign(&base64url(r#"{"alg":null}"#), &payload));
    row("alg a list", secret.with_header(&json!({"alg": ["HS256"]}), good));
    for (name, signer) in [("RS256", rs256), ("ES256", es256), ("EdDSA", eddsa)] {
        for key in [signer.jwk().to_string(), signer.jwk()["n"].to_string(), signer.jwk()["x"].to_string()] {
            let header = json!({"kid": signer.kid});
            row(&format!("the public key of {name} as a secret"), Signer::secret(key).with_header(&header, good));
        }
    }
    row("RS256 with a key for PS256", ps256.with_header(&json!({"alg": "RS256"}), good));
    row("PS256 with a key for RS256", Signer::new("PS256", "rs").token(good));
    row("ES256 named, ES384 meant", es384.with_header(&json!({"alg": "ES256"}), good));
    row("ES384 named, ES256 meant", es256.with_header(&json!({"alg": "ES384"}), good));
    row("EdDSA named, an ECDSA key meant", es256.with_header(&json!({"alg": "EdDSA"}), good));
    row("HS256 named over an ECDSA signature", es256.with_header(&json!({"alg": "HS256"}), good));
    row("the kid of another key", es256.with_header(&json!({"kid": "es384"}), good));
    row("the key of a stranger with a known kid", stranger.token(good));
    row("the key of a stranger without a kid", stranger.with_header(&json!({"kid": null}), good));
    row("a key for encryption", stage.encryption.token(good));
    row("a key that may not verify", stage.signing_only.token(good));
    for kid in [
        "unknown",
        "",
        "../../etc/passwd",
        "/dev/null",
        "' or 1=1 --",
        "es256\0",
        "\0",
        "ES256",
        " es256",
        "http://evil.example/k",
    ] {
        row(&format!("kid {kid:?}"), es256.with_header(&json!({"kid": kid}), good));
    }
    row("kid a number", es256.with_header(&json!({"kid": 0}), good));
    row("kid null", es256.sign(&base64url(r#"{"alg":"ES256","kid":null}"#), &payload));
    for name in ["jku", "x5u"] {
        let header = json!({name: "https://evil.example/keys.json"});
        row(&format!("{name} to the key of a stranger"), stranger.with_header(&header, good));
    }
    row("jwk of a stranger", stranger.with_header(&json!({"jwk": stranger.jwk()}), good));
    row("jwk of a stranger, with its kid", stranger.with_header(&json!({"jwk": stranger.jwk(), "kid": "mine"}), good));
    row("x5c of a stranger", stranger.with_header(&json!({"x5c": [base64url(good.to_string())]}), good));
    row("crit with an unknown name", es256.with_header(&json!({"crit": ["exp"], "exp": 1}), good));
    row("crit b64", es256.with_header(&json!({"crit": ["b64"], "b64": false}), good));
    row("crit empty", es256.with_header(&json!({"crit": []}), good));
    row("crit null", es256.sign(&base64url(r#"{"alg":"ES256","kid":"es256","crit":null}"#), &payload));
    for header in [
        r#"{"alg":"none","alg":"ES256","kid":"es256"}"#,
        r#"{"alg":"ES256","alg":"ES256","kid":"es256"}"#,
        r#"{"alg":"ES256","kid":"x","kid":"es256"}"#,
        r#"{"alg":"ES256","kid":"es256","k\u0069d":"es256"}"#,
        r#"["ES256"]"#,
        r#""ES256""#,
        "{}",
        "",
        r#"{"alg":"ES256","kid":"es256"}{}"#,
        r#"{"alg":"ES256","kid":"es256""#,
    ] {
        row(&format!("the header {header}"), es256.sign(&base64url(header), &payload));
    }
    for typ in ["logout+jwt", "dpop+jwt", "JWE", "id_token", ""] {
        row(&format!("typ {typ:?}"), es256.with_header(&json!({"typ": typ}), good));
    }
}

fn signatures(stage: &Stage, good: &Value, row: Row) {
    for signer in [&stage.secret, &stage.rs256, &stage.ps256, &stage.es256, &stage.es384, &stage.eddsa] {
        let token = signer.token(good);
        let (message, _) = token.rsplit_once('.').unwrap();
        let signature = signer.signature(message.as_bytes());
        let mut with = |name: &str, signature: &[u8]| {
            row(&format!("{}: {name}", signer.alg), format!("{message}.{}", base64url(signature)));
        };
        let mut altered = signature.clone();
        altered[signature.len() / 2] ^= 1;
        with("one bit altered", &altered);
        with("all zero", &vec![0; signature.len()]);
        with("all ones", &vec![0xff; signature.len()]);
        with("one byte short", &signature[1..]);
        with("one byte long", &[&signature[..], &[0]].concat());
        with("half of it", &signature[..signature.len() / 2]);
        row(&format!("{}: no signature", signer.alg), format!("{message}."));
        let other = signer.token(&claims(json!({"sub": "admin"})));
        let (other, _) = other.rsplit_once('.').unwrap();
        row(&format!("{}: the signature of another token", signer.alg), format!("{other}.{}", base64url(&signature)));
    }
    // S + L is the same number modulo the order of the curve, and another signature of the same message.
    let token = stage.eddsa.token(good);
    let (message, _) = token.rsplit_once('.').unwrap();
    let mut malleable = stage.eddsa.signature(message.as_bytes());
    let order = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    let mut carry = 0_u16;
    for (index, byte) in malleable[32..].iter_mut().enumerate() {
        let sum = u16::from(*byte) + u16::from_str_radix(&order[2 * index..2 * index + 2], 16).unwrap() + carry;
        (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
    }
    row("EdDSA: malleable", format!("{message}.{}", base64url(malleable)));
    let token = stage.es256.token(good);
    let (message, _) = token.rsplit_once('.').unwrap();
    let raw = stage.es256.signature(message.as_bytes());
    let half = |number: &[u8]| [&[0x02, 33, 0], number].concat();
    let der = [&[0x30, 70][..], &half(&raw[..32]), &half(&raw[32..])].concat();
    row("ES256: in DER", format!("{message}.{}", base64url(der)));
}

fn bodies(stage: &Stage, row: Row) {
    let es256 = &stage.es256;
    let changes = [
        json!({"exp": null}),
        json!({"exp": now() - 61}),
        json!({"exp": 0}),
        json!({"exp": -1}),
        json!({"exp": now() as f64 - 61.5}),
        json!({"exp": -0.5}),
        json!({"exp": 2.53402300800e11}),
        json!({"exp": (now() + 3600).to_string()}),
        json!({"exp": 1e300}),
        json!({"exp": u64::MAX}),
        json!({"exp": 253_402_300_800_u64}),
        json!({"exp": [now() + 3600]}),
        json!({"exp": true}),
        json!({"nbf": now() + 70}),
        json!({"nbf": "0"}),
        json!({"nbf": -5}),
        json!({"nbf": u64::MAX}),
        json!({"iat": now() + 70}),
        json!({"iat": now() as f64 + 70.5}),
        json!({"nbf": 1e12}),
        json!({"iat": {}}),
        json!({"aud": null}),
        json!({"aud": "other"}),
        json!({"aud": ["other", "another"]}),
        json!({"aud": []}),
        json!({"aud": ""}),
        json!({"aud": ["Errand"]}),
        json!({"aud": "errand "}),
        json!({"aud": {"errand": true}}),
        json!({"aud": ["errand", 5]}),
        json!({"iss": null}),
        json!({"iss": "https://issuer.example/"}),
        json!({"iss": "https://issuer.exampl"}),
        json!({"iss": "https://issuer.example.evil"}),
        json!({"iss": "HTTPS://issuer.example"}),
        json!({"iss": [ISSUER]}),
        json!({"sub": null}),
        json!({"sub": ""}),
        json!({"sub": 5}),
        json!({"sub": ["tokens"]}),
        json!({"sub": "x".repeat(256)}),
        json!({"sub": "a\0b"}),
        json!({"sub": true}),
        json!({"at_hash": "x"}),
        json!({"c_hash": "x"}),
        json!({"nonce": "x"}),
        json!({"typ": "ID"}),
        json!({"typ": "Refresh"}),
        json!({"scope": 5}),
    ];
    for change in changes {
        let name: String = format!("claims {change}").chars().take(80).collect();
        row(&name, es256.token(&claims(change)));
    }
    let header = base64url(json!({"alg": "ES256", "kid": "es256"}).to_string());
    let text = claims(json!({})).to_string();
    let inside = &text[1..text.len() - 1];
    for payload in [
        format!(r#"{{"sub":"admin",{inside}}}"#),
        format!(r#"{{{inside},"sub":"tokens"}}"#),
        format!(r#"{{{inside},"s\u0075b":"admin"}}"#),
        format!(r#"{{"exp":1,{inside}}}"#),
        format!(r#"{{"aud":"x",{inside}}}"#),
        format!(r#"{{"iss":"x",{inside}}}"#),
        format!(r#"{{{inside},"nbf":null}}"#),
        format!("[{text}]"),
        format!(r#"["tokens",{},null,null,"{ISSUER}","{AUDIENCE}"]"#, now() + 3600),
        format!("{text}{text}"),
        format!("{text},"),
        "null".to_owned(),
        String::new(),
        "[".repeat(3000),
        format!(r#"{{{inside},"deep":{}1{}}}"#, "[".repeat(2000), "]".repeat(2000)),
        base64url(&text),
    ] {
        let name: String = format!("the payload {payload}").chars().take(80).collect();
        row(&name, es256.sign(&header, &base64url(payload)));
    }
    // The claims are good, but for a member that nobody reads.
    let payload = [format!(r#"{{{inside},"x":""#).as_bytes(), &[0xff], b"\"}"].concat();
    row("a payload that is not UTF-8", es256.sign(&header, &base64url(payload)));
}

fn shapes(stage: &Stage, good: &Value, row: Row) {
    let token = stage.es256.token(good);
    let [header, payload, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
    for (name, text) in [
        ("one segment", header.to_owned()),
        ("two segments", format!("{header}.{payload}")),
        ("four segments", format!("{token}.")),
        ("four segments, the last one good", format!("{token}.{signature}")),
        ("five segments, a JWE", format!("{header}.{payload}.{signature}.{payload}.{signature}")),
        ("no segments", "..".to_owned()),
        ("dots alone", "....".to_owned()),
        ("padding in the signature", format!("{token}==")),
        ("padding in the header", format!("{header}=.{payload}.{signature}")),
        ("standard base64", format!("{header}.{payload}.{}+/", &signature[2..])),
        ("a line break inside", format!("{header}.{payload}.{} {}", &signature[..9], &signature[9..])),
        ("a token in a token", stage.es256.token(&json!(token))),
        ("quoted", format!("\"{token}\"")),
        ("two tokens", format!("{token}, {token}")),
        ("9 KiB", stage.es256.token(&claims(json!({"x": "x".repeat(9 * 1024)})))),
        ("bits after the end", {
            // 86 characters carry 516 bits for 512: the last four must be zero.
            let mut text = token.clone();
            let last = text.pop().unwrap();
            text.push(char::from(last as u8 + 1));
            text
        }),
    ] {
        row(name, text);
    }
}
