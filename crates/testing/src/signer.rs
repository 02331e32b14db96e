//! Tokens signed with ring, which errand does not use: a mistake that signer and verifier share would go unseen.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair};
use ring::{hmac, signature::EcdsaSigningAlgorithm};
use serde_json::{Value, json};

/// A key pair, or a secret.
pub struct Signer {
    pub alg: &'static str,
    pub kid: String,
    pair: Pair,
}

enum Pair {
    Secret(Vec<u8>),
    Rsa(RsaKeyPair, Value),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// Keys that are the same in every run: RSA keys take long to make, and ring makes none.
pub fn fixture(name: &str) -> Value {
    let keys: Value = serde_json::from_str(include_str!("../fixtures/keys.json")).unwrap();
    keys[name].clone()
}

/// Base64url without padding.
pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

impl Signer {
    /// A fresh key of this algorithm (for RSA, the first of the two that there are).
    pub fn new(alg: &'static str, kid: &str) -> Self {
        let pair = match alg {
            "RS256" | "PS256" => return Self::rsa(alg, kid, 0),
            "ES256" => Pair::Ecdsa(ecdsa(&signature::ECDSA_P256_SHA256_FIXED_SIGNING)),
            "ES384" => Pair::Ecdsa(ecdsa(&signature::ECDSA_P384_SHA384_FIXED_SIGNING)),
            "EdDSA" => {
                let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
                Pair::Ed25519(Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap())
            }
            _ => panic!("{alg}"),
        };
        Self { alg, kid: kid.to_owned(), pair }
    }

    /// One of the RSA keys.
    pub fn rsa(alg: &'static str, kid: &str, number: usize) -> Self {
        let key = &fixture("rsa")[number];
        let pkcs8 = BASE64_STANDARD.decode(key["pkcs8"].as_str().unwrap()).unwrap();
        let pair = Pair::Rsa(RsaKeyPair::from_pkcs8(&pkcs8).unwrap(), key["jwk"].clone());
        Self { alg, kid: kid.to_owned(), pair }
    }

    /// A shared secret.
    pub fn secret(secret: impl AsRef<[u8]>) -> Self {
        Self { alg: "HS256", kid: String::new(), pair: Pair::Secret(secret.as_ref().to_owned()) }
    }

    /// The public key, with `kid`, `alg` and `use`.
    pub fn jwk(&self) -> Value {
        let mut jwk = match &self.pair {
            Pair::Secret(secret) => json!({"kty": "oct", "k": base64url(secret)}),
            Pair::Rsa(_, jwk) => jwk.clone(),
            Pair::Ecdsa(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at((pair.public_key().as_ref().len() - 1) / 2);
                let crv = if x.len() == 32 { "P-256" } else { "P-384" };
                json!({"kty": "EC", "crv": crv, "x": base64url(x), "y": base64url(y)})
            }
            Pair::Ed25519(pair) => json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(pair.public_key())}),
        };
        (jwk["kid"], jwk["alg"], jwk["use"]) = (json!(self.kid), json!(self.alg), json!("sig"));
        jwk
    }

    /// A JWT of these claims.
    pub fn token(&self, claims: &Value) -> String {
        self.with_header(&json!({}), claims)
    }

    /// A JWT with these members in the header; null takes one away.
    pub fn with_header(&self, changes: &Value, claims: &Value) -> String {
        let mut header = json!({"alg": self.alg, "typ": "JWT"});
        if !self.kid.is_empty() {
            header["kid"] = json!(self.kid);
        }
        for (name, value) in changes.as_object().unwrap() {
            header[name] = value.clone();
        }
        header.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        self.sign(&base64url(header.to_string()), &base64url(claims.to_string()))
    }

    /// Signs two segments, whatever is in them.
    pub fn sign(&self, header: &str, payload: &str) -> String {
        let message = format!("{header}.{payload}");
        format!("{message}.{}", base64url(self.signature(message.as_bytes())))
    }

    /// The signature of a message.
    pub fn signature(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Secret(secret) => hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message).as_ref().to_owned(),
            Pair::Rsa(pair, _) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                let padding: &dyn signature::RsaEncoding = match self.alg {
                    "PS256" => &signature::RSA_PSS_SHA256,
                    _ => &signature::RSA_PKCS1_SHA256,
                };
                pair.sign(padding, &random, message, &mut signature).unwrap();
                signature
            }
            Pair::Ecdsa(pair) => pair.sign(&random, message).unwrap().as_ref().to_owned(),
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_owned(),
        }
    }
}

fn ecdsa(algorithm: &'static EcdsaSigningAlgorithm) -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap()
}
