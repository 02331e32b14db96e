//! The wall in the database: what the component's role can and cannot do.

use errand::data::Statement;
use serde_json::json;
use uuid::Uuid;

use crate::support::{User, scratch, target};

#[test]
fn without_a_caller_there_are_no_rows() {
    let user = User::new("wall");
    user.with_json("POST", "/tasks", &[("idempotency-key", "key")], json!({"title": "t"})).expect(201);
    // Each on a connection that has never heard of a caller.
    for table in ["errand.task", "errand.account", "errand.idempotency"] {
        assert_eq!(target().app_query(&format!("select count(*) from {table}")).unwrap(), ["0"]);
        let rows = target().admin_query(&format!("select count(*) from {table} where user_id = '{}'", user.id));
        assert_eq!(rows, ["1"]);
    }
    assert_eq!(target().app_query("update errand.task set title = 'x' returning id").unwrap(), [""; 0]);
    assert_eq!(target().app_query("delete from errand.task returning id").unwrap(), [""; 0]);
}

#[test]
fn a_function_without_any_condition_sees_the_callers_rows_alone() {
    let (alice, bob) = (User::new("wall-alice"), User::new("wall-bob"));
    alice.create(json!({"title": "Alice's"}));
    bob.create(json!({"title": "Bob's"}));
    target().admin_query(
        "create schema if not exists probe;
         create or replace function probe.everything(p_caller text) returns setof text language plpgsql as $$
         begin perform errand.announce(p_caller); return query select title from errand.task; end $$;
         create or replace function probe.forgetful(p_caller text) returns setof text language plpgsql as $$
         begin return query update errand.task set title = 'taken' returning title; end $$;
         grant usage on schema probe to errand_app",
    );
    let titles = target().app_query(&format!("select probe.everything('{}')", alice.id)).unwrap();
    assert_eq!(titles, ["Alice's"]);
    assert_eq!(target().app_query(&format!("select probe.forgetful('{}')", alice.id)).unwrap(), [""; 0]);
    assert_eq!(bob.titles(""), ["Bob's"]);
    assert_eq!(alice.titles(""), ["Alice's"]);
}

#[test]
fn a_caller_cannot_write_in_anothers_name() {
    let (alice, bob) = (User::new("name-alice"), User::new("name-bob"));
    alice.create(json!({"title": "Alice's"}));
    let insert = format!(
        "begin; select errand.announce('{}');
         insert into errand.account values ('{}', 1, now())",
        bob.id, alice.id
    );
    assert_eq!(target().app_query(&insert), Err("42501".to_owned()));
    let give = format!("begin; select errand.announce('{}'); update errand.task set user_id = '{}'", alice.id, bob.id);
    assert_eq!(target().app_query(&give), Err("42501".to_owned()));
}

#[test]
fn a_role_that_the_wall_does_not_hold_is_turned_away() {
    let admin = target().admin_query(
        "do $$ begin perform api.read_task('anyone', gen_random_uuid()); raise 'let in';
         exception when insufficient_privilege then null; end $$; select 'refused'",
    );
    assert_eq!(admin, ["refused"]);
}

#[test]
fn a_role_that_could_take_the_wall_down_or_wait_for_ever_is_not_ready() {
    let scratch = scratch();
    let ready = |settings: &str| {
        let call = format!("set local role errand_app; {settings}; select api.ready()");
        scratch.attempt(&call).map_err(|refusal| refusal.sqlstate)
    };
    let (refused, timeouts) =
        (Err("42501".to_owned()), "set local statement_timeout = '4s'; set local lock_timeout = '3s'");
    assert_eq!(ready(timeouts), Ok(vec!["t".to_owned()]));
    assert_eq!(ready("set local lock_timeout = '3s'; set local statement_timeout = 0"), refused);
    assert_eq!(ready("set local statement_timeout = '4s'; set local lock_timeout = 0"), refused);
    scratch.rows("revoke select on errand.account from errand_app");
    assert_eq!(ready(timeouts), refused);
    scratch.rows("grant select on errand.account to errand_app; alter role errand_app bypassrls");
    assert_eq!(ready(timeouts), refused);
    scratch.rows("alter role errand_app nobypassrls");
    let owner = scratch.rows("select relowner::regrole from pg_class where oid = 'errand.task'::regclass").concat();
    scratch.rows(&format!("grant {owner} to errand_app"));
    assert_eq!(ready(timeouts), refused);
    scratch.rows(&format!("revoke {owner} from errand_app; alter table errand.task owner to errand_app"));
    assert_eq!(ready(timeouts), refused);
}

