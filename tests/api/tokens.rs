//! Tokens, good and hostile. Each row of the tables is one way to get in, or to be kept out.

mod costs;
mod hostile;

use std::sync::LazyLock;
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::support::{Issuer, SECRET, Signer, Target, anonymous, fixture, jwks, target};

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
    let mut with_nulls = good();
    (with_nulls["nbf"], with_nulls["iat"]) = (json!(null), json!(null));
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
        aside("exp with a fraction", es256.token(&claims(json!({"exp": now() as f64 + 3600.33})))),
        aside("exp with an exponent", es256.token(&claims(json!({"exp": 4.1e9})))),
        aside("nbf and iat with fractions", es256.token(&claims(json!({"nbf": now() as f64 - 0.25, "iat": 1.5})))),
        aside("nbf and iat of null", es256.token(&with_nulls)),
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
    let rows = hostile::rows(stage);
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
    on.get("/.well-known/oauth-protected-resource/v1", "").expect(404);
}

/// A gateway has errand below a path, and passes on what clients look for at the root (RFC 9728, section 3.1).
#[test]
fn the_metadata_of_a_url_with_a_path_is_where_the_challenge_says() {
    let keys = jwks(&[&STAGE.es256]).to_string();
    let errand = target().start_with(&[("jwt_jwks", &keys), ("jwt_resource", "https://api.example/v1/a%20b")]);
    let challenge = errand.get("/api/me/tasks", "x").expect(401);
    let told = r#"resource_metadata="https://api.example/.well-known/oauth-protected-resource/v1/a%20b""#;
    assert!(challenge.header("www-authenticate").ends_with(told), "{:?}", challenge.headers);
    for path in ["/v1/a%20b", ""] {
        let metadata = errand.get(&format!("/.well-known/oauth-protected-resource{path}"), "").expect(200).json();
        assert_eq!(metadata["resource"], "https://api.example/v1/a%20b", "{path}");
    }
    for path in ["/", "/v1", "/b", "/a%20b", "/v1/a%20b/", "/v1/a b"] {
        let path = format!("/.well-known/oauth-protected-resource{}", path.replace(' ', "+"));
        assert_eq!(errand.get(&path, "").expect(404).problem().code, "not_found", "{path}");
    }
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
