//! The tokens of the bench's users, and the key that verifies them.

use std::{
    collections::HashMap,
    fs,
    num::NonZero,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, anyhow};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::ValueEnum;
use errand_postgres::secret;
use ring::{
    hmac,
    rand::SystemRandom,
    rsa::PublicKeyComponents,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::issuer;

/// Longer than any run.
const VALIDITY_SECONDS: u64 = 24 * 60 * 60;

/// How tokens are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[value(rename_all = "UPPER")]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Alg {
    /// RSA with 2048 bits, as most issuers sign
    Rs256,
    /// ECDSA on P-256
    Es256,
    /// HMAC with a shared secret
    Hs256,
}

enum Key {
    Rsa(RsaKeyPair),
    Ecdsa(EcdsaKeyPair),
    Shared(hmac::Key),
}

/// A key and the tokens that it has signed. An RSA signature takes a millisecond, and a run asks for each token several times.
pub(crate) struct Signer {
    pub(crate) alg: Alg,
    key: Key,
    /// What verifies the tokens, with `alg` and `kid`.
    jwk: Value,
    /// The secret of HS256, else empty.
    pub(crate) secret: String,
    signed: Mutex<HashMap<String, String>>,
}

impl Alg {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::Hs256 => "HS256",
        }
    }
}

impl Signer {
    /// Takes this checkout's key of the algorithm; for HS256, a new secret.
    pub(crate) fn new(alg: Alg) -> Result<Self> {
        let mut shared = String::new();
        let (key, mut jwk) = match alg {
            Alg::Rs256 => {
                let key = RsaKeyPair::from_der(&private_key(issuer::Alg::RS256)?);
                let key = key.map_err(|error| anyhow!("the RSA key cannot be used: {error}"))?;
                let public: PublicKeyComponents<Vec<u8>> = key.public().into();
                let jwk = json!({"kty": "RSA", "n": encoded(&public.n), "e": encoded(&public.e)});
                (Key::Rsa(key), jwk)
            }
            Alg::Es256 => {
                let der = private_key(issuer::Alg::ES256)?;
                let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &SystemRandom::new());
                let key = key.map_err(|error| anyhow!("the ECDSA key cannot be used: {error}"))?;
                // A byte that says "uncompressed", x and y (SEC 1, section 2.3.3).
                let (x, y) = key.public_key().as_ref().split_at_checked(33).context("a short public key")?;
                let x = x.get(1..).unwrap_or_default();
                let jwk = json!({"kty": "EC", "crv": "P-256", "x": encoded(x), "y": encoded(y)});
                (Key::Ecdsa(key), jwk)
            }
            Alg::Hs256 => {
                shared = secret::hex(32)?;
                let jwk = json!({"kty": "oct", "k": encoded(shared.as_bytes())});
                (Key::Shared(hmac::Key::new(hmac::HMAC_SHA256, shared.as_bytes())), jwk)
            }
        };
        if let Some(members) = jwk.as_object_mut() {
            members.insert("alg".to_owned(), json!(alg.name()));
            members.insert("kid".to_owned(), json!(kid(alg)));
            members.insert("use".to_owned(), json!("sig"));
        }
        Ok(Self { alg, key, jwk, secret: shared, signed: Mutex::default() })
    }

    /// The key as JSON, for the peers.
    pub(crate) fn jwk(&self) -> String {
        self.jwk.to_string()
    }

    /// The published keys, for errand; empty where there is but a secret.
    pub(crate) fn jwks(&self) -> String {
        if self.alg == Alg::Hs256 { String::new() } else { json!({"keys": [self.jwk]}).to_string() }
    }

    /// A token for each user, signed on all cores unless it has been before.
    pub(crate) async fn tokens(self: &Arc<Self>, users: Vec<String>) -> Result<Vec<String>> {
        let signer = self.clone();
        tokio::task::spawn_blocking(move || signer.tokens_of(&users)).await?
    }

    fn tokens_of(&self, users: &[String]) -> Result<Vec<String>> {
        let mut signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        let new: Vec<&String> = users.iter().filter(|user| !signed.contains_key(*user)).collect();
        if !new.is_empty() {
            let workers = thread::available_parallelism().map_or(1, NonZero::get);
            let share = new.len().div_ceil(workers);
            let shares = thread::scope(|scope| {
                let work = |users: &[&String]| users.iter().map(|user| self.sign(user)).collect::<Result<Vec<_>>>();
                let running: Vec<_> = new.chunks(share).map(|users| scope.spawn(move || work(users))).collect();
                running
                    .into_iter()
                    .map(|one| one.join().map_err(|_| anyhow!("signing failed"))?)
                    .collect::<Result<Vec<_>>>()
            })?;
            signed.extend(new.into_iter().cloned().zip(shares.into_iter().flatten()));
        }
        users.iter().map(|user| signed.get(user).cloned().context("a token that was not signed")).collect()
    }

    fn sign(&self, user: &str) -> Result<String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock stands before 1970")?.as_secs();
        let header = json!({"typ": "JWT", "alg": self.alg.name(), "kid": kid(self.alg)});
        let claims = json!({"sub": user, "iat": now, "exp": now + VALIDITY_SECONDS});
        let message = format!("{}.{}", encoded(header.to_string().as_bytes()), encoded(claims.to_string().as_bytes()));
        let failed = |_| anyhow!("the token of {user} could not be signed");
        let signature = match &self.key {
            Key::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)
                    .map_err(failed)?;
                signature
            }
            Key::Ecdsa(key) => key.sign(&SystemRandom::new(), message.as_bytes()).map_err(failed)?.as_ref().to_owned(),
            Key::Shared(key) => hmac::sign(key, message.as_bytes()).as_ref().to_owned(),
        };
        Ok(format!("{message}.{}", encoded(&signature)))
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Signer").field("alg", &self.alg).finish_non_exhaustive()
    }
}

