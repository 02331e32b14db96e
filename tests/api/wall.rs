//! Row-level security, table by table: each policy's two sides, the privileges beside them, and how long a caller is
//! announced for.

mod rows;

use rows::{KNOWN, TABLES, Table};
use serde_json::json;

use crate::support::{Scratch, User, migrations, scratch, target};

/// What PostgreSQL says where a policy refuses a row; without a privilege it says something else.
const REFUSED: &str = "new row violates row-level security policy for table";

/// A database with a row of Alice's in each table, seen by the component's role with Bob announced.
fn alices_rows_before_bob() -> Scratch {
    let scratch = scratch();
    assert!(TABLES.len() >= 3);
    for table in TABLES.iter() {
        scratch.rows(&table.row_of("alice"));
    }
    scratch.rows("set local role errand_app; select errand.announce('bob')");
    scratch
}

#[test]
fn each_table_hides_the_rows_of_others() {
    let scratch = alices_rows_before_bob();
    for table in TABLES.iter() {
        assert_eq!(scratch.rows(&format!("select user_id from errand.{table}")), [""; 0], "{table}");
    }
    for table in Table::with_privilege("UPDATE") {
        let change = format!("update errand.{table} set user_id = user_id returning user_id");
        assert_eq!(scratch.rows(&change), [""; 0], "{table}");
    }
    for table in Table::with_privilege("DELETE") {
        assert_eq!(scratch.rows(&format!("delete from errand.{table} returning user_id")), [""; 0], "{table}");
    }
    scratch.rows("reset role");
    for table in TABLES.iter() {
        assert_eq!(scratch.rows(&format!("select user_id from errand.{table}")), ["alice"], "{table}");
    }
}

#[test]
fn each_table_refuses_a_row_in_anothers_name() {
    let scratch = alices_rows_before_bob();
    for table in TABLES.iter() {
        assert_eq!(scratch.attempt(&table.row_of("bob")), Ok(vec![]), "{table}");
        let refusal = scratch.attempt(&table.row_of("carol")).unwrap_err();
        assert!(refusal.sqlstate == "42501" && refusal.message.starts_with(REFUSED), "{table}: {refusal:?}");
    }
    for table in Table::with_privilege("UPDATE") {
        let give = format!("{}; update errand.{table} set user_id = 'carol'", table.row_of("bob"));
        let refusal = scratch.attempt(&give).unwrap_err();
        assert!(refusal.sqlstate == "42501" && refusal.message.starts_with(REFUSED), "{table}: {refusal:?}");
    }
}

#[test]
fn without_a_caller_or_with_an_empty_one_no_table_gives_or_takes_a_row() {
    for announce in ["select", "select errand.announce('')", "select set_config('errand.user_id', null, true)"] {
        let scratch = alices_rows_before_bob();
        scratch.rows("reset role");
        for table in TABLES.iter() {
            scratch.rows(&table.row_of(""));
        }
        scratch.rows("set local role errand_app; select set_config('errand.user_id', '', true)");
        scratch.rows(announce);
        for table in TABLES.iter() {
            assert_eq!(scratch.rows(&format!("select user_id from errand.{table}")), [""; 0], "{announce}: {table}");
            for name in ["", "alice"] {
                let refusal = scratch.attempt(&table.row_of(name)).unwrap_err();
                assert!(refusal.message.starts_with(REFUSED), "{announce}: {table}: {refusal:?}");
            }
        }
    }
}

/// A setting that was never set reads as NULL, not as an empty text.
#[test]
fn a_session_that_never_had_a_caller_reads_and_writes_no_row() {
    for table in TABLES.iter() {
        let session = target().app_session();
        assert_eq!(session.rows(&format!("select user_id from errand.{table}")), [""; 0], "{table}");
        let refusal = session.run(&table.row_of("alice")).unwrap_err();
        assert!(refusal.sqlstate == "42501" && refusal.message.starts_with(REFUSED), "{table}: {refusal:?}");
    }
}

/// With few accounts PostgreSQL reads them all: the caller is looked up once, not once per row.
#[test]
fn the_caller_is_looked_up_once_for_all_accounts() {
    let scratch = alices_rows_before_bob();
    let plan = scratch.rows("explain (costs off) select seq from errand.account").join("\n");
    assert!(plan.contains("InitPlan"), "{plan}");
}

