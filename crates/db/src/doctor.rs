//! Checks of a connection string, before clients meet its problems.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result};
use errand_postgres::{address::Address, connect::connect, migrate::INTERFACE, role};
use tokio::time::timeout;
use tokio_postgres::{Client, error::SqlState};

/// The oldest supported major version of PostgreSQL.
const MIN_POSTGRES: i32 = 14;
/// The maximum number of clients that try to get the session of another client. A pooler may have as many idle sessions.
const MAX_PROBES: usize = 24;
/// The timeout of a check. PostgreSQL's own timeouts are shorter.
const CHECK_TIMEOUT: Duration = Duration::from_secs(20);

/// The result of a check: the state, or the problem and its remedy.
pub type Finding = (&'static str, Result<String, String>);

/// Checks the connection string of the component's login, and prints each result. Returns the number of problems.
///
/// # Errors
///
/// When there is no connection at all.
pub async fn examine_aloud(address: &Address) -> Result<usize> {
    println!("{address}");
    let findings = examine(address).await?;
    for (thing, found) in &findings {
        match found {
            Ok(how) => println!("  ok     {thing}: {how}"),
            Err(what) => println!("  WRONG  {thing}: {what}"),
        }
    }
    Ok(findings.iter().filter(|(_, found)| found.is_err()).count())
}

/// Checks the connection string of the component's login.
///
/// # Errors
///
/// When there is no connection at all.
pub async fn examine(address: &Address) -> Result<Vec<Finding>> {
    let client = connect(address).await?;
    Ok(vec![
        ("TLS", tls(address)),
        ("PostgreSQL", in_time(version(&client)).await),
        ("role", in_time(role(&client)).await),
        ("time limits of the connection", options(address)),
        ("time limits of the role", in_time(settings(&client)).await),
        ("schema", in_time(schema(&client)).await),
        ("pooler", in_time(pooler(address)).await),
    ])
}

/// A failed or late check is a problem, too.
async fn in_time(finding: impl Future<Output = Result<Result<String, String>>>) -> Result<String, String> {
    match timeout(CHECK_TIMEOUT, finding).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => Err(format!("could not be found out: {error:#}")),
        Err(_) => Err(format!("could not be found out within {} s", CHECK_TIMEOUT.as_secs())),
    }
}

fn tls(address: &Address) -> Result<String, String> {
    match (address.is_encrypted(), address.is_local()) {
        (true, _) => Ok("on, and the certificate is verified".to_owned()),
        (false, true) => Ok("off, on this machine".to_owned()),
        (false, false) => Err("off: passwords and tasks cross the network readable; use sslmode=require".to_owned()),
    }
}

async fn version(client: &Client) -> Result<Result<String, String>> {
    let row = client
        .query_typed_one(
            "select current_setting('server_version'), current_setting('server_version_num')::int / 10000",
            &[],
        )
        .await?;
    let (version, major): (String, i32) = (row.try_get(0)?, row.try_get(1)?);
    Ok(match major >= MIN_POSTGRES {
        true => Ok(version),
        false => Err(format!("{version}; the migrations need {MIN_POSTGRES} or later")),
    })
}

async fn role(client: &Client) -> Result<Result<String, String>> {
    let row = client
        .query_typed_one(
            "select current_user::text, r.rolsuper or r.rolbypassrls,
                exists (select from pg_catalog.pg_class as c join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
                        where n.nspname = 'errand' and pg_catalog.pg_has_role(c.relowner, 'member'))
             from pg_catalog.pg_roles as r where r.rolname = current_user",
            &[],
        )
        .await?;
    let (name, above, owner): (String, bool, bool) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let logins = role::LOGINS.join(" or ");
    Ok(match (above, owner) {
        (true, _) => Err(format!("{name} passes row-level security, which separates the users; use {logins}")),
        (_, true) => Err(format!("{name} owns the tables, or is a member of their owner; use {logins}")),
        _ if !role::LOGINS.contains(&name.as_str()) => Err(format!("{name} is not {logins}")),
        _ => Ok(name),
    })
}

fn options(address: &Address) -> Result<String, String> {
    let config = address.config();
    let limits =
        [("connect_timeout", config.get_connect_timeout()), ("tcp_user_timeout", config.get_tcp_user_timeout())];
    let missing: Vec<_> = limits.iter().filter(|(_, limit)| limit.is_none()).map(|(name, _)| *name).collect();
    match missing.is_empty() {
        true => Ok("set".to_owned()),
        false => Err(format!(
            "{} not in the connection string: a dead network would hold requests up for minutes; add connect_timeout=3 and \
             tcp_user_timeout=5",
            missing.join(" and ")
        )),
    }
}

