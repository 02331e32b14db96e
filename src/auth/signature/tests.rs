//! Wycheproof's vectors, verified with keys out of a JWKS, as an issuer publishes them.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use wycheproof::{TestResult, ecdsa, eddsa, rsa_pkcs1_verify, rsa_pss_verify};

use super::*;
use crate::auth::keys::KeySet;

/// How many signatures were verified, and how many of them were accepted.
#[derive(Debug, Default, PartialEq)]
struct Count {
    verified: usize,
    accepted: usize,
}

/// Verifies the signatures of a group with its key. What is acceptable to some is refused here: it is not as the RFC says.
macro_rules! verify {
    ($count:expr, $name:expr, $jwk:expr, $algorithm:expr, $group:expr) => {{
        let keys = KeySet::parse(json!({"keys": [$jwk]}).to_string().as_bytes()).unwrap();
        let key = keys.find(None, $algorithm).unwrap();
        for vector in &$group.tests {
            let accepted = key.verifies($algorithm, &vector.msg, &vector.sig);
            let (id, comment) = (vector.tc_id, &vector.comment);
            assert_eq!(accepted, vector.result == TestResult::Valid, "{:?} {id}: {comment}", $name);
            $count.verified += 1;
            $count.accepted += usize::from(accepted);
        }
    }};
}

fn text(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn rsa(modulus: &[u8], exponent: &[u8]) -> Value {
    json!({"kty": "RSA", "n": text(modulus), "e": text(exponent)})
}

/// A coordinate without its sign, as long as the curve's numbers are.
fn coordinate(number: &[u8], length: usize) -> String {
    let significant = &number[number.len().saturating_sub(length)..];
    text(&[&vec![0; length - significant.len()], significant].concat())
}

#[test]
fn rs256_by_wycheproof() {
    use rsa_pkcs1_verify::{TestName, TestSet};
    let mut count = Count::default();
    for name in [TestName::Rsa2048Sha256, TestName::Rsa3072Sha256, TestName::Rsa4096Sha256] {
        for group in TestSet::load(name).unwrap().test_groups {
            verify!(count, name, rsa(&group.key.n, &group.key.e), Algorithm::Rs256, group);
        }
    }
    assert_eq!(count, Count { verified: 776, accepted: 24 });
}

#[test]
fn ps256_by_wycheproof() {
    use rsa_pss_verify::{TestName, TestSet};
    let mut count = Count::default();
    for name in [
        TestName::RsaPss2048Sha256Mgf1SaltLen32,
        TestName::RsaPss3072Sha256Mgf1SaltLen32,
        TestName::RsaPss4096Sha256Mgf1SaltLen32,
        // Salts of other lengths than that of the hash, but for one.
        TestName::RsaPss2048Sha256Mgf1SaltLen0,
    ] {
        for mut group in TestSet::load(name).unwrap().test_groups {
            if group.salt_size != 32 {
                for vector in &mut group.tests {
                    let good = vector.comment == "s_len changed to 32";
                    vector.result = if good { TestResult::Valid } else { TestResult::Invalid };
                }
            }
            verify!(count, name, rsa(&group.key.n, &group.key.e), Algorithm::Ps256, group);
        }
    }
    assert_eq!(count, Count { verified: 427, accepted: 190 });
}

#[test]
fn es256_and_es384_by_wycheproof() {
    use ecdsa::{TestName, TestSet};
    let mut count = Count::default();
    for (name, curve, length, algorithm) in [
        (TestName::EcdsaSecp256r1Sha256P1363, "P-256", 32, Algorithm::Es256),
        (TestName::EcdsaSecp384r1Sha384P1363, "P-384", 48, Algorithm::Es384),
    ] {
        for group in TestSet::load(name).unwrap().test_groups {
            let (x, y) = (coordinate(&group.key.affine_x, length), coordinate(&group.key.affine_y, length));
            verify!(count, name, json!({"kty": "EC", "crv": curve, "x": x, "y": y}), algorithm, group);
        }
    }
    assert_eq!(count, Count { verified: 542, accepted: 366 });
}

#[test]
fn eddsa_by_wycheproof() {
    use eddsa::{TestName, TestSet};
    let mut count = Count::default();
    for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": text(&group.key.pk)});
        verify!(count, TestName::Ed25519, jwk, Algorithm::EdDsa, group);
    }
    assert_eq!(count, Count { verified: 151, accepted: 88 });
}

/// RFC 4231, test cases 1 and 2.
#[test]
fn hs256_by_rfc_4231() {
    for (key, message, expected) in [
        (&[0x0b; 20][..], "Hi There", "sDRMYdjbOFNcqK_OrwvxK4gdwgDJgz2nJuk3bC4yz_c"),
        (b"Jefe", "what do ya want for nothing?", "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM"),
    ] {
        let signature = BASE64_URL_SAFE_NO_PAD.decode(expected).unwrap();
        let key = VerifyingKey::secret(key).unwrap();
        assert!(key.verifies(Algorithm::Hs256, message.as_bytes(), &signature));
        for wrong in [&signature[..31], &[signature.as_slice(), &[0]].concat(), &[0; 32], &[]] {
            assert!(!key.verifies(Algorithm::Hs256, message.as_bytes(), wrong));
        }
    }
}