/// The proof that the tests above look at the policies: with one of them open, that table's rows are seen, and no other's.
#[test]
fn each_policy_guards_its_own_table() {
    for open in TABLES.iter() {
        let scratch = alices_rows_before_bob();
        scratch.rows(&format!("reset role; alter policy own on errand.{open} using (true) with check (true)"));
        scratch.rows("set local role errand_app");
        for table in TABLES.iter() {
            let seen = scratch.rows(&format!("select user_id from errand.{table}")).len();
            assert_eq!(seen, usize::from(table == open), "{open} is open: {table}");
        }
        assert_eq!(scratch.attempt(&open.row_of("carol")), Ok(vec![]), "{open}");
    }
}

#[test]
fn learning_time_zones_leaves_the_sessions_own_alone() {
    let scratch = scratch();
    scratch.rows("set local timezone = 'Asia/Tokyo'; select errand.learn_time_zones()");
    assert_eq!(scratch.rows("show timezone"), ["Asia/Tokyo"]);
}

/// Else no index serves the look for the zone of each task that is written.
#[test]
fn a_zone_is_kept_as_it_is_looked_for() {
    let collations = target().admin_query(
        "select distinct attcollation::regcollation::text from pg_attribute
         where (attrelid, attname) in (('errand.time_zone'::regclass, 'folded'), ('errand.task'::regclass, 'due_zone'))",
    );
    assert_eq!(collations, ["\"C\""]);
}

#[test]
fn every_privilege_of_the_component_is_on_this_list() {
    let privileges = target().admin_query(
        "select table_name || ': ' || string_agg(lower(privilege_type), ', ' order by privilege_type)
         from information_schema.table_privileges where grantee = 'errand_app' and table_schema in ('errand', 'api')
         group by table_name order by 1",
    );
    let others = TABLES
        .iter()
        .map(Table::to_string)
        .filter(|table| !["account", "idempotency", "task_term"].contains(&table.as_str()));
    let mut expected: Vec<_> = others.map(|table| table + ": delete, insert, select, update").collect();
    let fixed = [
        "account: insert, select, update",
        "idempotency: delete, insert, select",
        "task_term: insert, select",
        "time_zone: select",
    ];
    expected.extend(fixed.map(str::to_owned));
    expected.sort_unstable();
    assert_eq!(privileges, expected);
    let closed = target().admin_query(
        "select p.oid::regprocedure::text from pg_proc as p where pronamespace = 'api'::regnamespace
         and not has_function_privilege('errand_app', p.oid, 'execute')",
    );
    assert_eq!(closed, [""; 0]);
    let public = target().admin_query(
        "select p.oid::regprocedure::text from pg_proc as p
         where pronamespace in ('api'::regnamespace, 'errand'::regnamespace)
         and has_function_privilege('public', p.oid, 'execute')",
    );
    assert_eq!(public, [""; 0]);
}

/// The database may be shared: errand closes what is its own, and takes nothing from others.
#[test]
fn the_grants_close_what_is_errands_and_leave_the_rest() {
    let access = std::fs::read_to_string(migrations().join("access.sql")).unwrap();
    let scratch = scratch();
    scratch.rows(
        "do $$ begin execute format('grant temporary on database %I to public', current_database()); end $$;
         grant create on schema public to public;
         grant execute on function api.ready() to public",
    );
    let rights = || {
        scratch.rows(
            "select concat_ws(' ', has_function_privilege('public', 'api.ready()', 'execute'),
                 has_schema_privilege('public', 'public', 'create'),
                 has_database_privilege('public', current_database(), 'temporary'))",
        )
    };
    assert_eq!(rights(), ["t t t"]);
    scratch.rows(&access);
    assert_eq!(rights(), ["f t t"]);
    // Some have no such schema.
    scratch.rows(&format!("drop schema public; {access}"));
}

