//! What the component's logins bring along to their sessions, against what the checkout's functions say (`errand.role_settings`).

use anyhow::Result;
use tokio_postgres::Transaction;

/// A setting that a login has otherwise in this database, or not at all.
#[derive(Debug, PartialEq, Eq)]
pub struct Difference {
    /// The login.
    pub login: String,
    /// The setting's name.
    pub name: String,
    /// What the checkout wants.
    pub wanted: String,
    /// What a session of the login gets in this database; `None` where the server's own value counts.
    pub found: Option<String>,
    /// The statement that mends it.
    pub remedy: String,
}

/// What differs. A setting for all databases counts where there is none for this one (PostgreSQL manual, ALTER ROLE).
pub(super) async fn differences(tx: &Transaction<'_>) -> Result<Vec<Difference>> {
    let known: bool =
        tx.query_typed_one("select to_regprocedure('errand.role_settings()') is not null", &[]).await?.try_get(0)?;
    if !known {
        return Ok(Vec::new());
    }
    let rows = tx
        .query_typed(
            "select login.rolname::text, wanted.name, wanted.setting, found.setting,
                format('alter role %I in database %I set %I = %L', login.rolname, current_database(), wanted.name, wanted.setting)
            from errand.role_settings() as wanted
            cross join pg_catalog.pg_roles as login
            left join lateral (
                select split_part(entry, '=', 2) as setting
                from pg_catalog.pg_db_role_setting as s, unnest(s.setconfig) as entry
                where s.setrole = login.oid and lower(split_part(entry, '=', 1)) = lower(wanted.name)
                    and s.setdatabase in (0, (select d.oid from pg_catalog.pg_database as d where d.datname = current_database()))
                order by s.setdatabase desc
                limit 1
            ) as found on true
            where login.rolname in ('errand_app', 'errand_app_2') and found.setting is distinct from wanted.setting
            order by 1, 2",
            &[],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Difference {
                login: row.try_get(0)?,
                name: row.try_get(1)?,
                wanted: row.try_get(2)?,
                found: row.try_get(3)?,
                remedy: row.try_get(4)?,
            })
        })
        .collect()
}
