//! The settings of the component's role, for each database apart.
//!
//! Migrations set them on the role, which belongs to the whole server, and so to the databases of two commits at once. So
//! they are taken off the role, set anew by the migrations of the commit at hand, read, and repeated for its database.

use anyhow::{Context, Result};
use errand_postgres::{
    cluster::Cluster,
    connect,
    role::{self, APP_ROLE},
};
use tokio_postgres::Client;

use super::Origin;

/// An empty database that is migrated for nothing else.
const PROBE: &str = "bench_probe";

/// What the migrations of this commit set, as `name=value`.
pub(super) async fn settings(cluster: &Cluster, server: &Client, origin: &Origin) -> Result<Vec<String>> {
    server.batch_execute(&format!("drop database if exists {PROBE} with (force)")).await?;
    if role::app_login_exists(&cluster.address("postgres")?).await? {
        server.batch_execute(&format!("alter role {APP_ROLE} reset all")).await?;
    }
    connect::create_database(&cluster.address("postgres")?, PROBE).await?;
    let migrated = origin.migrate(cluster, PROBE).await;
    server.batch_execute(&format!("drop database if exists {PROBE} with (force)")).await?;
    migrated?;
    let rows = server
        .query(
            "select unnest(setconfig) from pg_db_role_setting where setdatabase = 0 and setrole = $1::text::regrole",
            &[&APP_ROLE],
        )
        .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Repeats them for one database, where they come before those of the role.
pub(super) async fn apply(server: &Client, database: &str, settings: &[String]) -> Result<()> {
    for setting in settings {
        let (name, value) = setting.split_once('=').context("a setting without a value")?;
        let value = value.replace('\'', "''");
        server.batch_execute(&format!("alter role {APP_ROLE} in database {database} set {name} = '{value}'")).await?;
    }
    Ok(())
}
