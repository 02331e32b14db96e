//! Tokens, good and hostile. Each row of the tables is one way to get in, or to be kept out.

use std::sync::LazyLock;
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::support::{Issuer, SECRET, Signer, Target, anonymous, base64url, fixture, jwks, target};

pub const ISSUER: &str = "https://issuer.example";
pub const AUDIENCE: &str = "errand";

/// The issuer's keys, and errands that trust them.
struct Stage {
    secret: Signer,
    rs256: Signer,
    ps256: Signer,
    es256: Signer,
    es384: Signer,
    eddsa: Signer,
    /// Published, but for encryption.
    encryption: Signer,
    /// Published with `key_ops` that leave out `verify`.
    signing_only: Signer,
    /// Not published.
    stranger: Signer,
    /// Everything configured: secret, JWKS, issuer, audience.
    open: Target,
    /// The same keys, RS256 alone, access tokens alone.
    narrow: Target,
}

static STAGE: LazyLock<Stage> = LazyLock::new(|| {
    let [rs256, ps256] = [Signer::new("RS256", "rs"), Signer::rsa("PS256", "ps", 1)];
    let [es256, es384] = [Signer::new("ES256", "es256"), Signer::new("ES384", "es384")];
    let eddsa = Signer::new("EdDSA", "ed");
    let [encryption, signing_only] = [Signer::new("ES256", "enc"), Signer::new("ES256", "ops")];
    let mut keys = jwks(&[&rs256, &ps256, &es256, &es384, &eddsa, &encryption, &signing_only]);
    keys["keys"][5]["use"] = json!("enc");
    keys["keys"][6]["key_ops"] = json!(["sign"]);
    // A key may come without alg, and keys that errand does not know may stand beside it.
    keys["keys"][2].as_object_mut().unwrap().remove("alg");
    keys["keys"]
        .as_array_mut()
        .unwrap()
        .push(json!({"kty": "EC", "crv": "P-521", "kid": "p521", "x": "AA", "y": "AA"}));
    let keys = keys.to_string();
    let common = [("jwt_jwks", keys.as_str()), ("jwt_issuer", ISSUER), ("jwt_audience", AUDIENCE)];
    let with = |more: &[(&'static str, &'static str)]| target().start_with(&[&common[..], more].concat());
    Stage {
        open: with(&[("jwt_secret", SECRET)]),
        narrow: with(&[("jwt_algorithms", "RS256"), ("jwt_token_type", "at+jwt")]),
        secret: Signer::secret(SECRET),
        stranger: Signer::new("ES256", "es256"),
        rs256,
        ps256,
        es256,
        es384,
        eddsa,
        encryption,
        signing_only,
    }
});

/// Now, in seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

