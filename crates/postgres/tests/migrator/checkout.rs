//! The checkout's own migrations and functions: what a database becomes by changes is what a new one is.

use anyhow::Result;
use errand_postgres::{address::Address, connect, migrate as migrator, secret};
use tokio_postgres::Client;

use crate::{
    refusal,
    support::{Migrations, ROLE, ask, database, migrate},
};

/// Everything that the catalog has of schema api, and the functions of schema errand: functions by name, arguments and result, with their
/// text and grants, and types.
const SCHEMA: &str = "select string_agg(line, e'\\n' order by line) from (
    select concat_ws(' | ', p.oid::regprocedure, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid),
        p.prokind, p.provolatile, p.prosecdef, p.proconfig, p.proacl, p.proowner::regrole, p.prosrc)
    from pg_proc as p
    where p.pronamespace in ('api'::regnamespace, 'errand'::regnamespace) and p.oid::regprocedure::text <> 'errand.epoch()'
    union all
    select concat_ws(' | ', a.attrelid::regclass, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod))
    from pg_attribute as a join pg_class as c on c.oid = a.attrelid where c.relnamespace = 'api'::regnamespace
    union all
    select concat_ws(' | ', n.nspname, n.nspacl, n.nspowner::regrole) from pg_namespace as n where n.nspname = 'api'
) as schema (line)";

const TASKS: &str =
    "select string_agg(concat_ws(' ', user_id, id, seq, version, json), ', ' order by id) from errand.task";

/// A database that these files were applied to and no others.
async fn new_schema(files: &Migrations) -> Result<String> {
    let address = database().await?;
    migrate(&address, files).await?;
    ask(&address, SCHEMA).await
}

/// Some tasks, made past the functions.
async fn fill(address: &Address) -> Result<()> {
    let client = connect::connect(address).await?;
    client
        .batch_execute(
            "insert into errand.account values ('alice', 3, now());
             insert into errand.task (user_id, id, seq, created_at, updated_at, completed, priority, due_date, tags, title)
             select 'alice', gen_random_uuid(), n, now(), now(), false, n, '2026-12-01', '{tag}', 'task ' || n
             from generate_series(1, 3) as n",
        )
        .await?;
    Ok(())
}

/// The titles of a list, as the component's role gets them.
async fn titles(address: &Address) -> Result<String> {
    let client = connect::connect(address).await?;
    client.batch_execute("set session authorization errand_app").await?;
    let list = r#"select (
            select string_agg(task::jsonb ->> 'title', ', ')
            from unnest((string_to_array(tasks, chr(10)))[2:]) as task)
        from api.read_tasks('alice', '{"order": "title_asc", "limit": 9, "filter": {"q": "task", "tags": ["tag"]}}')"#;
    Ok(client.query_one(list, &[]).await?.try_get(0)?)
}

#[tokio::test]
async fn after_a_removal_and_a_change_of_shape_the_functions_are_those_of_a_new_database() -> Result<()> {
    let (address, files) = (database().await?, Migrations::of_checkout()?);
    migrate(&address, &files).await?;
    assert_eq!(ask(&address, SCHEMA).await?, new_schema(&files).await?);

    // A change of shape as CONTRIBUTING.md has it: the new function has a new name, and the old one stays.
    files.redefine("functions/older.sql", "read_task", |old| {
        let new = old
            .replace("api.read_task(", "api.read_task_2(")
            .replace("out epoch text)", "out epoch text, out etag text)")
            .replace("task := parts[3];", "task := parts[3];\n    etag := errand.tag_base(caller) || seq;");
        format!("{old}\n{new}")
    })?;
    files.redefine("functions/older.sql", "delete_task", |_| String::new())?;
    let report = migrate(&address, &files).await?;
    assert_eq!(report.functions_dropped, ["api.delete_task(text,uuid,text[],boolean)"]);
    let schema = ask(&address, SCHEMA).await?;
    assert!(schema.contains("api.read_task_2(text,uuid)") && schema.contains("api.read_task(text,uuid)"), "{schema}");
    assert_eq!(schema, new_schema(&files).await?);

    // A later version.
    files.redefine("functions/older.sql", "read_task", |_| String::new())?;
    assert_eq!(migrate(&address, &files).await?.functions_dropped, ["api.read_task(text,uuid)"]);
    assert_eq!(ask(&address, SCHEMA).await?, new_schema(&files).await?);
    Ok(())
}

