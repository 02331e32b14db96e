//! plpgsql_check over every function: names and types that PostgreSQL itself would miss until the statement is run.

use anyhow::Result;
use errand_postgres::{connect, left_out};

use crate::support::{Migrations, ask, database, migrate};

/// Findings that are as they should be: a part of each, and how the names of the functions that have it begin.
const EXPECTED: [(&str, &[&str]); 3] = [
    // An assignment calls a function for less than PERFORM.
    (r#"never read variable "lock_timeout""#, &["errand.next_write(text)"]),
    // The declaration announces the caller; a function that needs the caller for nothing else does not read the variable.
    (r#"never read variable "caller""#, &["api."]),
    // Filters by time are planned for the values at hand. The result is read into a variable of a declared type.
    ("cannot determinate a result of dynamic SQL", &["api.show_tasks(text,jsonb)"]),
];

#[tokio::test]
async fn plpgsql_check_finds_nothing() -> Result<()> {
    let (address, files) = (database().await?, Migrations::of_checkout()?);
    if ask(&address, "select count(*) from pg_available_extensions where name = 'plpgsql_check'").await? == "0" {
        left_out("PostgreSQL has no plpgsql_check here (Debian: postgresql-15-plpgsql-check)");
        return Ok(());
    }
    migrate(&address, &files).await?;
    let admin = connect::connect(&address).await?;
    admin.batch_execute("create extension plpgsql_check").await?;
    let functions = "p.pronamespace in ('api'::regnamespace, 'errand'::regnamespace)
        and p.prolang = (select oid from pg_language where lanname = 'plpgsql')";
    // A trigger function is checked for the table that it is on.
    let found = admin
        .query(
            &format!(
                "select p.oid::regprocedure::text, concat_ws(' ', level, 'in line', lineno, statement, ':', message, detail, hint)
                 from pg_proc as p left join pg_trigger as t on t.tgfoid = p.oid,
                    plpgsql_check_function_tb(p.oid, coalesce(t.tgrelid, 0), all_warnings => true)
                 where {functions}"
            ),
            &[],
        )
        .await?;
    let mut unexpected = Vec::new();
    for row in found {
        let (function, finding): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let is_expected = |names: &[&str]| names.iter().any(|name| function.starts_with(name));
        if !EXPECTED.iter().any(|(part, names)| finding.contains(part) && is_expected(names)) {
            unexpected.push(format!("{function}: {finding}"));
        }
    }
    assert!(unexpected.is_empty(), "{}", unexpected.join("\n"));
    let checked: i64 = ask(&address, &format!("select count(*) from pg_proc as p where {functions}")).await?.parse()?;
    assert!(checked > 20, "only {checked} functions were checked");
    Ok(())
}
