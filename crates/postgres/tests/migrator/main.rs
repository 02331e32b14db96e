//! The migrator against a real PostgreSQL.

mod account;
mod checkout;
mod due;
mod epoch;
mod fold;
mod functions;
mod in_place;
mod logins;
mod plpgsql;
mod support;

use anyhow::{Context, Result};
use errand_postgres::{connect, migrate, role};
use support::{Migrations, ask, database};

const FIRST: &str = "create schema errand; create schema api; create table errand.note (id int primary key);";
const FIRST_DOWN: &str = "drop schema api cascade; drop schema errand cascade;";

fn refusal<T: std::fmt::Debug>(result: Result<T>) -> Result<String> {
    Ok(format!("{:#}", result.err().context("it should have been refused")?))
}

#[tokio::test]
async fn migrating_twice_is_harmless() -> Result<()> {
    let address = database().await?;
    let files = Migrations::new(&[
        ("0001_first.up.sql", FIRST),
        ("0002_more.up.sql", "alter table errand.note add text text;"),
        ("functions/note.sql", "create or replace function api.one() returns int language sql as 'select 1';"),
    ])?;
    let report = migrate::migrate(&address, files.path()).await?;
    assert_eq!(report.applied.len(), 2);
    assert!(report.functions_replaced);
    assert_eq!(migrate::migrate(&address, files.path()).await?, migrate::Report::default());
    let status = migrate::status(&address, files.path()).await?;
    assert!(status.functions_current && status.entries.iter().all(|e| e.applied_at.is_some() && e.problem.is_none()));
    Ok(())
}

#[tokio::test]
async fn an_untouched_database_has_a_status() -> Result<()> {
    let address = database().await?;
    let files = Migrations::new(&[("0001_first.up.sql", FIRST)])?;
    let status = migrate::status(&address, files.path()).await?;
    assert_eq!(status.entries.first().map(|e| (e.name.as_str(), e.applied_at.is_some())), Some(("0001_first", false)));
    assert_eq!(ask(&address, "to_regnamespace('errand_meta') is null").await?, "true");
    Ok(())
}

#[tokio::test]
async fn a_changed_migration_is_refused() -> Result<()> {
    let address = database().await?;
    let files = Migrations::new(&[("0001_first.up.sql", FIRST)])?;
    migrate::migrate(&address, files.path()).await?;
    files.write("0001_first.up.sql", &format!("{FIRST} -- edited"))?;
    files.write("0002_more.up.sql", "create table errand.more (id int);")?;
    let told = refusal(migrate::migrate(&address, files.path()).await)?;
    assert!(
        told.contains("migrations/0001_first.up.sql has changed") || told.contains("0001_first.up.sql has changed"),
        "{told}"
    );
    assert_eq!(ask(&address, "to_regclass('errand.more') is null").await?, "true");
    Ok(())
}

#[tokio::test]
async fn a_missing_migration_is_refused() -> Result<()> {
    let address = database().await?;
    let files = Migrations::new(&[("0001_first.up.sql", FIRST), ("0002_more.up.sql", "select 1;")])?;
    migrate::migrate(&address, files.path()).await?;
    files.remove("0002_more.up.sql")?;
    let told = refusal(migrate::migrate(&address, files.path()).await)?;
    assert!(told.contains("0002_more.up.sql is applied to this database but not in this checkout"), "{told}");
    Ok(())
}

