//! The way to the database: one call of one function, as the caller.
//!
//! `Data` holds the connection and hands out nothing but `Scope`s, which name their caller; so no query can be written
//! without one, and the caller is always `$1`. The functions themselves are in `migrations/functions`.

mod error;
mod statement;
pub mod tasks;
#[cfg(test)]
mod tests;
mod value;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use error::DatabaseError;
pub use statement::Statement;
pub use value::{Row, Value};

use crate::auth::Caller;
use crate::domain::Error;

/// The future of a database call.
pub type Calling<'a> = Pin<Box<dyn Future<Output = Result<Option<Row>, DatabaseError>> + Send + 'a>>;

/// A PostgreSQL that can be asked one thing at a time. Implemented once per runtime.
pub trait Database: Send + Sync {
    /// Makes one call, which gives at most one row. Past the deadline the answer is an error, whatever the call is waiting
    /// for: a place in a pool, a connection, others to go with, or the answer itself.
    fn call<'a>(&'a self, statement: Statement, parameters: Vec<Value>, deadline: Instant) -> Calling<'a>;
}

/// The database, out of reach of anyone without a caller.
#[derive(Clone)]
pub struct Data {
    database: Arc<dyn Database>,
    clock: fn() -> Instant,
    budget: Duration,
}

/// The database as one caller sees it.
pub struct Scope<'a> {
    data: &'a Data,
    caller: &'a Caller,
    stopwatch: &'a dyn Stopwatch,
}

/// Learns how long calls took.
pub trait Stopwatch: Send + Sync {
    /// Another call took this long.
    fn add(&self, time: Duration);
}

/// Whether a statement can be sent again when nobody knows what became of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Read,
    Write,
}

impl Data {
    /// Takes a database in. Each operation may take as long as the budget says.
    pub fn new(database: Arc<dyn Database>, clock: fn() -> Instant, budget: Duration) -> Self {
        Self { database, clock, budget }
    }

    /// The database as this caller sees it.
    pub fn scope<'a>(&'a self, caller: &'a Caller, stopwatch: &'a dyn Stopwatch) -> Scope<'a> {
        Scope { data: self, caller, stopwatch }
    }

    /// Asks the database whether it can serve: a real query, of nobody's data, that must not take long.
    pub async fn ready(&self, stopwatch: &dyn Stopwatch) -> Result<(), Error> {
        const READY: Statement = Statement::alone("select api.ready()");
        const PATIENCE: Duration = Duration::from_secs(1);
        let begun = (self.clock)();
        let deadline = begun + self.budget.min(PATIENCE);
        let answer = self.call(READY, Vec::new(), Kind::Read, deadline).await;
        stopwatch.add((self.clock)().saturating_duration_since(begun));
        answer?.ok_or_else(|| no_row("ready"))?;
        Ok(())
    }

    /// Runs a statement, a second time where the first one certainly left nothing behind and a second may fare better.
    async fn call(
        &self,
        statement: Statement,
        parameters: Vec<Value>,
        kind: Kind,
        deadline: Instant,
    ) -> Result<Option<Row>, Error> {
        let error = match self.database.call(statement, parameters.clone(), deadline).await {
            Ok(row) => return Ok(row),
            Err(error) => error,
        };
        let again = error.was_rolled_back_by_chance() || kind == Kind::Read && error.broke_the_connection();
        let error = match again && (self.clock)() < deadline {
            true => match self.database.call(statement, parameters, deadline).await {
                Ok(row) => return Ok(row),
                Err(error) => error,
            },
            false => error,
        };
        Err(match (kind, Error::from(error)) {
            (Kind::Read, Error::OutcomeUnknown(cause)) => Error::Unavailable(cause),
            (_, error) => error,
        })
    }
}

impl Scope<'_> {
    /// Runs a statement that changes nothing, with the caller before the other parameters.
    async fn read(
        &self,
        statement: Statement,
        parameters: impl IntoIterator<Item = Value>,
    ) -> Result<Option<Row>, Error> {
        self.call(statement, parameters, Kind::Read).await
    }

    /// Runs a statement that may change something, with the caller before the other parameters.
    async fn write(
        &self,
        statement: Statement,
        parameters: impl IntoIterator<Item = Value>,
    ) -> Result<Option<Row>, Error> {
        self.call(statement, parameters, Kind::Write).await
    }

    async fn call(
        &self,
        statement: Statement,
        parameters: impl IntoIterator<Item = Value>,
        kind: Kind,
    ) -> Result<Option<Row>, Error> {
        let caller = Value::from(self.caller.user_id().to_owned());
        let parameters = std::iter::once(caller).chain(parameters).collect();
        let begun = (self.data.clock)();
        let answer = self.data.call(statement, parameters, kind, begun + self.data.budget).await;
        self.stopwatch.add((self.data.clock)().saturating_duration_since(begun));
        answer
    }
}

fn no_row(function: &str) -> Error {
    Error::Internal(format!("api.{function} gave no row"))
}
