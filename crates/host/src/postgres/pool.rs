//! One pool for each connection string of a component, with Spin's sizes and Spin's way of recycling.

use std::sync::Arc;

use anyhow::{Context, Result};
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use moka::sync::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::config::SslMode;
use tokio_postgres::{Config, NoTls};

use super::tls::{self, Authority};
use super::{Connection, Error};

/// The number of connections in a pool. A checkout beyond it waits without a timeout, as in Spin.
const POOL_SIZE: usize = 64;
/// The maximum number of pools of a component.
const MAX_POOLS: u64 = 16;

/// A checked-out connection. Dropping the last clone returns it to the pool.
pub(super) type Client = Arc<Object>;

/// The pools of one component.
#[derive(Clone)]
pub struct Pools {
    /// By connection string and certificate authority.
    pools: Cache<(String, Option<String>), Pool>,
    permits: Option<Arc<Semaphore>>,
}

impl Pools {
    /// Pools whose connections need a permit, where there are permits.
    pub fn new(permits: Option<Arc<Semaphore>>) -> Self {
        Self { pools: Cache::new(MAX_POOLS), permits }
    }

    /// Waits for a permit and a connection.
    pub(super) async fn connect(&self, address: &str, authority: Option<Authority>) -> Result<Connection, Error> {
        let permit = self.permit().await?;
        let client = self.checkout(address, authority).await.map_err(|e| Error::ConnectionFailed(format!("{e:#}")))?;
        Ok(Connection { client, _permit: permit })
    }

    async fn permit(&self) -> Result<Option<OwnedSemaphorePermit>, Error> {
        match &self.permits {
            None => Ok(None),
            Some(permits) => match permits.clone().acquire_owned().await {
                Ok(permit) => Ok(Some(permit)),
                Err(_) => Err(Error::ConnectionFailed("too many connections".to_owned())),
            },
        }
    }

    async fn checkout(&self, address: &str, authority: Option<Authority>) -> Result<Client> {
        let key = (address.to_owned(), authority.as_ref().map(|authority| authority.pem().to_owned()));
        let pool = self
            .pools
            .try_get_with(key, || pool(address, authority.as_ref()))
            .map_err(|e| anyhow::anyhow!("{e:#}"))
            .context("establishing PostgreSQL connection pool")?;
        Ok(Arc::new(pool.get().await?))
    }
}

fn pool(address: &str, authority: Option<&Authority>) -> Result<Pool> {
    let config: Config = address.parse().context("parsing Postgres connection string")?;
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Clean };
    let manager = match config.get_ssl_mode() {
        SslMode::Disable => Manager::from_config(config, NoTls, recycling),
        _ => Manager::from_config(config, tls::connector(authority)?, recycling),
    };
    Pool::builder(manager).max_size(POOL_SIZE).build().context("building Postgres connection pool")
}
