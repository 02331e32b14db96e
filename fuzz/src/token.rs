//! Bearer tokens, and the documents that issuers publish their keys in.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use errand::auth::{AuthConfig, Caller, FetchFuture, KeySource, Moment, Refusal, SleepFuture, Verifier};
use ring::hmac;
use serde_json::Value;

use super::at_once;
use super::router::{AMBIENT, NOW, SECRET, signature};

const ISSUER: &str = "https://issuer.example";
const AUDIENCE: &str = "errand";
/// How far the clocks may differ, in seconds.
const SKEW: u64 = 60;

/// Keys, and a token of each algorithm, made by a library that errand does not use. All tokens have the same claims.
static FIXTURE: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../tests/api/fixtures/pyjwt.json")).unwrap());

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let config = AuthConfig { secret: SECRET.to_owned(), jwks: FIXTURE["jwks"].to_string(), ..rules() };
    Verifier::new(&config, Arc::new(Published(Vec::new())), AMBIENT).unwrap()
});

/// The value of an `Authorization` header. Behind `c`: claims, to be signed with the shared secret. Behind `h`: the
/// header of a token, a line end, and claims, to be signed so, too.
pub fn token(data: &[u8]) {
    let (value, claims) = match data.split_first() {
        Some((b'c', claims)) => (sign(br#"{"alg":"HS256","typ":"JWT"}"#, claims), Some(claims)),
        Some((b'h', rest)) => {
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else { return };
            (sign(&rest[..end], &rest[end + 1..]), Some(&rest[end + 1..]))
        }
        _ => match std::str::from_utf8(data) {
            Ok(text) => (text.trim_start_matches("Bearer ").to_owned(), None),
            Err(_) => return,
        },
    };
    let authorization = format!("Bearer {value}");
    let first = verify(&VERIFIER, &authorization);
    // The second answer comes from what is remembered.
    assert_eq!(first, verify(&VERIFIER, &authorization));
    let Ok(caller) = first else { return };
    match claims {
        Some(claims) => is_meant(&caller, claims),
        // Nobody here but its maker can have signed it.
        None => assert!(is_signed(value.trim_matches(' ')), "{value}"),
    }
}

/// A JWKS, as an issuer's answer and as the operator's variable.
pub fn jwks(data: &[u8]) {
    let published = AuthConfig { jwks_url: format!("{ISSUER}/keys"), ..rules() };
    let published = Verifier::new(&published, Arc::new(Published(data.to_vec())), AMBIENT).unwrap();
    let tokens = FIXTURE["tokens"].as_object().unwrap();
    let asymmetric = tokens.iter().filter(|(alg, _)| *alg != "HS256");
    let mut usable = false;
    for (_, token) in asymmetric {
        let outcome = verify(&published, &format!("Bearer {}", token.as_str().unwrap()));
        usable |= outcome != Err(Refusal::Unavailable);
        if let Ok(caller) = outcome {
            assert_eq!(caller.user_id(), "pyjwt");
        }
    }
    if let Ok(text) = std::str::from_utf8(data).map(str::to_owned)
        && !text.is_empty()
    {
        let inline = Verifier::new(&AuthConfig { jwks: text, ..rules() }, Arc::new(Published(Vec::new())), AMBIENT);
        assert_eq!(inline.is_ok(), usable, "one way takes the keys, the other does not");
    }
}

/// A token of this header and these claims.
pub(super) fn sign(header: &[u8], claims: &[u8]) -> String {
    let message = format!("{}.{}", base64url(header), base64url(claims));
    format!("{message}.{}", base64url(&signature(message.as_bytes())))
}

fn rules() -> AuthConfig {
    AuthConfig { issuer: ISSUER.to_owned(), audience: AUDIENCE.to_owned(), ..AuthConfig::default() }
}

fn verify(verifier: &Verifier, authorization: &str) -> Result<Caller, Refusal> {
    let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
    at_once(verifier.verify(authorization, Moment { wall, steady: Instant::now() }))
}

/// Whether claims that were accepted say what was understood.
fn is_meant(caller: &Caller, claims: &[u8]) {
    let text = std::str::from_utf8(claims).unwrap();
    // What has no meaning here is not looked at closely: a number may be too large there, or a surrogate alone.
    let Ok(claims) = serde_json::from_str::<Value>(text) else { return };
    assert_eq!(claims["sub"], caller.user_id());
    assert!((1..=255).contains(&caller.user_id().chars().count()));
    // Whole seconds, perhaps of a number with a fraction or an exponent.
    let seconds = |name: &str| claims[name].as_f64().map(|seconds| seconds as u64);
    assert!(seconds("exp").unwrap() + SKEW > NOW);
    assert!(seconds("nbf").unwrap_or(0) <= NOW + SKEW);
    assert_eq!(claims["iss"], ISSUER);
    let audience = match &claims["aud"] {
        Value::Array(several) => several.iter().any(|one| one == AUDIENCE),
        one => one == AUDIENCE,
    };
    assert!(audience, "{claims}");
}

/// Whether the token is one of the fixture's, or signed with the shared secret.
fn is_signed(token: &str) -> bool {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let tokens = FIXTURE["tokens"].as_object().unwrap().values();
    let known = tokens.filter_map(|token| token.as_str()?.rsplit_once('.')).any(|(known, _)| known == message);
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    known
        || BASE64_URL_SAFE_NO_PAD
            .decode(signature)
            .is_ok_and(|tag| hmac::verify(&key, message.as_bytes(), &tag).is_ok())
}

fn base64url(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// A source with one document.
struct Published(Vec<u8>);

impl KeySource for Published {
    fn fetch<'a>(&'a self, _: &'a str) -> FetchFuture<'a> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }

    fn sleep(&self, _: Duration) -> SleepFuture {
        Box::pin(std::future::ready(()))
    }
}
