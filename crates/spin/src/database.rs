//! `Database` over Spin's outbound PostgreSQL.
//!
//! Spin has no timeouts for pool checkout, connect or query. Each call here races against a timer; dropping the loser is safe.

use std::pin::pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures::future::{Either, select};
use send_wrapper::SendWrapper;
use spin_sdk::pg::{Connection, DbValue, Error, ParameterValue, PgError, QueryError};
use spin_sdk::time::sleep;

use super::batching::{self, Batch, Leader, Role};
use super::connections::{Lease, RequestQueue, lease};
use super::timers::Timer;
use super::write_locks::WriteLocks;
use errand::data::{
    CallFuture, Database, DatabaseError, LockFuture, Pool, Row, SleepFuture, Statement, Value, WriteLock,
};

thread_local! {
    static WRITE_LOCKS: Rc<WriteLocks<RequestQueue>> = WriteLocks::new();
}

/// A database, by the connection string of each pool.
pub(super) struct SpinDatabase {
    shared: String,
    dedicated: String,
    readiness: String,
}

/// The connection of a statement.
enum Held {
    Shared(Lease),
    Dedicated(Connection),
}

impl SpinDatabase {
    /// Names the database. The first call connects.
    pub(super) fn new(address: String) -> Self {
        let [dedicated, readiness] = [Pool::Dedicated, Pool::Readiness].map(|pool| pool.connection_string(&address));
        Self { shared: address, dedicated, readiness }
    }

    async fn run(
        &self,
        statement: Statement,
        parameters: Vec<Value>,
        deadline: Instant,
    ) -> Result<Option<Row>, DatabaseError> {
        if let Some(batched) = statement.batched {
            match batching::join(batched, &parameters, deadline).await {
                Role::Lead(leader) => {
                    return self.lead(leader, statement.single, batched, parameters, deadline).await;
                }
                Role::Answered(answer) => return answer.map(Some),
                Role::DeadlinePassed { sent } => return Err(DatabaseError::Deadline { sent }),
                Role::Single => {}
            }
        }
        let mut timer = Timer::at(deadline);
        let held = match statement.pool {
            Pool::Shared => self.lease(&mut timer).await?,
            Pool::Dedicated => open(&self.dedicated, &mut timer).await?,
            Pool::Readiness => open(&self.readiness, &mut timer).await?,
        };
        query_single(held, statement.single, parameters, statement.writes, &mut timer).await
    }

    /// Sends a batch of the calls that are queued when there is a connection.
    async fn lead(
        &self,
        leader: Leader,
        single: &str,
        batched: &str,
        parameters: Vec<Value>,
        deadline: Instant,
    ) -> Result<Option<Row>, DatabaseError> {
        let mut timer = Timer::at(deadline);
        let lease = self.lease(&mut timer).await?;
        let batch = leader.start_batch();
        if batch.is_single() {
            return query_single(lease, single, parameters, false, &mut timer).await;
        }
        match query_batch(lease, batched, &parameters, &batch, &mut timer).await {
            Ok(Some(row)) => return Ok(Some(row)),
            // The other calls may have later deadlines.
            Err(error @ DatabaseError::Deadline { .. }) => return Err(error),
            // The error may be that of another call.
            Err(error) if error.is_statement_error() => drop(batch),
            Err(error) => {
                batch.fail(&error);
                return Err(error);
            }
            Ok(None) => drop(batch),
        }
        let lease = self.lease(&mut timer).await?;
        query_single(lease, single, parameters, false, &mut timer).await
    }

    async fn lease(&self, timer: &mut Timer) -> Result<Held, DatabaseError> {
        connect_within(timer, lease(&self.shared)).await.map(Held::Shared)
    }
}

/// Opens a connection for one statement. Spin returns it to its pool.
async fn open(address: &str, timer: &mut Timer) -> Result<Held, DatabaseError> {
    connect_within(timer, Connection::open(address)).await.map(Held::Dedicated)
}

/// Waits for a connection, until the timer fires.
async fn connect_within<T>(
    timer: &mut Timer,
    connection: impl Future<Output = Result<T, Error>>,
) -> Result<T, DatabaseError> {
    if timer.is_expired() {
        return Err(DatabaseError::Deadline { sent: false });
    }
    match select(pin!(connection), pin!(timer.fire())).await {
        Either::Left((connection, _)) => connection.map_err(before_sending),
        Either::Right(_) => Err(DatabaseError::Deadline { sent: false }),
    }
}

impl Held {
    fn connection(&self) -> &Connection {
        match self {
            Self::Shared(lease) => lease.connection(),
            Self::Dedicated(connection) => connection,
        }
    }

    /// Keeps a shared connection in the pool, because the answer was complete.
    fn mark_reusable(&self) {
        if let Self::Shared(lease) = self {
            lease.mark_reusable();
        }
    }
}

impl Database for SpinDatabase {
    fn call<'a>(&'a self, statement: Statement, parameters: Vec<Value>, deadline: Instant) -> CallFuture<'a> {
        // A component has one thread: what is not Send cannot leave it.
        Box::pin(SendWrapper::new(self.run(statement, parameters, deadline)))
    }

    fn lock_writes<'a>(&'a self, user: &'a str, timeout: Duration) -> LockFuture<'a> {
        Box::pin(SendWrapper::new(async move {
            let request = WRITE_LOCKS.with(|locks| locks.request(user));
            let mut timer = None;
            while let Err(waiter) = request.try_acquire() {
                let timer = timer.get_or_insert_with(|| Timer::at(Instant::now() + timeout));
                if let Either::Right(_) = select(pin!(waiter.wait()), pin!(timer.fire())).await {
                    break;
                }
            }
            Box::new(SendWrapper::new(request)) as WriteLock
        }))
    }

    fn sleep(&self, time: Duration) -> SleepFuture {
        Box::pin(SendWrapper::new(sleep(time)))
    }
}

