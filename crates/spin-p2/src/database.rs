//! `Database` over Spin's outbound PostgreSQL.
//!
//! A call blocks its instance, so it cannot race against a timer. It ends by the `statement_timeout` of the role, and by
//! `connect_timeout` and `tcp_user_timeout` in the connection string. A pool checkout has no timeout.
//!
//! Spin's versions differ in how they report an error of a running statement (see `refusal`).

mod refusal;

use std::future::ready;
use std::time::{Duration, Instant};

use errand::data::{
    CallFuture, Database, DatabaseError, LockFuture, Pool, Row, SleepFuture, Statement, Value, WriteLock,
};
use spin_sdk::pg4::{Connection, DbValue, ParameterValue, PgError as Error, QueryError};

use refusal::Refusal;

/// A database by its connection string; Spin keeps a pool for each string.
pub(super) struct SpinDatabase {
    address: String,
}

impl SpinDatabase {
    /// Names the database. The first call connects.
    pub(super) fn new(address: String) -> Self {
        Self { address }
    }

    fn run(
        &self,
        statement: Statement,
        parameters: Vec<Value>,
        deadline: Instant,
    ) -> Result<Option<Row>, DatabaseError> {
        let begun = Instant::now();
        if begun >= deadline {
            return Err(DatabaseError::Deadline { sent: false });
        }
        let connection = self.connect(statement)?;
        let parameters: Vec<_> = parameters.into_iter().map(parameter).collect();
        match connection.query(statement.single, &parameters) {
            Ok(answer) => answer.rows.into_iter().next().map(row).transpose(),
            Err(Error::QueryFailed(QueryError::Text(text))) => Err(match Refusal::of(text) {
                Refusal::Known(error) => error,
                Refusal::Unknown(text) => {
                    drop(connection);
                    self.reason(statement, &parameters, text, begun.elapsed(), deadline)
                }
            }),
            Err(error) => Err(after_sending(error)),
        }
    }

    fn connect(&self, statement: Statement) -> Result<Connection, DatabaseError> {
        let connection = match statement.pool {
            Pool::Shared => Connection::open(&self.address),
            pool => Connection::open(&pool.connection_string(&self.address)),
        };
        connection.map_err(before_sending)
    }

    /// The reason why PostgreSQL refused a statement, if Spin does not report it. `execute` reports it, so the statement is sent again that
    /// way, and rolled back. An error that does not occur again was transient, such as a failed serialization.
    fn reason(
        &self,
        statement: Statement,
        parameters: &[ParameterValue],
        text: String,
        took: Duration,
        deadline: Instant,
    ) -> DatabaseError {
        let told = |sqlstate: &str| DatabaseError::Refused {
            sqlstate: sqlstate.to_owned(),
            constraint: None,
            message: text.clone(),
        };
        if Instant::now() + took > deadline {
            // It took so long that it ran into a timeout (query_canceled).
            return told("57014");
        }
        let connection = match self.connect(statement) {
            Ok(connection) => connection,
            Err(error) => return error,
        };
        match connection.execute(&statement.rolled_back(), parameters) {
            Err(Error::QueryFailed(QueryError::DbError(error))) if error.code != Statement::ROLLED_BACK => {
                refused(QueryError::DbError(error))
            }
            // serialization_failure
            _ => told("40001"),
        }
    }
}

impl Database for SpinDatabase {
    fn call<'a>(&'a self, statement: Statement, parameters: Vec<Value>, deadline: Instant) -> CallFuture<'a> {
        Box::pin(ready(self.run(statement, parameters, deadline)))
    }

    /// No lock: the user's other writes are in other instances.
    fn lock_writes<'a>(&'a self, _: &'a str, _: Duration) -> LockFuture<'a> {
        Box::pin(ready(Box::new(()) as WriteLock))
    }

    fn sleep(&self, time: Duration) -> SleepFuture {
        Box::pin(async move { std::thread::sleep(time) })
    }
}

fn row(columns: Vec<DbValue>) -> Result<Row, DatabaseError> {
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
        Error::QueryFailed(error) => refused(error),
        Error::ConnectionFailed(message) => DatabaseError::Unreachable(message),
        other => DatabaseError::Unreachable(other.to_string()),
    }
}

fn after_sending(error: Error) -> DatabaseError {
    match error {
        Error::QueryFailed(error) => refused(error),
        Error::ConnectionFailed(message) => DatabaseError::Unreachable(message),
        Error::BadParameter(message) | Error::ValueConversionFailed(message) => DatabaseError::Malformed(message),
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
