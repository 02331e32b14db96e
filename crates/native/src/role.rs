//! The login of the component: a role that owns nothing and cannot pass row-level security.
//!
//! A migration creates the role; its password is a matter of each installation and is set here.

use anyhow::{Context, Result, bail};
use postgres_protocol::{escape::escape_literal, password::scram_sha_256};
use tokio_postgres::types::Type;

use crate::{address::Address, connect::connect, migrate};

/// The role that the component logs in as.
pub const APP_ROLE: &str = "errand_app";

/// Whether the role exists on that server.
pub async fn app_login_exists(admin: &Address) -> Result<bool> {
    let client = connect(admin).await?;
    let found = client.query_typed_opt("select 1 from pg_roles where rolname = $1", &[(&APP_ROLE, Type::TEXT)]).await?;
    Ok(found.is_some())
}

/// Lets the component's role log in with `password`; returns its connection string. The database must be migrated.
///
/// The server is sent a SCRAM verifier, so no password appears in its logs. Neon takes only clear passwords (it keeps
/// them for its console); there the clear password follows, over TLS.
pub async fn ensure_app_login(admin: &Address, password: &str) -> Result<String> {
    if !app_login_exists(admin).await? {
        bail!("the role {APP_ROLE} does not exist on {}; migrate first: cargo xtask db migrate", admin.endpoint());
    }
    match set_password(admin, &scram_sha_256(password.as_bytes())).await {
        Err(error) if format!("{error:#}").contains("plaintext password") => set_password(admin, password).await,
        other => other,
    }
    .with_context(|| format!("could not set the password of {APP_ROLE}; {admin} needs the right to alter that role"))?;
    Ok(admin.app_url(APP_ROLE, password))
}

async fn set_password(admin: &Address, secret: &str) -> Result<()> {
    let mut client = connect(admin).await?;
    // Under the migrator's lock: two sessions that alter one role at once fail with "tuple concurrently updated".
    let tx = migrate::begin(&mut client).await?;
    tx.batch_execute(&format!("alter role {APP_ROLE} login password {}", escape_literal(secret))).await?;
    tx.commit().await?;
    Ok(())
}
