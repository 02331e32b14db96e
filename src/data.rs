//! Calls of database functions. An operation is one call of one function, as the caller.
//!
//! `Data` keeps the database private and gives out only `Scope`s. A `Scope` has a caller and passes it as `$1`, so no query can be
//! written without one. The functions are in `migrations/functions`.

mod admission;
mod error;
mod ready;
mod representation;
mod statement;
pub mod tasks;
#[cfg(test)]
mod tests;
mod value;
mod writes;

use std::any::Any;
use std::future::Future;
use std::ops::RangeInclusive;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

pub use error::{DatabaseError, REFUSALS};
pub use representation::{Listing, Stored};
pub use statement::{Pool, Statement};
pub use value::{Row, Value};

use admission::{Admission, Admitted};
use ready::{Ready, Step};

use crate::auth::Caller;
use crate::domain::Error;

/// SQL that fails with `undefined_object` if the database does not serve [`INTERFACE`]. PostgreSQL removes the condition when it plans the
/// statement.
macro_rules! served {
    ($sql:literal) => {
        concat!($sql, " where null::api.interface_5 is null")
    };
}
use served;

/// The future of [`Database::call`].
pub type CallFuture<'a> = Pin<Box<dyn Future<Output = Result<Option<Row>, DatabaseError>> + Send + 'a>>;

/// The future of [`Database::sleep`].
pub type SleepFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The lock on a user's writes in this process. Released when it is dropped.
pub type WriteLock = Box<dyn Any + Send>;

/// The future of [`Database::lock_writes`].
pub type LockFuture<'a> = Pin<Box<dyn Future<Output = WriteLock> + Send + 'a>>;

/// Calls of PostgreSQL functions. Each runtime implements it.
pub trait Database: Send + Sync {
    /// Makes one call, which returns at most one row. After the deadline it fails, whether it is waiting for a pool checkout, a
    /// connection, a batch or the answer.
    fn call<'a>(&'a self, statement: Statement, parameters: Vec<Value>, deadline: Instant) -> CallFuture<'a>;

    /// Waits, without a connection, until no other write of this user is in flight in this process. After the timeout it resolves
    /// without the lock; a runtime may notice the timeout up to 50 ms late.
    fn lock_writes<'a>(&'a self, user: &'a str, timeout: Duration) -> LockFuture<'a>;

    /// Waits for this long, without a connection.
    fn sleep(&self, time: Duration) -> SleepFuture;
}

/// The database. Only a [`Scope`] can run statements on it, but for the readiness check.
#[derive(Clone)]
pub struct Data {
    database: Arc<dyn Database>,
    clock: fn() -> Instant,
    budget: Duration,
    admission: Arc<Admission>,
    ready: Arc<Ready>,
    /// The error that proved the pooler unsafe.
    unsafe_pooler: Arc<OnceLock<DatabaseError>>,
}

/// The database for one caller.
pub struct Scope<'a> {
    data: &'a Data,
    caller: &'a Caller,
    stopwatch: &'a dyn Stopwatch,
}

/// Adds up the time of the database operations of a request.
pub trait Stopwatch: Send + Sync {
    /// Adds the time of an operation.
    fn add(&self, time: Duration);
}

/// Whether a statement can be sent again when its outcome is unknown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Read,
    Write,
}

impl Data {
    /// Wraps a database. The budget is the time limit of each operation.
    pub fn new(database: Arc<dyn Database>, clock: fn() -> Instant, budget: Duration) -> Self {
        let admission = Arc::new(Admission::new(budget));
        Self { database, clock, budget, admission, ready: Arc::default(), unsafe_pooler: Arc::default() }
    }

