use std::sync::Mutex;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant, SystemTime};

use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::auth::{Access, FetchFuture, SleepFuture};

const AMBIENT: Ambient = Ambient { now: SystemTime::now, clock: Instant::now, new_id: Uuid::nil, log: |_| {} };
const SECRET: &str = "0123456789abcdef0123456789abcdef";
/// RFC 8037, appendix A, in PKCS #8; and another one.
const PRIVATE: [[u8; 32]; 2] = [[7; 32], [9; 32]];

/// An issuer that publishes what it is told to.
struct Issuer(Mutex<String>);

impl KeySource for Issuer {
    fn fetch<'a>(&'a self, _: &'a str) -> FetchFuture<'a> {
        let document = self.0.lock().unwrap().clone();
        Box::pin(async move { Ok(document.into_bytes()) })
    }

    fn sleep(&self, _: Duration) -> SleepFuture {
        Box::pin(async {})
    }
}

fn issuer(document: &str) -> Arc<Issuer> {
    Arc::new(Issuer(Mutex::new(document.to_owned())))
}

fn moment() -> Moment {
    Moment { wall: SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000), steady: Instant::now() }
}

fn later(moment: Moment, seconds: u64) -> Moment {
    let passed = Duration::from_secs(seconds);
    Moment { wall: moment.wall + passed, steady: moment.steady + passed }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    match std::pin::pin!(future).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("nothing here waits"),
    }
}

fn verifier(config: AuthConfig) -> Result<Verifier, ConfigError> {
    Verifier::new(&config, issuer(""), AMBIENT)
}

fn shared() -> AuthConfig {
    AuthConfig {
        secret: SECRET.to_owned(),
        issuer: "https://issuer".to_owned(),
        audience: "errand".to_owned(),
        ..AuthConfig::default()
    }
}

fn verify(claims: &Value) -> Result<Caller, Refusal> {
    let key = EncodingKey::from_secret(SECRET.as_bytes()).unwrap();
    let token = jsonwebtoken::encode(&Header::default(), claims, &key).unwrap();
    run(verifier(shared()).unwrap().verify(&format!("Bearer {token}"), moment()))
}

fn claims() -> Value {
    json!({"sub": "alice", "exp": 1_000_100, "iss": "https://issuer", "aud": ["other", "errand"]})
}

/// What is kept is not verified again, which is what costs time.
#[test]
fn a_verified_token_is_kept_until_it_ends() {
    let key = EncodingKey::from_secret(SECRET.as_bytes()).unwrap();
    let token = jsonwebtoken::encode(&Header::default(), &claims(), &key).unwrap();
    let verifier = verifier(shared()).unwrap();
    let kept = |at: u64| verifier.cache.get(&Sha256::digest(&token).into(), at).map(|known| known.caller.user_id);
    assert_eq!(kept(1_000_000), None);
    run(verifier.verify(&format!("Bearer {token}"), moment())).unwrap();
    assert_eq!(kept(1_000_159), Some("alice".to_owned()));
    assert_eq!(kept(1_000_160), None);
}

#[test]
fn a_good_token_names_its_caller() {
    let caller = verify(&claims()).unwrap();
    assert_eq!(caller.user_id(), "alice");
    assert!(caller.may(Access::Read) && caller.may(Access::Write));
}

#[test]
fn a_secret_has_a_successor_before_it_goes() {
    // Secrets may have commas of their own.
    let secrets =
        ["current", "previous", "another"].map(|name| format!("{name}, and, long enough, a secret of 32 bytes"));
    let token = |secret: &str| {
        let key = EncodingKey::from_secret(secret.as_bytes()).unwrap();
        format!("Bearer {}", jsonwebtoken::encode(&Header::default(), &claims(), &key).unwrap())
    };
    let accepts = |configured: &str| {
        let verifier = verifier(AuthConfig { secret: configured.to_owned(), ..shared() }).unwrap();
        // The second time it is known.
        [0, 1].map(|_| secrets.each_ref().map(|secret| run(verifier.verify(&token(secret), moment())).is_ok()))
    };
    let [current, previous, _] = &secrets;
    assert_eq!(accepts(current), [[true, false, false]; 2]);
    assert_eq!(accepts(&format!("{current},{previous}")), [[true, true, false]; 2]);
    assert_eq!(accepts(&format!(" {current} , {previous} ")), [[true, true, false]; 2]);
    assert_eq!(accepts(&format!("{previous},{current}")), [[true, true, false]; 2]);
    // What is too short for a secret is none.
    for own in [format!("{current},x"), format!("x,{current}"), ",".repeat(32)] {
        let verifier = verifier(AuthConfig { secret: own.clone(), ..shared() }).unwrap();
        assert!(run(verifier.verify(&token(&own), moment())).is_ok(), "{own}");
        assert!(run(verifier.verify(&token(current), moment())).is_err(), "{own}");
    }
}

#[test]
fn clocks_may_differ_by_a_minute() {
    for (name, good, bad) in [("exp", 999_941, 999_940), ("nbf", 1_000_060, 1_000_061), ("iat", 1_000_060, 1_000_061)] {
        let with = |value: u64| {
            let mut claims = claims();
            claims[name] = value.into();
            verify(&claims)
        };
        assert!(with(good).is_ok(), "{name}");
        assert!(matches!(with(bad), Err(Refusal::Invalid(_))), "{name}");
    }
}

