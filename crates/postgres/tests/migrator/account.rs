//! The export and the erasure of one user.

mod meanwhile;

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use errand_postgres::{
    account::{Erasure, Rows, TABLES, count, erase, export},
    address::Address,
    connect::connect,
    migrate as migrator, role,
};
use serde_json::{Value, json};
use tokio_postgres::error::SqlState;

use crate::{
    checkout::Owner,
    refusal,
    support::{Migrations, ROLE, ask, database, migrate},
};

/// Two tasks of a user, one of them written with a key; as the component writes them.
async fn write(address: &Address, user: &str) -> Result<()> {
    let client = connect(address).await?;
    for (title, key) in [("first", "null"), ("second", "'k'")] {
        let fields = format!(
            r#"{{"title": "{user} {title}", "completed": false, "priority": 2, "tags": ["a, b"], "due_date": "2026-12-01"}}"#
        );
        client
            .batch_execute(&format!(
                "begin; set local role errand_app;
                 select api.add_task('{user}', gen_random_uuid(), '{fields}', {key}, 'print', null); commit"
            ))
            .await?;
    }
    Ok(())
}

/// A migrated database with what two users have written.
async fn filled() -> Result<Address> {
    let address = database().await?;
    migrate(&address, &Migrations::of_checkout()?).await?;
    for user in ["alice", "bob"] {
        write(&address, user).await?;
    }
    Ok(address)
}

/// The document, and how many rows it is said to have.
async fn exported(address: &Address, user: &str) -> Result<(Value, u64)> {
    let mut text = Vec::new();
    let rows = export(address, user, &mut text).await?;
    Ok((serde_json::from_slice(&text).with_context(|| String::from_utf8_lossy(&text).into_owned())?, rows))
}

fn rows<'a>(document: &'a Value, table: &str) -> &'a [Value] {
    document.get("tables").and_then(|tables| tables.get(table)?.as_array()).map_or(&[], Vec::as_slice)
}

/// The tables that have rows of the user, and how many.
async fn filled_tables(address: &Address, user: &str) -> Result<Vec<(&'static str, i64)>> {
    Ok(count(address, user).await?.into_iter().filter(|(_, rows)| *rows > 0).collect())
}

/// Takes back the erasure's migration, and those after it.
async fn back_to_11(address: &Address, files: &Migrations) -> Result<()> {
    while ask(address, "select max(version) from errand_meta.migration").await?.parse::<i32>()? > 11 {
        migrator::rollback(address, files.path(), 1).await?;
    }
    Ok(())
}

/// Every row that the database has, but for the time zones and the migrator's.
async fn everything(address: &Address) -> Result<String> {
    ask(
        address,
        "select string_agg(line, e'\n' order by line) from (
            select row_to_json(t)::text from errand.task as t union all select row_to_json(a)::text from errand.account as a
            union all select row_to_json(i)::text from errand.idempotency as i) as every (line)",
    )
    .await
}

#[tokio::test]
async fn an_export_has_every_row_of_the_user_and_no_other() -> Result<()> {
    let address = filled().await?;
    let (document, count) = exported(&address, "alice").await?;
    assert_eq!(count, 4);
    assert_eq!(
        (&document["user_id"], &document["errand"]["interface"]),
        (&json!("alice"), &json!(migrator::INTERFACE))
    );
    let age =
        format!("now() - '{}'::timestamptz < interval '1 minute'", document["exported_at"].as_str().unwrap_or(""));
    assert_eq!(ask(&address, &age).await?, "true");
    let titles: BTreeSet<_> = rows(&document, "errand.task").iter().map(|task| task["title"].as_str()).collect();
    assert_eq!(titles, [Some("alice first"), Some("alice second")].into());
    let [key] = rows(&document, "errand.idempotency") else { panic!("{document:#}") };
    assert_eq!((&key["key"], &key["statuses"]), (&json!("k"), &json!([201])));
    let [account] = rows(&document, "errand.account") else { panic!("{document:#}") };
    assert_eq!((&account["seq"], &account["keys"]), (&json!(2), &json!(1)));
    assert!(!document.to_string().contains("bob"), "{document:#}");
    Ok(())
}

