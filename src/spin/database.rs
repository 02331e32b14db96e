//! `Database` over Spin's outbound PostgreSQL.
//!
//! Spin sets no deadline anywhere: not for a place in its pool, not for a connection, not for an answer. Each call here
//! is raced against an alarm; dropping the loser is safe.

use std::pin::pin;
use std::time::Instant;

use futures::future::{Either, select};
use send_wrapper::SendWrapper;
use spin_sdk::pg::{Connection, DbValue, Error, ParameterValue, PgError, QueryError};

use super::alarms::Alarm;
use super::connections::lease;
use crate::data::{Calling, Database, DatabaseError, Row, Value};

/// A database by its address; Spin keeps the connections.
pub(super) struct SpinDatabase {
    address: String,
}

impl SpinDatabase {
    /// Names the database. The address is tried with the first call.
    pub(super) fn new(address: String) -> Self {
        Self { address }
    }

    async fn run(
        &self,
        statement: &'static str,
        parameters: Vec<Value>,
        deadline: Instant,
    ) -> Result<Option<Row>, DatabaseError> {
        let mut alarm = Alarm::at(deadline);
        let lease = match select(pin!(lease(&self.address)), pin!(alarm.ring())).await {
            Either::Left((lease, _)) => lease.map_err(before_sending)?,
            Either::Right(_) => return Err(DatabaseError::Deadline { sent: false }),
        };
        let answer = match select(pin!(query(lease.connection(), statement, parameters)), pin!(alarm.ring())).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => Err(DatabaseError::Deadline { sent: true }),
        };
        if answer.is_ok() {
            lease.is_good();
        }
        answer
    }
}

impl Database for SpinDatabase {
    fn call<'a>(&'a self, statement: &'static str, parameters: Vec<Value>, deadline: Instant) -> Calling<'a> {
        // A component has one thread: what is not Send cannot leave it.
        Box::pin(SendWrapper::new(self.run(statement, parameters, deadline)))
    }
}

async fn query(
    connection: &Connection,
    statement: &'static str,
    parameters: Vec<Value>,
) -> Result<Option<Row>, DatabaseError> {
    let parameters: Vec<_> = parameters.into_iter().map(parameter).collect();
    let mut result = connection.query(statement, parameters).await.map_err(after_sending)?;
    let row = result.rows().next().await;
    // A stream that breaks looks like one that ends; only the result tells them apart.
    result.result().await.map_err(after_sending)?;
    row.map(|columns| columns.into_iter().map(column).collect::<Result<_, _>>().map(Row::new)).transpose()
}

fn parameter(value: Value) -> ParameterValue {
    match value {
        Value::Null => ParameterValue::DbNull,
        Value::Bool(value) => ParameterValue::Boolean(value),
        Value::Int(value) => ParameterValue::Int64(value),
        Value::Text(value) => ParameterValue::Str(value),
        Value::Uuid(value) => ParameterValue::Uuid(value.to_string()),
        Value::Json(value) => ParameterValue::Jsonb(value.into_bytes()),
        Value::Ints(values) => ParameterValue::ArrayInt64(values.into_iter().map(Some).collect()),
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
        // PostgreSQL said nothing: the connection broke under the statement.
        QueryError::Text(message) => DatabaseError::Lost(message),
    }
}
