//! One connection to a database that stays open: for transactions, and for what a connection remembers.

use std::time::{Duration, Instant};

use errand_postgres::address::Address;
use errand_postgres::connect::connect;
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::{RUNTIME, kind};

/// A connection.
pub struct Session {
    client: Client,
}

/// Why PostgreSQL refused a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub sqlstate: String,
    pub constraint: Option<String>,
    pub message: String,
}

/// A transaction that holds locks until it is released.
pub struct Held {
    holder: Session,
    watcher: Session,
    pid: String,
}

impl Session {
    pub fn open(address: &Address) -> Self {
        Self { client: RUNTIME.block_on(connect(address)).unwrap() }
    }

    /// Runs statements; gives the first column of each row as text.
    pub fn run(&self, sql: &str) -> Result<Vec<String>, Refusal> {
        let messages = RUNTIME.block_on(self.client.simple_query(sql)).map_err(|error| {
            let refused = error.as_db_error().unwrap_or_else(|| panic!("{sql}: {error}"));
            Refusal {
                sqlstate: refused.code().code().to_owned(),
                constraint: refused.constraint().map(str::to_owned),
                message: refused.message().to_owned(),
            }
        })?;
        let rows = messages.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row.try_get(0).ok().flatten().unwrap_or_default().to_owned()),
            _ => None,
        });
        Ok(rows.collect())
    }

    /// Runs statements that PostgreSQL must accept.
    #[track_caller]
    pub fn rows(&self, sql: &str) -> Vec<String> {
        self.run(sql).unwrap_or_else(|refusal| panic!("{sql}: {refusal:?}"))
    }

    /// Runs statements within a transaction, and takes back what they did.
    pub fn attempt(&self, sql: &str) -> Result<Vec<String>, Refusal> {
        self.rows("savepoint attempt");
        let outcome = self.run(sql);
        self.rows("rollback to savepoint attempt; release savepoint attempt");
        outcome
    }
}

impl Held {
    /// Takes the locks of a statement.
    pub fn new(address: &Address, sql: &str) -> Self {
        let (holder, watcher) = (Session::open(address), Session::open(address));
        holder.rows(&format!("begin; {sql}"));
        let pid = holder.rows("select pg_backend_pid()").concat();
        Self { holder, watcher, pid }
    }

    /// Waits until so many connections wait for this transaction, directly or behind one that does. A request that is
    /// sent afterwards has a connection that does not wait. Requests come over connections of their own to wait, after up to
    /// four tries over a shared one, which are not meant.
    #[track_caller]
    pub fn wait_for(&self, waiting: usize) {
        let blocked = format!(
            "with recursive blocked (pid) as (
                 select pid from pg_stat_activity
                 where wait_event_type = 'Lock' and application_name = 'errand-heavy' and {} = any (pg_blocking_pids(pid))
                 union
                 select activity.pid from pg_stat_activity as activity
                 join blocked on blocked.pid = any (pg_blocking_pids(activity.pid))
                 where wait_event_type = 'Lock' and application_name = 'errand-heavy'
             )
             select count(*) from blocked",
            self.pid
        );
        let late = Instant::now() + Duration::from_secs(10);
        loop {
            let seen = self.watcher.rows(&blocked).concat();
            if seen == waiting.to_string() {
                // Requests of one instance share a connection until its answers stay away for a quarter of a second.
                return if kind() != "native" {
                    std::thread::sleep(Duration::from_millis(400))
                };
            }
            assert!(Instant::now() < late, "{seen} connections wait, not {waiting}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The time on the database's clock.
    pub fn now(&self) -> String {
        let now = "select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')";
        self.watcher.rows(now).concat()
    }

    /// Releases the locks and rolls back.
    pub fn release(self) {
        self.holder.rows("rollback");
    }
}