/// An export names each column, or says why it does not.
#[tokio::test]
async fn an_export_has_every_column_or_says_why_not() -> Result<()> {
    let address = filled().await?;
    let (document, _) = exported(&address, "alice").await?;
    let mut compared = 0;
    for table in TABLES {
        let Some(row) = rows(&document, table.name).first() else { continue };
        let columns = ask(
            &address,
            &format!(
                "select string_agg(attname, ' ' order by attname) from pg_attribute
                 where attrelid = '{}'::regclass and attnum > 0 and not attisdropped",
                table.name
            ),
        )
        .await?;
        let told = row.as_object().context("a row is no object")?.keys().cloned();
        let left_out =
            document["left_out"].as_object().context("nothing is left out")?.iter().filter_map(|(name, why)| {
                assert!(why.as_str().is_some_and(|why| why.len() > 10), "{name}: {why}");
                Some(name.strip_prefix(&format!("{}.", table.name))?.to_owned())
            });
        let all: BTreeSet<_> = told.chain(left_out).collect();
        assert_eq!(all.into_iter().collect::<Vec<_>>().join(" "), columns, "{}", table.name);
        compared += 1;
    }
    assert_eq!(compared, 3);
    // What names locks, and what entity tags are made with.
    let epoch = ask(&address, "errand.epoch()").await?;
    assert!(!document.to_string().contains(&epoch));
    assert!(rows(&document, "errand.account").iter().all(|account| account.get("number").is_none()));
    Ok(())
}

#[tokio::test]
async fn an_export_of_an_unknown_user_has_no_rows() -> Result<()> {
    let address = filled().await?;
    // As another one for PostgreSQL, too.
    for user in ["nobody", "Alice", "alice ", "alice' or true --", "%"] {
        let (document, rows) = exported(&address, user).await?;
        assert_eq!((rows, &document["user_id"]), (0, &json!(user)));
        let tables = document["tables"].as_object().context("there are no tables")?;
        assert!(tables.len() >= 3 && tables.values().all(|rows| *rows == json!([])), "{tables:?}");
        assert!(count(&address, user).await?.iter().all(|(_, rows)| *rows == 0));
    }
    Ok(())
}

/// The tables are read from the catalog: what a later version adds cannot be left out silently.
#[tokio::test]
async fn a_table_that_is_not_declared_stops_export_and_erasure() -> Result<()> {
    let address = filled().await?;
    // It makes the one table that no migration makes.
    migrator::refresh_due(&address, |_| true).await?;
    let declared: BTreeSet<_> = TABLES.iter().map(|table| table.name.to_owned()).collect();
    let found = "select string_agg(oid::regclass::text, ' ') from pg_class
        where relkind in ('r', 'p', 'm', 'f') and relnamespace::regnamespace::text in ('api', 'errand', 'errand_meta')";
    let found: BTreeSet<_> = ask(&address, found).await?.split(' ').map(str::to_owned).collect();
    assert_eq!(found, declared, "declare the new table in account.rs");
    let before = everything(&address).await?;
    for (new, end) in [
        ("create table errand.other (user_id text, text text)", "drop table errand.other"),
        ("create table errand_meta.other (whose text)", "drop table errand_meta.other"),
        (
            "create materialized view errand.titles as select user_id, title from errand.task",
            "drop materialized view errand.titles",
        ),
    ] {
        connect(&address).await?.batch_execute(new).await?;
        for told in [
            refusal(exported(&address, "alice").await)?,
            refusal(count(&address, "alice").await)?,
            refusal(erase(&address, "alice", |_| true).await)?,
        ] {
            assert!(told.contains("does not know the table errand"), "{told}");
        }
        connect(&address).await?.batch_execute(end).await?;
        assert_eq!(everything(&address).await?, before);
    }
    exported(&address, "alice").await?;
    Ok(())
}

#[tokio::test]
async fn an_erasure_deletes_one_user_and_nothing_else() -> Result<()> {
    let address = filled().await?;
    let bobs = |all: String| all.lines().filter(|line| line.contains("bob")).map(str::to_owned).collect::<Vec<_>>();
    let before = bobs(everything(&address).await?);
    let counts = filled_tables(&address, "alice").await?;
    assert_eq!(counts, [("errand.task", 2), ("errand.idempotency", 1), ("errand.account", 1)]);
    let erased = erase(&address, "alice", |_| true).await?;
    assert_eq!(erased.0, [("errand.account", 1), ("errand.idempotency", 1), ("errand.task", 2)].into());
    let after = everything(&address).await?;
    assert_eq!(bobs(after.clone()), before);
    assert_eq!(after.lines().count(), before.len());
    assert_eq!(exported(&address, "alice").await?.1, 0);
    assert_eq!(erase(&address, "alice", |_| true).await?, Erasure::default());
    assert_eq!(exported(&address, "bob").await?.1, 4);
    // The planner keeps samples of values.
    let samples =
        "select string_agg(concat_ws(' ', most_common_vals, most_common_elems, histogram_bounds), ' ') from pg_stats
        where schemaname = 'errand' and tablename <> 'time_zone'";
    let samples = ask(&address, samples).await?;
    assert!(samples.contains("bob first") && !samples.contains("alice"), "{samples}");
    Ok(())
}

