//! The PostgreSQL of a run.

use anyhow::{Context, Result, bail};
use errand_postgres::{
    cluster::Cluster,
    connect::{connect, create_database},
};

use super::TEST_DATABASE;
use crate::{database, settings::from_environment, workspace};

/// The server for the run.
pub(crate) struct Server {
    /// The address of its administrator.
    pub(crate) url: String,
    cluster: Option<Cluster>,
}

impl Server {
    /// Of this major version, if one is asked for.
    pub(crate) async fn open(postgres: Option<u32>) -> Result<Self> {
        if let Some(url) = from_environment(TEST_DATABASE) {
            if postgres.is_some() {
                bail!("--postgres starts a server, and {TEST_DATABASE} names one; leave one of them out");
            }
            return Ok(Self { url, cluster: None });
        }
        let root = workspace::root()?;
        let cluster = match postgres {
            Some(major) => Cluster::ephemeral_of(&root, Some(major)),
            None => Cluster::ephemeral(&root),
        };
        let cluster = cluster.context("no PostgreSQL for the tests")?;
        let address = create_database(&cluster.address("postgres")?, database::NAME).await?;
        let version: String = connect(&address).await?.query_one("show server_version", &[]).await?.try_get(0)?;
        eprintln!("errand: the tests run on PostgreSQL {version}");
        Ok(Self { url: cluster.url(database::NAME), cluster: Some(cluster) })
    }

    pub(crate) fn close(self) -> Result<()> {
        self.cluster.map_or(Ok(()), Cluster::stop)
    }
}
