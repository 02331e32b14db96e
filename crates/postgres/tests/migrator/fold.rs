//! Tasks from before migration 0014, and those that an older component writes after it.

use anyhow::Result;
use errand_postgres::{
    address::Address,
    connect::connect,
    migrate::{FoldProgress, fold},
};
use errand_text::{search_text, sort_key};

use crate::{
    checkout::{Owner, before, database_before},
    support::{Migrations, ask, migrate},
};

/// What a client sees of the tasks.
const TASKS: &str = "select string_agg(concat_ws(' ', user_id, seq, version, updated_at, json), e'\\n' order by user_id, id) from errand.task";

/// What is derived for searching and sorting.
const DERIVED: &str = "select string_agg(concat_ws('|', title_key, title_text, tags_text, description_text, words, due_key at time zone 'UTC'),
    e'\\n' order by user_id, id) from errand.task";

const COUNTS: &str = "select concat_ws(' ', (select count(*) from errand.task where title_text is null),
    (select count(distinct id) from errand.task_term, unnest(ids) as id), (select count(*) from errand.account where not folded),
    (select count(*) from pg_policies where policyname = 'fold'))";

/// Tasks of alice with the ids 1 to `count`, and one of bob.
async fn fill(address: &Address, count: u32) -> Result<()> {
    let client = connect(address).await?;
    client
        .batch_execute(&format!(
            "insert into errand.account (user_id, seq, last_at) values ('alice', {count}, now()), ('bob', 1, now());
             insert into errand.task (
                 user_id, id, seq, created_at, updated_at, completed, priority, due_date, due_time, due_zone, tags, title, description)
             select 'alice', ('00000000-0000-4000-8000-' || to_char(n, 'FM000000000000'))::uuid, n, now(), now(), false, 0,
                 '2026-12-01', '09:30', 'Asia/Tokyo', '{{Größe,\"a b\"}}', 'Straße ' || n, nullif('C++ 電車', case when n = 2 then 'C++ 電車' end)
             from generate_series(1, {count}) as n;
             insert into errand.task (user_id, id, seq, created_at, updated_at, completed, priority, due_date, tags, title)
             values ('bob', gen_random_uuid(), 1, now(), now(), false, 0, '2026-12-01', '{{}}', 'Βορράς')"
        ))
        .await?;
    Ok(())
}

fn progress(users: i64, tasks: i64) -> FoldProgress {
    FoldProgress { users, tasks }
}

#[tokio::test]
async fn tasks_of_before_get_what_a_new_one_has() -> Result<()> {
    let (address, _) = database_before("0014").await?;
    fill(&address, 2).await?;
    let tasks = ask(&address, TASKS).await?;
    migrate(&address, &Migrations::of_checkout()?).await?;
    assert_eq!(ask(&address, COUNTS).await?, "3 0 2 0");
    assert_eq!(fold(&address, |_| true).await?, progress(2, 3));
    assert_eq!(ask(&address, COUNTS).await?, "0 3 0 0");
    // Clients see no change.
    assert_eq!(ask(&address, TASKS).await?, tasks);
    let tags = search_text("Größe") + &search_text("a b");
    let expected: Vec<_> = [("Straße 1", Some("C++ 電車"), true), ("Straße 2", None, true), ("Βορράς", None, false)]
        .into_iter()
        .map(|(title, description, timed)| {
            let (key, title) = (sort_key(title), search_text(title));
            let description = search_text(description.unwrap_or_default());
            // 00:30 in UTC, and 16 hours, is 16:30, of which this is a third.
            let due = if timed { "2026-12-01 05:30:00" } else { "2026-12-01 23:59:59.999999" };
            format!("{key}|{title}|{}|{description}|{due}", if timed { &tags } else { "" })
        })
        .collect();
    assert_eq!(ask(&address, DERIVED).await?, expected.join("\n"));
    assert_eq!(fold(&address, |_| true).await?, progress(0, 0));
    Ok(())
}

#[tokio::test]
async fn a_run_that_ends_early_goes_on_with_what_is_left() -> Result<()> {
    let (address, _) = database_before("0014").await?;
    fill(&address, 1200).await?;
    migrate(&address, &Migrations::of_checkout()?).await?;
    assert_eq!(fold(&address, |_| false).await?, progress(0, 500));
    assert_eq!(ask(&address, COUNTS).await?, "701 500 2 1");
    let mut told = Vec::new();
    let done = fold(&address, |progress| {
        told.push(progress.clone());
        true
    })
    .await?;
    assert_eq!((done, told), (progress(2, 701), vec![progress(0, 500), progress(1, 700), progress(2, 701)]));
    assert_eq!(ask(&address, COUNTS).await?, "0 1201 0 0");
    Ok(())
}

