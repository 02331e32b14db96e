//! The claims that errand reads of a token (RFC 7519, section 4.1). A claim that stands twice is an error.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::de::{self, IgnoredAny, Visitor};
use serde::{Deserialize, Deserializer};

use super::Caller;
use super::config::{Rules, SCOPES, Scoping};
use super::token::present;
use super::verifier::Refusal;

/// How far the issuer's clock and this one may differ.
const SKEW: Duration = Duration::from_secs(60);
/// The last second of the year 9999: a later one is no date that anyone meant.
const LAST_SECOND: u64 = 253_402_300_799;

/// The claims with a meaning here.
#[derive(Deserialize)]
pub(super) struct Claims {
    sub: String,
    exp: NumericDate,
    /// Null stands for none, as some issuers write it.
    nbf: Option<NumericDate>,
    iat: Option<NumericDate>,
    #[serde(default, deserialize_with = "present")]
    iss: Option<String>,
    #[serde(default, deserialize_with = "present")]
    aud: Option<OneOrMore>,
    #[serde(default, deserialize_with = "present")]
    scope: Option<OneOrMore>,
    #[serde(default, deserialize_with = "present")]
    scp: Option<OneOrMore>,
    /// Keycloak says here what its tokens are for.
    typ: Option<String>,
    nonce: Option<IgnoredAny>,
    at_hash: Option<IgnoredAny>,
    c_hash: Option<IgnoredAny>,
}

/// Seconds since 1970, perhaps with a fraction or an exponent (RFC 7519, section 2). Whole ones are enough: clocks may differ by
/// more than a second.
#[derive(Clone, Copy)]
struct NumericDate(u64);

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl Claims {
    /// Checks the claims against the rules, and names the caller.
    pub(super) fn into_caller(self, rules: &Rules, now: SystemTime) -> Result<Caller, Refusal> {
        let now = seconds(now);
        let (exp, nbf, iat) = (self.exp.0, self.nbf.map(|time| time.0), self.iat.map(|time| time.0));
        if [Some(exp), nbf, iat].into_iter().flatten().any(|time| time > LAST_SECOND) {
            return Err(Refusal::Invalid("one of its times is not a date"));
        }
        if has_expired(exp, now) {
            return Err(Refusal::Invalid("it has expired"));
        }
        if [nbf, iat].into_iter().flatten().any(|from| from > now.saturating_add(SKEW.as_secs())) {
            return Err(Refusal::Invalid("it is not valid yet"));
        }
        if rules.issuer.is_some() && self.iss != rules.issuer {
            return Err(Refusal::Invalid("its issuer is not accepted"));
        }
        if let Some(audience) = &rules.audience
            && !self.aud.as_ref().is_some_and(|aud| aud.all().any(|one| one == audience))
        {
            return Err(Refusal::Invalid("its audience is not accepted"));
        }
        if rules.token_type.is_none() && self.is_for_something_else() {
            return Err(Refusal::Invalid("it is not an access token"));
        }
        if self.sub.contains('\0') || !(1..=255).contains(&self.sub.chars().count()) {
            return Err(Refusal::Invalid("sub must have 1 to 255 characters"));
        }
        let allows = |scope: &str| match (rules.scoping, self.scope.as_ref().or(self.scp.as_ref())) {
            (Scoping::Off, _) | (Scoping::On, None) => true,
            (Scoping::Required, None) => false,
            (_, Some(scopes)) => scopes.all().flat_map(|text| text.split(' ')).any(|one| one == scope),
        };
        let [reads, writes] = SCOPES.map(allows);
        Ok(Caller { reads, writes, user_id: self.sub })
    }

    /// When the token ends, in seconds since 1970.
    pub(super) fn expires(&self) -> u64 {
        self.exp.0
    }

    /// ID tokens tell a client who signed in; they are no keys to anything. Nothing marks them reliably, but these claims
    /// stand in no access token (`nonce` did in Keycloak's, which say what they are).
    fn is_for_something_else(&self) -> bool {
        let typ = self.typ.as_deref();
        self.at_hash.is_some()
            || self.c_hash.is_some()
            || (self.nonce.is_some() && typ != Some("Bearer"))
            || matches!(typ, Some("ID" | "Refresh" | "Offline" | "Logout"))
    }
}

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;

        impl Visitor<'_> for Number {
            type Value = NumericDate;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("seconds since 1970")
            }

            fn visit_u64<E>(self, seconds: u64) -> Result<NumericDate, E> {
                Ok(NumericDate(seconds))
            }

            fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<NumericDate, E> {
                // Saturates above; what is no number was none in JSON either.
                if seconds >= 0.0 { Ok(NumericDate(seconds as u64)) } else { Err(E::custom("before 1970")) }
            }
        }

        deserializer.deserialize_any(Number)
    }
}

impl OneOrMore {
    fn all(&self) -> impl Iterator<Item = &String> {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::More(more) => more,
        }
        .iter()
    }
}

/// Whether a token that ends at `exp` has ended, with the clocks' difference in its favour.
pub(super) fn has_expired(exp: u64, now: u64) -> bool {
    exp.saturating_add(SKEW.as_secs()) <= now
}

/// Seconds since 1970.
pub(super) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
