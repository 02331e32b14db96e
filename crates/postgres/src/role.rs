//! The login of the component: a role that owns nothing and cannot pass row-level security.
//!
//! A migration creates the role; its password is a matter of each installation and is set here.

use anyhow::{Context, Result, bail};
use postgres_protocol::{escape::escape_literal, password::scram_sha_256};
use tokio_postgres::{error::SqlState, types::Type};

use crate::{
    address::Address,
    connect::connect,
    migrate::{self, MIGRATE},
};

/// The role that the component logs in as, and the one that has the rights.
pub const APP_ROLE: &str = "errand_app";

/// The logins of the component. The second has the rights of the first: one's password changes while the other is in use.
pub const LOGINS: [&str; 2] = [APP_ROLE, "errand_app_2"];

/// The login that this one is not.
pub fn other_login(login: &str) -> &'static str {
    LOGINS.into_iter().find(|other| *other != login).unwrap_or(APP_ROLE)
}

/// Whether the role exists on that server.
pub async fn app_login_exists(admin: &Address) -> Result<bool> {
    let client = connect(admin).await?;
    let found = client.query_typed_opt("select 1 from pg_roles where rolname = $1", &[(&APP_ROLE, Type::TEXT)]).await?;
    Ok(found.is_some())
}

/// Lets the component's role log in with `password`; returns its connection string. The database must be migrated.
pub async fn ensure_app_login(admin: &Address, password: &str) -> Result<String> {
    ensure_login(admin, APP_ROLE, password).await
}

/// Lets one of [`LOGINS`] log in with `password`; returns its connection string. The database must be migrated.
///
/// The server is sent a SCRAM verifier, so no password appears in its logs. Neon takes only clear passwords (it keeps
/// them for its console): where a server has no use for a verifier, the clear password follows, over TLS and never otherwise.
pub async fn ensure_login(admin: &Address, login: &str, password: &str) -> Result<String> {
    if !app_login_exists(admin).await? {
        bail!("the role {APP_ROLE} does not exist on {}; migrate first: {MIGRATE}", admin.endpoint());
    }
    let with = |secret: &str| format!("login password {}", escape_literal(secret));
    let verifier = with(&scram_sha_256(password.as_bytes()));
    let mut set = alter(admin, login, &verifier).await;
    if admin.is_encrypted() && set.as_ref().is_err_and(takes_no_verifier) {
        // Retry first: a concurrent change of the role also fails with XX000 (internal_error).
        set = alter(admin, login, &verifier).await;
        if set.as_ref().is_err_and(takes_no_verifier) {
            set = alter(admin, login, &with(password)).await;
        }
    }
    set.with_context(|| format!("could not set the password of {login}; {admin} needs the right to alter that role"))?;
    Ok(admin.app_url(login, password))
}

/// Lets one of [`LOGINS`] log in no more. Its sessions go on until they end.
pub async fn lock_out(admin: &Address, login: &str) -> Result<()> {
    alter(admin, login, "nologin password null")
        .await
        .with_context(|| format!("could not lock {login} out; {admin} needs the right to alter that role"))
}

/// How many sessions a login has on that server.
pub async fn sessions(admin: &Address, login: &str) -> Result<i64> {
    let client = connect(admin).await?;
    let count = "select count(*) from pg_catalog.pg_stat_activity where usename = $1";
    Ok(client.query_typed_one(count, &[(&login, Type::TEXT)]).await?.try_get(0)?)
}

/// Whether the server did not do what it was asked because it does not do such a thing.
fn takes_no_verifier(error: &anyhow::Error) -> bool {
    let code = error.downcast_ref::<tokio_postgres::Error>().and_then(tokio_postgres::Error::code);
    [
        SqlState::FEATURE_NOT_SUPPORTED,
        SqlState::INTERNAL_ERROR,
        SqlState::INVALID_PASSWORD,
        SqlState::INVALID_PARAMETER_VALUE,
    ]
    .iter()
    .any(|refusal| code == Some(refusal))
}

async fn alter(admin: &Address, login: &str, change: &str) -> Result<()> {
    let mut client = connect(admin).await?;
    // Under the migrator's lock: two sessions that alter one role at once fail with "tuple concurrently updated".
    let tx = migrate::begin(&mut client).await?;
    tx.batch_execute(&format!("alter role {login} {change}")).await?;
    tx.commit().await?;
    Ok(())
}