#[tokio::test]
async fn a_large_account_goes_in_small_transactions_and_an_ended_erasure_goes_on() -> Result<()> {
    let address = filled().await?;
    connect(&address)
        .await?
        .batch_execute(
            "insert into errand.task (user_id, id, seq, created_at, updated_at, completed, priority, tags, title)
             select 'alice', gen_random_uuid(), 1, now(), now(), false, 0, '{}', 't' from generate_series(1, 4498);
             insert into errand.idempotency (user_id, key, fingerprint, created_at, task, version, seq, number)
             select 'alice', n, 'f', now(), '{}', 1, 1, n from generate_series(2, 2000) as n;
             analyze errand.task",
        )
        .await?;
    let (document, all) = exported(&address, "alice").await?;
    assert_eq!((all, rows(&document, "errand.task").len()), (6501, 4500));
    let mut told = Vec::new();
    let ended = erase(&address, "alice", |erased| {
        told.push(erased.rows());
        told.len() < 2
    })
    .await?;
    assert_eq!((ended.rows(), &told[..]), (4000, &[2000, 4000][..]));
    // What is left is still an account.
    assert_eq!(
        filled_tables(&address, "alice").await?,
        [("errand.task", 500), ("errand.idempotency", 2000), ("errand.account", 1)]
    );
    assert_eq!(erase(&address, "alice", |_| true).await?.rows(), 2501);
    assert_eq!(exported(&address, "alice").await?.1, 0);
    Ok(())
}

/// An owner without superuser rights sees the rows of the announced user and no others.
#[tokio::test]
async fn an_owner_without_superuser_rights_exports_and_erases() -> Result<()> {
    let owner = Owner::new().await?;
    migrate(&owner.theirs, &Migrations::of_checkout()?).await?;
    for user in ["alice", "bob"] {
        write(&owner.all, user).await?;
    }
    // The owner who migrated is a member of the roles; a later owner of the tables is not.
    let (admin, heir) = (connect(&owner.all).await?, format!("{}_heir", owner.name));
    let theirs = Address::parse(&owner.all.app_url(&heir, "owner"))?;
    admin.batch_execute(&format!("create role {heir} login password 'owner'")).await?;
    for (login, user) in [(&owner.theirs, "alice"), (&theirs, "bob")] {
        let (document, rows) = exported(login, user).await?;
        assert_eq!((&document["tables"], rows), (&exported(&owner.all, user).await?.0["tables"], 4));
        assert_eq!(erase(login, user, |_| true).await?.rows(), 4);
        assert_eq!(exported(&owner.all, user).await?.1, 0);
        admin.batch_execute(&format!("reassign owned by {} to {heir}", owner.name)).await?;
    }
    write(&owner.all, "bob").await?;
    // No other login begins what it cannot end.
    let role = ROLE.lock().await;
    let app = Address::parse(&role::ensure_app_login(&owner.all, "app").await?)?;
    for told in [refusal(exported(&app, "bob").await)?, refusal(erase(&app, "bob", |_| true).await)?] {
        assert!(told.contains("use that of the owner"), "{told}");
    }
    drop(role);
    assert_eq!(exported(&owner.all, "bob").await?.1, 4);
    admin
        .batch_execute(&format!("reassign owned by {heir} to {}; drop owned by {heir}; drop role {heir}", owner.name))
        .await?;
    owner.drop().await
}