fn kid(alg: Alg) -> String {
    format!("local-{}", alg.name().to_lowercase())
}

/// The DER of this checkout's key, made if there is none.
fn private_key(alg: issuer::Alg) -> Result<Vec<u8>> {
    alg.key()?;
    let path = issuer::folder()?.join(format!("{}.der", alg.kid()));
    fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{
        ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
    };

    fn member(jwk: &Value, name: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap()
    }

    /// Verified from the JWK alone, as the servers do.
    fn verify(signer: &Signer, token: &str) -> bool {
        let (message, signature) = token.rsplit_once('.').unwrap();
        let (jwk, signature) = (&signer.jwk, URL_SAFE_NO_PAD.decode(signature).unwrap());
        match signer.alg {
            Alg::Rs256 => RsaPublicKeyComponents { n: member(jwk, "n"), e: member(jwk, "e") }
                .verify(&RSA_PKCS1_2048_8192_SHA256, message.as_bytes(), &signature)
                .is_ok(),
            Alg::Es256 => {
                let point = [vec![4], member(jwk, "x"), member(jwk, "y")].concat();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message.as_bytes(), &signature).is_ok()
            }
            Alg::Hs256 => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, &member(jwk, "k"));
                hmac::verify(&key, message.as_bytes(), &signature).is_ok()
            }
        }
    }

    #[test]
    fn a_token_of_each_user_is_verified_by_the_published_key() {
        for alg in [Alg::Rs256, Alg::Es256, Alg::Hs256] {
            let signer = Signer::new(alg).unwrap();
            let users: Vec<String> = (1..=5).map(|n| format!("user-{n}")).collect();
            let tokens = signer.tokens_of(&users).unwrap();
            for (user, token) in users.iter().zip(&tokens) {
                assert!(verify(&signer, token), "{}", alg.name());
                let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
                let claims: Value = serde_json::from_slice(&claims).unwrap();
                assert_eq!(claims["sub"].as_str(), Some(user.as_str()));
            }
            assert_eq!(signer.jwks().is_empty(), alg == Alg::Hs256);
        }
    }

    #[test]
    fn a_token_is_signed_once() {
        let signer = Signer::new(Alg::Es256).unwrap();
        // ECDSA signs differently each time.
        let user = || vec!["user-1".to_owned()];
        assert_eq!(signer.tokens_of(&user()).unwrap(), signer.tokens_of(&user()).unwrap());
    }
}
