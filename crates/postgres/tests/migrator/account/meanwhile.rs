//! An erasure, and what the user and others write meanwhile.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context, Result, ensure};
use errand_postgres::{account::erase, address::Address, connect::connect};
use tokio::time::{sleep, timeout};
use tokio_postgres::Client;

use super::{exported, filled};
use crate::support::ask;

const FIELDS: &str = r#"{"title": "t", "completed": false, "priority": 0, "tags": []}"#;
/// How long anything here may take.
const LONG: Duration = Duration::from_secs(20);

/// A connection of the component's role, with its plans.
async fn component(address: &Address) -> Result<Client> {
    let client = connect(address).await?;
    client.batch_execute("set session authorization errand_app; set plan_cache_mode = force_generic_plan").await?;
    Ok(client)
}

/// Creates a task, and gives the number of the write.
async fn create(client: &Client, user: &str, key: &str) -> Result<i64> {
    let create =
        format!("select outcome, seq from api.add_task('{user}', gen_random_uuid(), '{FIELDS}', {key}, 'f', true)");
    let row = client.query_one(&create, &[]).await?;
    ensure!(row.try_get::<_, &str>(0)? == "created", "{create}: {row:?}");
    Ok(row.try_get(1)?)
}

/// Waits until this many sessions of this database wait for a lock.
async fn waiting(address: &Address, sessions: &str) -> Result<()> {
    let waiting =
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    timeout(LONG, async {
        while ask(address, waiting).await? != sessions {
            sleep(Duration::from_millis(10)).await;
        }
        anyhow::Ok(())
    })
    .await
    .context("nothing waits")?
}

/// The erasure has deleted all but the account, and is not committed; a write of the user waits for its turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_write_and_the_user_begins_anew() -> Result<()> {
    let address = filled().await?;
    let (holder, writer, other) = (connect(&address).await?, component(&address).await?, component(&address).await?);
    // Their plans have the text of errand.account_start() in them.
    for client in [&writer, &other] {
        for _ in 0..8 {
            create(client, "carol", "null").await?;
        }
    }
    holder.batch_execute("begin; select from errand.account where user_id = 'alice' for update").await?;
    let erasing = tokio::spawn({
        let address = address.clone();
        async move { erase(&address, "alice", |_| true).await }
    });
    waiting(&address, "1").await?;
    let writing = tokio::spawn(async move { create(&writer, "alice", "'later'").await });
    waiting(&address, "2").await?;
    other.batch_execute("set lock_timeout = '100ms'").await?;
    assert_eq!(create(&other, "bob", "null").await?, 3);
    create(&other, "dave", "'k'").await?;
    let list = r#"select outcome from api.read_tasks('bob', '{"order": "due_asc", "limit": 9}')"#;
    assert_eq!(other.query_one(list, &[]).await?.try_get::<_, &str>(0)?, "page");
    holder.batch_execute("rollback").await?;
    assert_eq!(timeout(LONG, erasing).await???.rows(), 4);
    // The number is none of those of before, and the key of before is not known any more.
    assert_eq!(timeout(LONG, writing).await???, (1 << 40) + 1);
    assert_eq!(create(&other, "alice", "'k'").await?, (1 << 40) + 2);
    assert_eq!(create(&other, "erin", "null").await?, (1 << 40) + 1);
    // An account of before goes on, and has room below the others.
    assert_eq!(create(&other, "bob", "null").await?, 4);
    let numbers =
        "select count(*) filter (where number is null) || ' ' || count(distinct number) = '0 5' from errand.account";
    assert_eq!(ask(&address, numbers).await?, "true");
    Ok(())
}

