//! What the environment and `.env` say; the environment wins, as it does in Spin.

use std::env;

use anyhow::Result;

use crate::{dotenv::Dotenv, workspace};

/// The administrator's connection string, for migrations. Unset: the checkout's private PostgreSQL.
pub(crate) const DATABASE_URL: &str = "DATABASE_URL";
/// The component's connection string (Spin's variable `database_url`).
pub(crate) const APP_URL: &str = "SPIN_VARIABLE_DATABASE_URL";
/// The only address that the component may reach, host:port.
pub(crate) const APP_HOST: &str = "SPIN_VARIABLE_DATABASE_HOST";
/// The secret of HS256 tokens.
pub(crate) const JWT_SECRET: &str = "SPIN_VARIABLE_JWT_SECRET";
/// The `iss` that tokens must carry, if any.
pub(crate) const JWT_ISSUER: &str = "SPIN_VARIABLE_JWT_ISSUER";
/// The `aud` that tokens must carry, if any.
pub(crate) const JWT_AUDIENCE: &str = "SPIN_VARIABLE_JWT_AUDIENCE";

/// Both sources.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) dotenv: Dotenv,
}

impl Settings {
    pub(crate) fn load() -> Result<Self> {
        Ok(Self { dotenv: Dotenv::open(workspace::root()?.join(".env"))? })
    }

    /// A value; an empty one counts as absent.
    pub(crate) fn get(&self, key: &str) -> Option<String> {
        from_environment(key).or_else(|| self.dotenv.get(key))
    }
}

/// A value of the process environment alone.
pub(crate) fn from_environment(key: &str) -> Option<String> {
    env::var(key).ok().filter(|value| !value.is_empty())
}