#[test]
fn the_role_owns_nothing_and_can_make_nothing() {
    for sql in [
        "create table errand.x ()",
        "create table api.x ()",
        "create schema x",
        "create role x",
        "alter table errand.task disable row level security",
        "drop function api.ready()",
        "truncate errand.task",
        "select * from pg_authid",
        "set role postgres",
        "delete from errand.account",
        "create function api.x() returns int language sql as 'select 1'",
    ] {
        assert_eq!(target().app_query(sql), Err("42501".to_owned()), "{sql}");
    }
    let owned = target().admin_query(
        "select relname from pg_class where relowner = 'errand_app'::regrole
         union all select proname from pg_proc where proowner = 'errand_app'::regrole",
    );
    assert_eq!(owned, [""; 0]);
    let flags = target().admin_query(
        "select rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication or rolinherit from pg_roles
         where rolname = 'errand_app'",
    );
    assert_eq!(flags, ["f"]);
    let unforced = target().admin_query(
        "select relname from pg_class where relnamespace = 'errand'::regnamespace and relkind = 'r'
         and not (relrowsecurity and relforcerowsecurity)",
    );
    assert_eq!(unforced, [""; 0]);
}

#[test]
fn the_wall_holds_without_any_other_condition() {
    // The whole suite runs with functions that compare no user ids, so what it proves, row-level security alone proves.
    let comparing = target().admin_query(
        "select proname from pg_proc where pronamespace = 'api'::regnamespace
         and prosrc ~ 'user_id\\s*(=|<>|!=|is|in)\\M'",
    );
    assert_eq!(comparing, [""; 0]);
    let unfenced = target().admin_query(
        "select relname from pg_class c where relnamespace = 'errand'::regnamespace and relkind = 'r' and not exists
         (select from pg_policy p where p.polrelid = c.oid)",
    );
    assert_eq!(unfenced, [""; 0]);
}

#[test]
fn the_role_reaches_nothing_of_others() {
    target().admin_query(
        "create schema if not exists neighbour;
         create table if not exists neighbour.secrets (secret text);
         create or replace function neighbour.tell() returns text language sql as $$ select 'secret' $$;
         create table if not exists public.secrets (secret text)",
    );
    for sql in [
        "select * from neighbour.secrets",
        "select neighbour.tell()",
        "select * from public.secrets",
        "insert into public.secrets values ('x')",
        "select errand.derive_task()",
        "create table public.x ()",
        "select pg_read_file('/etc/passwd')",
        "select lo_import('/etc/passwd')",
        "copy errand.task to program 'cat'",
        "alter role errand_app bypassrls",
        "alter role errand_app_2 password 'x'",
        "create policy open on errand.task using (true)",
    ] {
        assert_eq!(target().app_query(sql), Err("42501".to_owned()), "{sql}");
    }
    let elsewhere = target().admin_query(
        "select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
         where n.nspname not in ('pg_catalog', 'information_schema', 'api', 'errand', 'probe')
         and has_schema_privilege('errand_app', n.oid, 'usage') and has_function_privilege('errand_app', p.oid, 'execute')",
    );
    assert_eq!(elsewhere, [""; 0]);
    // The operator's. A function of errand that its file does not grant would be here; those of triggers are PostgreSQL's to call.
    let refused = target().admin_query(
        "select proname from pg_proc where pronamespace = 'errand'::regnamespace
         and prorettype <> 'trigger'::regtype and not has_function_privilege('errand_app', oid, 'execute') order by 1",
    );
    assert_eq!(
        refused,
        [
            "begin_epoch",
            "begin_folding",
            "fold_tasks",
            "learn_time_zones",
            "raise_account_start",
            "refresh_due",
            "tasks_to_fold",
            "tidy"
        ]
    );
    let everyones = target().admin_query(
        "select p.oid::regprocedure::text from pg_proc p
         where p.pronamespace in ('api'::regnamespace, 'errand'::regnamespace) and has_function_privilege('public', p.oid, 'execute')",
    );
    assert_eq!(everyones, [""; 0]);
    for sql in [
        "select errand.begin_epoch()",
        "select errand.tidy(1)",
        "select errand.raise_account_start(1)",
        "select errand.refresh_due('a', null, 1)",
        "set role errand_maintenance",
        "set role errand_app_2",
    ] {
        assert_eq!(target().app_query(sql), Err("42501".to_owned()), "{sql}");
    }
}

