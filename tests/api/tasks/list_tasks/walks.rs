//! Pages with filters: how many tasks they pass, and where they begin and end.

use serde_json::{Value, json};

use super::ORDERS;
use crate::support::{User, scratch, target};

/// Task n is the nth in each order from below; all but the last have a due date.
#[test]
fn a_page_with_filters_ends_early_when_it_has_passed_20_000_tasks() {
    let user = User::new("walk");
    target().admin_query(&format!(
        "insert into errand.account values ('{id}', 20001, now());
         insert into errand.task (user_id, id, seq, created_at, updated_at, completed, priority, due_date, tags, title)
         select '{id}', ('00000000-0000-4000-8000-' || to_char(n, 'FM000000000000'))::uuid, n, time, time, false, 2,
             case when n < 20001 then date '1970-01-01' + n end,
             case when n in (1, 2, 20000, 20001) then '{{chosen}}'::text[] else '{{}}' end, to_char(n, 'FM00000')
         from (
             select n, timestamptz '2026-01-01 00:00+00' + n * interval '1 second' as time
             from generate_series(1, 20001) as n) as numbered",
        id = user.id
    ));
    let pages = |query: &str| {
        let mut pages = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = user.get(&format!("/tasks?tag=chosen&{query}{cursor}")).expect(200).list();
            pages.push(page.tasks.iter().map(|task| task.title.parse().unwrap()).collect::<Vec<u32>>());
            match page.next_cursor {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return pages,
            }
        }
    };
    // A filter by time makes another query.
    for filter in ["", "&updated_since=2000-01-01T00:00:00Z"] {
        for sort in ORDERS {
            let upwards = ["-created_at", "-updated_at", "due", "-priority", "title"].contains(&sort);
            let expected = match (upwards, sort) {
                (true, _) => [vec![1, 2, 20_000], vec![20_001]],
                (false, "-due") => [vec![20_000, 2, 1], vec![20_001]],
                (false, _) => [vec![20_001, 20_000, 2], vec![1]],
            };
            assert_eq!(pages(&format!("sort={sort}{filter}")), expected, "{sort}{filter}");
        }
    }
    // The cursor of a full page is at its last task.
    assert_eq!(pages("sort=title&limit=2"), [vec![1, 2], vec![20_000, 20_001]]);
    // A page may be empty, and the next one is not.
    assert_eq!(pages("sort=title&updated_since=2026-01-01T05:33:21Z"), [vec![], vec![20_001]]);
    // What bounds the keys of the order bounds the walk.
    assert_eq!(pages("sort=-due&overdue=true"), [vec![20_000, 2, 1], vec![]]);
    for (query, expected) in [
        ("sort=due&due_after=2024-10-03", vec![20_000]),
        ("sort=-due&due_before=1970-01-04", vec![2, 1]),
        ("sort=due&due_after=2024-10-04T00:00:00Z", vec![20_000]),
        ("sort=-due&due_before=1970-01-04T00:00:00Z", vec![2, 1]),
        ("sort=-updated_at&updated_since=2026-01-01T05:33:20Z", vec![20_000, 20_001]),
        ("sort=updated_at&updated_since=2026-01-01T05:33:20Z", vec![20_001, 20_000]),
    ] {
        assert_eq!(pages(query), [expected], "{query}");
    }
    assert_eq!(user.get("/tasks?tag=chosen&count=exact&limit=1").list().total, Some(4));
    // The pages of an account with 20,000 tasks never end early.
    target().admin_query(&format!(
        "delete from errand.task where user_id = '{id}' and seq = 20001;
         update errand.account set seq = 20000 where user_id = '{id}'",
        id = user.id
    ));
    assert_eq!(pages("sort=title"), [vec![1, 2, 20_000]]);
}