#[tokio::test]
async fn a_change_of_shape_under_the_old_name_leaves_the_old_functions() -> Result<()> {
    let (address, files) = (database().await?, Migrations::of_checkout()?);
    migrate(&address, &files).await?;
    let before = ask(&address, SCHEMA).await?;
    let original = files.read("functions/older.sql")?;
    for (old, new) in [("out epoch text)", "out epoch text, out etag text)"), ("p_id uuid,", "p_id text,")] {
        files.redefine("functions/older.sql", "read_task", |text| text.replace(old, new))?;
        // All others have another text, too.
        files.write(
            "functions/errand/caller.sql",
            &files.read("functions/errand/caller.sql")?.replace("as $$", "as $$ -- changed"),
        )?;
        let told = refusal(migrate(&address, &files).await)?;
        assert!(told.contains("read_task") || told.contains("functions/older.sql"), "{told}");
        assert!(told.contains("give the new one a new name"), "{told}");
        assert_eq!(ask(&address, SCHEMA).await?, before);
        files.write("functions/older.sql", &original)?;
    }
    Ok(())
}

/// Before 0005, the files of the functions made schema api and its types.
#[tokio::test]
async fn a_database_whose_types_were_made_with_the_functions_keeps_its_data() -> Result<()> {
    const OLD: &str = "create schema api;
        create type api.task_page_start as (key text, id uuid, size int);
        create type api.task_page as (tasks text, last_key text, last_id text);
        create type api.task_filter as (
            completed boolean, priorities smallint[], tags text[], due_before_date date, due_before_at timestamptz,
            due_after_date date, due_after_at timestamptz, overdue boolean, updated_since timestamptz, query tsquery);
        create function api.task_page_due_asc(p_start api.task_page_start, p_filter api.task_filter)
            returns api.task_page language plpgsql as $$ begin return null; end $$;
        create function api.task_filter_of_then(filter api.task_filter) returns int language sql as 'select 1';
        grant usage on schema api to errand_app;
        grant execute on all functions in schema api to errand_app;
        revoke all on all functions in schema api from public;";
    const KEPT: &str = "select string_agg(oid::text, ' ' order by oid) from pg_type
        where typnamespace = 'api'::regnamespace and typname in ('task_page_start', 'task_page', 'task_filter')";
    let (address, old, new) = (database().await?, Migrations::of_checkout()?, Migrations::of_checkout()?);
    for name in old.names("")?.iter().filter(|name| name.as_str() >= "0005") {
        old.remove(name)?;
    }
    for name in old.functions()? {
        old.remove(&name)?;
    }
    old.write("functions/old.sql", OLD)?;
    assert_eq!(migrate(&address, &old).await?.applied.len(), 4);
    fill(&address).await?;
    let (tasks, kept) = (ask(&address, TASKS).await?, ask(&address, KEPT).await?);

    let dropped = migrate(&address, &new).await?.functions_dropped;
    assert_eq!(
        dropped,
        ["api.task_filter_of_then(api.task_filter)", "api.task_page_due_asc(api.task_page_start,api.task_filter)"]
    );
    assert_eq!(ask(&address, TASKS).await?, tasks);
    assert_eq!(ask(&address, KEPT).await?, kept);
    assert_eq!(ask(&address, SCHEMA).await?, new_schema(&new).await?);
    assert_eq!(titles(&address).await?, "task 1, task 2, task 3");
    Ok(())
}

/// The checkout's migrations with a lower number, without functions.
pub(crate) fn before(migration: &str) -> Result<Migrations> {
    let files = Migrations::of_checkout()?;
    for name in files.names("")?.iter().filter(|name| name.starts_with('0') && name.as_str() >= migration) {
        files.remove(name)?;
    }
    for name in files.functions()? {
        files.remove(&name)?;
    }
    files.write("access.sql", "")?;
    Ok(files)
}