#[tokio::test]
async fn a_failing_migration_leaves_nothing_and_says_where() -> Result<()> {
    let address = database().await?;
    let files = Migrations::new(&[
        ("0001_first.up.sql", FIRST),
        ("0002_bad.up.sql", "create table errand.half (id int);\n-- ąž\nalter table errand.nothing\n    add x int;"),
    ])?;
    let told = refusal(migrate::migrate(&address, files.path()).await)?;
    assert!(told.contains("0002_bad.up.sql") && told.contains("42P01") && told.contains("errand.nothing"), "{told}");
    assert_eq!(ask(&address, "to_regclass('errand.half') is null").await?, "true");
    assert_eq!(ask(&address, "select max(version) from errand_meta.migration").await?, "1");

    files.write("0002_bad.up.sql", "create table errand.half (id int);\nselect nonsense;")?;
    let told = refusal(migrate::migrate(&address, files.path()).await)?;
    assert!(
        told.contains("0002_bad.up.sql:2:8:") && told.contains("2 | select nonsense;") && told.contains("42703"),
        "{told}"
    );

    files.write("0002_bad.up.sql", "create table errand.half (id int);")?;
    assert_eq!(migrate::migrate(&address, files.path()).await?.applied.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_migration_that_commits_is_noticed() -> Result<()> {
    let address = database().await?;
    let files = Migrations::new(&[("0001_first.up.sql", "create schema errand; commit; select 1;")])?;
    let told = refusal(migrate::migrate(&address, files.path()).await)?;
    assert!(told.contains("ends the transaction itself"), "{told}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_migrators_wait_for_each_other() -> Result<()> {
    let address = database().await?;
    let files = Migrations::new(&[
        ("0001_first.up.sql", &format!("{FIRST} select pg_sleep(0.3);")),
        ("0002_more.up.sql", "create table errand.more (id int); select pg_sleep(0.3);"),
        ("0003_third.up.sql", "create table errand.third (id int);"),
        ("functions/note.sql", "create or replace function api.one() returns int language sql as 'select 1';"),
    ])?;
    let runs: Vec<_> = (0..5)
        .map(|_| {
            let (address, path) = (address.clone(), files.path().to_owned());
            tokio::spawn(async move { migrate::migrate(&address, &path).await })
        })
        .collect();
    let (mut applied, mut replaced) = (0, 0);
    for run in runs {
        let report = run.await??;
        applied += report.applied.len();
        replaced += usize::from(report.functions_replaced);
    }
    assert_eq!((applied, replaced), (3, 1));
    Ok(())
}

#[tokio::test]
async fn migrations_are_taken_back_one_by_one() -> Result<()> {
    let address = database().await?;
    let files = Migrations::new(&[
        ("0001_first.up.sql", FIRST),
        ("0001_first.down.sql", FIRST_DOWN),
        ("0002_more.up.sql", "create table errand.more (id int);"),
        ("0002_more.down.sql", "drop table errand.more;"),
        ("functions/note.sql", "create or replace function api.one() returns int language sql as 'select 1';"),
    ])?;
    migrate::migrate(&address, files.path()).await?;
    assert_eq!(migrate::rollback(&address, files.path(), 1).await?.len(), 1);
    assert_eq!(
        ask(&address, "to_regclass('errand.more') is null and to_regclass('errand.note') is not null").await?,
        "true"
    );
    // Edited after it was taken back, as one does while developing.
    files.write("0002_more.up.sql", "create table errand.more (id bigint);")?;
    let report = migrate::migrate(&address, files.path()).await?;
    assert_eq!((report.applied.len(), report.functions_replaced), (1, true));
    assert_eq!(migrate::rollback(&address, files.path(), 9).await?.len(), 2);
    assert_eq!(ask(&address, "to_regnamespace('errand') is null").await?, "true");
    assert_eq!(migrate::migrate(&address, files.path()).await?.applied.len(), 2);
    assert_eq!(ask(&address, "api.one()").await?, "1");
    Ok(())
}

#[tokio::test]
async fn a_migration_without_a_way_back_is_not_taken_back() -> Result<()> {
    let address = database().await?;
    let files = Migrations::new(&[("0001_first.up.sql", FIRST)])?;
    migrate::migrate(&address, files.path()).await?;
    let told = refusal(migrate::rollback(&address, files.path(), 1).await)?;
    assert!(told.contains("no .down.sql"), "{told}");
    Ok(())
}

#[tokio::test]
async fn a_reset_database_can_be_migrated_again() -> Result<()> {
    let address = database().await?;
    let files = Migrations::new(&[("0001_first.up.sql", FIRST)])?;
    migrate::migrate(&address, files.path()).await?;
    migrate::reset(&address).await?;
    migrate::reset(&address).await?;
    assert_eq!(ask(&address, "to_regnamespace('errand_meta') is null").await?, "true");
    assert_eq!(migrate::migrate(&address, files.path()).await?.applied.len(), 1);
    Ok(())
}

#[tokio::test]
async fn the_component_can_log_in_with_the_password_it_was_given() -> Result<()> {
    let address = database().await?;
    let _role = support::ROLE.lock().await;
    if !role::app_login_exists(&address).await? {
        let told = refusal(role::ensure_app_login(&address, "secret").await)?;
        assert!(told.contains("migrate first"), "{told}");
        connect::connect(&address).await?.batch_execute("create role errand_app login").await?;
    }
    let url = role::ensure_app_login(&address, "p@ss/wörd ?&").await?;
    let app = errand_postgres::address::Address::parse(&url)?;
    assert_eq!(ask(&app, "session_user").await?, "errand_app");
    role::ensure_app_login(&address, "another").await?;
    assert!(connect::connect(&app).await.is_err());
    Ok(())
}