/// Task n is at position n of each ascending order. A page that 500 tasks fill is answered over a shared connection.
#[test]
fn a_list_by_states_is_short_where_500_tasks_fill_its_page() {
    let user = User::new("short-walk");
    target().admin_query(&format!(
        "insert into errand.account values ('{id}', 600, now());
         insert into errand.task (user_id, id, seq, created_at, updated_at, completed, completed_at, priority, due_date, tags, title)
         select '{id}', ('00000000-0000-4000-8000-' || to_char(n, 'FM000000000000'))::uuid, n, time, time,
             chosen, case when chosen then time end, 2, date '1970-01-01' + n, '{{}}', to_char(n, 'FM000')
         from (
             select n, timestamptz '2026-01-01 00:00+00' + n * interval '1 second' as time,
                 n in (100, 101, 102, 499, 500, 501) as chosen
             from generate_series(1, 600) as n) as numbered",
        id = user.id
    ));
    let session = target().app_session();
    let outcome = |order: &str, limit: u32, filter: &str| {
        session.rows(&format!(
            "select concat_ws(' ', outcome, tasks is null, last_id is null) from api.read_tasks('{}', '{{\"order\": \"{order}\", \
             \"limit\": {limit}, \"filter\": {{{filter}}}, \"slot\": true, \"short\": true}}')",
            user.id
        ))
    };
    for sort in ORDERS {
        let order = match sort.strip_prefix('-') {
            Some(name) => format!("{name}_desc"),
            None => format!("{sort}_asc"),
        };
        for filter in [r#""completed": true"#, r#""completed": true, "priorities": [2, 3]"#] {
            assert_eq!(outcome(&order, 4, filter), ["page f f"], "{order}");
            assert_eq!(outcome(&order, 5, filter), ["long t t"], "{order}");
        }
        assert_eq!(outcome(&order, 1, r#""priorities": [1]"#), ["long t t"], "{order}");
        assert_eq!(outcome(&order, 499, r#""priorities": [2]"#), ["page f f"], "{order}");
        // Short and long lists give the same tasks.
        let titles = |query: &str| {
            let list = user.get(&format!("/tasks?sort={sort}{query}")).expect(200).list();
            (list.tasks.into_iter().map(|task| task.title).collect::<Vec<_>>(), list.next_cursor)
        };
        let (whole, end) = titles("&completed=true");
        assert_eq!((whole.len(), &end), (6, &None), "{sort}");
        let (first, next) = titles("&completed=true&priority=medium&limit=4");
        assert_eq!(first, whole[..4], "{sort}");
        let next = next.unwrap();
        assert_eq!(titles(&format!("&completed=true&priority=medium&limit=4&cursor={next}")).0, whole[4..], "{sort}");
    }
    // An account with 500 writes has at most 500 tasks, so the list is complete.
    let writes = |number: u32| {
        target().admin_query(&format!("update errand.account set seq = {number} where user_id = '{}'", user.id));
        outcome("title_asc", 6, r#""completed": true"#).concat()
    };
    assert_eq!((writes(500), writes(501)), ("page f t".to_owned(), "long t t".to_owned()));
    // The list is also complete for 499 tasks, because the walk ends before its limit.
    for (last, expected) in [(500, "long t t"), (499, "page f t")] {
        target().admin_query(&format!("delete from errand.task where user_id = '{}' and seq > {last}", user.id));
        for order in ["created_at", "updated_at", "due", "priority", "title"] {
            for direction in ["asc", "desc"] {
                let order = format!("{order}_{direction}");
                assert_eq!(outcome(&order, 500, r#""completed": true"#), [expected], "{last} tasks, {order}");
            }
        }
    }
}

/// An account with more writes than `longest_walk` uses another query for its filtered pages.
#[test]
fn the_longest_page_of_an_account_with_many_writes_knows_of_one_more() {
    let scratch = scratch();
    scratch.rows(
        "insert into errand.account (user_id, seq, last_at, number)
         values ('alice', 20001, now(), nextval('errand.account_number'));
         insert into errand.task (user_id, id, seq, created_at, updated_at, completed, priority, due_date, tags, title)
         select 'alice', gen_random_uuid(), n, now(), now(), false, 0, date '2026-01-01', '{tag}', n
         from generate_series(1, 501) as n;
         set local role errand_app",
    );
    for filter in [
        json!({}),
        json!({"completed": false}),
        json!({"tags": ["tag"]}),
        json!({"updated_since": "2026-01-01T00:00:00Z"}),
        json!({"due_before_date": "9999-01-01"}),
    ] {
        for order in ["updated_at_desc", "due_asc", "title_asc"] {
            let page = |after: &[Value]| {
                let mut list = json!({"order": order, "limit": 500, "filter": filter});
                if let [_, key, id] = after {
                    list["after"] = json!({"key": key, "id": id});
                }
                let row = scratch.rows(&format!(
                    "select json_build_array(
                         cardinality(string_to_array(split_part(tasks, chr(10), 1), ' ')), last_key, last_id)
                     from api.read_tasks('alice', '{list}')"
                ));
                serde_json::from_str::<Vec<Value>>(&row.concat()).unwrap()
            };
            let first = page(&[]);
            assert_eq!((&first[0], first[2].is_null()), (&json!(500), false), "{order} {filter}");
            assert_eq!(page(&first), [json!(1), Value::Null, Value::Null], "{order} {filter}");
        }
    }
}

/// Without the bound, the walk would end among future tasks.
#[test]
fn a_list_of_overdue_tasks_begins_at_the_present() {
    let scratch = scratch();
    scratch.rows(
        "create or replace function errand.longest_walk() returns int language sql immutable as 'select 2';
         discard plans;
         insert into errand.account (user_id, seq, last_at, number)
         values ('alice', 4, now(), nextval('errand.account_number'));
         insert into errand.task (user_id, id, seq, created_at, updated_at, completed, priority, due_date, tags, title)
         select 'alice', gen_random_uuid(), n, now(), now(), false, 0, (now() at time zone 'UTC')::date - 3 + 2 * n, '{}', n
         from generate_series(1, 4) as n;
         set local role errand_app",
    );
    let list = r#"{"order": "due_desc", "limit": 10, "filter": {"overdue": true}}"#;
    let seqs = scratch.rows(&format!("select split_part(tasks, chr(10), 1) from api.read_tasks('alice', '{list}')"));
    // The plans of the session have the other function's result in them.
    scratch.rows("rollback; discard plans");
    assert_eq!(seqs, ["1"]);
}
