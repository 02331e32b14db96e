//! The SQL of a call and the pool that it is sent over.

/// A statement, with its parameters as `$1`, `$2` and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    /// SQL for one call; returns one row.
    pub single: &'static str,
    /// SQL for a batch of calls. Each parameter is an array of text with one element for each call. Each row begins with the number
    /// of its call, from 1 on, and with the caller of that call, which is its first parameter. A runtime may use it for concurrent
    /// calls. Each call of a batch announces its own caller, as it does on its own.
    pub batched: Option<&'static str>,
    /// The pool that its connection comes from.
    pub pool: Pool,
    /// Whether it may change something. Then its row is provisional until the statement has ended without an error.
    pub writes: bool,
}

/// The pools of connections. There are three, so that slow statements delay only other slow statements. The size of a pool bounds the
/// statements of its kind. A limit for each instance would bound nothing, because the runtime adds instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pool {
    /// Connections that concurrent requests share. The cost of the statement is bounded by construction, and it waits at most a
    /// millisecond for another write.
    Shared,
    /// A connection for this statement alone, because it may read all data of its caller or wait for another write.
    Dedicated,
    /// A connection for this statement alone, for the readiness check. Neither load nor slow statements affect this pool.
    Readiness,
}

impl Statement {
    /// A read for one call, in the shared pool.
    pub const fn single(single: &'static str) -> Self {
        Self { single, batched: None, pool: Pool::Shared, writes: false }
    }

    /// A write for one call, in the shared pool.
    pub const fn write(single: &'static str) -> Self {
        Self { writes: true, ..Self::single(single) }
    }

    /// A read that can also be sent for a batch of calls. Use it only for cheap ones that cannot fail on their parameters: a
    /// batch is as slow as its slowest call, and one error fails the whole statement.
    pub const fn batchable(single: &'static str, batched: &'static str) -> Self {
        Self { batched: Some(batched), ..Self::single(single) }
    }

    /// The SQLSTATE of the failure that [`rolled_back`](Self::rolled_back) adds at the end: `division_by_zero`.
    pub const ROLLED_BACK: &str = "22012";

    /// SQL that runs the statement and always fails at its end, so that it changes nothing. For runtimes that report more about a
    /// failure where no rows are requested.
    pub fn rolled_back(&self) -> String {
        // The count reads the whole row, so the planner leaves no part of the statement out.
        format!("select 1 / (0 * count(answer)) from ({}) answer", self.single)
    }

    /// The statement for a single call, in another pool.
    pub const fn with_pool(self, pool: Pool) -> Self {
        Self { batched: None, pool, ..self }
    }
}

impl Pool {
    /// The connection string of this pool. Spin keeps one pool for each connection string.
    pub fn connection_string(self, address: &str) -> String {
        let name = match self {
            Self::Shared => return address.to_owned(),
            Self::Dedicated => "errand-heavy",
            Self::Readiness => "errand-ready",
        };
        // A URL or a list of keywords and values (PostgreSQL manual, section 34.1.1).
        let separator = match (address.contains("://"), address.contains('?')) {
            (true, true) => "&",
            (true, false) => "?",
            (false, _) => " ",
        };
        format!("{address}{separator}application_name={name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pool_has_its_own_connection_string() {
        for (address, dedicated) in [
            ("postgres://app:p@db/errand", "postgres://app:p@db/errand?application_name=errand-heavy"),
            (
                "postgres://app@db/errand?sslmode=require",
                "postgres://app@db/errand?sslmode=require&application_name=errand-heavy",
            ),
            ("host=db user=app", "host=db user=app application_name=errand-heavy"),
        ] {
            assert_eq!(Pool::Shared.connection_string(address), address);
            assert_eq!(Pool::Dedicated.connection_string(address), dedicated);
            assert_eq!(Pool::Readiness.connection_string(address), dedicated.replace("heavy", "ready"));
        }
    }
}
