//! The functions as one unit.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use anyhow::Result;
use errand_postgres::{connect, migrate};

use crate::{
    FIRST, refusal,
    support::{Migrations, ask, database},
};

fn returning(kind: &str, value: u32) -> String {
    format!(
        "create or replace function api.answer() returns {kind} language plpgsql as $$ begin return {value}; end $$;"
    )
}

/// The functions of both schemas.
const SIGNATURES: &str = "select string_agg(oid::regprocedure::text, ' ' order by oid::regprocedure::text) \
    from pg_proc where pronamespace in ('api'::regnamespace, 'errand'::regnamespace)";

#[tokio::test]
async fn a_function_that_left_the_checkout_leaves_the_database() -> Result<()> {
    let address = database().await?;
    let files = Migrations::new(&[
        ("0001_first.up.sql", FIRST),
        ("functions/a.sql", "create or replace function api.a(x int) returns int language sql as 'select x';"),
        ("functions/b.sql", "create or replace function api.b() returns int language sql as 'select 2';"),
    ])?;
    migrate::migrate(&address, files.path()).await?;
    files.remove("functions/b.sql")?;
    assert_eq!(migrate::migrate(&address, files.path()).await?.functions_dropped, ["api.b()"]);
    assert_eq!(ask(&address, SIGNATURES).await?, "api.a(integer)");
    Ok(())
}

#[tokio::test]
async fn of_two_functions_with_one_name_the_one_that_left_is_dropped() -> Result<()> {
    let address = database().await?;
    let text = "create or replace function api.a(x text) returns text language sql as 'select x';";
    let both = format!("{text} create or replace function api.a(x int) returns int language sql as 'select x';");
    let files = Migrations::new(&[("0001_first.up.sql", FIRST), ("functions/a.sql", &both)])?;
    migrate::migrate(&address, files.path()).await?;
    files.write("functions/a.sql", text)?;
    assert_eq!(migrate::migrate(&address, files.path()).await?.functions_dropped, ["api.a(integer)"]);
    assert_eq!(ask(&address, SIGNATURES).await?, "api.a(text)");
    Ok(())
}

/// Schema errand has functions of numbered migrations, and functions whose text is data.
#[tokio::test]
async fn a_helper_is_dropped_only_if_a_file_defined_it() -> Result<()> {
    let address = database().await?;
    let helper = |name: &str, x: &str| {
        format!("create or replace function errand.{name}(x {x}) returns int language sql as 'select 1';")
    };
    let files = Migrations::new(&[
        ("0001_first.up.sql", &format!("{FIRST} {} {}", helper("data", "int"), helper("taken_over", "int"))),
        ("0002_more.up.sql", "select 1;"),
        ("0002_more.down.sql", "select 1;"),
        ("functions/errand/a.sql", &format!("{} {}", helper("a", "int"), helper("taken_over", "int"))),
        ("functions/errand/b.sql", &helper("b", "int")),
        // In SQL, so what it calls has to be there before it.
        ("functions/a.sql", "create or replace function api.a() returns int language sql as 'select errand.a(1)';"),
    ])?;
    assert_eq!(migrate::migrate(&address, files.path()).await?.functions_dropped, [""; 0]);
    // Another session changes data while the functions are replaced.
    let other = connect::connect(&address).await?;
    other.batch_execute(&format!("begin; {}", helper("data", "int"))).await?;
    files.write("functions/errand/a.sql", &format!("select pg_sleep(0.5); {}", helper("a", "int")))?;
    files.remove("functions/errand/b.sql")?;
    // What the files defined is known after a rollback, too.
    assert_eq!(migrate::rollback(&address, files.path(), 1).await?.len(), 1);
    let (report, committed) = tokio::join!(migrate::migrate(&address, files.path()), async {
        other.batch_execute("select pg_sleep(0.2); commit").await
    });
    committed?;
    assert_eq!(report?.functions_dropped, ["errand.b(integer)", "errand.taken_over(integer)"]);
    files.write("functions/errand/a.sql", &helper("a", "int"))?;
    assert_eq!(migrate::migrate(&address, files.path()).await?.functions_dropped, [""; 0]);
    assert_eq!(ask(&address, SIGNATURES).await?, "api.a() errand.a(integer) errand.data(integer)");
    // Another shape beside the old one is refused in any case.
    for name in ["a", "data"] {
        files.write("functions/errand/a.sql", &helper(name, "text"))?;
        let told = refusal(migrate::migrate(&address, files.path()).await)?;
        assert!(told.contains("give the new one a new name") && told.contains("No function was replaced"), "{told}");
    }
    Ok(())
}

/// Grants rewrite the rows of all functions, those that left the checkout too.
#[tokio::test]
async fn grants_do_not_keep_a_function_that_left_the_checkout() -> Result<()> {
    let address = database().await?;
    let files = Migrations::new(&[
        ("0001_first.up.sql", FIRST),
        ("functions/a.sql", &returning("int", 1)),
        ("functions/b.sql", "create or replace function api.b() returns int language sql as 'select 2';"),
        ("access.sql", "revoke all on all functions in schema api from public;"),
    ])?;
    migrate::migrate(&address, files.path()).await?;
    files.remove("functions/b.sql")?;
    migrate::migrate(&address, files.path()).await?;
    assert_eq!(ask(&address, SIGNATURES).await?, "api.answer()");
    // The grants belong to the unit: a change of them alone is applied.
    files.write("access.sql", "grant execute on all functions in schema api to public;")?;
    assert!(migrate::migrate(&address, files.path()).await?.functions_replaced);
    assert_eq!(ask(&address, "select has_function_privilege('pg_monitor', 'api.answer()', 'execute')").await?, "true");
    Ok(())
}

