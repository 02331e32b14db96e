//! RSA keys (RFC 8017).

use std::sync::OnceLock;

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, MontyForm, MontyMultiplier};
use rsa::PublicKey;
use rsa::traits::PublicKeyParts;
use sha2::{Digest, Sha256};

/// An RSA public key. It is prepared by the first signature: that costs as much as some multiplications, and of the keys of an issuer an
/// instance often uses one.
pub(in crate::auth) struct RsaKey {
    modulus: BoxedUint,
    exponent: u64,
    prepared: OnceLock<Option<PublicKey>>,
}

/// The DigestInfo of SHA-256, without the hash (RFC 8017, section 9.2, note 1).
const DIGEST_INFO: [u8; 19] =
    [0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];

impl RsaKey {
    /// A key of 2,048 to 4,096 bits, from the big-endian numbers of a JWK (RFC 7518, section 6.3.1).
    pub(in crate::auth) fn new(modulus: &[u8], exponent: &[u8]) -> Result<Self, &'static str> {
        let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
        let modulus = modulus.get(zeros..).unwrap_or_default();
        let bits = modulus.first().map_or(0, |first| modulus.len() * 8 - first.leading_zeros() as usize);
        if !(2048..=4096).contains(&bits) {
            return Err("an RSA modulus must have 2048 to 4096 bits");
        }
        if modulus.last().is_none_or(|last| last % 2 == 0) {
            return Err("its modulus is not the product of two odd primes");
        }
        let exponent = exponent.iter().try_fold(0_u64, |sum, byte| Some(sum.checked_mul(256)? + u64::from(*byte)));
        match exponent {
            // The upper bound is that of the implementation. Exponents in use are smaller.
            Some(exponent @ 3..=PublicKey::MAX_PUB_EXPONENT) if exponent % 2 == 1 => {
                Ok(Self { modulus: BoxedUint::from_be_slice_vartime(modulus), exponent, prepared: OnceLock::new() })
            }
            _ => Err("its exponent is not one"),
        }
    }

    /// Whether this is the key's signature by RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, section 8.2.2).
    ///
    /// The rsa crate raises to a public exponent as it does to a secret one: it computes sixteen powers first, and multiplies by one of
    /// them for each four bits. That is 35 multiplications for 65,537, where 17 do.
    pub(in crate::auth) fn verifies_pkcs1(&self, message: &[u8], signature: &[u8]) -> bool {
        let Some(key) = self.prepared() else { return false };
        let (length, bits) = (key.size(), key.n_bits_precision());
        let number = |bytes: &[u8]| BoxedUint::from_be_slice(bytes, bits).ok();
        let (Some(signature), Some(expected)) = (
            number(signature).filter(|number| signature.len() == length && number < key.n().as_ref()),
            number(&encoded(message, length)),
        ) else {
            return false;
        };
        power(signature, self.exponent, key.n_params()) == expected
    }

    /// Whether this is the key's signature by RSASSA-PSS with SHA-256 and a salt as long as the hash (RFC 7518, section 3.5).
    pub(in crate::auth) fn verifies_pss(&self, message: &[u8], signature: &[u8]) -> bool {
        self.prepared().is_some_and(|key| key.pss_verify::<Sha256>(message, signature).is_ok())
    }

    fn prepared(&self) -> Option<&PublicKey> {
        let prepare = || PublicKey::new(self.modulus.clone(), BoxedUint::from(self.exponent)).ok();
        self.prepared.get_or_init(prepare).as_ref()
    }
}

/// RSAVP1 (RFC 8017, section 5.2.2): the base, which is below the modulus, raised to an odd exponent. Not in constant time, as none of the
/// three is secret.
fn power(base: BoxedUint, exponent: u64, modulus: &BoxedMontyParams) -> BoxedUint {
    let mut multiplier = <BoxedMontyForm as MontyForm>::Multiplier::from(modulus);
    let form = BoxedMontyForm::new(base.clone(), modulus);
    let mut power = form.clone();
    // The highest bit is the base itself, and the lowest one is set.
    for bit in (1..exponent.ilog2()).rev() {
        multiplier.square_assign(&mut power);
        if exponent >> bit & 1 == 1 {
            multiplier.mul_assign(&mut power, &form);
        }
    }
    multiplier.square_assign(&mut power);
    // Multiplied by the number itself instead of its Montgomery form, the product is the number that is looked for.
    multiplier.mul_assign(&mut power, &BoxedMontyForm::from_montgomery(base, modulus));
    power.as_montgomery().clone()
}

/// EMSA-PKCS1-v1_5 (RFC 8017, section 9.2): what a signature of this length has within. There is one encoding alone, so it is made and
/// compared, and nothing is parsed.
fn encoded(message: &[u8], length: usize) -> Vec<u8> {
    let hash = Sha256::digest(message);
    let padding = length.saturating_sub(3 + DIGEST_INFO.len() + hash.len());
    [&[0x00, 0x01][..], &vec![0xff; padding], &[0x00], &DIGEST_INFO, &hash].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crypto_bigint::Odd;

    #[test]
    fn a_power_is_that_of_the_library_for_every_exponent() {
        let modulus = Odd::new(BoxedUint::from_be_slice_vartime(&[0xed; 257])).unwrap();
        let modulus = BoxedMontyParams::new(modulus);
        let base = BoxedUint::from_be_slice(&[0x5a; 257], modulus.bits_precision()).unwrap();
        for exponent in [3, 5, 17, 65_537, 0xffff_ffff, PublicKey::MAX_PUB_EXPONENT] {
            let expected = BoxedMontyForm::new(base.clone(), &modulus).pow(&BoxedUint::from(exponent)).retrieve();
            assert_eq!(power(base.clone(), exponent, &modulus), expected, "{exponent}");
        }
    }
}