/// What the erasure needs gives the other roles nothing.
#[tokio::test]
async fn no_other_role_gains_anything() -> Result<()> {
    let address = filled().await?;
    let client = connect(&address).await?;
    client
        .batch_execute("update errand.idempotency set created_at = now() - interval '25 hours' where user_id = 'bob'")
        .await?;
    for (role, sql, expected) in [
        ("errand_app", "select errand.raise_account_start(1)", Err(SqlState::INSUFFICIENT_PRIVILEGE)),
        ("errand_app", "delete from errand.account", Err(SqlState::INSUFFICIENT_PRIVILEGE)),
        (
            "errand_app",
            "create or replace function errand.account_start() returns bigint language sql as 'select 1'",
            Err(SqlState::INSUFFICIENT_PRIVILEGE),
        ),
        ("errand_app", "select key from errand.idempotency", Ok(vec!["k"])),
        ("errand_maintenance", "select errand.raise_account_start(1)", Err(SqlState::INSUFFICIENT_PRIVILEGE)),
        ("errand_maintenance", "select errand.account_start()", Err(SqlState::INSUFFICIENT_PRIVILEGE)),
        ("errand_maintenance", "select user_id from errand.task", Err(SqlState::INSUFFICIENT_PRIVILEGE)),
        // Bob's, which is expired, and not that of alice, who is announced.
        ("errand_maintenance", "select user_id from errand.idempotency", Ok(vec!["bob"])),
        ("errand_maintenance", "delete from errand.idempotency returning user_id", Ok(vec!["bob"])),
    ] {
        let setup = format!("begin; set local role {role}; set local errand.user_id = 'alice'");
        client.batch_execute(&setup).await?;
        let found = match client.query(sql, &[]).await {
            Ok(rows) => Ok(rows.iter().map(|row| row.try_get::<_, String>(0)).collect::<Result<Vec<_>, _>>()?),
            Err(error) => Err(error.code().cloned().context("no answer")?),
        };
        client.batch_execute("rollback").await?;
        assert_eq!(found, expected.map(|rows| rows.into_iter().map(str::to_owned).collect()), "{role}: {sql}");
    }
    Ok(())
}

#[tokio::test]
async fn a_steps_place_is_exported_and_cleared() -> Result<()> {
    let address = filled().await?;
    let place = "select concat_ws(' ', name, coalesce(last_user, 'none'), ended_at is null) from errand_meta.step";
    // Ended when alice is done.
    migrator::refresh_due(&address, |progress| progress.users < 1).await?;
    assert_eq!(ask(&address, place).await?, "due-at alice t");
    let (document, count) = exported(&address, "alice").await?;
    assert_eq!((rows(&document, "errand_meta.step").len(), count), (1, 5));
    erase(&address, "alice", |_| true).await?;
    assert_eq!(exported(&address, "alice").await?.1, 0);
    assert_eq!(ask(&address, place).await?, "due-at none t");
    // The step goes on, and does not keep its last place.
    migrator::refresh_due(&address, |_| true).await?;
    assert_eq!(ask(&address, place).await?, "due-at none f");
    Ok(())
}

/// What guarantees that nothing is hidden and that no number comes again is not there yet.
#[tokio::test]
async fn a_database_of_an_older_version_is_refused() -> Result<()> {
    let (address, files) = (filled().await?, Migrations::of_checkout()?);
    let refused = async || {
        for told in [refusal(exported(&address, "alice").await)?, refusal(erase(&address, "alice", |_| true).await)?] {
            assert!(told.contains("errand-db migrate"), "{told}");
        }
        anyhow::Ok(())
    };
    // The functions without the migration, and the other way round.
    back_to_11(&address, &files).await?;
    refused().await?;
    migrate(&address, &files).await?;
    exported(&address, "alice").await?;
    let before = everything(&address).await?;
    let older = "create or replace function errand.next_write(p_caller text) returns errand.stamp
        language sql as 'select row (1, now())::errand.stamp'";
    connect(&address).await?.batch_execute(older).await?;
    refused().await?;
    assert_eq!(everything(&address).await?, before);
    let empty = database().await?;
    assert!(refusal(exported(&empty, "alice").await)?.contains("errand-db migrate"));
    Ok(())
}

#[tokio::test]
async fn the_migration_goes_back_and_forth_after_an_erasure() -> Result<()> {
    let (address, files) = (filled().await?, Migrations::of_checkout()?);
    let state = "concat_ws(' ', errand.epoch(), errand.account_start() >> 40)";
    let back_and_forth = async || {
        back_to_11(&address, &files).await?;
        // The component is not stopped for it.
        write(&address, "carol").await?;
        let policy = "select roles::text from pg_policies where policyname = 'own' and tablename = 'idempotency'";
        assert_eq!(ask(&address, policy).await?, "{errand_app}");
        migrate(&address, &files).await?;
        anyhow::Ok(ask(&address, state).await?)
    };
    let first = ask(&address, state).await?;
    assert!(first.ends_with(" 0"), "{first}");
    assert_eq!(back_and_forth().await?, first, "nothing was erased");
    erase(&address, "alice", |_| true).await?;
    let erased = ask(&address, state).await?;
    assert_eq!(erased, first.replace(" 0", " 1"));
    // The functions of a checkout without the migration give the first numbers out again.
    let after = back_and_forth().await?;
    assert!(after != erased && after.ends_with(" 1"), "{after}");
    // What is left can be erased, too.
    erase(&address, "bob", |_| true).await?;
    assert_eq!(exported(&address, "bob").await?.1, 0);
    assert!(TABLES.iter().any(|table| matches!(table.rows, Rows::OfUser { .. })));
    Ok(())
}
