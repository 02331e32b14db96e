//! Due instants after an update of the time zone data, which is made up here by instants that are wrong.

use anyhow::Result;
use errand_postgres::{
    address::Address,
    connect::connect,
    migrate::{DueProgress, refresh_due},
};

use crate::support::{Migrations, ask, database, migrate};

/// What a client sees of the tasks, and what each row is.
const TASKS: &str = "select string_agg(concat_ws(' ', user_id, title, version, seq, due_at at time zone 'UTC',
    json::jsonb ->> 'due_at', xmin), e'\n' order by user_id, title) from errand.task";

/// Three users with a task in a zone, one on a day and one without a date each.
async fn filled() -> Result<Address> {
    let address = database().await?;
    migrate(&address, &Migrations::of_checkout()?).await?;
    let client = connect(&address).await?;
    for user in ["alice", "bob", "carol"] {
        for (title, due) in [
            ("zoned", r#", "due_date": "2026-07-01", "due_time": "09:00", "due_zone": "Europe/Vilnius""#),
            ("day", r#", "due_date": "2026-07-01""#),
            ("never", ""),
        ] {
            let fields = format!(r#"{{"title": "{title}", "completed": false, "priority": 0, "tags": []{due}}}"#);
            client
                .batch_execute(&format!(
                    "begin; set local role errand_app;
                     select api.add_task('{user}', gen_random_uuid(), '{fields}', null, null, null); commit"
                ))
                .await?;
        }
    }
    Ok(address)
}

/// As if the zone had been an hour off when they were written.
async fn spoil(address: &Address, users: &str) -> Result<()> {
    let sql = format!(
        "alter table errand.task disable trigger user;
         update errand.task set due_at = due_at + interval '1 hour', due_key = due_key + interval '1 hour',
            json = replace(json, '06:00:00Z', '07:00:00Z')
         where title = 'zoned' and user_id in ({users});
         alter table errand.task enable trigger user"
    );
    Ok(connect(address).await?.batch_execute(&sql).await?)
}

fn progress(users: i64, changed: i64, kept: i64) -> DueProgress {
    DueProgress { users, changed, kept }
}

#[tokio::test]
async fn instants_that_are_others_now_are_written_as_any_write_is() -> Result<()> {
    let address = filled().await?;
    let before = ask(&address, TASKS).await?;
    assert_eq!(refresh_due(&address, |_| true).await?, progress(3, 0, 0));
    assert_eq!(ask(&address, TASKS).await?, before, "nothing was to be done");

    spoil(&address, "'bob'").await?;
    assert_eq!(refresh_due(&address, |_| true).await?, progress(3, 1, 0));
    let after = ask(&address, TASKS).await?;
    let changed: Vec<_> = before.lines().zip(after.lines()).filter(|(before, after)| before != after).collect();
    let [(_, bobs)] = changed[..] else { panic!("{changed:#?}") };
    assert!(bobs.starts_with("bob zoned 2 4 2026-07-01 06:00:00 2026-07-01T06:00:00Z"), "{bobs}");
    // What lists and clients go by has moved on with it.
    let account =
        "select concat_ws(' ', seq, last_at = (select max(updated_at) from errand.task where user_id = 'bob'))
        from errand.account where user_id = 'bob'";
    assert_eq!(ask(&address, account).await?, "4 t");
    Ok(())
}

#[tokio::test]
async fn a_run_that_ends_early_is_taken_up_where_it_ended() -> Result<()> {
    let address = filled().await?;
    spoil(&address, "'alice', 'bob', 'carol'").await?;
    // Each user takes two transactions: one with tasks, and one that finds none.
    let mut transactions = 0;
    let ended = refresh_due(&address, |_| {
        transactions += 1;
        transactions < 3
    })
    .await?;
    assert_eq!(ended, progress(1, 2, 0));
    // Until it is at its end, the maintenance role may see who has an account, and nothing else.
    let sees = "select count(*)::text from pg_policies where policyname = 'step' and cmd = 'SELECT' and roles = '{errand_maintenance}'";
    assert_eq!(ask(&address, sees).await?, "1");
    assert_eq!(refresh_due(&address, |_| true).await?, progress(3, 3, 0));
    assert_eq!(ask(&address, sees).await?, "0");
    let wrong = "select count(*)::text from errand.task where title = 'zoned' and (version, due_at) <> (2, '2026-07-01 06:00Z')";
    assert_eq!(ask(&address, wrong).await?, "0");
    Ok(())
}

#[tokio::test]
async fn a_task_whose_local_time_is_gone_keeps_its_instant() -> Result<()> {
    let address = filled().await?;
    // As if clocks had not been set forward over it when it was written.
    connect(&address)
        .await?
        .batch_execute(
            "alter table errand.task disable trigger user;
             update errand.task set due_date = '2026-03-29', due_time = '03:30' where title = 'zoned' and user_id = 'alice';
             alter table errand.task enable trigger user",
        )
        .await?;
    let before = ask(&address, TASKS).await?;
    assert_eq!(refresh_due(&address, |_| true).await?, progress(3, 0, 1));
    assert_eq!(ask(&address, TASKS).await?, before);
    Ok(())
}
