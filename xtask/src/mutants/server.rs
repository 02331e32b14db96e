//! The server that mutants are tried on.

use anyhow::{Context, Result};
use errand_postgres::{cluster::Cluster, connect::connect};

/// Drops what the tests before have left: databases, and roles, whose settings belong to the whole server. This server is
/// ours alone.
pub(crate) async fn clear(cluster: &Cluster) -> Result<()> {
    let client = connect(&cluster.address("postgres")?).await?;
    let databases = "select format('drop database %I with (force)', datname) from pg_database
        where not datistemplate and datname <> 'postgres'";
    let roles =
        "select format('drop role %I', rolname) from pg_roles where rolname !~ '^pg_' and rolname <> current_user";
    for list in [databases, roles] {
        for row in client.query(list, &[]).await? {
            client.batch_execute(row.try_get(0)?).await.context("could not drop what tests have left")?;
        }
    }
    Ok(())
}
