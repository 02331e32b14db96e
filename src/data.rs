//! The way to the database: one call of one function, as the caller.
//!
//! `Data` holds the connection and hands out nothing but `Scope`s, which name their caller; so no query can be written
//! without one, and the caller is always `$1`. The functions themselves are in `migrations/functions`.

mod error;
pub mod tasks;
mod value;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

pub use error::DatabaseError;
pub use value::{Row, Value};

use crate::auth::Caller;
use crate::domain::Error;

/// The future of a database call.
pub type Calling<'a> = Pin<Box<dyn Future<Output = Result<Option<Row>, DatabaseError>> + Send + 'a>>;

/// A PostgreSQL that can be asked one thing at a time. Implemented once per runtime.
pub trait Database: Send + Sync {
    /// Runs one statement, which gives at most one row. An implementation keeps its own deadline.
    fn call<'a>(&'a self, statement: &'static str, parameters: Vec<Value>) -> Calling<'a>;
}

/// The database, out of reach of anyone without a caller.
#[derive(Clone)]
pub struct Data(Arc<dyn Database>);

/// The database as one caller sees it.
pub struct Scope<'a> {
    database: &'a dyn Database,
    caller: &'a Caller,
}

impl Data {
    /// Takes a database in.
    pub fn new(database: Arc<dyn Database>) -> Self {
        Self(database)
    }

    /// The database as this caller sees it.
    pub fn scope<'a>(&'a self, caller: &'a Caller) -> Scope<'a> {
        Scope { database: self.0.as_ref(), caller }
    }

    /// Asks the database whether it can serve: a real query, of nobody's data.
    pub async fn ready(&self) -> Result<(), Error> {
        self.0.call("select api.ready()", Vec::new()).await?.ok_or_else(|| no_row("ready"))?;
        Ok(())
    }
}

impl Scope<'_> {
    /// Runs a statement with the caller before the other parameters.
    async fn call(
        &self,
        statement: &'static str,
        parameters: impl IntoIterator<Item = Value>,
    ) -> Result<Option<Row>, Error> {
        let caller = Value::from(self.caller.user_id().to_owned());
        let parameters = std::iter::once(caller).chain(parameters).collect();
        Ok(self.database.call(statement, parameters).await?)
    }
}

fn no_row(function: &str) -> Error {
    Error::Internal(format!("api.{function} gave no row"))
}
