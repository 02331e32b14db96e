//! `Database` over Spin's outbound PostgreSQL.
//!
//! Spin sets no deadline anywhere: not for a place in its pool, not for a connection, not for an answer. Each call here
//! is raced against an alarm; dropping the loser is safe.

use std::pin::pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures::future::{Either, select};
use send_wrapper::SendWrapper;
use spin_sdk::pg::{Connection, DbValue, Error, ParameterValue, PgError, QueryError};
use spin_sdk::time::sleep;

use super::alarms::Alarm;
use super::connections::{Lease, Waiters, lease};
use super::together::{Group, Lead, Part, part};
use super::writers::Writers;
use errand::data::{
    CallFuture, Database, DatabaseError, LockFuture, Pool, Row, SleepFuture, Statement, Value, WriteLock,
};

thread_local! {
    static WRITERS: Rc<Writers<Waiters>> = Writers::new();
}

/// A database by its connection strings; Spin keeps a pool for each.
pub(super) struct SpinDatabase {
    shared: String,
    dedicated: String,
    readiness: String,
}

/// What a statement is sent over.
enum Held {
    Shared(Lease),
    Own(Connection),
}

impl SpinDatabase {
    /// Names the database. The address is tried with the first call.
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
        if let Some(together) = statement.batched {
            match part(together, &parameters, deadline).await {
                Part::Lead(lead) => return self.lead(lead, statement.single, together, parameters, deadline).await,
                Part::Answered(answer) => return answer.map(Some),
                Part::TooLate { sent } => return Err(DatabaseError::Deadline { sent }),
                Part::Alone => {}
            }
        }
        let mut alarm = Alarm::at(deadline);
        let held = match statement.pool {
            Pool::Shared => self.lease(&mut alarm).await?,
            Pool::Dedicated => open(&self.dedicated, &mut alarm).await?,
            Pool::Readiness => open(&self.readiness, &mut alarm).await?,
        };
        ask(held, statement.single, parameters, &mut alarm).await
    }

    /// Asks for all who have gathered when there is a connection.
    async fn lead(
        &self,
        lead: Lead,
        alone: &str,
        together: &str,
        parameters: Vec<Value>,
        deadline: Instant,
    ) -> Result<Option<Row>, DatabaseError> {
        let mut alarm = Alarm::at(deadline);
        let lease = self.lease(&mut alarm).await?;
        let group = lead.go();
        if group.is_empty() {
            return ask(lease, alone, parameters, &mut alarm).await;
        }
        match ask_together(lease, together, &parameters, &group, &mut alarm).await {
            Ok(Some(row)) => return Ok(Some(row)),
            // The others may have more time.
            Err(error @ DatabaseError::Deadline { .. }) => return Err(error),
            // What was wrong may be another's.
            Err(error) if error.is_statement_error() => drop(group),
            Err(error) => {
                group.fail(&error);
                return Err(error);
            }
            Ok(None) => drop(group),
        }
        let lease = self.lease(&mut alarm).await?;
        ask(lease, alone, parameters, &mut alarm).await
    }

    async fn lease(&self, alarm: &mut Alarm) -> Result<Held, DatabaseError> {
        before(alarm, lease(&self.shared)).await.map(Held::Shared)
    }
}

/// Opens a connection for one statement; Spin takes it back into its pool.
async fn open(address: &str, alarm: &mut Alarm) -> Result<Held, DatabaseError> {
    before(alarm, Connection::open(address)).await.map(Held::Own)
}

/// Waits for a connection, and no longer than until the alarm rings.
async fn before<T>(alarm: &mut Alarm, connection: impl Future<Output = Result<T, Error>>) -> Result<T, DatabaseError> {
    if alarm.is_due() {
        return Err(DatabaseError::Deadline { sent: false });
    }
    match select(pin!(connection), pin!(alarm.ring())).await {
        Either::Left((connection, _)) => connection.map_err(before_sending),
        Either::Right(_) => Err(DatabaseError::Deadline { sent: false }),
    }
}

impl Held {
    fn connection(&self) -> &Connection {
        match self {
            Self::Shared(lease) => lease.connection(),
            Self::Own(connection) => connection,
        }
    }

    /// Says that an answer came whole: the connection is good for others.
    fn is_good(&self) {
        if let Self::Shared(lease) = self {
            lease.is_good();
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
            let place = WRITERS.with(|writers| writers.join(user));
            let mut alarm = None;
            while let Some(turn) = place.take_turn() {
                let alarm = alarm.get_or_insert_with(|| Alarm::at(Instant::now() + timeout));
                if let Either::Right(_) = select(pin!(turn.come()), pin!(alarm.ring())).await {
                    break;
                }
            }
            Box::new(SendWrapper::new(place)) as WriteLock
        }))
    }

    fn sleep(&self, time: Duration) -> SleepFuture {
        Box::pin(SendWrapper::new(sleep(time)))
    }
}

/// Asks for one.
async fn ask(
    held: Held,
    statement: &str,
    parameters: Vec<Value>,
    alarm: &mut Alarm,
) -> Result<Option<Row>, DatabaseError> {
    let parameters = parameters.into_iter().map(parameter).collect();
    let mut answer = None;
    query(held, statement, parameters, 1, alarm, |columns| answer = Some(columns)).await?;
    answer.map(row).transpose()
}

/// Asks for all of a group, and hands out the others' answers.
async fn ask_together(
    held: Held,
    statement: &str,
    own: &[Value],
    group: &Group,
    alarm: &mut Alarm,
) -> Result<Option<Row>, DatabaseError> {
    let parameters = group.parameters(own).into_iter().map(ParameterValue::ArrayStr).collect();
    let mut answer = None;
    query(held, statement, parameters, group.size(), alarm, |columns| {
        let mut columns = columns.into_iter();
        if let (Some(DbValue::Int64(number)), Some(DbValue::Str(caller))) = (columns.next(), columns.next())
            && let Ok(row) = row(columns)
            && let Some(own) = group.hand_out(number, caller, row, own)
        {
            answer = Some(own);
        }
    })
    .await?;
    Ok(answer)
}

/// Runs a statement that gives this many rows at most, and takes each when it comes.
async fn query(
    held: Held,
    statement: &str,
    parameters: Vec<ParameterValue>,
    rows: usize,
    alarm: &mut Alarm,
    mut take: impl FnMut(Vec<DbValue>),
) -> Result<(), DatabaseError> {
    let answer = async {
        let mut result = held.connection().query(statement, parameters).await.map_err(after_sending)?;
        for _ in 0..rows {
            let Some(columns) = result.rows().next().await else { break };
            take(columns);
        }
        // A stream that breaks looks like one that ends; only the result tells them apart.
        result.result().await.map_err(after_sending)
    };
    let outcome = match select(pin!(answer), pin!(alarm.ring())).await {
        Either::Left((outcome, _)) => outcome,
        Either::Right(_) => Err(DatabaseError::Deadline { sent: true }),
    };
    // A lock that was not waited for ended the statement, and nothing else.
    if outcome.as_ref().map_or_else(DatabaseError::met_a_lock, |()| true) {
        held.is_good();
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