/// An older component sends no folded texts. Its tasks are like those from before the migration.
#[tokio::test]
async fn a_task_of_an_older_component_is_folded_by_the_next_run() -> Result<()> {
    let (address, _) = database_before("0014").await?;
    fill(&address, 1).await?;
    migrate(&address, &Migrations::of_checkout()?).await?;
    fold(&address, |_| true).await?;
    let client = connect(&address).await?;
    client.batch_execute("set session authorization errand_app").await?;
    let id = "'00000000-0000-4000-8000-000000000001'";
    let new = r#"'{"title": "Łódź", "completed": false, "priority": 0, "tags": []}', null, null, null"#;
    let search = r#"select count(*)::text from api.read_tasks('alice', '{"order": "title_asc", "limit": 9, "filter": {"q": "strase"}}')
        where tasks <> ''"#;
    for (write, counts, found_as_before) in [
        (format!("add_task('alice', gen_random_uuid(), {new})"), "1 2 1 0", false),
        (format!("mark_task('alice', {id}, null, true, null, null, null)"), "0 3 0 0", false),
        (format!(r#"change_task('alice', {id}, null, '{{"title": "Straßen"}}', null, null, null)"#), "1 3 1 0", true),
        (format!(r#"change_task('alice', {id}, null, '{{"tags": ["b"]}}', null, null, null)"#), "1 3 1 0", true),
        (format!(r#"change_task('alice', {id}, null, '{{"description": "b"}}', null, null, null)"#), "1 3 1 0", true),
        (format!("add_task('carol', gen_random_uuid(), {new})"), "1 3 1 0", false),
    ] {
        client.query(&format!("select outcome from api.{write}"), &[]).await?;
        assert_eq!(ask(&address, COUNTS).await?, counts, "{write}");
        // An unfolded task is found as before: errand.words() makes one s of the letter ß.
        let found: String = client.query_one(search, &[]).await?.try_get(0)?;
        assert_eq!(found, u8::from(found_as_before).to_string(), "{write}");
        fold(&address, |_| true).await?;
    }
    assert_eq!(ask(&address, COUNTS).await?, "0 4 0 0");
    Ok(())
}

/// An older component may write a task behind the place of the step.
#[tokio::test]
async fn a_task_that_is_written_behind_the_step_leaves_the_account_unfolded() -> Result<()> {
    let (address, admin) = database_before("0014").await?;
    fill(&address, 600).await?;
    migrate(&address, &Migrations::of_checkout()?).await?;
    let mut transactions = 0;
    fold(&address, |_| {
        transactions += 1;
        transactions < 1
    })
    .await?;
    admin
        .batch_execute(
            "set session authorization errand_app;
             select api.change_task('alice', '00000000-0000-4000-8000-000000000001', null, '{\"title\": \"u\"}', null, null, null)",
        )
        .await?;
    fold(&address, |_| true).await?;
    assert_eq!(ask(&address, COUNTS).await?, "1 601 1 0");
    fold(&address, |_| true).await?;
    assert_eq!(ask(&address, COUNTS).await?, "0 601 0 0");
    Ok(())
}

/// The second run would remove what the first has added to the index.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_beside_another_one_is_refused() -> Result<()> {
    let (address, admin) = database_before("0014").await?;
    fill(&address, 1200).await?;
    migrate(&address, &Migrations::of_checkout()?).await?;
    fold(&address, |_| false).await?;
    // Another run moves the place while this one is at work.
    let (told, mut moved) = tokio::sync::mpsc::unbounded_channel();
    let other = tokio::spawn(async move {
        moved.recv().await;
        admin.batch_execute("update errand_meta.step set last_task = gen_random_uuid() where name = 'fold'").await
    });
    let mut first = true;
    let refused = fold(&address, |_| {
        if std::mem::take(&mut first) {
            told.send(()).ok();
            std::thread::sleep(std::time::Duration::from_millis(300));
        }
        true
    })
    .await;
    other.await??;
    assert!(crate::refusal(refused)?.contains("another run"));
    Ok(())
}

/// Forced row-level security also holds the owner of the tables, unless the owner is a superuser.
#[tokio::test]
async fn an_owner_without_superuser_rights_folds_all_tasks() -> Result<()> {
    let owner = Owner::new().await?;
    migrate(&owner.theirs, &before("0014")?).await?;
    fill(&owner.all, 501).await?;
    migrate(&owner.theirs, &Migrations::of_checkout()?).await?;
    assert_eq!(fold(&owner.theirs, |_| true).await?, progress(2, 502));
    assert_eq!(ask(&owner.all, COUNTS).await?, "0 502 0 0");
    owner.drop().await
}

#[tokio::test]
async fn a_rollback_keeps_tasks_and_words() -> Result<()> {
    let (address, _) = database_before("0014").await?;
    fill(&address, 2).await?;
    let of_before = "select string_agg(concat_ws('|', json, title_key, words, due_key), e'\\n' order by user_id, id) from errand.task";
    let tasks = ask(&address, of_before).await?;
    let files = Migrations::of_checkout()?;
    migrate(&address, &files).await?;
    fold(&address, |_| true).await?;
    while ask(&address, "select (to_regtype('api.interface_4') is not null)::text").await? == "true" {
        errand_postgres::migrate::rollback(&address, files.path(), 1).await?;
    }
    assert_eq!(ask(&address, of_before).await?, tasks);
    migrate(&address, &files).await?;
    assert_eq!(fold(&address, |_| true).await?, progress(2, 3));
    Ok(())
}
