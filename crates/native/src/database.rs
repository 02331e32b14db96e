//! errand's `Database` over tokio-postgres: the same core without WebAssembly, with every usual optimisation (statements
//! prepared once per connection, no recycling step). For tests and measurements; production is Spin.

use std::error::Error as _;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use deadpool_postgres::{Manager, ManagerConfig, Pool as Connections, QueueMode, RecyclingMethod};
use errand::data::{
    CallFuture, Database, DatabaseError, LockFuture, Pool, Row, SleepFuture, Statement, Value, WriteLock,
};
use tokio::time::timeout_at;
use tokio_postgres::NoTls;
use tokio_postgres::config::SslMode;
use tokio_postgres::types::{IsNull, ToSql, Type, private::BytesMut, to_sql_checked};

use crate::write_locks::WriteLocks;

/// Pools of connections to one database.
pub struct NativeDatabase {
    shared: Connections,
    dedicated: Connections,
    readiness: Connections,
    write_locks: WriteLocks,
}

/// The size of the pool for readiness checks.
const READINESS_CONNECTIONS: usize = 2;

impl NativeDatabase {
    /// Names the database; each pool opens up to this many connections, when they are needed.
    pub fn new(address: &str, connections: usize) -> Result<Self> {
        Self::trusting(address, connections, None)
    }

    /// The same, trusting the authority of this certificate (PEM) in the place of the machine's.
    pub fn trusting(address: &str, connections: usize, authority: Option<&str>) -> Result<Self> {
        let pool = |pool: Pool, connections| Self::pool(&pool.connection_string(address), connections, authority);
        let [shared, dedicated] = [pool(Pool::Shared, connections)?, pool(Pool::Dedicated, connections)?];
        Ok(Self {
            shared,
            dedicated,
            readiness: pool(Pool::Readiness, READINESS_CONNECTIONS)?,
            write_locks: WriteLocks::default(),
        })
    }

    fn pool(address: &str, connections: usize, authority: Option<&str>) -> Result<Connections> {
        let config = tokio_postgres::Config::from_str(address).context("not a PostgreSQL connection string")?;
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = match config.get_ssl_mode() {
            SslMode::Disable => Manager::from_config(config, NoTls, recycling),
            _ => Manager::from_config(config, errand_postgres::connect::tls(authority)?, recycling),
        };
        // LIFO reuses the connections whose plans are cached.
        Ok(Connections::builder(manager).max_size(connections).queue_mode(QueueMode::Lifo).build()?)
    }

    async fn run(
        &self,
        statement: Statement,
        parameters: Vec<Value>,
        sent: &AtomicBool,
    ) -> Result<Option<Row>, DatabaseError> {
        let pool = match statement.pool {
            Pool::Shared => &self.shared,
            Pool::Dedicated => &self.dedicated,
            Pool::Readiness => &self.readiness,
        };
        let connection = pool.get().await.map_err(|error| match error {
            deadpool_postgres::PoolError::Backend(error) => before_sending(&error),
            other => DatabaseError::Unreachable(other.to_string()),
        })?;
        sent.store(true, Ordering::Relaxed);
        let prepared = connection.prepare_cached(statement.single).await.map_err(|error| after_sending(&error))?;
        let parameters: Vec<_> = parameters.into_iter().map(Parameter).collect();
        let parameters: Vec<&(dyn ToSql + Sync)> = parameters.iter().map(|value| value as _).collect();
        let row = connection.query_opt(&prepared, &parameters).await.map_err(|error| after_sending(&error))?;
        row.map(|row| (0..row.len()).map(|index| column(&row, index)).collect::<Result<_, _>>().map(Row::new))
            .transpose()
    }
}

impl Database for NativeDatabase {
    fn call<'a>(&'a self, statement: Statement, parameters: Vec<Value>, deadline: Instant) -> CallFuture<'a> {
        Box::pin(async move {
            let sent = AtomicBool::new(false);
            timeout_at(deadline.into(), self.run(statement, parameters, &sent))
                .await
                .unwrap_or_else(|_| Err(DatabaseError::Deadline { sent: sent.load(Ordering::Relaxed) }))
        })
    }

    fn lock_writes<'a>(&'a self, user: &'a str, timeout: Duration) -> LockFuture<'a> {
        Box::pin(async move { Box::new(self.write_locks.lock(user, timeout).await) as WriteLock })
    }

    fn sleep(&self, time: Duration) -> SleepFuture {
        Box::pin(tokio::time::sleep(time))
    }
}

#[derive(Debug)]
struct Parameter(Value);

impl ToSql for Parameter {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match &self.0 {
            Value::Null => Ok(IsNull::Yes),
            Value::Bool(value) => value.to_sql_checked(kind, out),
            Value::Int(value) => value.to_sql_checked(kind, out),
            Value::Text(value) => value.to_sql_checked(kind, out),
            Value::Uuid(value) => value.to_sql_checked(kind, out),
            // The binary form of jsonb is a version byte and the text.
            Value::Json(value) => {
                out.extend_from_slice(&[1]);
                out.extend_from_slice(value.as_bytes());
                Ok(IsNull::No)
            }
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn column(row: &tokio_postgres::Row, index: usize) -> Result<Value, DatabaseError> {
    let value = match row.columns().get(index).map(|column| column.type_()) {
        Some(&Type::BOOL) => row.try_get(index).map(|value: Option<_>| value.map_or(Value::Null, Value::Bool)),
        Some(&Type::INT8) => row.try_get(index).map(|value: Option<_>| value.map_or(Value::Null, Value::Int)),
        _ => row.try_get(index).map(|value: Option<_>| value.map_or(Value::Null, Value::Text)),
    };
    value.map_err(|error| DatabaseError::Malformed(error.to_string()))
}

fn before_sending(error: &tokio_postgres::Error) -> DatabaseError {
    refused(error).unwrap_or_else(|| DatabaseError::Unreachable(chain(error)))
}

fn after_sending(error: &tokio_postgres::Error) -> DatabaseError {
    refused(error).unwrap_or_else(|| DatabaseError::Lost(chain(error)))
}

/// An error with its causes: the driver's own words leave them out.
fn chain(error: &tokio_postgres::Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

fn refused(error: &tokio_postgres::Error) -> Option<DatabaseError> {
    error.as_db_error().map(|error| DatabaseError::Refused {
        sqlstate: error.code().code().to_owned(),
        constraint: error.constraint().map(str::to_owned),
        message: error.message().to_owned(),
    })
}