/// Good claims, some of them changed; null takes one away.
pub fn claims(changes: Value) -> Value {
    let mut claims =
        json!({"sub": "tokens", "exp": now() + 3600, "iat": now(), "nbf": now(), "iss": ISSUER, "aud": AUDIENCE});
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

#[test]
fn good_tokens_of_every_algorithm_are_accepted() {
    let stage = &*STAGE;
    let signers = [&stage.secret, &stage.rs256, &stage.ps256, &stage.es256, &stage.es384, &stage.eddsa];
    let good = || claims(json!({}));
    let mut rows: Vec<(String, String)> =
        signers.map(|signer| (signer.alg.to_owned(), signer.token(&good()))).into_iter().collect();
    let es256 = &stage.es256;
    let aside = |name: &str, token: String| (name.to_owned(), token);
    rows.extend([
        aside("no kid, and one key that fits", stage.es384.with_header(&json!({"kid": null}), &good())),
        aside("no typ", es256.with_header(&json!({"typ": null}), &good())),
        aside("typ at+jwt", es256.with_header(&json!({"typ": "at+jwt"}), &good())),
        aside("typ application/at+JWT", es256.with_header(&json!({"typ": "application/at+JWT"}), &good())),
        aside("EdDSA by its new name", stage.eddsa.with_header(&json!({"alg": "Ed25519"}), &good())),
        aside("jku beside a good signature", es256.with_header(&json!({"jku": "https://evil.example/keys"}), &good())),
        aside("any kid for the shared secret", stage.secret.with_header(&json!({"kid": "legacy"}), &good())),
        aside("audience among others", es256.token(&claims(json!({"aud": ["x", AUDIENCE]})))),
        aside("exp within the skew", es256.token(&claims(json!({"exp": now() - 50})))),
        aside("nbf within the skew", es256.token(&claims(json!({"nbf": now() + 50})))),
        aside("iat within the skew", es256.token(&claims(json!({"iat": now() + 50})))),
        aside("no nbf, no iat", es256.token(&claims(json!({"nbf": null, "iat": null})))),
        aside("sub of 255 characters", es256.token(&claims(json!({"sub": "ž".repeat(255)})))),
        aside("unknown claims", es256.token(&claims(json!({"roles": [{"a": [1, {}]}], "x": null})))),
        aside("nonce in an access token of Keycloak", es256.token(&claims(json!({"nonce": "n", "typ": "Bearer"})))),
    ]);
    for (name, token) in rows {
        // Twice: the second answer is from the cache.
        for _ in 0..2 {
            let reply = stage.open.get("/api/me/tasks", &token);
            assert_eq!(reply.status, 200, "{name}: {}", reply.body);
        }
    }
    let typed = stage.rs256.with_header(&json!({"typ": "at+jwt"}), &good());
    stage.narrow.get("/api/me/tasks", &typed).expect(200);
}

#[test]
fn tokens_made_by_pyjwt_are_accepted() {
    let fixture: Value = serde_json::from_str(include_str!("fixtures/pyjwt.json")).unwrap();
    let keys = fixture["jwks"].to_string();
    let errand = target().start_with(&[
        ("jwt_secret", SECRET),
        ("jwt_jwks", &keys),
        ("jwt_issuer", ISSUER),
        ("jwt_audience", AUDIENCE),
    ]);
    let tokens = fixture["tokens"].as_object().unwrap();
    assert_eq!(tokens.len(), 6);
    for (alg, token) in tokens {
        let reply = errand.get("/api/pyjwt/tasks", token.as_str().unwrap());
        assert_eq!(reply.status, 200, "{alg}: {}", reply.body);
    }
}

#[test]
fn hostile_tokens_are_refused() {
    let stage = &*STAGE;
    let rows = hostile(stage);
    assert!(rows.len() >= 200, "{}", rows.len());
    for (name, token) in rows {
        let reply = stage.open.get("/api/me/tasks", &token);
        assert_eq!(reply.status, 401, "{name}: {}", reply.body);
        assert!(reply.header("www-authenticate").starts_with(r#"Bearer error="invalid_token""#), "{name}");
        assert_eq!(reply.problem().code, "invalid_token", "{name}");
    }
    let good = claims(json!({}));
    for (name, token) in [
        ("an algorithm that is not allowed", stage.es256.with_header(&json!({"typ": "at+jwt"}), &good)),
        (
            "PS256 with an RSA key when RS256 alone is allowed",
            stage.ps256.with_header(&json!({"typ": "at+jwt"}), &good),
        ),
        ("no secret is configured", stage.secret.with_header(&json!({"typ": "at+jwt"}), &good)),
        ("typ JWT where access tokens are required", stage.rs256.token(&good)),
        ("no typ where access tokens are required", stage.rs256.with_header(&json!({"typ": null}), &good)),
        ("typ of another kind", stage.rs256.with_header(&json!({"typ": "logout+jwt"}), &good)),
    ] {
        assert_eq!(stage.narrow.get("/api/me/tasks", &token).status, 401, "{name}");
    }
}

/// Everything that must not open the door.
fn hostile(stage: &Stage) -> Vec<(String, String)> {
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
        with("one octet short", &signature[1..]);
        with("one octet long", &[&signature[..], &[0]].concat());
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
    for (index, octet) in malleable[32..].iter_mut().enumerate() {
        let sum = u16::from(*octet) + u16::from_str_radix(&order[2 * index..2 * index + 2], 16).unwrap() + carry;
        (*octet, carry) = (sum.to_le_bytes()[0], sum >> 8);
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
        json!({"exp": now() as f64 + 3600.5}),
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
        json!({"iat": 1.5}),
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
        format!(r#"{{{inside},"nbf":null}}"#).replacen("nbf", "x", 1),
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
    row(
        "a payload that is not UTF-8",
        es256.sign(&header, &base64url([b"{\"sub\":\"".as_slice(), &[0xff], b"\"}"].concat())),
    );
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

#[test]
fn scopes_allow_reading_and_writing_apart() {
    let stage = &*STAGE;
    let keys = jwks(&[&stage.es256]).to_string();
    let start = |scopes| {
        target().start_with(&[("jwt_jwks", &keys), ("jwt_scopes", scopes), ("jwt_resource", "https://api.example/")])
    };
    let (on, required) = (start("on"), start("required"));
    let token = |scopes: Value| stage.es256.token(&claims(scopes));
    let body = Some(&br#"{"title":"t"}"#[..]);
    for (scopes, reads, writes) in [
        (json!({"scope": "tasks:read"}), true, false),
        (json!({"scope": "openid tasks:write"}), false, true),
        (json!({"scope": "openid tasks:read tasks:write"}), true, true),
        (json!({"scp": ["tasks:read"]}), true, false),
        (json!({"scp": "tasks:read tasks:write"}), true, true),
        (json!({"scope": "tasks:reader tasks:*"}), false, false),
        (json!({"scope": ""}), false, false),
        (json!({"scp": []}), false, false),
        (json!({"scope": "tasks:read", "scp": ["tasks:write"]}), true, false),
    ] {
        for errand in [&on, &required] {
            let token = token(scopes.clone());
            for (reply, may, scope) in [
                (errand.get("/api/me/tasks", &token), reads, "tasks:read"),
                (errand.send("POST", "/api/me/tasks", &token, body), writes, "tasks:write"),
            ] {
                assert_eq!(reply.status == 403, !may, "{scopes}: {}", reply.body);
                if !may {
                    let metadata = "https://api.example/.well-known/oauth-protected-resource";
                    let challenge = format!(
                        r#"Bearer error="insufficient_scope", scope="{scope}", resource_metadata="{metadata}""#
                    );
                    assert_eq!(reply.header("www-authenticate"), challenge);
                    assert_eq!(reply.problem().code, "insufficient_scope");
                }
            }
        }
    }
    on.get("/api/me/tasks", &token(json!({}))).expect(200);
    required.get("/api/me/tasks", &token(json!({}))).expect(403);
    let reply = on.get("/api/me/tasks", "x").expect(401);
    assert!(reply.header("www-authenticate").ends_with(r#"/.well-known/oauth-protected-resource""#));
    let metadata = on.get("/.well-known/oauth-protected-resource", "").expect(200).json();
    let expected = json!({"resource": "https://api.example", "bearer_methods_supported": ["header"],
        "scopes_supported": ["tasks:read", "tasks:write"]});
    assert_eq!(metadata, expected);
}

#[test]
fn the_metadata_names_the_issuer() {
    let metadata = STAGE.open.get("/.well-known/oauth-protected-resource", "").expect(200).json();
    assert_eq!(metadata["authorization_servers"], json!([ISSUER]));
    assert_eq!(metadata["resource"], json!(STAGE.open.url()));
    assert_eq!(metadata.get("scopes_supported"), None);
    assert!(
        anonymous("GET", "/.well-known/oauth-protected-resource")
            .expect(200)
            .json()
            .get("authorization_servers")
            .is_none()
    );
}

#[test]
fn a_configuration_that_is_not_safe_is_not_served() {
    let good = jwks(&[&STAGE.es256]).to_string();
    let weak = json!({"keys": [fixture("weak_rsa")]}).to_string();
    let secret = jwks(&[&STAGE.secret]).to_string();
    let twice = jwks(&[&STAGE.es256, &STAGE.es256]).to_string();
    let issuer = Issuer::publishing(&[&STAGE.es256]);
    let url = issuer.jwks_url();
    let rows: &[&[(&'static str, &str)]] = &[
        &[],
        &[("jwt_secret", "short")],
        &[("jwt_secret", SECRET), ("jwt_algorithms", "HS256,HS512")],
        &[("jwt_secret", SECRET), ("jwt_algorithms", "none")],
        &[("jwt_secret", SECRET), ("jwt_algorithms", "RS256")],
        &[("jwt_secret", SECRET), ("jwt_scopes", "yes")],
        &[("jwt_jwks", &good), ("jwt_algorithms", "HS256")],
        &[("jwt_jwks", &good), ("jwt_jwks_url", &url)],
        &[("jwt_jwks", "{}")],
        &[("jwt_jwks", "not JSON")],
        &[("jwt_jwks", r#"{"keys":[]}"#)],
        &[("jwt_jwks", &weak)],
        &[("jwt_jwks", &secret)],
        &[("jwt_jwks", &twice)],
        &[("jwt_jwks_url", "http://issuer.example/keys")],
        &[("jwt_jwks_url", "issuer.example")],
        &[("jwt_jwks_url", "https://user:pass@issuer.example/keys")],
    ];
    let token = STAGE.es256.token(&claims(json!({})));
    for variables in rows {
        let errand = target().start_with(variables);
        errand.get("/health/live", "").expect(200);
        errand.get("/health/ready", "").expect(503);
        let reply = errand.get("/api/me/tasks", &token).expect(503);
        assert!(!reply.body.contains("jwt_"), "{}", reply.body);
    }
}

/// Prints what verifying costs. `cargo test --release --test api -- --ignored --nocapture verifying_costs` for figures of
/// the native target; the component is always built with optimisation.
#[test]
#[ignore = "a measurement"]
fn verifying_costs_this_much() {
    const TIMES: u32 = 300;
    let stage = &*STAGE;
    // Another user's path: refused right after the token, without a call of the database.
    let time = |token: &str| {
        let begun = std::time::Instant::now();
        stage.open.get("/api/somebody-else/tasks", token).expect(403);
        begun.elapsed().as_secs_f64() * 1e6
    };
    let typical = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 10]
    };
    eprintln!("of {TIMES} requests, in microseconds, the tenth percentile: the machine may be busy with other things");
    for signer in [&stage.secret, &stage.es256, &stage.es384, &stage.eddsa, &stage.rs256, &stage.ps256] {
        let tokens: Vec<_> = (0..TIMES).map(|number| signer.token(&claims(json!({"jti": number})))).collect();
        let first = typical(tokens.iter().map(|token| time(token)).collect());
        let again = typical((0..TIMES).map(|_| time(&tokens[0])).collect());
        eprintln!("{}: first {first:.0}, again {again:.0}, verifying {:.0}", signer.alg, first - again);
    }
}
