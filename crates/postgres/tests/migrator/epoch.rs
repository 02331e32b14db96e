//! Entity tags over the life of a database: what a client kept must not name another state after a restore.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use errand_postgres::{address::Address, cluster, connect, left_out, migrate as migrator};
use tokio_postgres::Client;

use crate::{
    refusal,
    support::{Migrations, ask, database, migrate},
};

const ID: &str = "00000000-0000-4000-8000-000000000001";

/// A connection of the component's role.
async fn component(address: &Address) -> Result<Client> {
    let client = connect::connect(address).await?;
    client.batch_execute("set session authorization errand_app; set plan_cache_mode = force_generic_plan").await?;
    Ok(client)
}

async fn create(client: &Client) -> Result<()> {
    let fields = r#"{"title": "t", "completed": false, "priority": 0, "tags": []}"#;
    client.batch_execute(&format!("select api.add_task('alice', '{ID}', '{fields}', null, null, null)")).await?;
    Ok(())
}

async fn retitle(client: &Client, title: &str) -> Result<()> {
    let patch = format!(r#"{{"title": "{title}"}}"#);
    client
        .batch_execute(&format!("select api.change_task('alice', '{ID}', null, '{patch}', null, null, null)"))
        .await?;
    Ok(())
}

async fn text(client: &Client, query: &str) -> Result<String> {
    Ok(client.query_one(query, &[]).await?.try_get(0)?)
}

/// The tags of the task and of the list as they are now, each with what it names. The component makes a tag of an epoch and a number,
/// and the database makes one, too.
async fn tags(client: &Client) -> Result<Vec<(String, String)>> {
    let task = format!("('alice', '{ID}')");
    let list = r#"('alice', '{"order": "due_asc", "limit": 9}')"#;
    let mut tags = Vec::new();
    for (kind, tag, named, function) in [
        ("task", PARTS, "task", format!("read_task{task}")),
        ("task", "etag", "task", format!("get_task{task}")),
        ("list", PARTS, "tasks", format!("read_tasks{list}")),
        ("list", "etag", "tasks", format!("list_tasks{list}")),
    ] {
        let told = text(client, &format!("select {tag} || ' ' || {named} from api.{function}")).await?;
        let (tag, what) = told.split_once(' ').context("no tag")?;
        tags.push((format!("{kind} {tag}"), what.to_owned()));
    }
    Ok(tags)
}

/// What the component makes a tag of.
const PARTS: &str = "epoch || '-' || seq";

/// The tag of the task alone, by the component and by the database.
fn tag() -> String {
    format!(
        "select {PARTS} || ' ' || (select etag from api.get_task('alice', '{ID}')) from api.read_task('alice', '{ID}')"
    )
}

/// Copies a database by a dump. `false` where that cannot be done here.
fn restore(from: &Address, to: &Address) -> Result<bool> {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let (Some(dump), Some(psql)) =
        (cluster::client_program(&checkout, "pg_dump"), cluster::client_program(&checkout, "psql"))
    else {
        left_out("pg_dump and psql are not installed (Debian: postgresql-client)");
        return Ok(false);
    };
    let dumped = Command::new(dump).envs(from.libpq_env()).output().context("cannot run pg_dump")?;
    let told = String::from_utf8_lossy(&dumped.stderr);
    if told.contains("server version mismatch") {
        left_out("this pg_dump is older than the server");
        return Ok(false);
    }
    ensure!(dumped.status.success(), "pg_dump: {told}");
    let mut restoring = Command::new(psql)
        .args(["--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1"])
        .envs(to.libpq_env())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .context("cannot run psql")?;
    std::io::Write::write_all(&mut restoring.stdin.take().context("no stdin")?, &dumped.stdout)?;
    ensure!(restoring.wait()?.success(), "the dump could not be restored");
    Ok(true)
}

#[tokio::test]
async fn after_a_restore_no_tag_names_another_state() -> Result<()> {
    let (address, copy, files) = (database().await?, database().await?, Migrations::of_checkout()?);
    migrate(&address, &files).await?;
    let before = component(&address).await?;
    create(&before).await?;
    let mut named: HashMap<String, String> = tags(&before).await?.into_iter().collect();
    if !restore(&address, &copy)? {
        return Ok(());
    }
    // What was written after the backup is lost; clients have it.
    for title in ["lost", "lost too"] {
        retitle(&before, title).await?;
        named.extend(tags(&before).await?);
    }

    let after = component(&copy).await?;
    // The proof that this test sees it: a database that was not told of the restore gives tags out again.
    after.batch_execute("begin").await?;
    retitle(&after, "another").await?;
    let again = tags(&after).await?;
    assert!(again.iter().all(|(tag, what)| named.get(tag).is_some_and(|before| before != what)), "{again:?}");
    after.batch_execute("rollback").await?;

    migrator::begin_epoch(&copy).await?;
    for title in ["another", "and another"] {
        for (tag, _) in tags(&after).await? {
            assert!(!named.contains_key(&tag), "{tag}");
        }
        retitle(&after, title).await?;
    }
    Ok(())
}

/// Plans are kept in sessions, with the text of the epoch in them.
#[tokio::test]
async fn another_epoch_reaches_sessions_that_are_open() -> Result<()> {
    let (address, files) = (database().await?, Migrations::of_checkout()?);
    migrate(&address, &files).await?;
    let client = component(&address).await?;
    create(&client).await?;
    let statement = client.prepare(&tag()).await?;
    let mut seen = [HashSet::new(), HashSet::new()];
    for _ in 0..4 {
        for _ in 0..8 {
            let tags: String = client.query_one(&statement, &[]).await?.try_get(0)?;
            assert_eq!(tags, text(&client, &tag()).await?);
            for (seen, tag) in seen.iter_mut().zip(tags.split(' ')) {
                seen.insert(tag.to_owned());
            }
        }
        migrator::begin_epoch(&address).await?;
    }
    assert_eq!(seen.each_ref().map(HashSet::len), [4, 4], "{seen:?}");
    Ok(())
}

#[tokio::test]
async fn an_epoch_lasts_until_it_is_ended() -> Result<()> {
    let (address, other, files) = (database().await?, database().await?, Migrations::of_checkout()?);
    let told = refusal(migrator::begin_epoch(&address).await)?;
    assert!(told.contains("errand-db migrate"), "{told}");
    migrate(&address, &files).await?;
    migrate(&other, &files).await?;
    let epoch = || ask(&address, "errand.epoch()");
    let first = epoch().await?;
    assert_ne!(first, ask(&other, "errand.epoch()").await?, "two databases have the same epoch");
    // Neither other functions nor the migration itself, taken back and done again, end it.
    files.write(
        "functions/errand/caller.sql",
        &files.read("functions/errand/caller.sql")?.replace("as $$", "as $$ /* changed */"),
    )?;
    migrate(&address, &files).await?;
    while ask(&address, "select max(version) from errand_meta.migration").await?.parse::<i32>()? >= 6 {
        migrator::rollback(&address, files.path(), 1).await?;
    }
    migrate(&address, &files).await?;
    assert_eq!(epoch().await?, first);
    migrator::begin_epoch(&address).await?;
    assert_ne!(epoch().await?, first);
    Ok(())
}