/// In this database: another one of the server may have an errand of another version.
#[test]
fn both_logins_have_their_settings_in_the_database() {
    let set = target().admin_query(
        "select s.setrole::regrole || ': ' || array_to_string(array(select unnest(s.setconfig) order by 1), ', ')
         from pg_db_role_setting as s join pg_database as d on d.oid = s.setdatabase
         where d.datname = current_database() order by 1",
    );
    let expected = "TimeZone=UTC, idle_in_transaction_session_timeout=10s, jit=off, lock_timeout=3s, \
        max_parallel_workers_per_gather=0, plan_cache_mode=force_generic_plan, statement_timeout=4s";
    assert_eq!(set, [format!("errand_app: {expected}"), format!("errand_app_2: {expected}")]);
}

#[test]
fn the_second_login_has_the_rights_of_the_first_and_no_others() {
    let flags = target().admin_query(
        "select rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication or not rolinherit
         from pg_roles where rolname = 'errand_app_2'",
    );
    assert_eq!(flags, ["f"]);
    let member_of = target()
        .admin_query("select roleid::regrole::text from pg_auth_members where member = 'errand_app_2'::regrole");
    assert_eq!(member_of, ["errand_app"]);
    let own = target().admin_query(
        "select classid::regclass::text from pg_shdepend where refobjid = 'errand_app_2'::regrole
         and dbid = (select oid from pg_database where datname = current_database())",
    );
    assert_eq!(own, [""; 0]);
}

#[test]
fn the_role_brings_its_settings_along() {
    let session = target().app_session();
    for (name, value) in [
        ("statement_timeout", "4s"),
        ("lock_timeout", "3s"),
        ("idle_in_transaction_session_timeout", "10s"),
        ("TimeZone", "UTC"),
        ("plan_cache_mode", "force_generic_plan"),
        ("jit", "off"),
        ("max_parallel_workers_per_gather", "0"),
    ] {
        assert_eq!(session.rows(&format!("show {name}")), [value], "{name}");
    }
}

/// A pooler may give the next transaction on a connection to another user.
#[test]
fn a_caller_is_announced_for_one_transaction() {
    let user = User::new("announced");
    let task = user.create(json!({"title": "t"}));
    let session = target().app_session();
    let with = |rest: &str| {
        format!("select * from api.{}", rest.replace("$me", &user.id).replace("$id", &task.id.to_string()))
    };
    let fields = r#"{"title": "t", "completed": false, "priority": 0, "tags": []}"#;
    let mut calls = vec![
        format!("select errand.announce('{}')", user.id),
        // Needs a caller to be announced before it.
        format!("select errand.announce('{0}'), errand.next_write('{0}')", user.id),
        with("show_task('$me', '$id')"),
        with(
            r#"run_writes('$me', '{"atomic": true, "wait": false,
                "list": [{"operation": "task.patch", "id": "$id", "document": {"title": "w"}}]}')"#,
        ),
        with("show_tasks('$me', '{\"order\": \"due_asc\", \"limit\": 1}')"),
        with(&format!("add_task('$me', gen_random_uuid(), '{fields}', null, null, false)")),
        with(&format!("put_task('$me', '$id', null, false, '{fields}', true)")),
        with("change_task('$me', '$id', null, '{\"title\": \"u\"}', null, null, true)"),
        with("mark_task('$me', '$id', null, null, null, null, null)"),
        with("delete_task('$me', '$id', null, false)"),
        "select api.ready()".to_owned(),
        // What older components call.
        with("read_task('$me', '$id')"),
        with(r#"write('$me', '{"list": [{"operation": "task.patch", "id": "$id", "document": {"title": "v"}}]}')"#),
        with("read_tasks('$me', '{\"order\": \"due_asc\", \"limit\": 1}')"),
        with(&format!("task_create('$me', '$id', '{fields}', null, null)")),
        with("task_get('$me', '$id')"),
        with(&format!("create_task('$me', gen_random_uuid(), '{fields}', null, null, false)")),
        with(&format!("replace_task('$me', '$id', null, false, '{fields}', true)")),
        with("patch_task('$me', '$id', null, '{\"title\": \"u\"}', null, null, true)"),
        with("complete_task('$me', '$id', null, null, null, null, null)"),
        with("get_task('$me', '$id')"),
        with("list_tasks('$me', '{\"order\": \"due_asc\", \"limit\": 1}')"),
        with("task_list('$me', '{\"order\": \"due_asc\", \"limit\": 1}')"),
        with("task_tags('$me', '$id', '{1}')"),
        with(&format!("task_put('$me', '$id', '{{1}}', false, '{fields}')")),
        with("task_patch('$me', '$id', null, '{\"title\": \"u\"}', null, null)"),
        with("task_complete('$me', '$id', null, null, null, null)"),
        with("task_delete('$me', '$id', null)"),
    ];
    let known =
        calls.iter().filter_map(|call| call.split_once("api.")?.1.split('(').next()).collect::<Vec<_>>().join(",");
    // A function without a call above gets values of its types.
    let others = target().admin_query(&format!(
        "select format('%s(%s)', p.proname, string_agg(case
             when argument.place = 1 then '''$me'''
             when argument.type = 'uuid' then '''$id'''
             when argument.type = 'jsonb' then '''{{}}'''
             else 'null'
         end, ', ' order by argument.place))
         from pg_proc as p, unnest(p.proargtypes::oid[]::regtype[]::text[]) with ordinality as argument (type, place)
         where p.pronamespace = 'api'::regnamespace and p.proargnames[1] = 'p_caller' and p.proname <> all ('{{{known}}}')
         group by p.oid, p.proname",
    ));
    calls.extend(others.iter().map(|other| with(other)));
    for call in calls {
        session.rows(&call);
        assert_eq!(session.rows("select current_setting('errand.user_id', true)"), [""], "{call}");
        for table in TABLES.iter() {
            assert_eq!(session.rows(&format!("select user_id from errand.{table}")), [""; 0], "{call}: {table}");
        }
    }
}

