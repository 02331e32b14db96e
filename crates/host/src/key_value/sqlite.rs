//! A SQLite file with Spin's table. Calls share one connection, one after the other.

use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use rusqlite::{Connection, OptionalExtension, params};

use super::Error;

const TABLE: &str = "\
    create table if not exists spin_key_value (
        store text not null,
        key text not null,
        value blob not null,
        primary key (store, key)
    )";

/// A database that is opened when it is first used.
pub(super) struct Database {
    path: Option<PathBuf>,
    connection: OnceLock<Mutex<Connection>>,
}

impl Database {
    /// In a file, or in memory.
    pub(super) fn new(path: Option<PathBuf>) -> Self {
        Self { path, connection: OnceLock::new() }
    }

    pub(super) fn place(&self) -> String {
        match &self.path {
            Some(path) => format!("\"{}\"", path.display()),
            None => "a temporary in-memory store".to_owned(),
        }
    }

    pub(super) fn open(&self) -> Result<(), Error> {
        self.with(|_| Ok(()))
    }

    pub(super) fn get(&self, store: &str, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.with(|connection| {
            connection
                .prepare("select value from spin_key_value where store = ?1 and key = ?2")?
                .query_row([store, key], |row| row.get(0))
                .optional()
        })
    }

    pub(super) fn set(&self, store: &str, key: &str, value: &[u8]) -> Result<(), Error> {
        self.with(|connection| {
            connection
                .prepare(
                    "insert into spin_key_value (store, key, value) values (?1, ?2, ?3)
                     on conflict (store, key) do update set value = excluded.value",
                )?
                .execute(params![store, key, value])
                .map(drop)
        })
    }

    pub(super) fn delete(&self, store: &str, key: &str) -> Result<(), Error> {
        self.with(|connection| {
            connection
                .prepare("delete from spin_key_value where store = ?1 and key = ?2")?
                .execute([store, key])
                .map(drop)
        })
    }

    pub(super) fn keys(&self, store: &str) -> Result<Vec<String>, Error> {
        self.with(|connection| {
            connection
                .prepare("select key from spin_key_value where store = ?1")?
                .query_map([store], |row| row.get(0))?
                .collect()
        })
    }

    /// Holds up the thread as Spin does; the runtime has others meanwhile.
    fn with<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        let outcome = tokio::task::block_in_place(|| {
            let connection = match self.connection.get() {
                Some(connection) => connection,
                None => {
                    let opened = self.connect()?;
                    self.connection.get_or_init(|| Mutex::new(opened))
                }
            };
            work(&connection.lock().unwrap_or_else(PoisonError::into_inner))
        });
        outcome.map_err(|error| {
            tracing::warn!("key-value error: {error}");
            Error::Other(error.to_string())
        })
    }

    fn connect(&self) -> rusqlite::Result<Connection> {
        let connection = match &self.path {
            Some(path) => Connection::open(path)?,
            None => Connection::open_in_memory()?,
        };
        connection.execute(TABLE, [])?;
        Ok(connection)
    }
}