/// docs/security.md has the list: what PostgreSQL lets every role do is not taken away in a database that may be shared.
#[test]
fn the_role_can_what_everybody_can() {
    for sql in [
        "alter role errand_app password 'another'",
        "set jit = on",
        "select lo_create(0)",
        "select pg_try_advisory_lock(1)",
        "notify errand",
        "create temporary table x ()",
    ] {
        let ran = target().app_query(&format!("begin; {sql}; rollback"));
        assert!(ran.is_ok(), "{sql}: {ran:?}");
    }
}

#[test]
fn every_api_function_announces_its_caller_and_runs_with_the_callers_rights() {
    let definers =
        target().admin_query("select proname from pg_proc where pronamespace = 'api'::regnamespace and prosecdef");
    assert_eq!(definers, [""; 0]);
    let silent = target().admin_query(
        "select proname from pg_proc where pronamespace = 'api'::regnamespace and 'p_caller' = any (proargnames)
         and proname not in ('announce', 'next_write') and prosrc not like '%declare
    caller constant text := errand.announce(p_caller);%'",
    );
    assert_eq!(silent, [""; 0]);
}

/// A batch returns to each caller only the rows of that caller.
#[test]
fn a_function_for_several_callers_announces_each_of_them() {
    let [alice, bob] = ["group-alice", "group-bob"].map(User::new);
    let [of_alice, of_bob] = [&alice, &bob].map(|user| user.create(json!({"title": user.id})).id.to_string());
    let (a, b) = (&alice.id, &bob.id);
    let session = target().app_session();
    let given = session.rows(&format!(
        "select concat_ws(' ', number, caller, coalesce(substr(answer, strpos(answer, '{{'))::jsonb ->> 'title', 'none'))
         from api.show_task_of_each(array['{a}', '{a}', '{b}', '{b}'], array['{of_alice}', '{of_bob}', '{of_alice}', '{of_bob}'])"
    ));
    assert_eq!(given, [format!("1 {a} {a}"), format!("2 {a} none"), format!("3 {b} none"), format!("4 {b} {b}")]);
    // As older components ask.
    let tasks = session.rows(&format!(
        "select concat_ws(' ', number, caller, coalesce(task::jsonb ->> 'title', 'none'), seq, epoch = errand.epoch())
         from api.read_task_of_each(array['{a}', '{a}', '{b}', '{b}'], array['{of_alice}', '{of_bob}', '{of_alice}', '{of_bob}'])"
    ));
    assert_eq!(
        tasks,
        [format!("1 {a} {a} 1 t"), format!("2 {a} none"), format!("3 {b} none"), format!("4 {b} {b} 1 t")]
    );
    let list = r#"{"order": "title_asc", "limit": 9}"#;
    let given = session.rows(&format!(
        "select concat_ws(' ', number, caller, split_part(answer, chr(10), 2)::jsonb ->> 'title')
         from api.show_tasks_of_each(array['{b}', '{a}', '{b}'], array['{list}', '{list}', '{list}'])"
    ));
    assert_eq!(given, [format!("1 {b} {b}"), format!("2 {a} {a}"), format!("3 {b} {b}")]);
    let lists = session.rows(&format!(
        "select concat_ws(' ', number, caller, split_part(tasks, chr(10), 2)::jsonb ->> 'title', seq, epoch = errand.epoch())
         from api.read_tasks_of_each(array['{b}', '{a}', '{b}'], array['{list}', '{list}', '{list}'])"
    ));
    assert_eq!(lists, [format!("1 {b} {b} 1 t"), format!("2 {a} {a} 1 t"), format!("3 {b} {b} 1 t")]);
    let announced = target().admin_query(
        "select proname from pg_proc where pronamespace = 'api'::regnamespace and 'p_callers' = any (proargnames) order by 1",
    );
    let of_now = ["show_task_of_each", "show_tasks_of_each"];
    let older = ["get_task_of_each", "list_tasks_of_each", "read_task_of_each", "read_tasks_of_each"];
    assert_eq!(announced, [&older[..], &of_now].concat());
}