    /// The database for this caller.
    pub fn scope<'a>(&'a self, caller: &'a Caller, stopwatch: &'a dyn Stopwatch) -> Scope<'a> {
        Scope { data: self, caller, stopwatch }
    }

    /// Checks with a query whether the database can serve. The query reads no user's data. The check needs no token, so its result is
    /// reused for half a second.
    pub async fn ready(&self, stopwatch: &dyn Stopwatch) -> Result<(), Error> {
        const INTERFACE_RANGE: Statement =
            Statement::single(served!("select current, oldest from api.interface()")).with_pool(Pool::Readiness);
        const TIMEOUT: Duration = Duration::from_secs(1);
        let begun = (self.clock)();
        let asking = match self.ready.step(begun) {
            Step::Known(answer) => return answer,
            Step::Ask(asking) => asking,
        };
        let deadline = begun + self.budget.min(TIMEOUT);
        let answer = self.call(INTERFACE_RANGE, Vec::new(), Kind::Read, deadline).await;
        let ended = (self.clock)();
        stopwatch.add(ended.saturating_duration_since(begun));
        let answer = answer.and_then(|row| fits(row.ok_or_else(|| no_row("interface"))?));
        asking.done(ended, answer.clone());
        answer
    }

    /// Runs a statement. Sends it a second time if the first attempt certainly changed nothing and a retry may succeed. After an error that
    /// proves the pooler unsafe, a statement could run in place of another, so this instance sends no statement any more.
    async fn ask(
        &self,
        statement: Statement,
        parameters: Vec<Value>,
        kind: Kind,
        deadline: Instant,
    ) -> Result<Option<Row>, DatabaseError> {
        let mut is_first = true;
        loop {
            if let Some(proof) = self.unsafe_pooler.get() {
                return Err(proof.clone());
            }
            let begun = (self.clock)();
            // In a loop, because a second `await` would make the future larger.
            let outcome = self.database.call(statement, parameters.clone(), deadline).await;
            if statement.pool == Pool::Shared {
                self.admission.ended(begun, (self.clock)(), outcome.as_ref().err());
            }
            let error = match outcome {
                Ok(row) => return Ok(row),
                Err(error) => error,
            };
            if error.proves_an_unsafe_pooler() {
                _ = self.unsafe_pooler.set(error.clone());
            }
            let may_fare_better =
                error.was_rolled_back_by_chance() || kind == Kind::Read && error.broke_the_connection();
            if !is_first || !may_fare_better || (self.clock)() >= deadline {
                return Err(error);
            }
            is_first = false;
        }
    }

    /// [`Self::ask`] with the error of the domain.
    async fn call(
        &self,
        statement: Statement,
        parameters: Vec<Value>,
        kind: Kind,
        deadline: Instant,
    ) -> Result<Option<Row>, Error> {
        self.ask(statement, parameters, kind, deadline).await.map_err(|error| kind.tell(error))
    }

    /// Waits without a connection before a retry. Fails if there would be no time left for the retry.
    async fn back_off(&self, time: Duration, deadline: Instant) -> Result<(), Error> {
        if (self.clock)() + time >= deadline {
            return Err(Error::TooManyRequests);
        }
        self.database.sleep(time).await;
        Ok(())
    }

    /// Runs a statement that needs one of its caller's slots. While no slot is free, it is sent again after a delay, and holds no
    /// connection meanwhile.
    async fn call_in_a_slot(
        &self,
        statement: Statement,
        parameters: Vec<Value>,
        kind: Kind,
        deadline: Instant,
    ) -> Result<Option<Row>, Error> {
        for delay in SLOT_RETRY_DELAYS {
            match self.call(statement, parameters.clone(), kind, deadline).await? {
                Some(row) if row.is_busy() => {}
                answer => return Ok(answer),
            }
            self.back_off(delay, deadline).await?;
        }
        match self.call(statement, parameters, kind, deadline).await? {
            Some(row) if row.is_busy() => Err(Error::TooManyRequests),
            answer => Ok(answer),
        }
    }
}

/// The number of the database interface that this version calls. It grows when the component needs a function that an older database
/// does not have. `api.interface` (`migrations/functions/interface.sql`) returns the numbers that the database serves.
pub const INTERFACE: i64 = 5;

/// Checks that the database serves [`INTERFACE`], with a row of `api.interface`.
fn fits(mut row: Row) -> Result<(), Error> {
    let [current, oldest] = [row.require::<i64>()?, row.require()?];
    match (oldest..=current).contains(&INTERFACE) {
        true => Ok(()),
        false => {
            let cause = format!("the database has the interfaces {oldest} to {current}, and this is {INTERFACE}");
            Err(Error::SchemaMismatch(cause))
        }
    }
}

/// A statement that was cancelled within this time ran into the lock timeout, because the other timeouts are longer.
const LOCK_CANCEL_WINDOW: Duration = Duration::from_secs(1);

/// How long a write waits for the other writes of its user in this process, before it is sent.
const WRITE_LOCK_TIMEOUT: Duration = Duration::from_millis(100);

/// How often a busy write is sent again over the shared pool. After that, it is sent over the dedicated pool.
const SHARED_POOL_RETRIES: usize = 3;

/// The delay before each of these retries, without a connection: the duration of the last attempt, within these bounds. The other
/// write takes about as long.
const SHARED_POOL_RETRY_DELAY: RangeInclusive<Duration> = Duration::from_millis(2)..=Duration::from_millis(10);