/// Compares the settings of the role with those that the schema wants.
async fn settings(client: &Client) -> Result<Result<String, String>> {
    let known = "select to_regprocedure('errand.role_settings()') is not null";
    if !client.query_typed_one(known, &[]).await?.try_get::<_, bool>(0)? {
        return Ok(Err("the schema api is missing; migrate the database".to_owned()));
    }
    let rows =
        client.query_typed("select name, setting, current_setting(name) from errand.role_settings()", &[]).await?;
    let mut different = BTreeMap::new();
    for row in &rows {
        let (name, wanted, found): (String, String, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        if wanted != found {
            different.insert(name, (wanted, found));
        }
    }
    if different.is_empty() {
        return Ok(Ok("as they are to be".to_owned()));
    }
    let each = different.iter().map(|(name, (wanted, found))| format!("{name} is {found}, not {wanted}"));
    let each = each.collect::<Vec<_>>().join("; ");
    Ok(Err(format!("{each}; migrate with the owner of the role, or let a pooler's sessions end")))
}

async fn schema(client: &Client) -> Result<Result<String, String>> {
    let asked = format!("select current, oldest from api.interface() where null::api.interface_{INTERFACE} is null");
    let row = match client.query_typed_one(&asked, &[]).await {
        Ok(row) => row,
        Err(error) => {
            let missing = [SqlState::UNDEFINED_FUNCTION, SqlState::UNDEFINED_OBJECT, SqlState::INVALID_SCHEMA_NAME];
            return Ok(Err(match error.code() {
                Some(code) if missing.contains(code) => {
                    format!("the database has no interface {INTERFACE}; migrate it before this version is deployed")
                }
                _ => error.as_db_error().map_or_else(|| error.to_string(), |refusal| refusal.message().to_owned()),
            }));
        }
    };
    let (current, oldest): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    Ok(match (oldest..=current).contains(&INTERFACE) {
        true => Ok(format!("serves the interfaces {oldest} to {current}, and this is {INTERFACE}")),
        false => Err(format!(
            "serves the interfaces {oldest} to {current}, and this is {INTERFACE}; deploy the version that fits"
        )),
    })
}

async fn pooler(address: &Address) -> Result<Result<String, String>> {
    Ok(match keeps_statements_in_shared_sessions(address).await {
        Ok(true) => Ok("shares sessions, and keeps prepared statements apart".to_owned()),
        Ok(false) => Ok("none, or one that gives each client a session".to_owned()),
        Err(error) if is_proof(&error) => Err("unsafe: a statement is prepared in one session and run in another (SQLSTATE \
            26000 or 42P05), where another statement may have its name; use PgBouncer 1.21 or later with max_prepared_statements, \
            or session pooling"
            .to_owned()),
        Err(error) => return Err(error),
    })
}

/// Prepares a statement over one client, takes that client's session with others, and runs the statement. Returns whether another
/// client got the session.
async fn keeps_statements_in_shared_sessions(address: &Address) -> Result<bool> {
    const SESSION: &str = "select pg_backend_pid()";
    let first = connect(address).await?;
    let prepared = first.prepare(SESSION).await?;
    let first_session: i32 = first.query_one(&prepared, &[]).await?.try_get(0)?;
    let mut probes = Vec::new();
    let mut shared = false;
    while !shared && probes.len() < MAX_PROBES {
        let probe = connect(address).await.context("for another client")?;
        probe.batch_execute("begin").await?;
        shared = probe.query_typed_one(SESSION, &[]).await?.try_get::<_, i32>(0)? == first_session;
        probes.push(probe);
    }
    if shared {
        first.query_one(&prepared, &[]).await?;
    }
    for probe in probes {
        probe.batch_execute("rollback").await?;
    }
    Ok(shared)
}

/// `invalid_sql_statement_name` and `duplicate_prepared_statement` (PostgreSQL manual, appendix A).
fn is_proof(error: &anyhow::Error) -> bool {
    let code = error.downcast_ref::<tokio_postgres::Error>().and_then(tokio_postgres::Error::code);
    [SqlState::INVALID_SQL_STATEMENT_NAME, SqlState::DUPLICATE_PSTATEMENT].iter().any(|proof| code == Some(proof))
}