#[tokio::test]
async fn a_failing_function_leaves_the_old_unit() -> Result<()> {
    let address = database().await?;
    let files = Migrations::new(&[("0001_first.up.sql", FIRST), ("functions/a.sql", &returning("int", 1))])?;
    migrate::migrate(&address, files.path()).await?;
    files.write("functions/a.sql", &returning("int", 2))?;
    files.write(
        "functions/b.sql",
        "create function api.b() returns int language plpgsql as $$ begin retrun 1; end $$;",
    )?;
    let told = refusal(migrate::migrate(&address, files.path()).await)?;
    assert!(told.contains("functions/b.sql") && told.contains("42601"), "{told}");
    assert_eq!(ask(&address, "api.answer()").await?, "1");
    Ok(())
}

#[tokio::test]
async fn a_policy_that_needs_a_function_does_not_vanish_with_it() -> Result<()> {
    let address = database().await?;
    let files = Migrations::new(&[
        ("0001_first.up.sql", FIRST),
        ("functions/a.sql", &returning("bool", 1).replace("return 1", "return true")),
    ])?;
    migrate::migrate(&address, files.path()).await?;
    connect::connect(&address).await?.batch_execute("create policy p on errand.note using (api.answer())").await?;
    files.write("functions/a.sql", "")?;
    let told = refusal(migrate::migrate(&address, files.path()).await)?;
    assert!(told.contains("api.answer()") && told.contains("policy p on table errand.note depends on"), "{told}");
    assert_eq!(ask(&address, "select count(*) from pg_policy where polname = 'p'").await?, "1");
    Ok(())
}

/// Clients call one function without a pause while it is replaced again and again; they see one text or the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn clients_see_the_old_functions_or_the_new_ones() -> Result<()> {
    let address = database().await?;
    let files = Migrations::new(&[("0001_first.up.sql", FIRST), ("functions/a.sql", &returning("bigint", 0))])?;
    migrate::migrate(&address, files.path()).await?;
    let (stop, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut callers = Vec::new();
    for _ in 0..4 {
        let client = connect::connect(&address).await?;
        let (stop, calls) = (stop.clone(), calls.clone());
        callers.push(tokio::spawn(async move {
            let mut last = 0_i64;
            while !stop.load(Ordering::Relaxed) {
                // As Spin does it: prepared, then run, nothing kept.
                let now: i64 = client.query_one("select api.answer()", &[]).await?.try_get(0)?;
                assert!(now >= last, "{now} came after {last}");
                last = now;
                calls.fetch_add(1, Ordering::Relaxed);
            }
            anyhow::Ok(last)
        }));
    }
    for value in 1..=40 {
        files.write("functions/a.sql", &returning("bigint", value))?;
        migrate::migrate(&address, files.path()).await?;
    }
    stop.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await??;
    }
    assert!(calls.load(Ordering::Relaxed) > 100);
    assert_eq!(ask(&address, "api.answer()").await?, "40");
    Ok(())
}

#[tokio::test]
async fn another_shape_under_the_same_name_is_refused() -> Result<()> {
    let address = database().await?;
    let old = "create or replace function api.a(x int, out y int) language sql as 'select x';";
    let files = Migrations::new(&[("0001_first.up.sql", FIRST), ("functions/a.sql", old)])?;
    migrate::migrate(&address, files.path()).await?;
    for new in [
        "create or replace function api.a(x int, out y text) language sql as 'select x::text';",
        "create or replace function api.a(x int, out y int, out z int) language sql as 'select x, x';",
        "create or replace function api.a(renamed int, out y int) language sql as 'select renamed';",
        // PostgreSQL would take these for functions beside the old one.
        "create or replace function api.a(x text, out y int) language sql as 'select x::int';",
        "create or replace function api.a(x int, z int, out y int) language sql as 'select x';",
    ] {
        files.write("functions/a.sql", new)?;
        let told = refusal(migrate::migrate(&address, files.path()).await)?;
        assert!(told.contains("give the new one a new name") && told.contains("No function was replaced"), "{told}");
        assert!(!told.contains("DROP FUNCTION"), "{told}");
        assert_eq!(ask(&address, SIGNATURES).await?, "api.a(integer)", "{new}");
        assert_eq!(ask(&address, "api.a(3)").await?, "3", "{new}");
    }
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_replaced_is_sent_to_a_migration() -> Result<()> {
    let address = database().await?;
    let once = returning("int", 1).replace("create or replace", "create");
    let files = Migrations::new(&[("0001_first.up.sql", FIRST), ("functions/a.sql", &once)])?;
    migrate::migrate(&address, files.path()).await?;
    files.write("functions/a.sql", &format!("{once}\n"))?;
    let told = refusal(migrate::migrate(&address, files.path()).await)?;
    assert!(told.contains("write `create or replace function`"), "{told}");
    for kind in ["create type api.pair as (a int);", "create view api.v as select 1 as one;"] {
        files.write("functions/a.sql", &format!("{} {kind}", returning("int", 2)))?;
        migrate::migrate(&address, files.path()).await?;
        files.write("functions/a.sql", &format!("{} {kind}", returning("int", 3)))?;
        let told = refusal(migrate::migrate(&address, files.path()).await)?;
        assert!(told.contains("belong in a numbered migration"), "{told}");
        assert_eq!(ask(&address, "api.answer()").await?, "2");
    }
    Ok(())
}