/// A write forgets old keys before it waits for its turn: to wait for their rows with the turn in hand would be a deadlock.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erasure_does_not_wait_for_a_row_that_a_write_holds() -> Result<()> {
    let address = filled().await?;
    let write = connect(&address).await?;
    // More than a transaction deletes: the first task is passed, and the place is behind it.
    write
        .batch_execute(
            "insert into errand.task (user_id, id, seq, created_at, updated_at, completed, priority, tags, title)
             select 'alice', ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 1, now(), now(), false, 0, '{}', 't'
             from generate_series(1, 2500) as n",
        )
        .await?;
    write
        .batch_execute(
            "begin;
             select from errand.idempotency where user_id = 'alice' for update;
             select from errand.task where user_id = 'alice' order by id limit 1 for update",
        )
        .await?;
    let erasing = tokio::spawn({
        let address = address.clone();
        async move { erase(&address, "alice", |_| true).await }
    });
    timeout(LONG, async {
        while ask(&address, "select count(*) from errand.task where user_id = 'alice'").await? != "1" {
            sleep(Duration::from_millis(10)).await;
        }
        anyhow::Ok(())
    })
    .await
    .context("nothing is deleted")??;
    // The account is the last row.
    assert_eq!(ask(&address, "select count(*) from errand.account where user_id = 'alice'").await?, "1");
    write.batch_execute("select pg_advisory_xact_lock(errand.turn_of('alice'))").await?;
    write.batch_execute("commit").await?;
    assert_eq!(timeout(LONG, erasing).await???.rows(), 2504);
    assert_eq!(exported(&address, "alice").await?.1, 0);
    Ok(())
}

/// Rows without an account, tasks with a number that their account has not given out yet, and accounts without a number.
const ORPHANS: &str = "select string_agg(concat_ws(' ', user_id, id, seq), ', ') from (
    select t.user_id, t.id::text, t.seq from errand.task as t left join errand.account as a using (user_id)
    where a.user_id is null or t.seq > a.seq
    union all
    select i.user_id, i.key, i.seq from errand.idempotency as i left join errand.account as a using (user_id)
    where a.user_id is null or i.seq > a.seq
    union all
    select user_id, 'account', seq from errand.account where number is null) as orphan";

/// Each write may be the first of a new account or one of those that go.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn erasures_under_writes_leave_no_orphan_and_no_number_comes_again() -> Result<()> {
    const WRITERS: usize = 4;
    const WRITES: usize = 120;
    const ERASURES: usize = 12;
    let address = filled().await?;
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let address = address.clone();
            tokio::spawn(async move {
                let client = component(&address).await?;
                let mut numbers = Vec::new();
                for n in 0..WRITES {
                    // Half of them with a key, whose row is deleted before the turn is taken.
                    let key = if n % 2 == 0 { "null".to_owned() } else { format!("'{writer}'") };
                    let create = format!(
                        "select outcome, seq from api.add_task('alice', gen_random_uuid(), '{FIELDS}', {key}, 'f{n}', true)"
                    );
                    let row = loop {
                        let row = client.query_one(&create, &[]).await?;
                        // The fourth writer finds no slot.
                        if row.try_get::<_, &str>(0)? != "busy" {
                            break row;
                        }
                    };
                    // Another outcome is that of an earlier write with the key.
                    if row.try_get::<_, &str>(0)? == "created" {
                        numbers.push(row.try_get::<_, i64>(1)?);
                    }
                }
                anyhow::Ok(numbers)
            })
        })
        .collect();
    let mut erased = 0;
    for _ in 0..ERASURES {
        erased += erase(&address, "alice", |_| true).await?.rows();
        assert_eq!(ask(&address, ORPHANS).await?, "");
    }
    let mut numbers = Vec::new();
    for writer in writers {
        numbers.extend(timeout(LONG, writer).await???);
    }
    assert!(erased > 4 && numbers.len() >= WRITERS * WRITES / 2, "{erased} rows, {} writes", numbers.len());
    let different: BTreeSet<_> = numbers.iter().collect();
    assert_eq!(different.len(), numbers.len(), "a number was given out twice");
    assert_eq!(ask(&address, ORPHANS).await?, "");
    erase(&address, "alice", |_| true).await?;
    assert_eq!(exported(&address, "alice").await?.1, 0);
    Ok(())
}
