//! `cargo xtask token`: a bearer token for local use.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use clap::Args;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde::Serialize;

use crate::issuer::Alg;
use crate::settings::{JWT_AUDIENCE, JWT_ISSUER, JWT_SECRET, Settings};

/// Print a bearer token for local use
///
/// With the issuer and audience in `.env`. HS256 signs with the secret there, the other algorithms with the keys that
/// `cargo xtask issuer` publishes.
#[derive(Args)]
pub(crate) struct Token {
    /// The user that the token speaks for (`sub`)
    user: String,
    /// How long it is valid: 90s, 30m, 24h, 7d
    #[arg(long, default_value = "24h", value_parser = duration)]
    expires: Duration,
    /// The algorithm of the signature
    #[arg(long, value_enum, default_value = "HS256")]
    alg: Alg,
    /// A scope, such as tasks:read; may be given more than once. Without any, the token has no scopes
    #[arg(long = "scope", value_delimiter = ' ')]
    scopes: Vec<String>,
}

/// RFC 7519, section 4.1.
#[derive(Serialize)]
struct Claims {
    sub: String,
    iat: u64,
    exp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

impl Token {
    pub(crate) fn run(self) -> Result<()> {
        let settings = Settings::load()?;
        let scope = if self.scopes.is_empty() { None } else { Some(self.scopes.join(" ")) };
        let issuer = (settings.get(JWT_ISSUER), settings.get(JWT_AUDIENCE));
        let claims = Claims { scope, ..Claims::new(&self.user, self.expires, issuer)? };
        println!("{}", signed(self.alg, &claims, || secret(&settings))?);
        Ok(())
    }
}

/// A token for `user`, valid from now, signed with the shared secret.
pub(crate) fn mint(settings: &Settings, user: &str, validity: Duration) -> Result<String> {
    let claims = Claims::new(user, validity, (settings.get(JWT_ISSUER), settings.get(JWT_AUDIENCE)))?;
    signed(Alg::HS256, &claims, || secret(settings))
}

impl Claims {
    fn new(user: &str, validity: Duration, (iss, aud): (Option<String>, Option<String>)) -> Result<Self> {
        if user.is_empty() || user.chars().count() > 255 {
            bail!("a user id has 1 to 255 characters");
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock stands before 1970")?;
        let exp = (now + validity).as_secs();
        Ok(Self { sub: user.to_owned(), iat: now.as_secs(), exp, iss, aud, scope: None })
    }
}

fn secret(settings: &Settings) -> Result<String> {
    let secret = settings
        .get(JWT_SECRET)
        .with_context(|| format!("{JWT_SECRET} is not set; `cargo xtask up` creates .env with a fresh one"))?;
    Ok(current(&secret).to_owned())
}

/// The current one of two secrets with a comma between, of 32 bytes or more each (docs/auth.md).
fn current(secrets: &str) -> &str {
    match secrets.split_once(',').map(|(current, previous)| (current.trim(), previous.trim())) {
        Some((current, previous)) if current.len() >= 32 && previous.len() >= 32 => current,
        _ => secrets,
    }
}

fn signed(alg: Alg, claims: &Claims, secret: impl FnOnce() -> Result<String>) -> Result<String> {
    let mut header = Header::new(alg.algorithm());
    let key = match alg {
        Alg::HS256 => EncodingKey::from_secret(secret()?.as_bytes())?,
        _ => {
            header.kid = Some(alg.kid());
            alg.key()?
        }
    };
    encode(&header, claims, &key).context("the token could not be signed")
}

/// A number and its unit; a number alone is seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let seconds = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => 0,
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(seconds))
        // A hundred years: beyond that it is a slip of the finger.
        .filter(|seconds| (1..=3_153_600_000).contains(seconds))
        .map(Duration::from_secs)
        .ok_or_else(|| "expected a number and a unit, such as 90s, 30m, 24h or 7d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_secrets_the_current_one_signs() {
        let (one, other) = ("a".repeat(32), "b".repeat(32));
        assert_eq!(current(&format!("{one}, {other}")), one);
        for own in [&one, "short,", &format!("{one},short")] {
            assert_eq!(current(own), own);
        }
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("24h"), Ok(Duration::from_secs(86_400)));
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        for bad in ["", "h", "0s", "-1h", "1w", "99999999999d"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