/// Makes one call.
async fn query_single(
    held: Held,
    statement: &str,
    parameters: Vec<Value>,
    writes: bool,
    timer: &mut Timer,
) -> Result<Option<Row>, DatabaseError> {
    let parameters = parameters.into_iter().map(parameter).collect();
    let mut answer = None;
    query(held, statement, parameters, (1, writes), timer, |columns| answer = Some(columns)).await?;
    answer.map(row).transpose()
}

/// Makes the calls of a batch, and answers all but the leader's, which is returned.
async fn query_batch(
    held: Held,
    statement: &str,
    leader: &[Value],
    batch: &Batch,
    timer: &mut Timer,
) -> Result<Option<Row>, DatabaseError> {
    let parameters = batch.parameters(leader).into_iter().map(ParameterValue::ArrayStr).collect();
    let mut answer = None;
    query(held, statement, parameters, (batch.len(), false), timer, |columns| {
        let mut columns = columns.into_iter();
        if let (Some(DbValue::Int64(number)), Some(DbValue::Str(caller))) = (columns.next(), columns.next())
            && let Ok(row) = row(columns)
            && let Some(row) = batch.answer(number, caller, row, leader)
        {
            answer = Some(row);
        }
    })
    .await?;
    Ok(answer)
}

/// Runs a statement that returns at most this many rows, and takes each as it arrives. The answer of a read is complete with its last row.
/// That of a write is when the statement has ended, because it may fail until then.
async fn query(
    held: Held,
    statement: &str,
    parameters: Vec<ParameterValue>,
    (rows, writes): (usize, bool),
    timer: &mut Timer,
    mut take: impl FnMut(Vec<DbValue>),
) -> Result<(), DatabaseError> {
    let answer = async {
        let mut result = held.connection().query(statement, parameters).await.map_err(after_sending)?;
        for _ in 0..rows {
            match result.rows().next().await {
                Some(columns) => take(columns),
                // A broken stream of rows looks like one that has ended. Only the result tells them apart.
                None => return result.result().await.map_err(after_sending),
            }
        }
        match writes {
            true => result.result().await.map_err(after_sending),
            // Waiting for the end would cost another call of this instance by the host.
            false => Ok(()),
        }
    };
    let outcome = match select(pin!(answer), pin!(timer.fire())).await {
        Either::Left((outcome, _)) => outcome,
        Either::Right(_) => Err(DatabaseError::Deadline { sent: true }),
    };
    // A lock timeout ends the statement and leaves the connection intact.
    if outcome.as_ref().map_or_else(DatabaseError::met_a_lock, |()| true) {
        held.mark_reusable();
    }
    outcome
}

fn row(columns: impl IntoIterator<Item = DbValue>) -> Result<Row, DatabaseError> {
    columns.into_iter().map(column).collect::<Result<_, _>>().map(Row::new)
}

fn parameter(value: Value) -> ParameterValue {
    match value {
        Value::Null => ParameterValue::DbNull,
        Value::Bool(value) => ParameterValue::Boolean(value),
        Value::Int(value) => ParameterValue::Int64(value),
        Value::Text(value) => ParameterValue::Str(value),
        Value::Uuid(value) => ParameterValue::Uuid(value.to_string()),
        Value::Json(value) => ParameterValue::Jsonb(value.into_bytes()),
    }
}

fn column(value: DbValue) -> Result<Value, DatabaseError> {
    match value {
        DbValue::DbNull => Ok(Value::Null),
        DbValue::Boolean(value) => Ok(Value::Bool(value)),
        DbValue::Int64(value) => Ok(Value::Int(value)),
        DbValue::Str(value) => Ok(Value::Text(value)),
        _ => Err(DatabaseError::Malformed("a column has a type that no function gives".to_owned())),
    }
}

fn before_sending(error: Error) -> DatabaseError {
    match error {
        Error::PgError(PgError::QueryFailed(error)) => refused(error),
        Error::PgError(PgError::ConnectionFailed(message)) => DatabaseError::Unreachable(message),
        other => DatabaseError::Unreachable(other.to_string()),
    }
}

fn after_sending(error: Error) -> DatabaseError {
    match error {
        Error::PgError(PgError::QueryFailed(error)) => refused(error),
        Error::PgError(PgError::ConnectionFailed(message)) => DatabaseError::Unreachable(message),
        Error::PgError(PgError::BadParameter(message) | PgError::ValueConversionFailed(message)) => {
            DatabaseError::Malformed(message)
        }
        other => DatabaseError::Lost(other.to_string()),
    }
}

fn refused(error: QueryError) -> DatabaseError {
    match error {
        QueryError::DbError(error) => DatabaseError::Refused {
            sqlstate: error.code,
            constraint: error.extras.into_iter().find(|(name, _)| name == "constraint").map(|(_, value)| value),
            message: error.message,
        },
        // No error of PostgreSQL: the connection broke during the statement.
        QueryError::Text(message) => DatabaseError::Lost(message),
    }
}
