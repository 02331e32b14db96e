//! The claims that errand reads of a token (RFC 7519, section 4.1). A claim that stands twice is an error.

use std::time::{Duration, SystemTime};

use serde::Deserialize;

use super::Caller;
use super::verifier::Refusal;

/// How far the issuer's clock and this one may differ.
const SKEW: Duration = Duration::from_secs(60);
/// The last second of the year 9999: a later one is no date that anyone meant.
const LAST_SECOND: u64 = 253_402_300_799;

/// The registered claims, the issuer and the audience aside: those are the library's to compare.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    sub: String,
    exp: u64,
    nbf: Option<u64>,
    iat: Option<u64>,
}

impl Claims {
    /// Checks the times, and names the caller.
    pub(super) fn into_caller(self, now: SystemTime) -> Result<Caller, Refusal> {
        let now = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let skew = SKEW.as_secs();
        if self.exp > LAST_SECOND {
            return Err(Refusal::Invalid("exp is not a date"));
        }
        if self.exp.saturating_add(skew) <= now {
            return Err(Refusal::Invalid("the token has expired"));
        }
        if [self.nbf, self.iat].into_iter().flatten().any(|from| from > now.saturating_add(skew)) {
            return Err(Refusal::Invalid("the token is not valid yet"));
        }
        if self.sub.contains('\0') || !(1..=255).contains(&self.sub.chars().count()) {
            return Err(Refusal::Invalid("sub must have 1 to 255 characters"));
        }
        Ok(Caller { user_id: self.sub })
    }
}