/// Free space in the page lets PostgreSQL update the row of an account without an index write (HOT).
#[test]
fn accounts_have_room_for_their_next_state() {
    let options = "select relname || ': ' || reloptions::text from pg_class
        where relnamespace = 'errand'::regnamespace and reloptions is not null";
    assert_eq!(target().admin_query(options), ["account: {fillfactor=50}", "task_term: {toast_tuple_target=8160}"]);
}

#[test]
fn the_tables_have_these_indexes() {
    let indexes = target().admin_query(
        "select substr(indexdef, strpos(indexdef, 'INDEX')) from pg_indexes where schemaname = 'errand' order by indexname",
    );
    let (indexes, others): (Vec<_>, Vec<_>) =
        indexes.into_iter().partition(|index| KNOWN.iter().any(|table| index.contains(&format!(" errand.{table} "))));
    // Row-level security leaves no index without the user a way to the rows.
    assert!(others.iter().all(|index| index.contains("(user_id, ")), "{others:?}");
    let expected = [
        "INDEX account_number_idx ON errand.account USING btree (number)",
        "INDEX account_pkey ON errand.account USING btree (user_id)",
        "INDEX idempotency_created_at_idx ON errand.idempotency USING btree (created_at)",
        "INDEX idempotency_number_idx ON errand.idempotency USING btree (user_id, number)",
        "INDEX idempotency_pkey ON errand.idempotency USING btree (user_id, key)",
        "INDEX task_created_at_idx ON errand.task USING btree (user_id, created_at, id)",
        "INDEX task_due_idx ON errand.task USING btree (user_id, due_key, id)",
        "INDEX task_pkey ON errand.task USING btree (user_id, id)",
        "INDEX task_priority_idx ON errand.task USING btree (user_id, priority, id)",
        "INDEX task_term_pkey ON errand.task_term USING btree (user_id, term, batch)",
        "INDEX task_title_idx ON errand.task USING btree (user_id, title_key, id)",
        "INDEX task_updated_at_idx ON errand.task USING btree (user_id, updated_at, id)",
        "INDEX time_zone_pkey ON errand.time_zone USING btree (folded)",
    ];
    assert_eq!(indexes, expected);
}

