//! The claims that errand reads (RFC 7519, section 4.1). A duplicate claim is an error.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::de::{self, IgnoredAny, Visitor};
use serde::{Deserialize, Deserializer};

use super::Caller;
use super::config::{Rules, SCOPES, Scoping};
use super::token::present;
use super::verifier::Refusal;

/// The maximum difference between the issuer's clock and this one.
const MAX_CLOCK_SKEW: Duration = Duration::from_secs(60);
/// The last second of the year 9999. A later date is an error of the issuer.
const MAX_DATE: u64 = 253_402_300_799;

/// The claims that errand reads.
#[derive(Deserialize)]
pub(super) struct Claims {
    sub: String,
    exp: NumericDate,
    /// Some issuers write null for none.
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
    /// The purpose of a token of Keycloak.
    typ: Option<String>,
    nonce: Option<IgnoredAny>,
    at_hash: Option<IgnoredAny>,
    c_hash: Option<IgnoredAny>,
}

/// Seconds since 1970, which may have a fraction or an exponent (RFC 7519, section 2). The fraction is dropped, because clocks differ by
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
    /// Checks the claims against the rules, and returns the caller.
    pub(super) fn into_caller(self, rules: &Rules, now: SystemTime) -> Result<Caller, Refusal> {
        let now = seconds(now);
        let (exp, nbf, iat) = (self.exp.0, self.nbf.map(|time| time.0), self.iat.map(|time| time.0));
        if [Some(exp), nbf, iat].into_iter().flatten().any(|time| time > MAX_DATE) {
            return Err(Refusal::Invalid("one of its times is not a date"));
        }
        if has_expired(exp, now) {
            return Err(Refusal::Invalid("it has expired"));
        }
        if [nbf, iat].into_iter().flatten().any(|from| from > now.saturating_add(MAX_CLOCK_SKEW.as_secs())) {
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

    /// `exp`, in seconds since 1970.
    pub(super) fn expires(&self) -> u64 {
        self.exp.0
    }

    /// Whether it is an ID token or another token that is no access token. Nothing marks ID tokens reliably, but access tokens do not have
    /// these claims (except for `nonce` in those of Keycloak, which state their purpose).
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
                // Saturates. NaN is not JSON.
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

/// Whether a token with this `exp` has expired, with an allowance for clock skew.
pub(super) fn has_expired(exp: u64, now: u64) -> bool {
    exp.saturating_add(MAX_CLOCK_SKEW.as_secs()) <= now
}

/// Seconds since 1970.
pub(super) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
