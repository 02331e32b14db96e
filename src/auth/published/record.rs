//! The record of an issuer's keys in the shared store: the document, the lease, and the outcome of fetches.
//!
//! Its times are of the wall clock, because instances have no other clock in common. A time in the future is ignored.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::auth::MAX_JWKS_BYTES;

/// The version of the format. A record of another version is ignored.
const VERSION: u32 = 1;
/// The maximum size of a record. Each byte of the document may be escaped.
const MAX_RECORD_BYTES: usize = 2 * MAX_JWKS_BYTES + 16 * 1024;
/// The maximum difference between the clocks of two machines.
pub(super) const MAX_CLOCK_SKEW: Duration = Duration::from_secs(5);

/// The record of a URL. Times are milliseconds since 1970. Instances of two versions share it during an upgrade, so the names of its
/// members stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    version: u32,
    url: String,
    /// The document as the issuer sent it.
    pub(super) document: Option<String>,
    pub(super) fetched_at: Option<u64>,
    /// The instance that fetches.
    #[serde(rename = "trying")]
    pub(super) lease_holder: Option<String>,
    #[serde(rename = "tried_at")]
    pub(super) lease_acquired_at: Option<u64>,
    /// When the last fetch failed; `None` after a success.
    pub(super) failed_at: Option<u64>,
    /// The latest fetches for an unknown `kid`.
    #[serde(default, rename = "curious")]
    pub(super) refetched_at: Vec<u64>,
}

impl Record {
    /// The key of the record of a URL.
    pub(super) fn key(url: &str) -> String {
        let digest = Sha256::digest(url);
        digest.iter().fold("jwks:".to_owned(), |key, byte| key + &format!("{byte:02x}"))
    }

    /// An empty record.
    pub(super) fn new(url: &str) -> Self {
        Self {
            version: VERSION,
            url: url.to_owned(),
            document: None,
            fetched_at: None,
            lease_holder: None,
            lease_acquired_at: None,
            failed_at: None,
            refetched_at: Vec::new(),
        }
    }

    /// Parses a record. The error says what is wrong with it.
    pub(super) fn parse(bytes: &[u8], url: &str) -> Result<Self, String> {
        if bytes.len() > MAX_RECORD_BYTES {
            return Err(format!("has more than {MAX_RECORD_BYTES} bytes"));
        }
        let record: Self = serde_json::from_slice(bytes).map_err(|error| format!("is not one: {error}"))?;
        match record {
            Self { version, .. } if version != VERSION => Err(format!("has version {version}")),
            Self { url: other, .. } if other != url => Err("belongs to another URL".to_owned()),
            Self { document: Some(document), .. } if document.len() > MAX_JWKS_BYTES => {
                Err(format!("has a document of more than {MAX_JWKS_BYTES} bytes"))
            }
            record => Ok(record),
        }
    }

    /// The record as JSON.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, String> {
        serde_json::to_vec(self).map_err(|error| error.to_string())
    }
}

/// A time, in the unit of records.
pub(super) fn unix_millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The age of a time in a record; `None` if there is no time, or one in the future.
pub(super) fn age(millis: Option<u64>, now: SystemTime) -> Option<Duration> {
    let (then, now) = (Duration::from_millis(millis?), Duration::from_millis(unix_millis(now)));
    (then <= now.saturating_add(MAX_CLOCK_SKEW)).then(|| now.saturating_sub(then))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_that_of_other_versions() {
        let record = Record {
            document: Some("{}".to_owned()),
            fetched_at: Some(1),
            lease_holder: Some("other".to_owned()),
            lease_acquired_at: Some(2),
            failed_at: Some(3),
            refetched_at: vec![4],
            ..Record::new("https://issuer.example")
        };
        let text = r#"{"version":1,"url":"https://issuer.example","document":"{}","fetched_at":1,"trying":"other","tried_at":2,"failed_at":3,"curious":[4]}"#;
        assert_eq!(String::from_utf8(record.to_bytes().unwrap()).unwrap(), text);
        assert_eq!(Record::parse(text.as_bytes(), "https://issuer.example"), Ok(record));
    }

    #[test]
    fn a_document_may_be_as_long_as_an_issuers() {
        let read = |length: usize| {
            let record = Record { document: Some("d".repeat(length)), ..Record::new("https://issuer.example") };
            Record::parse(&record.to_bytes().unwrap(), "https://issuer.example").map(|read| read == record)
        };
        assert_eq!(read(MAX_JWKS_BYTES), Ok(true));
        assert_eq!(read(MAX_JWKS_BYTES + 1), Err("has a document of more than 262144 bytes".to_owned()));
    }

    #[test]
    fn a_record_may_be_its_document_escaped_and_a_long_url() {
        let url = format!("https://issuer.example/{}", "p".repeat(10_000));
        let record = Record { document: Some("\"".repeat(MAX_JWKS_BYTES)), ..Record::new(&url) };
        let text = String::from_utf8(record.to_bytes().unwrap()).unwrap();
        let read = |length: usize| {
            let padded = text.clone() + &" ".repeat(length - text.len());
            Record::parse(padded.as_bytes(), &url).map(|read| read == record)
        };
        assert_eq!(read(540_672), Ok(true));
        assert_eq!(read(540_673), Err("has more than 540672 bytes".to_owned()));
    }
}
