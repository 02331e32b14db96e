//! `Database` over Spin's outbound PostgreSQL.
//!
//! A call blocks its instance, and nothing can be raced against it. What ends a call is the `statement_timeout` of the role, and
//! `connect_timeout` and `tcp_user_timeout` in the connection string. Spin's pool is waited for without a limit.

use std::future::ready;
use std::time::{Duration, Instant};

use errand::data::{Calling, Database, DatabaseError, Over, Pausing, Row, Statement, Turn, Turning, Value};
use spin_sdk::pg4::{Connection, DbValue, ParameterValue, PgError as Error, QueryError};

/// A database by its connection string; Spin keeps a pool for each string.
pub(super) struct SpinDatabase {
    address: String,
}

impl SpinDatabase {
    /// Names the database. The address is tried with the first call.
    pub(super) fn new(address: String) -> Self {
        Self { address }
    }

    fn run(
        &self,
        statement: Statement,
        parameters: Vec<Value>,
        deadline: Instant,
    ) -> Result<Option<Row>, DatabaseError> {
        if Instant::now() >= deadline {
            return Err(DatabaseError::Deadline { sent: false });
        }
        let connection = match statement.over {
            Over::Shared => Connection::open(&self.address),
            over => Connection::open(&over.address(&self.address)),
        };
        let connection = connection.map_err(before_sending)?;
        let parameters: Vec<_> = parameters.into_iter().map(parameter).collect();
        let answer = connection.query(statement.alone, &parameters).map_err(after_sending)?;
        answer.rows.into_iter().next().map(row).transpose()
    }
}

impl Database for SpinDatabase {
    fn call<'a>(&'a self, statement: Statement, parameters: Vec<Value>, deadline: Instant) -> Calling<'a> {
        Box::pin(ready(self.run(statement, parameters, deadline)))
    }

    /// The user's other writes are in other instances, so there is nothing to wait for.
    fn turn<'a>(&'a self, _: &'a str, _: Duration) -> Turning<'a> {
        Box::pin(ready(Box::new(()) as Turn))
    }

    fn pause(&self, time: Duration) -> Pausing {
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
        Value::Texts(values) => ParameterValue::ArrayStr(values.into_iter().map(Some).collect()),
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
        // PostgreSQL said nothing: the connection broke under the statement.
        QueryError::Text(message) => DatabaseError::Lost(message),
    }
}
