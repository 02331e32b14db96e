//! Entity tags (RFC 9110, section 8.8.3): the names of states.

use std::fmt::Write as _;

use serde::Serialize;
use sha2::{Digest, Sha256};

/// The tag of one state of one user's representation, for ever: the opaque text between the double quotes.
///
/// errand's own are a digest and a number with `-` between. A client may send any other; it names nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct EntityTag(String);

/// The format of the representations. The states of another format have other tags.
const FORMAT: &str = "2";

/// The length of the digest in bytes.
const DIGEST: usize = 8;

impl EntityTag {
    /// The tag of the state that a write of this user's made: the number of the write, behind a digest of the database's epoch, the
    /// format and the user. `errand.tag_base` makes the digest of the same text.
    pub fn of_state(epoch: &str, user_id: &str, number: i64) -> Self {
        let parts = [epoch, " ", FORMAT, " ", user_id];
        let digest = parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part)).finalize();
        // Two digits of each byte, `-`, and at most 19 of the number.
        let mut text = String::with_capacity(2 * DIGEST + 20);
        for byte in digest.iter().take(DIGEST) {
            let _ = write!(text, "{byte:02x}");
        }
        let _ = write!(text, "-{number}");
        Self(text)
    }

    /// A tag of this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text without the quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text without the quotes.
    pub fn into_string(self) -> String {
        self.0
    }

    /// What all tags of a user begin with: everything but the number.
    pub fn base(&self) -> &str {
        self.0.trim_end_matches(|character: char| character.is_ascii_digit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_a_digest_of_epoch_format_and_user_and_a_number() {
        // As a shell has it: printf 'epoch 2 alice' | sha256sum | head -c 16
        assert_eq!(EntityTag::of_state("epoch", "alice", 41).as_str(), "69795233e093adc1-41");
        assert_eq!(EntityTag::of_state("epoch", "alice", i64::MAX).as_str(), "69795233e093adc1-9223372036854775807");
        let base = |epoch, user| EntityTag::of_state(epoch, user, 0).base().to_owned();
        let bases = [base("epoch", "alice"), base("epoch", "bob"), base("another", "alice"), base("epoch", "Alice")];
        assert_eq!(std::collections::HashSet::from(bases).len(), 4);
    }

    #[test]
    fn the_base_of_a_tag_is_all_but_its_number() {
        for (tag, base) in [("9f86d081884c7d65-41", "9f86d081884c7d65-"), ("00-0", "00-"), ("-7", "-"), ("x", "x")] {
            assert_eq!(EntityTag::new(tag).base(), base);
        }
    }
}
