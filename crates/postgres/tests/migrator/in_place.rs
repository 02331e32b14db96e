//! The checkout's functions, replaced under callers.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Context, Result, ensure};
use errand_postgres::{address::Address, connect};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinHandle,
};
use tokio_postgres::{error::SqlState, types::ToSql};

use crate::support::{Migrations, ask, database, migrate};

const CALLERS: usize = 8;
const REPLACEMENTS: usize = 50;
/// How many calls each caller makes between two replacements, at least: so all callers are at work all the time, and each
/// goes through all calls several times.
const CALLS_BETWEEN: usize = 4;

/// Identity of every function.
const OIDS: &str = "select string_agg(format('%s %s', oid, oid::regprocedure), ', ' order by oid) \
    from pg_proc where pronamespace in ('api'::regnamespace, 'errand'::regnamespace)";

/// A statement of the component's (`src/data`), its parameters as text, and the first column of its answer.
struct Call {
    statement: String,
    parameters: Vec<Option<String>>,
    answer: &'static str,
}

fn call(statement: &str, parameters: &[Option<&str>], answer: &'static str) -> Call {
    let parameters = parameters.iter().map(|value| value.map(str::to_owned)).collect();
    Call { statement: statement.to_owned(), parameters, answer }
}

/// All that the component calls, in an order in which everything succeeds; `round` makes ids and keys of its own.
fn calls(caller: &str, round: usize) -> Vec<Call> {
    const TASK: &str = r#"{"title": "a word", "completed": false, "priority": 1, "tags": ["tag"], "due_date": "2026-12-01",
        "due_time": "09:30", "due_zone": "Europe/Vilnius", "description": null}"#;
    let (first, second) =
        (format!("00000000-0000-4000-8000-{round:012}"), format!("00000000-0000-4000-9000-{round:012}"));
    let (me, first, second) = (Some(caller), Some(first.as_str()), Some(second.as_str()));
    let write = |operation: &str, id: Option<&str>, rest: &str| {
        let id = id.unwrap_or_default();
        let list = format!(r#""list": [{{"operation": "task.{operation}", "id": "{id}", {rest}}}]"#);
        call(
            "select split_part(split_part(api.run_writes($1, $2::text::jsonb), chr(10), 2), ' ', 1)",
            &[me, Some(&format!(r#"{{"atomic": true, "wait": false, {list}}}"#))],
            match operation {
                "create" => "created",
                "put" if rest.contains("must_be_absent") => "created",
                "delete" => "deleted",
                _ => "changed",
            },
        )
    };
    let document = format!(r#""document": {TASK}"#);
    let keyed = format!(
        r#"{{"key": "key {round}", "fingerprint": "print", "atomic": true, "wait": true,
            "list": [{{"operation": "task.create", "id": "{}", {document}}}]}}"#,
        first.unwrap_or_default()
    );
    let both = format!(
        r#"{{"atomic": false, "wait": true, "list": [
            {{"operation": "task.patch", "id": "{0}", "if_match": ["x"], "document": {{}}}},
            {{"operation": "task.patch", "id": "{0}", "document": {{}}}}]}}"#,
        first.unwrap_or_default()
    );
    let several = "select split_part(split_part(api.run_writes($1, $2::text::jsonb), chr(10), 3), ' ', 1)";
    let outcome = "select split_part(api.run_writes($1, $2::text::jsonb), ' ', 1)";
    let list = "select substring(api.show_tasks($1, $2::text::jsonb), '\\n(page) ')";
    let mut calls = vec![
        call("select oldest::text from api.interface() where null::api.interface_5 is null", &[], "1"),
        call(outcome, &[me, Some(&keyed)], "done"),
        call(outcome, &[me, Some(&keyed)], "replayed"),
        call("select substring(api.show_task($1, $2::text::uuid), ' ({)')", &[me, first], "{"),
        call("select number::text, caller, answer from api.show_task_of_each(array[$1], array[$2])", &[me, first], "1"),
        write("put", first, &document),
        write("put", second, &format!(r#""must_be_absent": true, {document}"#)),
        write("patch", first, r#""document": {"title": "another word"}"#),
        write("complete", first, r#""document": {}"#),
        call(several, &[me, Some(&both)], "changed"),
        call(
            "select number::text, caller, answer from api.show_tasks_of_each(array[$1], array[$2])",
            &[me, Some(r#"{"order": "due_asc", "limit": 1}"#)],
            "1",
        ),
    ];
    for order in ["created_at", "updated_at", "due", "priority", "title"] {
        for direction in ["asc", "desc"] {
            let page = format!(
                r#"{{"order": "{order}_{direction}", "limit": 1, "slot": true, "filter": {{"q": "wo", "tags": ["tag"], "priorities": [1]}}}}"#
            );
            calls.push(call(list, &[me, Some(&page)], "page"));
            let short = format!(
                r#"{{"order": "{order}_{direction}", "limit": 1, "slot": true, "short": true, "filter": {{"priorities": [1]}}}}"#
            );
            calls.push(call(list, &[me, Some(&short)], "page"));
        }
    }
    let counted =
        r#"{"order": "due_desc", "limit": 1, "count": true, "filter": {"overdue": false, "completed": false}}"#;
    calls.push(call(list, &[me, Some(counted)], "page"));
    for id in [first, second] {
        calls.push(write("delete", id, r#""document": null"#));
    }
    calls.extend(older_calls(me, first));
    calls
}

/// What older components call.
fn older_calls(me: Option<&str>, id: Option<&str>) -> Vec<Call> {
    const TASK: &str = r#"{"title": "a word", "completed": false, "priority": 1, "tags": []}"#;
    const ANOTHER: &str = r#"{"title": "another word", "completed": false, "priority": 1, "tags": []}"#;
    let page = Some(r#"{"order": "due_asc", "limit": 1}"#);
    let several = |key: &str| {
        let id = id.unwrap_or_default();
        format!(
            r#"{{{key}"atomic": false, "wait": true, "list": [
                {{"operation": "task.patch", "id": "{id}", "if_match": ["x"], "document": {{}}}},
                {{"operation": "task.patch", "id": "{id}", "document": {{"title": "done"}}}}]}}"#
        )
    };
    let keyed = several(&format!(r#""key": "old {}", "fingerprint": "print", "#, id.unwrap_or_default()));
    let writes = "select outcome, epoch, outcomes, ids, seqs, versions, bodies from api.write($1, $2::text::jsonb)";
    let list = "select outcome, seq, epoch, tasks, last_key, last_id, total from api.read_tasks($1, $2::text::jsonb)";
    vec![
        call(
            "select outcome from api.task_create($1, $2::text::uuid, $3::text::jsonb, null, null)",
            &[me, id, Some(TASK)],
            "created",
        ),
        call("select version::text from api.task_get($1, $2::text::uuid)", &[me, id], "1"),
        call(
            "select outcome from api.task_put($1, $2::text::uuid, '{1}', false, $3::text::jsonb)",
            &[me, id, Some(ANOTHER)],
            "ok",
        ),
        call(
            "select outcome from api.task_patch($1, $2::text::uuid, '{2}', '{\"priority\": 2}', null, null)",
            &[me, id],
            "ok",
        ),
        call("select outcome from api.task_complete($1, $2::text::uuid, '{3}', null, null, null)", &[me, id], "ok"),
        call("select unchanged::text from api.task_list($1, $2::text::jsonb)", &[me, page], "false"),
        call("select substr(etag, 17, 1), task from api.get_task($1, $2::text::uuid)", &[me, id], "-"),
        call("select number::text, caller, task, etag from api.get_task_of_each(array[$1], array[$2])", &[me, id], "1"),
        call("select outcome, etag, tasks from api.list_tasks($1, $2::text::jsonb)", &[me, page], "page"),
        call("select number::text, etag, tasks from api.list_tasks_of_each(array[$1], array[$2])", &[me, page], "1"),
        call(
            "select outcome, etag from api.replace_task($1, $2::text::uuid, null, false, $3::text::jsonb, true)",
            &[me, id, Some(TASK)],
            "ok",
        ),
        call(
            "select outcome, etag from api.patch_task($1, $2::text::uuid, null, '{\"priority\": 3}', null, null, true)",
            &[me, id],
            "ok",
        ),
        call(
            "select outcome, etag from api.complete_task($1, $2::text::uuid, null, null, null, null, true)",
            &[me, id],
            "ok",
        ),
        call("select outcome from api.task_delete($1, $2::text::uuid, '{7}')", &[me, id], "deleted"),
        call(
            "select outcome, etag from api.create_task($1, $2::text::uuid, $3::text::jsonb, null, null, true)",
            &[me, id, Some(TASK)],
            "created",
        ),
        call("select outcome from api.task_delete($1, $2::text::uuid, '{1}')", &[me, id], "deleted"),
        call(
            "select outcome, task, seq, epoch from api.add_task($1, $2::text::uuid, $3::text::jsonb, null, null, true)",
            &[me, id, Some(TASK)],
            "created",
        ),
        call(
            "select outcome, task, seq, epoch from api.put_task($1, $2::text::uuid, null, false, $3::text::jsonb, false)",
            &[me, id, Some(ANOTHER)],
            "ok",
        ),
        call(
            "select outcome, task, seq, epoch from api.change_task($1, $2::text::uuid, null, '{\"priority\": 2}', null, null, true)",
            &[me, id],
            "ok",
        ),
        call(
            "select outcome, task, seq, epoch from api.mark_task($1, $2::text::uuid, null, null, null, null, true)",
            &[me, id],
            "ok",
        ),
        call(writes, &[me, Some(&several(""))], "done"),
        call(writes, &[me, Some(&keyed)], "done"),
        call(writes, &[me, Some(&keyed)], "replayed"),
        call("select left(task, 1), seq, epoch from api.read_task($1, $2::text::uuid)", &[me, id], "{"),
        call(
            "select number::text, caller, task, seq, epoch from api.read_task_of_each(array[$1], array[$2])",
            &[me, id],
            "1",
        ),
        call(list, &[me, page], "page"),
        call(
            "select number::text, caller, outcome, seq, epoch, tasks, last_key, last_id, total \
            from api.read_tasks_of_each(array[$1], array[$2])",
            &[me, page],
            "1",
        ),
        call("select outcome from api.delete_task($1, $2::text::uuid, null, true)", &[me, id], "deleted"),
        call("select (api.turn_of($1) is not null)::text", &[me], "true"),
    ]
}

/// As the component's role, prepared anew and run apart for each call, as Spin does it. Returns what failed.
/// Each call that was made, failed or not, is told to `made`.
async fn work(
    address: Address,
    number: usize,
    made: UnboundedSender<usize>,
    stop: Arc<AtomicBool>,
) -> Result<Vec<String>> {
    let client = connect::connect(&address).await?;
    client
        .batch_execute(
            "set session authorization errand_app; set plan_cache_mode = force_generic_plan; \
            set statement_timeout = '20s'; set lock_timeout = '10s'",
        )
        .await?;
    let mut failed = Vec::new();
    for round in 0.. {
        for Call { statement, parameters, answer } in calls(&format!("caller {number}"), round) {
            if stop.load(Ordering::Relaxed) {
                client.batch_execute("select pg_stat_force_next_flush()").await?;
                return Ok(failed);
            }
            let ask = async |statement: &str, parameters: &[Option<String>]| {
                let parameters: Vec<_> = parameters.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
                let prepared = client.prepare(statement).await?;
                tokio::task::yield_now().await;
                let row = client.query_one(&prepared, &parameters).await?;
                let told: Option<&str> = row.try_get(0)?;
                ensure!(told == Some(answer), "it answered {told:?}, not {answer}");
                Ok(())
            };
            let mut outcome = ask(&statement, &parameters).await;
            if outcome.as_ref().is_err_and(met_a_lock) {
                // Extending a table takes a brief exclusive lock. The component retries with a wait in this case, too.
                let waiting = |text: &String| text.replace(r#""wait": false"#, r#""wait": true"#);
                let parameters: Vec<_> = parameters.iter().map(|text| text.as_ref().map(waiting)).collect();
                outcome = ask(&statement.replace(" false)", " true)"), &parameters).await;
            }
            if let Err(error) = outcome {
                failed.push(format!("{statement}: {error:#}"));
            }
            made.send(number)?;
        }
    }
    Ok(failed)
}

fn met_a_lock(error: &anyhow::Error) -> bool {
    let code = error.downcast_ref::<tokio_postgres::Error>().and_then(tokio_postgres::Error::code);
    code == Some(&SqlState::LOCK_NOT_AVAILABLE)
}

/// The callers at work, and how many calls each has made.
struct Crowd {
    callers: Vec<JoinHandle<Result<Vec<String>>>>,
    made: UnboundedReceiver<usize>,
    counts: [usize; CALLERS],
}

impl Crowd {
    fn count(&mut self, number: usize) {
        if let Some(count) = self.counts.get_mut(number) {
            *count += 1;
        }
    }

    /// Waits until each caller has made this many calls more, or until one has given up.
    async fn make(&mut self, calls: usize) {
        while let Ok(number) = self.made.try_recv() {
            self.count(number);
        }
        let goals = self.counts.map(|count| count + calls);
        while self.counts.iter().zip(&goals).any(|(count, goal)| count < goal)
            && !self.callers.iter().any(JoinHandle::is_finished)
        {
            let Some(number) = self.made.recv().await else { return };
            self.count(number);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_notice_nothing_of_fifty_replacements() -> Result<()> {
    let (address, files) = (database().await?, Migrations::of_checkout()?);
    migrate(&address, &files).await?;
    let admin = connect::connect(&address).await?;
    admin.batch_execute(&format!("alter database {} set track_functions = 'all'", address.database())).await?;
    let originals: Vec<_> =
        files.functions()?.into_iter().map(|name| Ok((files.read(&name)?, name))).collect::<Result<_>>()?;
    let oids = ask(&address, OIDS).await?;
    // Every other caller has an account so large that its pages may end early.
    admin
        .batch_execute(&format!(
            "insert into errand.account (user_id, seq, last_at)
             select 'caller ' || n, 1000000, now() from generate_series(0, {CALLERS}, 2) as n"
        ))
        .await?;

    let stop = Arc::new(AtomicBool::new(false));
    let (sender, made) = unbounded_channel();
    let callers = (0..CALLERS).map(|n| tokio::spawn(work(address.clone(), n, sender.clone(), stop.clone()))).collect();
    drop(sender);
    let mut crowd = Crowd { callers, made, counts: [0; CALLERS] };
    for revision in 0..REPLACEMENTS {
        for (original, name) in &originals {
            let mut text = original.clone();
            for opening in ["as $$", "as $body$"] {
                text = text.replace(opening, &format!("{opening} /* revision {revision} */"));
            }
            files.write(name, &text)?;
        }
        let report = migrate(&address, &files).await?;
        assert!(report.functions_replaced && report.functions_dropped.is_empty(), "{report:?}");
        crowd.make(CALLS_BETWEEN).await;
    }
    // Each caller has made every call then.
    crowd.make(calls("", 0).len()).await;
    stop.store(true, Ordering::Relaxed);
    let mut failed = Vec::new();
    for caller in crowd.callers {
        failed.extend(caller.await??);
    }
    let made: usize = crowd.counts.iter().sum();
    assert!(failed.is_empty(), "{} of {made} calls failed:\n{}", failed.len(), failed.join("\n"));
    assert_eq!(ask(&address, OIDS).await?, oids);
    let last = format!("%revision {}%", REPLACEMENTS - 1);
    let unchanged = format!(
        "select string_agg(proname, ' ') from pg_proc \
         where pronamespace = 'api'::regnamespace and prosrc not like '{last}'"
    );
    assert_eq!(ask(&address, &unchanged).await?, "", "these were not replaced");
    // turn_of is inlined, so it is not counted. Tasks stand for every resource.
    let idle = "select string_agg(proname, ' ') from pg_proc where pronamespace = 'api'::regnamespace \
         and proname ~ 'task|write|ready|interface' \
         and not exists (select from pg_stat_user_functions as called where called.funcid = pg_proc.oid)";
    assert_eq!(ask(&address, idle).await?, "", "these were not called");
    Ok(())
}

#[test]
fn the_callers_make_every_call_of_the_component() -> Result<()> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../src");
    // Tasks stand for every resource.
    let files = ["data.rs", "data/tasks.rs", "data/writes.rs"];
    let texts = files.map(|file| fs::read_to_string(source.join(file)));
    let texts = texts.into_iter().collect::<Result<Vec<_>, _>>()?;
    let made = calls("", 0);
    let mut found = 0;
    for name in texts.iter().flat_map(|text| text.split("api.").skip(1)).filter_map(|rest| rest.split_once('(')) {
        let (name, _) = name;
        if name.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
            found += 1;
            let function = format!("api.{name}(");
            made.iter()
                .find(|call| call.statement.contains(&function))
                .with_context(|| format!("{function} is not called"))?;
        }
    }
    // Reads have a statement for one call and one for many: the writes, 2 reads with 2 each, and readiness.
    assert_eq!(found, 6);
    Ok(())
}