#[test]
fn every_write_takes_the_next_number_of_its_user() {
    let user = User::new("seq");
    let path = format!("/tasks/{}", user.create(json!({"title": "1"})).id);
    let put = format!("/tasks/{}", Uuid::now_v7());
    let complete = format!("{path}/complete");
    let json = [("content-type", "application/json")];
    let put_new = [json[0], ("if-none-match", "*")];
    let of = |column: &str, table: &str| {
        target()
            .admin_query(&format!("select max({column}) from errand.{table} where user_id = '{}'", user.id))
            .concat()
    };
    for (number, (method, rest, headers, body)) in [
        ("PUT", &path, &json[..], Some(r#"{"title": "2", "completed": false}"#)),
        ("PATCH", &path, &json, Some(r#"{"title": "3"}"#)),
        ("PATCH", &complete, &json, Some(r#"{"completed": true}"#)),
        ("PATCH", &complete, &[], None),
        ("PUT", &put, &put_new, Some(r#"{"title": "6", "completed": true}"#)),
        ("POST", &"/tasks".to_owned(), &json, Some(r#"{"title": "7"}"#)),
    ]
    .into_iter()
    .enumerate()
    {
        let reply = user.send(method, rest, headers, body.map(str::as_bytes));
        assert!(reply.status < 300, "{method} {rest}: {}", reply.body);
        let expected = (number + 2).to_string();
        assert_eq!((of("seq", "task"), of("seq", "account")), (expected.clone(), expected), "{method} {rest}");
        // What a list is known by, and what changed since.
        let list = user.get("/tasks").header("etag").to_owned();
        assert!(list.ends_with(&format!("-{}\"", number + 2)), "{list}");
        let [last, updated] = [of("last_at", "account"), of("updated_at", "task")];
        assert_eq!(last, updated, "{method} {rest}");
    }
    user.delete(&path).expect(204);
    assert_eq!(of("seq", "account"), "8");
}

/// Runtimes send a statement in this form to learn why PostgreSQL refused it.
#[test]
fn a_statement_that_is_rolled_back_runs_to_its_end_and_leaves_nothing() {
    let user = User::new("rolled-back");
    let kept = user.create(json!({"title": "kept"}));
    let rolled_back = |call: String| target().app_query(&Statement::single(call.leak()).rolled_back());
    let add = |due: &str| {
        format!(
            "select outcome, task, seq, epoch from api.add_task('{}', gen_random_uuid(),
             '{{\"title\": \"t\", \"completed\": false, \"priority\": 0, \"tags\": []{due}}}', 'key', 'print', false)",
            user.id
        )
    };
    let delete = format!("select outcome from api.delete_task('{}', '{}', null, false)", user.id, kept.id);
    for call in [add(""), delete, "select api.ready()".to_owned()] {
        assert_eq!(rolled_back(call), Err(Statement::ROLLED_BACK.to_owned()));
    }
    assert_eq!(user.titles(""), ["kept"]);
    assert_eq!(
        target().admin_query(&format!("select key from errand.idempotency where user_id = '{}'", user.id)),
        [""; 0]
    );
    // An error of its own comes first.
    let nowhere = r#", "due_date": "2026-03-01", "due_time": "10:00", "due_zone": "Nowhere/Else""#;
    assert_eq!(rolled_back(add(nowhere)), Err("23514".to_owned()));
}
