//! The recipes of docs/auth.md, each against a stand-in that signs as the real issuer does: same header, same claims,
//! same kind of key, same form of `iss` and `aud`.

use serde_json::{Value, json};

use crate::support::{Issuer, SECRET, Signer, Target, target};
use crate::tokens::now;

/// An issuer with one key, and an errand that is configured as the recipe says.
struct Recipe {
    signer: Signer,
    errand: Target,
    _issuer: Issuer,
}

fn recipe(signer: Signer, variables: &[(&'static str, &str)]) -> Recipe {
    let issuer = Issuer::publishing(&[&signer]);
    let url = issuer.jwks_url();
    let keys = [("jwt_jwks_url", url.as_str()), ("jwks_origin", issuer.origin.as_str())];
    let errand = target().start_with(&[&keys[..], variables].concat());
    Recipe { signer, errand, _issuer: issuer }
}

impl Recipe {
    #[track_caller]
    fn takes(&self, header: &Value, claims: &Value) {
        let reply = self.errand.get("/api/me/tasks", &self.signer.with_header(header, claims));
        assert_eq!(reply.status, 200, "{}", reply.body);
    }

    #[track_caller]
    fn refuses(&self, header: &Value, claims: &Value, change: Value) {
        let mut claims = claims.clone();
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let reply = self.errand.get("/api/me/tasks", &self.signer.with_header(header, &claims));
        assert_eq!(reply.status, 401, "{change}: {}", reply.body);
    }
}

#[test]
fn auth0() {
    let recipe = recipe(
        Signer::new("RS256", "NjVBRjY5MDlCMUIwNzU4RTA2QzZFMDQ4QzQ2MDAyQjVDNjk1RTM2Qg"),
        &[
            ("jwt_issuer", "https://tenant.eu.auth0.com/"),
            ("jwt_audience", "https://api.example.com"),
            ("jwt_algorithms", "RS256"),
            ("jwt_scopes", "on"),
        ],
    );
    let claims = json!({"iss": "https://tenant.eu.auth0.com/", "sub": "auth0|5f7c8ec7c33c6c004bbafe82",
        "aud": ["https://api.example.com", "https://tenant.eu.auth0.com/userinfo"], "iat": now(), "exp": now() + 86_400,
        "azp": "my_client_id", "scope": "openid profile tasks:read tasks:write"});
    recipe.takes(&json!({}), &claims);
    // The profile "RFC 9068".
    recipe.takes(&json!({"typ": "at+jwt"}), &claims);
    recipe.refuses(&json!({}), &claims, json!({"aud": "my_client_id", "nonce": "n"}));
    recipe.refuses(&json!({}), &claims, json!({"iss": "https://tenant.eu.auth0.com"}));
}

#[test]
fn clerk() {
    let recipe = recipe(
        Signer::new("RS256", "ins_2abc"),
        &[("jwt_issuer", "https://verb-noun-00.clerk.accounts.dev"), ("jwt_algorithms", "RS256")],
    );
    let claims = json!({"azp": "http://localhost:3000", "exp": now() + 60, "fva": [0, -1], "iat": now(),
        "iss": "https://verb-noun-00.clerk.accounts.dev", "nbf": now() - 10, "sid": "sess_2abc", "sts": "active",
        "sub": "user_2abc", "v": 2, "o": {"id": "org_1", "rol": "admin", "slg": "org"}});
    recipe.takes(&json!({"cat": "cl_B7d4PD111AAA"}), &claims);
    recipe.refuses(&json!({}), &claims, json!({"iss": "https://clerk.example.com"}));
}

#[test]
fn supabase_auth() {
    let variables = [("jwt_issuer", "https://abcdefgh.supabase.co/auth/v1"), ("jwt_audience", "authenticated")];
    let claims = json!({"aal": "aal1", "amr": [{"method": "password", "timestamp": now()}], "app_metadata":
        {"provider": "email", "providers": ["email"]}, "aud": "authenticated", "email": "a@example.com", "exp": now() + 3600,
        "iat": now(), "is_anonymous": false, "iss": "https://abcdefgh.supabase.co/auth/v1", "phone": "",
        "role": "authenticated", "session_id": "b9bf5a4e-7b35-4e4f-a30a-0bb4a9f1d0a3",
        "sub": "9f1d0a3b-5a4e-4e4f-a30a-7b35b9bf5a4e", "user_metadata": {"sub": "someone else"}});
    let es256 = recipe(
        Signer::new("ES256", "7f3c9c5e-1d4e-4f7c-9c56-0f0b1a2c3d4e"),
        &[&variables[..], &[("jwt_algorithms", "ES256")]].concat(),
    );
    es256.takes(&json!({}), &claims);
    // The project's anon and service_role keys are no users.
    let key = json!({"aud": null, "sub": null, "role": "service_role", "iss": "supabase"});
    es256.refuses(&json!({}), &claims, key);
    // Projects of before signing keys have a shared secret, and tokens that name it.
    let legacy = target().start_with(&[&variables[..], &[("jwt_secret", SECRET)]].concat());
    let token = Signer::secret(SECRET).with_header(&json!({"kid": "hG4x9Kd2"}), &claims);
    legacy.get("/api/me/tasks", &token).expect(200);
}

#[test]
fn better_auth_and_neon_auth() {
    let origin = "https://ep-cool-name-123.neonauth.eu-central-1.aws.neon.tech";
    let recipe = recipe(
        Signer::new("EdDSA", "c5c7995d-0e37-4b42-9d5e-6a4f0f0b1a2c"),
        &[("jwt_issuer", origin), ("jwt_audience", origin), ("jwt_algorithms", "EdDSA")],
    );
    let claims = json!({"iat": now(), "name": "Alice", "email": "a@example.com", "emailVerified": true, "image": null,
        "createdAt": "2026-11-22T18:59:12.123Z", "updatedAt": "2026-11-22T18:59:12.123Z", "role": "authenticated",
        "banned": false, "id": "user-1", "sub": "user-1", "exp": now() + 900, "iss": origin, "aud": origin});
    // Its tokens have no typ.
    recipe.takes(&json!({"typ": null}), &claims);
    recipe.refuses(&json!({"typ": null}), &claims, json!({"aud": "https://elsewhere.example"}));
}

#[test]
fn keycloak() {
    let realm = "https://keycloak.example.com/realms/demo";
    let recipe = recipe(
        Signer::new("RS256", "FJ86GcF3jTbNLOco4NvZkUCIUmfYCqoqtOQeMfbhNlE"),
        &[("jwt_issuer", realm), ("jwt_audience", "errand"), ("jwt_algorithms", "RS256"), ("jwt_scopes", "on")],
    );
    let claims = json!({"exp": now() + 300, "iat": now(), "auth_time": now(), "jti": "onrtac:6d8f", "iss": realm,
        "aud": ["errand", "account"], "sub": "f3b5e8b6-6c2c-4b42-9d5e-6a4f0f0b1a2c", "typ": "Bearer", "azp": "web",
        "sid": "1", "acr": "1", "allowed-origins": ["https://web.example.com"],
        "realm_access": {"roles": ["offline_access"]}, "scope": "openid tasks:read email profile"});
    recipe.takes(&json!({}), &claims);
    for typ in ["ID", "Refresh", "Offline"] {
        recipe.refuses(&json!({}), &claims, json!({"typ": typ}));
    }
    recipe.refuses(&json!({}), &claims, json!({"aud": "account"}));
    let reply = recipe.errand.send("POST", "/api/me/tasks", &recipe.signer.token(&claims), Some(br#"{"title":"t"}"#));
    assert_eq!(reply.status, 403, "{}", reply.body);
}

#[test]
fn a_shared_secret() {
    let errand = target().start_with(&[("jwt_secret", SECRET), ("jwt_issuer", "backend"), ("jwt_audience", "errand")]);
    let claims = |iss: &str| json!({"iss": iss, "aud": "errand", "sub": "alice", "exp": now() + 3600});
    errand.get("/api/alice/tasks", &Signer::secret(SECRET).token(&claims("backend"))).expect(200);
    errand.get("/api/alice/tasks", &Signer::secret(SECRET).token(&claims("frontend"))).expect(401);
}
