//! Every table with rows of users, and for each a row that is written without the functions of the API. Its values fit the types of
//! the columns, so a new table is tested without an edit. A table whose constraints refuse these values needs a line here.

use std::fmt;
use std::sync::LazyLock;

use crate::support::target;

/// The tables whose indexes and nullable columns `wall.rs` lists. Those of a new table belong to the tests of its resource.
pub(super) const KNOWN: [&str; 5] = ["account", "idempotency", "task", "task_term", "time_zone"];

/// A table with rows of users. Its name is what it displays as.
#[derive(PartialEq, Eq)]
pub(super) struct Table {
    name: String,
    insert: String,
}

/// Every table with rows of users; that of the accounts comes first.
pub(super) static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| {
    let rows = target().admin_query(
        "select format('%s insert into errand.%1$I (%s) values (%s)', c.table_name,
             string_agg(c.column_name, ', ' order by c.ordinal_position),
             string_agg(case
                 when c.column_name = 'user_id' then '$user'
                 when c.data_type = 'ARRAY' then '''{}'''
                 when c.data_type in ('bigint', 'integer', 'smallint') then '1'
                 when c.data_type = 'boolean' then 'false'
                 when c.data_type = 'uuid' then 'gen_random_uuid()'
                 when c.data_type in ('timestamp with time zone', 'date') then 'now()'
                 else '''x'''
             end, ', ' order by c.ordinal_position))
         from information_schema.columns as c
         where c.table_schema = 'errand' and (c.is_nullable = 'NO' and c.column_default is null)
         group by c.table_name having bool_or(c.column_name = 'user_id')
         order by c.table_name <> 'account', c.table_name",
    );
    let split = |row: String| {
        let (name, insert) = row.split_once(' ').unwrap();
        Table { name: name.to_owned(), insert: insert.to_owned() }
    };
    rows.into_iter().map(split).collect()
});

impl Table {
    /// The statement for a row of this user's.
    pub(super) fn row_of(&self, user: &str) -> String {
        self.insert.replace("$user", &format!("'{user}'"))
    }

    /// Those to which the component has this privilege.
    pub(super) fn with_privilege(privilege: &str) -> impl Iterator<Item = &'static Self> {
        let granted = target().admin_query(&format!(
            "select table_name::text from information_schema.table_privileges
             where table_schema = 'errand' and grantee = 'errand_app' and privilege_type = '{privilege}'"
        ));
        TABLES.iter().filter(move |table| granted.contains(&table.name))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