/// What may be unknown, column by column: everything else is there in every row.
#[test]
fn only_these_columns_may_be_null() {
    let nullable = target().admin_query(
        "select table_name || '.' || column_name from information_schema.columns
         where table_schema = 'errand' and is_nullable = 'YES' order by 1",
    );
    let known = |column: &String| column.split_once('.').is_some_and(|(table, _)| KNOWN.contains(&table));
    let nullable: Vec<_> = nullable.into_iter().filter(known).collect();
    let expected = [
        "account.number",
        "idempotency.ids",
        "idempotency.number",
        "idempotency.seq",
        "idempotency.statuses",
        "idempotency.task",
        "idempotency.version",
        "task.completed_at",
        "task.description",
        "task.description_text",
        "task.due_at",
        "task.due_date",
        "task.due_time",
        "task.due_zone",
        "task.tags_text",
        "task.title_text",
        "task.words",
        "task.words_at",
    ];
    assert_eq!(nullable, expected);
}

/// PostgreSQL parses and plans the text of a CHECK constraint in each statement that writes. `errand.derive_task` checks the rules.
#[test]
fn no_table_has_a_check_constraint() {
    let checks = scratch().rows(
        "select conrelid::regclass || ' ' || conname from pg_constraint
         where contype = 'c' and connamespace = 'errand'::regnamespace and conrelid <> 0",
    );
    assert_eq!(checks, [""; 0]);
}

/// The rules of a row keep out what the component refuses first: nothing else is there to test them.
#[test]
fn the_tables_refuse_what_no_task_and_no_user_can_be() {
    let scratch = scratch();
    let refused_by =
        |sql: &str| scratch.attempt(sql).err().map(|refusal| refusal.constraint.unwrap_or(refusal.message));
    let insert = |column: &str, value: &str| {
        let mut values = vec![
            ("user_id", "'alice'"),
            ("id", "gen_random_uuid()"),
            ("seq", "1"),
            ("created_at", "now()"),
            ("updated_at", "now()"),
            ("completed", "false"),
            ("priority", "0"),
            ("tags", "'{}'"),
            ("title", "'t'"),
        ];
        values.retain(|(known, _)| !column.split(", ").any(|column| column == *known));
        let (columns, known): (Vec<_>, Vec<_>) = values.into_iter().unzip();
        format!("insert into errand.task ({}, {column}) values ({}, {value})", columns.join(", "), known.join(", "))
    };
    for (column, value, constraint) in [
        ("title", "repeat('ž', 255)", None),
        ("title", "repeat('ž', 256)", Some("task_title_length")),
        ("title", "''", Some("task_title_length")),
        ("description", "repeat('ž', 10000)", None),
        ("description", "repeat('ž', 10001)", Some("task_description_length")),
        ("description", "repeat('d', 10001)", Some("task_description_length")),
        ("priority", "0", None),
        ("priority", "3", None),
        ("priority", "4", Some("task_priority_range")),
        ("priority", "-1", Some("task_priority_range")),
        ("tags", "array(select 't' || n from generate_series(1, 20) as n)", None),
        ("tags", "array(select 't' || n from generate_series(1, 21) as n)", Some("task_tags_count")),
        ("due_date", "'2026-12-01'", None),
        ("due_date, due_time, due_zone", "'2026-12-01', '09:30', 'UTC'", None),
        ("due_date, due_time", "'2026-12-01', '09:30'", Some("task_due_parts")),
        ("due_date, due_zone", "'2026-12-01', 'UTC'", Some("task_due_parts")),
        ("due_time, due_zone", "'09:30', 'UTC'", Some("task_due_parts")),
        ("due_zone", "'UTC'", Some("task_due_parts")),
        ("due_time", "'09:30'", Some("task_due_parts")),
        ("completed, completed_at", "true, now()", None),
        ("completed", "true", Some("task_completed_at")),
        ("completed_at", "now()", Some("task_completed_at")),
    ] {
        assert_eq!(refused_by(&insert(column, value)).as_deref(), constraint, "{column} = {value}");
    }
    let create = |user: &str| {
        format!(
            r#"set local role errand_app; select api.run_writes({user}, '{{"list": [{{"operation": "task.create", "id": "01990000-0000-7000-8000-000000000001",
                "document": {{"completed": false, "priority": 0, "tags": [], "title": "t"}}}}]}}')"#
        )
    };
    assert_eq!(refused_by(&create("repeat('ž', 255)")), None);
    for user in ["repeat('ž', 256)", "''"] {
        let refused = refused_by(&create(user));
        assert!(refused.as_ref().is_some_and(|refused| refused.starts_with(REFUSED)), "{user}: {refused:?}");
    }
}
