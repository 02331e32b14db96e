//! The functions as one unit.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use anyhow::Result;
use errand_native::{connect, migrate};

use crate::{
    FIRST, refusal,
    support::{Migrations, ask, database},
};

fn returning(kind: &str, value: u32) -> String {
    format!(
        "create or replace function api.answer() returns {kind} language plpgsql as $$ begin return {value}; end $$;"
    )
}

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
    // Another signature is another function: the old one must not stay beside it.
    files.write(
        "functions/a.sql",
        "create or replace function api.a(x text) returns text language sql as 'select x';",
    )?;
    assert!(migrate::migrate(&address, files.path()).await?.functions_replaced);
    let left = "select string_agg(oid::regprocedure::text, ' ') from pg_proc where pronamespace = 'api'::regnamespace";
    assert_eq!(ask(&address, left).await?, "api.a(text)");
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
    files.write("functions/a.sql", &returning("int", 2))?;
    assert!(migrate::migrate(&address, files.path()).await.is_err());
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
async fn a_function_may_change_its_type() -> Result<()> {
    let address = database().await?;
    let files = Migrations::new(&[("0001_first.up.sql", FIRST), ("functions/a.sql", &returning("int", 1))])?;
    migrate::migrate(&address, files.path()).await?;
    files.write("functions/a.sql", &returning("text", 7))?;
    files.write(
        "functions/b.sql",
        "create type api.pair as (a int, b int); create view api.v as select 1 as one;\
        create function api.pair_of(x int) returns api.pair language sql as 'select row(x, x)::api.pair';",
    )?;
    migrate::migrate(&address, files.path()).await?;
    assert_eq!(ask(&address, "api.answer()").await?, "7");
    // Once more with everything in place: types and views are made anew, too.
    files.write("functions/c.sql", "create or replace function api.c() returns int language sql as 'select 1';")?;
    migrate::migrate(&address, files.path()).await?;
    assert_eq!(ask(&address, "api.pair_of(3)").await?, "(3,3)");
    Ok(())
}