#[test]
fn a_configuration_that_could_let_anyone_in_is_refused() {
    let variable = |config: AuthConfig| verifier(config).err().map(|error| error.variable);
    let base = AuthConfig::default;
    let jwks = || jwks(&[0]);
    assert_eq!(variable(base()), Some("jwt_secret"));
    assert_eq!(variable(AuthConfig { secret: "x".repeat(31), ..base() }), Some("jwt_secret"));
    assert_eq!(variable(AuthConfig { jwks: "{}".to_owned(), ..base() }), Some("jwt_jwks"));
    assert_eq!(variable(AuthConfig { jwks: jwks(), jwks_url: "https://i".to_owned(), ..base() }), Some("jwt_jwks"));
    for url in [
        "http://issuer.example",
        "ftp://issuer",
        "issuer",
        "https://",
        "https://a@b/",
        "https://a/#f",
        "http://localhost.evil",
    ] {
        assert_eq!(variable(AuthConfig { jwks_url: url.to_owned(), ..base() }), Some("jwt_jwks_url"), "{url}");
        assert_eq!(variable(AuthConfig { resource: url.to_owned(), ..shared() }), Some("jwt_resource"), "{url}");
    }
    for url in ["https://issuer.example/keys?a=b", "http://127.0.0.1:3000/keys", "http://localhost/", "http://[::1]:1/"]
    {
        assert_eq!(variable(AuthConfig { jwks_url: url.to_owned(), ..base() }), None, "{url}");
    }
    for (algorithms, secret, jwks, bad) in [
        ("HS256", SECRET, String::new(), false),
        ("ES256, EdDSA", "", jwks(), false),
        ("HS256,EdDSA", SECRET, jwks(), false),
        ("HS256,EdDSA", SECRET, String::new(), true),
        ("HS256", "", jwks(), true),
        ("HS256", SECRET, jwks(), true),
        ("EdDSA", SECRET, jwks(), true),
        ("none", SECRET, String::new(), true),
        ("HS256,", SECRET, String::new(), true),
        ("hs256", SECRET, String::new(), true),
    ] {
        let config = AuthConfig { algorithms: algorithms.to_owned(), secret: secret.to_owned(), jwks, ..base() };
        assert_eq!(variable(config), bad.then_some("jwt_algorithms"), "{algorithms}");
    }
}

#[test]
fn the_scheme_has_no_case_and_the_token_is_needed() {
    assert_eq!(bearer("bEARER abc"), Some("abc"));
    for header in ["", "Bearer", "Bearer ", "Basic abc", "abc"] {
        assert_eq!(bearer(header), None, "{header}");
    }
}

/// The public keys of these, under their numbers.
fn jwks(numbers: &[usize]) -> String {
    let keys = numbers.iter().map(|&number| {
        let public = ed25519_dalek::SigningKey::from_bytes(&PRIVATE[number]).verifying_key();
        let x = base64::Engine::encode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, public.as_bytes());
        json!({"kty": "OKP", "crv": "Ed25519", "kid": number.to_string(), "x": x})
    });
    json!({"keys": keys.collect::<Vec<_>>()}).to_string()
}

/// An `Authorization` header with a token that one of the keys signed.
fn signed(number: usize, exp: u64) -> String {
    // RFC 8410: what stands before the 32 bytes of a private key.
    let mut der = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    der.extend_from_slice(&PRIVATE[number]);
    let header = Header { kid: Some(number.to_string()), ..Header::new(jsonwebtoken::Algorithm::EdDSA) };
    let claims = json!({"sub": "alice", "exp": exp});
    format!("Bearer {}", jsonwebtoken::encode(&header, &claims, &EncodingKey::from_ed_der(&der)).unwrap())
}

fn with_url(issuer: &Arc<Issuer>) -> Verifier {
    let config = AuthConfig { jwks_url: "https://issuer.example/keys".to_owned(), ..AuthConfig::default() };
    Verifier::new(&config, issuer.clone(), AMBIENT).unwrap()
}

#[test]
fn a_new_key_is_found_at_once_and_a_removed_one_stops_working() {
    let issuer = issuer(&jwks(&[0]));
    let (verifier, start) = (with_url(&issuer), moment());
    let (old, new) = (signed(0, 1_010_000), signed(1, 1_010_000));
    assert!(run(verifier.verify(&old, start)).is_ok());
    *issuer.0.lock().unwrap() = jwks(&[0, 1]);
    assert!(run(verifier.verify(&new, later(start, 1))).is_ok());
    assert!(run(verifier.verify(&old, later(start, 1))).is_ok());
    *issuer.0.lock().unwrap() = jwks(&[1]);
    // From the cache, for as long as the set is fresh; not beyond.
    assert!(run(verifier.verify(&old, later(start, 2))).is_ok());
    assert!(matches!(run(verifier.verify(&old, later(start, 700))), Err(Refusal::Invalid(_))));
    assert!(run(verifier.verify(&new, later(start, 700))).is_ok());
}

#[test]
fn a_known_token_ends_when_it_says() {
    let (verifier, start) = (with_url(&issuer(&jwks(&[0]))), moment());
    let token = signed(0, 1_000_100);
    for seconds in [0, 0, 159] {
        assert!(run(verifier.verify(&token, later(start, seconds))).is_ok(), "{seconds}");
    }
    assert!(matches!(run(verifier.verify(&token, later(start, 160))), Err(Refusal::Invalid(_))));
}

#[test]
fn without_keys_it_is_unknown_whether_a_token_is_valid() {
    let verifier = with_url(&issuer("<html>"));
    assert_eq!(run(verifier.verify(&signed(0, 1_010_000), moment())), Err(Refusal::Unavailable));
    // What no key could make good is refused all the same.
    assert!(matches!(run(verifier.verify("Bearer x", moment())), Err(Refusal::Invalid(_))));
}