/// The delays before a statement that found no free slot of its caller is sent again.
const SLOT_RETRY_DELAYS: [Duration; 3] =
    [Duration::from_millis(20), Duration::from_millis(50), Duration::from_millis(100)];

impl Kind {
    fn tell(self, error: DatabaseError) -> Error {
        match (self, Error::from(error)) {
            (Self::Read, Error::OutcomeUnknown(cause)) => Error::Unavailable(cause),
            (_, error) => error,
        }
    }
}

impl Scope<'_> {
    /// The id of the caller.
    pub fn user_id(&self) -> &str {
        self.caller.user_id()
    }

    /// Runs a read. The caller is its first parameter.
    async fn read(
        &self,
        statement: Statement,
        parameters: impl IntoIterator<Item = Value>,
    ) -> Result<Option<Row>, Error> {
        self.timed(async |deadline, admitted| {
            let parameters = self.with_caller(parameters);
            match statement.pool {
                Pool::Dedicated => {
                    drop(admitted);
                    self.data.call_in_a_slot(statement, parameters, Kind::Read, deadline).await
                }
                _ => self.data.call(statement, parameters, Kind::Read, deadline).await,
            }
        })
        .await
    }

    /// Runs a read that needs a slot. The first attempt goes over the shared pool, and its parameter (`short` is true) bounds its
    /// cost. If the database answers `long` or `busy`, the read is sent again over the dedicated pool.
    async fn read_short_first(
        &self,
        statement: Statement,
        parameter: impl Fn(bool) -> Result<Value, Error>,
    ) -> Result<Option<Row>, Error> {
        self.timed(async |deadline, admitted| {
            let parameters = self.with_caller([parameter(true)?]);
            match self.data.call(statement, parameters, Kind::Read, deadline).await? {
                Some(row) if row.is_long() || row.is_busy() => {
                    drop(admitted);
                    let parameters = self.with_caller([parameter(false)?]);
                    self.data
                        .call_in_a_slot(statement.with_pool(Pool::Dedicated), parameters, Kind::Read, deadline)
                        .await
                }
                answer => Ok(answer),
            }
        })
        .await
    }

    /// Runs a write. Its parameter says whether it may wait for another write of the user, which it may not over the shared pool. If
    /// another write has the turn, this one is sent again after a delay, and after the last retry over the dedicated pool. A write that
    /// met a lock is sent over the dedicated pool immediately.
    async fn call_as_writer(
        &self,
        statement: Statement,
        parameter: impl Fn(bool) -> Result<Value, Error>,
    ) -> Result<Option<Row>, Error> {
        self.timed(async |deadline, admitted| {
            let _lock = self.data.database.lock_writes(self.caller.user_id(), WRITE_LOCK_TIMEOUT).await;
            let parameters = self.with_caller([parameter(false)?]);
            for retries_left in (0..=SHARED_POOL_RETRIES).rev() {
                let begun = (self.data.clock)();
                let answer = self.data.ask(statement, parameters.clone(), Kind::Write, deadline).await;
                let took = (self.data.clock)().saturating_duration_since(begun);
                match answer {
                    Ok(Some(row)) if row.is_busy() => {}
                    Err(error) if error.met_a_lock() || error.was_cancelled() && took < LOCK_CANCEL_WINDOW => break,
                    answer => return answer.map_err(|error| Kind::Write.tell(error)),
                }
                if retries_left > 0 {
                    let delay = took.clamp(*SHARED_POOL_RETRY_DELAY.start(), *SHARED_POOL_RETRY_DELAY.end());
                    self.data.back_off(delay, deadline).await?;
                }
            }
            drop(admitted);
            let parameters = self.with_caller([parameter(true)?]);
            self.data.call_in_a_slot(statement.with_pool(Pool::Dedicated), parameters, Kind::Write, deadline).await
        })
        .await
    }

    fn with_caller(&self, parameters: impl IntoIterator<Item = Value>) -> Vec<Value> {
        let caller = Value::from(self.caller.user_id().to_owned());
        std::iter::once(caller).chain(parameters).collect()
    }

    /// Runs an operation, unless it is refused because of overload, and adds its time to the stopwatch. The operation drops its admission
    /// when it leaves the shared pool.
    async fn timed<T>(&self, call: impl AsyncFnOnce(Instant, Admitted<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let begun = (self.data.clock)();
        let admitted = self.data.admission.enter(self.caller.user_id(), begun)?;
        let answer = call(begun + self.data.budget, admitted).await;
        self.stopwatch.add((self.data.clock)().saturating_duration_since(begun));
        answer
    }
}

fn no_row(function: &str) -> Error {
    Error::Internal(format!("api.{function} gave no row"))
}
