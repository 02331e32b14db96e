//! What instances tell one another of an issuer's keys: the document, who fetches it, and how that went.
//!
//! Times are of the wall clock, because instances have no other in common; one that lies ahead says nothing.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::auth::LONGEST_DOCUMENT;

/// The form of the record: another one is as good as none.
const VERSION: u32 = 1;
/// The longest record that is read, in bytes: each byte of the document may be escaped, and a little stands around it.
const LONGEST: usize = 2 * LONGEST_DOCUMENT + 16 * 1024;
/// How far the clocks of two machines may lie apart.
pub(super) const SKEW: Duration = Duration::from_secs(5);

/// The record of a URL. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    version: u32,
    url: String,
    /// The document as the issuer sent it, and when.
    pub(super) document: Option<String>,
    pub(super) fetched_at: Option<u64>,
    /// The instance that fetches it now, and when it began.
    pub(super) trying: Option<String>,
    pub(super) tried_at: Option<u64>,
    /// When fetching failed; nothing once it succeeded.
    pub(super) failed_at: Option<u64>,
    /// When it was fetched because of an unknown `kid`, the latest times.
    #[serde(default)]
    pub(super) curious: Vec<u64>,
}

impl Record {
    /// Where the record of a URL is kept.
    pub(super) fn key(url: &str) -> String {
        let digest = Sha256::digest(url);
        digest.iter().fold("jwks:".to_owned(), |key, byte| key + &format!("{byte:02x}"))
    }

    /// The record of a URL of which nothing is known.
    pub(super) fn new(url: &str) -> Self {
        Self {
            version: VERSION,
            url: url.to_owned(),
            document: None,
            fetched_at: None,
            trying: None,
            tried_at: None,
            failed_at: None,
            curious: Vec::new(),
        }
    }

    /// Parses what was in the store. The error says what is wrong with it.
    pub(super) fn parse(bytes: &[u8], url: &str) -> Result<Self, String> {
        if bytes.len() > LONGEST {
            return Err(format!("has more than {LONGEST} bytes"));
        }
        let record: Self = serde_json::from_slice(bytes).map_err(|error| format!("is not one: {error}"))?;
        match record {
            Self { version, .. } if version != VERSION => Err(format!("has version {version}")),
            Self { url: other, .. } if other != url => Err("belongs to another URL".to_owned()),
            Self { document: Some(document), .. } if document.len() > LONGEST_DOCUMENT => {
                Err(format!("has a document of more than {LONGEST_DOCUMENT} bytes"))
            }
            record => Ok(record),
        }
    }

    /// The text of it.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, String> {
        serde_json::to_vec(self).map_err(|error| error.to_string())
    }
}

/// A time as records have it.
pub(super) fn stamp(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// How long ago that was; `None` where there is no time, or one that is yet to come.
pub(super) fn age(stamped: Option<u64>, now: SystemTime) -> Option<Duration> {
    let (then, now) = (Duration::from_millis(stamped?), Duration::from_millis(stamp(now)));
    (then <= now.saturating_add(SKEW)).then(|| now.saturating_sub(then))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_may_be_as_long_as_an_issuers() {
        let read = |length: usize| {
            let record = Record { document: Some("d".repeat(length)), ..Record::new("https://issuer.example") };
            Record::parse(&record.to_bytes().unwrap(), "https://issuer.example").map(|read| read == record)
        };
        assert_eq!(read(LONGEST_DOCUMENT), Ok(true));
        assert_eq!(read(LONGEST_DOCUMENT + 1), Err("has a document of more than 262144 bytes".to_owned()));
    }

    #[test]
    fn a_record_may_be_its_document_escaped_and_a_long_url() {
        let url = format!("https://issuer.example/{}", "p".repeat(10_000));
        let record = Record { document: Some("\"".repeat(LONGEST_DOCUMENT)), ..Record::new(&url) };
        let text = String::from_utf8(record.to_bytes().unwrap()).unwrap();
        let read = |length: usize| {
            let padded = text.clone() + &" ".repeat(length - text.len());
            Record::parse(padded.as_bytes(), &url).map(|read| read == record)
        };
        assert_eq!(read(540_672), Ok(true));
        assert_eq!(read(540_673), Err("has more than 540672 bytes".to_owned()));
    }
}
