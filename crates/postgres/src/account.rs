//! All that a database keeps of one user: exported as one JSON document, and erased.
//!
//! The tables are declared here ([`TABLES`]) and compared with the catalog before anything is read or deleted, because a table that
//! this version does not know would be left out silently. Both work as the owner of the tables, who announces the user: row-level
//! security then shows the rows of that user and no others. Each statement compares the user, too, because a superuser sees all rows.

mod erase;
mod export;

use anyhow::{Result, bail};
use tokio_postgres::{Transaction, error::SqlState, types::Type};

pub use erase::{Erasure, erase};
pub use export::{count, export};

use crate::migrate::{MIGRATE, explain};

/// A table, and which of its rows belong to users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// Schema and name.
    pub name: &'static str,
    /// What the rows are.
    pub rows: Rows,
}

/// The owner of a table's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// Each row belongs to the user that a column names. Exported and deleted.
    OfUser {
        /// The column.
        user: &'static str,
        /// The column that tells a user's rows apart, and its type: an export is sorted by it, and an erasure goes along it.
        key: (&'static str, &'static str),
        /// The columns that an export leaves out, and why.
        left_out: &'static [(&'static str, &'static str)],
    },
    /// The user may be a step's place in the order of all users. Exported; the place is cleared, and the row stays.
    Place {
        /// The column that names the user.
        user: &'static str,
        /// The columns to clear beside it.
        beside: &'static [&'static str],
    },
    /// No row belongs to a user.
    OfNoUser,
}

/// Every table of the schemas `api`, `errand` and `errand_meta`. The account comes after the other tables with a user's rows, because a row
/// needs its account.
pub const TABLES: &[Table] = &[
    resource(
        "errand.task",
        &[
            ("due_key", "computed from the due date, for sorting"),
            ("title_key", "computed from the title, for sorting"),
            ("title_text", "computed from the title, for searching"),
            ("tags_text", "computed from the tags, for searching"),
            ("description_text", "computed from the description, for searching"),
            ("words_at", "says until when they were computed"),
            ("words", "computed from title, description and tags, for searching"),
            JSON,
        ],
    ),
    Table {
        name: "errand.task_term",
        rows: Rows::OfUser {
            user: "user_id",
            key: ("term", "text"),
            left_out: &[("ids", "the tasks with the term, computed from title, description and tags, for searching")],
        },
    },
    Table {
        name: "errand.idempotency",
        rows: Rows::OfUser {
            user: "user_id",
            key: ("key", "text"),
            left_out: &[("fingerprint", "a digest of a request that is not kept itself")],
        },
    },
    Table {
        name: "errand.account",
        rows: Rows::OfUser {
            user: "user_id",
            key: ("user_id", "text"),
            left_out: &[
                ("number", "names the locks of the account in the database"),
                ("folded", "says what is computed for searching"),
                ("indexed_at", "says what is computed for searching"),
            ],
        },
    },
    // A table that `due-at` makes.
    Table { name: "errand_meta.step", rows: Rows::Place { user: "last_user", beside: &["last_task"] } },
    Table { name: "errand.time_zone", rows: Rows::OfNoUser },
    Table { name: "errand_meta.functions", rows: Rows::OfNoUser },
    Table { name: "errand_meta.migration", rows: Rows::OfNoUser },
];

/// The column of a resource that an export leaves out.
const JSON: (&str, &str) = ("json", "the other columns once more, as the API gives them");

/// The table of a resource: its primary key is `(user_id, id)`.
const fn resource(name: &'static str, left_out: &'static [(&'static str, &'static str)]) -> Table {
    Table { name, rows: Rows::OfUser { user: "user_id", key: ("id", "uuid"), left_out } }
}

impl Table {
    /// The column that names the user, where there is one.
    fn user(&self) -> Option<&'static str> {
        match self.rows {
            Rows::OfUser { user, .. } | Rows::Place { user, .. } => Some(user),
            Rows::OfNoUser => None,
        }
    }
}

/// Those of [`TABLES`] that the database has.
///
/// # Errors
///
/// When the database has others, when it is not migrated for this version, or when the login does not own them: row-level security
/// would hide rows from it.
async fn tables(tx: &Transaction<'_>) -> Result<Vec<Table>> {
    let rows = tx
        .query_typed(
            "select n.nspname || '.' || c.relname, pg_has_role(c.relowner, 'usage')
             from pg_catalog.pg_class as c join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
             where n.nspname in ('api', 'errand', 'errand_meta') and c.relkind in ('r', 'p', 'm', 'f') order by 1",
            &[],
        )
        .await?;
    let mut found = Vec::new();
    for row in &rows {
        let (name, owned): (String, bool) = (row.try_get(0)?, row.try_get(1)?);
        let Some(table) = TABLES.iter().find(|table| table.name == name) else {
            bail!(
                "this version of errand does not know the table {name}, and nothing of a user may be left out: \
                 use the version that migrated this database"
            );
        };
        if !owned {
            bail!("this login may not see all rows of {name}; use that of the owner of the tables");
        }
        found.push(*table);
    }
    if !is_current(tx).await? {
        bail!("this database is not one of this version yet; migrate first: {MIGRATE}");
    }
    // In the order of the declaration: the account last.
    Ok(TABLES.iter().copied().filter(|table| found.contains(table)).collect())
}

/// Whether migration 0012 is applied, and new accounts begin where it says.
async fn is_current(tx: &Transaction<'_>) -> Result<bool> {
    let row = tx
        .query_typed_one(
            "select to_regprocedure('errand.raise_account_start(bigint)') is not null and exists (
                select from pg_catalog.pg_proc
                where oid = to_regprocedure('errand.next_write(text)') and prosrc like '%account_start%')",
            &[],
        )
        .await?;
    Ok(row.try_get(0)?)
}

/// Shows the rows of this user to the owner of the tables, for this transaction alone.
async fn announce(tx: &Transaction<'_>, user: &str) -> Result<()> {
    tx.query_typed("select set_config('errand.user_id', $1, true)", &[(&user, Type::TEXT)]).await?;
    Ok(())
}

/// PostgreSQL's refusal, with what to do about it.
fn refused(error: &tokio_postgres::Error) -> anyhow::Error {
    let reasons = explain::reasons(error);
    match error.code() {
        Some(&SqlState::LOCK_NOT_AVAILABLE) => {
            reasons.context("another statement holds this user's rows; try again when it has ended")
        }
        _ => reasons,
    }
}