/// A database at that state, with an administrator's connection.
pub(crate) async fn database_before(migration: &str) -> Result<(Address, Client)> {
    let address = database().await?;
    migrate(&address, &before(migration)?).await?;
    let admin = connect::connect(&address).await?;
    Ok((address, admin))
}

#[tokio::test]
async fn keys_of_before_are_numbered_by_their_age() -> Result<()> {
    let (address, admin) = database_before("0007").await?;
    admin
        .batch_execute(
            "insert into errand.account (user_id, seq, last_at)
             select name, 1, now() from unnest(array['alice', 'bob', 'carol']) as name;
             insert into errand.idempotency (user_id, key, fingerprint, created_at, task, version)
             select name, key, 'f', now() - age * interval '1 hour', '{}', 1
             from (values ('alice', 'b', 1), ('alice', 'a', 2), ('bob', 'c', 3), ('alice', 'c', 3)) as v (name, key, age)",
        )
        .await?;
    migrate(&address, &Migrations::of_checkout()?).await?;
    let keys = "select string_agg(concat_ws(' ', user_id, number, key), ', ' order by user_id, number) from errand.idempotency";
    assert_eq!(ask(&address, keys).await?, "alice 1 c, alice 2 a, alice 3 b, bob 1 c");
    let accounts =
        "select string_agg(concat_ws(' ', user_id, keys, forgotten), ', ' order by user_id) from errand.account";
    assert_eq!(ask(&address, accounts).await?, "alice 3 0, bob 1 0, carol 0 0");
    let numbers = "select string_agg(number::text, ' ' order by number) from errand.account";
    assert_eq!(ask(&address, numbers).await?, "1 2 3");
    Ok(())
}

#[tokio::test]
async fn time_zones_that_the_server_has_learned_of_come_with_the_functions() -> Result<()> {
    let (address, files) = (database().await?, Migrations::of_checkout()?);
    migrate(&address, &files).await?;
    let admin = connect::connect(&address).await?;
    let known = "select concat_ws(' ', name, errand.time_zones() ->> folded) from errand.time_zone where folded = 'europe/vilnius'";
    let (function, written) = (ask(&address, known).await?, "select xmin from pg_proc where proname = 'time_zones'");
    let before = ask(&address, written).await?;
    for (change, kept) in [
        ("select", true),
        ("delete from errand.time_zone where name = 'Europe/Vilnius'", true),
        ("insert into errand.time_zone values ('mars/olympus', 'Mars/Olympus')", false),
    ] {
        admin.batch_execute(change).await?;
        let text = files.read("functions/errand/settings.sql")?;
        files.write("functions/errand/settings.sql", &text.replacen("as $$", "as $$ -- changed", 1))?;
        migrate(&address, &files).await?;
        assert_eq!(ask(&address, known).await?, function, "{change}");
        // An unchanged function is not replaced, because a replacement invalidates the plans of all sessions.
        assert_eq!(ask(&address, written).await? == before, kept, "{change}");
    }
    assert_eq!(ask(&address, "select errand.time_zones() ->> 'mars/olympus'").await?, "Mars/Olympus");
    assert_eq!(function, "Europe/Vilnius Europe/Vilnius");
    Ok(())
}

/// Before migration 0007, PostgreSQL checked time zones, and it accepts abbreviations such as CET.
#[tokio::test]
async fn a_task_keeps_a_zone_that_it_could_not_have_now() -> Result<()> {
    let (address, admin) = database_before("0007").await?;
    admin
        .batch_execute(
            "insert into errand.account (user_id, seq, last_at) values ('alice', 1, now());
             insert into errand.task (
                 user_id, id, seq, created_at, updated_at, completed, priority, due_date, due_time, due_zone, tags, title)
             values ('alice', '00000000-0000-4000-8000-000000000001', 1, now(), now(), false, 0, '2026-12-01', '09:30', 'CET', '{}', 't')",
        )
        .await?;
    migrate(&address, &Migrations::of_checkout()?).await?;
    let client = connect::connect(&address).await?;
    client.batch_execute("set session authorization errand_app").await?;
    let id = "'00000000-0000-4000-8000-000000000001'";
    for write in [
        format!("mark_task('alice', {id}, null, true, null, null, false)"),
        format!(r#"change_task('alice', {id}, null, '{{"title": "u", "tags": ["a"]}}', null, null, false)"#),
        format!(r#"change_task('alice', {id}, null, '{{"title": "v", "due_zone": "cet"}}', null, null, false)"#),
    ] {
        let outcome: String = client.query_one(&format!("select outcome from api.{write}"), &[]).await?.try_get(0)?;
        assert_eq!(outcome, "ok", "{write}");
        let due = "select concat_ws(' ', due_zone, due_at at time zone 'UTC') from errand.task";
        assert_eq!(ask(&address, due).await?, "CET 2026-12-01 08:30:00");
    }
    Ok(())
}

#[tokio::test]
async fn tags_of_before_become_what_they_would_be_now() -> Result<()> {
    let (address, admin) = database_before("0007").await?;
    fill(&address).await?;
    let change = r"update errand.task set tags = array[E' cafe\u0301\u3000', E'caf\u00e9', 'b', ' '] where seq = 2";
    admin.batch_execute(change).await?;
    let untouched = "select string_agg(xmin::text, ' ' order by seq) from errand.task where seq <> 2";
    let written = ask(&address, untouched).await?;
    migrate(&address, &Migrations::of_checkout()?).await?;
    assert_eq!(ask(&address, untouched).await?, written);
    let tags = "select string_agg(concat_ws(' ', seq, version, tags, json::jsonb ->> 'tags'), ', ' order by seq) from errand.task";
    assert_eq!(ask(&address, tags).await?, r#"1 1 {tag} ["tag"], 2 1 {café,b} ["café", "b"], 3 1 {tag} ["tag"]"#);
    Ok(())
}

/// A role that owns a database. It is no superuser.
pub(crate) struct Owner {
    pub(crate) name: String,
    /// The role's address.
    pub(crate) theirs: Address,
    /// An administrator's address.
    pub(crate) all: Address,
}

impl Owner {
    /// Creates a role with CREATEROLE that can grant errand's roles. It cannot act as `errand_maintenance` yet.
    pub(crate) async fn new() -> Result<Self> {
        // The migrations of this database make the roles of the server.
        new_schema(&Migrations::of_checkout()?).await?;
        let all = database().await?;
        let admin = connect::connect(&all).await?;
        let name = format!("test_{}", secret::hex(8)?);
        // Until PostgreSQL 15, CREATEROLE includes the right to give any of these roles.
        let version: i32 = ask(&all, "current_setting('server_version_num')").await?.parse()?;
        let giving = if version < 160_000 {
            String::new()
        } else {
            format!("grant errand_maintenance to {name} with admin true, inherit false, set false;")
        };
        let _role = ROLE.lock().await;
        admin
            .batch_execute(&format!(
                "create role {name} login createrole password 'owner';
                 grant errand_app, errand_app_2 to {name} with admin option;
                 {giving}
                 alter database {} owner to {name}",
                all.database()
            ))
            .await?;
        Ok(Self { theirs: Address::parse(&all.app_url(&name, "owner"))?, name, all })
    }

    pub(crate) async fn drop(self) -> Result<()> {
        let (admin, name) = (connect::connect(&self.all).await?, self.name);
        let _role = ROLE.lock().await;
        let end = format!("reassign owned by {name} to current_user; drop owned by {name}; drop role {name}");
        Ok(admin.batch_execute(&end).await?)
    }
}

/// Forced row-level security also holds the owner of the tables, unless the owner is a superuser.
#[tokio::test]
async fn an_owner_without_superuser_rights_migrates_all_data() -> Result<()> {
    let owner = Owner::new().await?;
    let (theirs, address) = (&owner.theirs, &owner.all);
    migrate(theirs, &before("0007")?).await?;
    fill(address).await?;
    connect::connect(address)
        .await?
        .batch_execute(
            "update errand.task set tags = array[' tag '];
             insert into errand.idempotency (user_id, key, fingerprint, created_at, task, version)
             values ('alice', 'k', 'f', now(), '{}', 1)",
        )
        .await?;
    let warnings = migrate(theirs, &Migrations::of_checkout()?).await?.warnings;
    assert!(!warnings.iter().any(|warning| warning.contains(&owner.name)), "{warnings:?}");
    for (query, expected) in [
        (
            "select string_agg(distinct concat_ws(' ', tags, json::jsonb ->> 'tags'), ', ') from errand.task",
            r#"{tag} ["tag"]"#,
        ),
        ("select concat_ws(' ', key, number) from errand.idempotency", "k 1"),
        ("select concat_ws(' ', number, keys, forgotten) from errand.account", "1 1 0"),
        (
            "select string_agg(relname, ' ' order by relname) from pg_class
             where relnamespace = 'errand'::regnamespace and relkind = 'r' and not relforcerowsecurity",
            "",
        ),
        ("errand.time_zones() ->> 'europe/vilnius'", "Europe/Vilnius"),
    ] {
        assert_eq!(ask(address, query).await?, expected, "{query}");
    }
    assert_eq!(titles(address).await?, "task 1, task 2, task 3");
    let owners = connect::connect(theirs).await?;
    owners.batch_execute("set role errand_maintenance; select errand.tidy(1)").await?;
    drop(owners);
    owner.drop().await
}

#[tokio::test]
async fn an_owner_who_may_not_change_roles_is_told_what_is_left_to_do() -> Result<()> {
    let owner = Owner::new().await?;
    let (theirs, address, name) = (&owner.theirs, &owner.all, &owner.name);
    migrate(theirs, &before("0007")?).await?;
    let role = ROLE.lock().await;
    connect::connect(address)
        .await?
        .batch_execute(&format!(
            "alter role {name} nocreaterole; revoke errand_app, errand_app_2, errand_maintenance from {name}"
        ))
        .await?;
    drop(role);
    let settings = |login| format!("{name} cannot set what {login} brings along; see `cargo xtask db status`");
    let warnings = migrate(theirs, &Migrations::of_checkout()?).await?.warnings;
    // The server may have warnings of its own.
    assert_eq!(
        warnings.into_iter().filter(|warning| warning.starts_with(name.as_str())).collect::<Vec<_>>(),
        [
            format!("{name} cannot take on errand_maintenance"),
            format!("{name} cannot give errand_app_2 the rights of errand_app"),
            settings("errand_app"),
            settings("errand_app_2"),
        ]
    );
    owner.drop().await
}

#[tokio::test]
async fn a_type_of_another_shape_is_not_taken_for_the_one_that_is_needed() -> Result<()> {
    let (address, files) = (database().await?, Migrations::of_checkout()?);
    let admin = connect::connect(&address).await?;
    admin.batch_execute("create schema api; create type api.task_page as (tasks text, last_key text)").await?;
    let told = refusal(migrate(&address, &files).await)?;
    assert!(told.contains("0005_list_types.up.sql") && told.contains("api.task_page is there"), "{told}");
    assert!(told.contains("It has (tasks text, last_key text)"), "{told}");
    Ok(())
}

#[tokio::test]
async fn each_migration_goes_back_and_forth_with_data() -> Result<()> {
    let (address, files) = (database().await?, Migrations::of_checkout()?);
    migrate(&address, &files).await?;
    fill(&address).await?;
    let (schema, tasks) = (ask(&address, SCHEMA).await?, ask(&address, TASKS).await?);
    let all = files.names("")?.iter().filter(|name| name.ends_with(".up.sql")).count();
    // Each migration goes back with data in the tables but the first, which takes the tables along.
    for steps in 1..u32::try_from(all)? {
        let back = migrator::rollback(&address, files.path(), steps).await?;
        assert_eq!(back.len(), steps as usize, "{back:?}");
        assert_eq!(ask(&address, TASKS).await?, tasks);
        // The component is not stopped for it.
        assert_eq!(titles(&address).await?, "task 1, task 2, task 3");
        assert_eq!(migrate(&address, &files).await?.applied.len(), steps as usize);
        assert_eq!(ask(&address, TASKS).await?, tasks);
        assert_eq!(ask(&address, SCHEMA).await?, schema);
    }
    assert_eq!(migrator::rollback(&address, files.path(), 99).await?.len(), all);
    assert_eq!(migrate(&address, &files).await?.applied.len(), all);
    assert_eq!(ask(&address, SCHEMA).await?, schema);
    Ok(())
}
