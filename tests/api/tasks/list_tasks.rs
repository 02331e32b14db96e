//! Lists: filters, orders, search, and pages that neither skip nor repeat.

mod model;
mod pages;
mod walks;

use std::collections::HashSet;

use errand::domain::{Cursor, CursorBinding, Filter, Order, PagePosition};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{User, target};

/// What a list can be sorted by.
pub(super) const ORDERS: [&str; 10] = [
    "created_at",
    "-created_at",
    "updated_at",
    "-updated_at",
    "due",
    "-due",
    "priority",
    "-priority",
    "title",
    "-title",
];

#[test]
fn filters_combine() {
    let user = User::new("filters");
    for (title, completed, priority, tags, due) in [
        ("a", false, "high", vec!["home", "x"], json!({"date": "2020-01-01"})),
        ("b", true, "high", vec!["home"], json!({"date": "2020-01-02"})),
        ("c", false, "low", vec!["x"], json!({"date": "2999-01-03", "time": "12:00", "time_zone": "UTC"})),
        ("d", false, "none", vec![], Value::Null),
    ] {
        user.create(json!({"title": title, "completed": completed, "priority": priority, "tags": tags, "due": due}));
    }
    for (query, expected) in [
        ("", vec!["d", "c", "b", "a"]),
        ("?completed=true", vec!["b"]),
        ("?completed=false", vec!["d", "c", "a"]),
        ("?priority=high", vec!["b", "a"]),
        ("?priority=high,low&completed=false", vec!["c", "a"]),
        ("?priority=none&priority=low", vec!["d", "c"]),
        ("?tag=home", vec!["b", "a"]),
        ("?tag=home,x", vec!["a"]),
        ("?tag=home&tag=x", vec!["a"]),
        ("?tag=Home", vec![]),
        ("?due_before=2020-01-02", vec!["a"]),
        ("?due_after=2020-01-01", vec!["c", "b"]),
        ("?due_before=2999-01-03T12:00:00Z", vec!["b", "a"]),
        ("?due_before=2999-01-03T14:00:01%2B02:00", vec!["c", "b", "a"]),
        ("?due_after=2999-01-03T11:59:59Z", vec!["c"]),
        ("?overdue=true", vec!["a"]),
        ("?overdue=false", vec!["d", "c", "b"]),
        ("?due_after=2020-01-01&due_before=2020-01-03&priority=high&tag=home&completed=true&q=b&limit=1", vec!["b"]),
    ] {
        assert_eq!(user.titles(query), expected, "{query}");
        let separator = if query.is_empty() { '?' } else { '&' };
        let total = user.get(&format!("/tasks{query}{separator}count=exact")).expect(200).list().total;
        assert_eq!(total, Some(expected.len() as i64), "{query}");
    }
}

#[test]
fn updated_since_finds_what_changed() {
    let user = User::new("since");
    let first = user.create(json!({"title": "first"}));
    let second = user.create(json!({"title": "second"}));
    assert_eq!(user.titles(&format!("?updated_since={}", second.updated_at)), ["second"]);
    let changed = user.patch(&format!("/tasks/{}", first.id), json!({"title": "changed"})).expect(200).task();
    assert_eq!(user.titles(&format!("?updated_since={}&sort=updated_at", second.updated_at)), ["changed", "second"]);
    assert_eq!(user.titles(&format!("?updated_since={}", changed.updated_at)), ["changed"]);
}

#[test]
fn search_finds_words_and_their_beginnings() {
    let user = User::new("search");
    user.create(json!({"title": "Žiemos traukinys į Łódź", "description": "Straße, façade"}));
    user.create(json!({"title": "Book-keeping v2.5", "tags": ["Größe", "naïve café"]}));
    for (q, expected) in [
        ("ziemos", 1),
        ("ŽIEM", 1),
        ("lodz", 1),
        ("traukinys+ziem", 1),
        ("strasse", 1),
        ("STRASSE", 1),
        ("stras", 1),
        ("facade", 1),
        ("book", 1),
        ("keeping", 1),
        ("eeping", 0),
        ("grosse", 1),
        ("gros", 1),
        ("cafe+naive", 1),
        ("v2", 1),
        ("ziemos+book", 0),
        ("%27%22%5C%28%26%7C%21%3A%2A", 0),
        ("b%26o", 0),
        ("zi%3A*", 1),
    ] {
        assert_eq!(user.titles(&format!("?q={q}")).len(), expected, "{q}");
    }
}

#[test]
fn each_order_is_kept_and_reversed() {
    let user = User::new("orders");
    for (title, priority, due) in [
        ("banana", "low", json!({"date": "2026-12-02"})),
        ("Ábel", "high", Value::Null),
        ("apple", "none", json!({"date": "2026-12-01", "time": "10:00", "time_zone": "America/New_York"})),
        ("Cherry", "medium", json!({"date": "2026-12-01", "time": "12:00", "time_zone": "Europe/Vilnius"})),
    ] {
        user.create(json!({"title": title, "priority": priority, "due": due}));
    }
    for (sort, expected) in [
        ("created_at", ["Cherry", "apple", "Ábel", "banana"]),
        ("-created_at", ["banana", "Ábel", "apple", "Cherry"]),
        ("updated_at", ["Cherry", "apple", "Ábel", "banana"]),
        ("-updated_at", ["banana", "Ábel", "apple", "Cherry"]),
        ("priority", ["Ábel", "Cherry", "banana", "apple"]),
        ("-priority", ["apple", "banana", "Cherry", "Ábel"]),
        ("title", ["Ábel", "apple", "banana", "Cherry"]),
        ("-title", ["Cherry", "banana", "apple", "Ábel"]),
        ("due", ["Cherry", "apple", "banana", "Ábel"]),
        ("-due", ["banana", "apple", "Cherry", "Ábel"]),
    ] {
        assert_eq!(user.titles(&format!("?sort={sort}")), expected, "{sort}");
        let mut paged = Vec::new();
        let mut query = format!("?sort={sort}&limit=1");
        loop {
            let page = user.get(&format!("/tasks{query}")).expect(200).list();
            paged.extend(page.tasks.into_iter().map(|task| task.title));
            match page.next_cursor {
                Some(cursor) => query = format!("?sort={sort}&limit=1&cursor={cursor}"),
                None => break,
            }
        }
        assert_eq!(paged, expected, "{sort}, in pages of one");
    }
}

#[test]
fn the_next_page_is_linked() {
    let user = User::new("link");
    for n in 0..3 {
        user.create(json!({"title": n.to_string(), "tags": ["a b"]}));
    }
    let reply = user.get("/tasks?tag=a%20b&limit=2").expect(200);
    let cursor = reply.list().next_cursor.unwrap();
    let link = reply.header("link");
    assert_eq!(link, format!("<{}?tag=a%20b&limit=2&cursor={cursor}>; rel=\"next\"", user.path("/tasks")));
    let next = user.send_to("GET", link.split(['<', '>']).nth(1).unwrap(), &[], None).expect(200);
    assert_eq!(next.list().tasks.len(), 1);
    assert_eq!(next.list().next_cursor, None);
    assert!(!next.headers.contains_key("link"));
}

/// A cursor is no secret: anyone can compute one for a place that the database never gave.
#[test]
fn a_forged_cursor_is_refused_by_its_name() {
    let user = User::new("forged");
    user.create(json!({"title": "t"}));
    // The mark of the database's epoch and of the account is in every entity tag.
    let tag = user.get("/tasks").header("etag").to_owned();
    let mark = tag.trim_matches('"').replace("-1", "-0");
    let filter = Filter::default();
    let timestamps = ["", "x", "2026-02-30", "99999999-01-01", "1e400", "a\0b"];
    for (sort, keys) in [
        ("created_at", &timestamps[..]),
        ("updated_at", &timestamps),
        ("due", &timestamps),
        ("-due", &timestamps),
        ("priority", &["", "high", "1.5", "99999", "1); drop table errand.task; --"]),
        ("title", &["a\0b"]),
    ] {
        let order = Order::parse(sort).unwrap().name();
        for key in keys {
            for key in [(*key).to_owned(), format!("{mark} {key}")] {
                let after = PagePosition { key, id: Uuid::nil().to_string() };
                let binding = CursorBinding { user_id: &user.id, order, filter: &filter };
                let cursor = Cursor::seal(&after, &binding).unwrap();
                let reply = user.get(&format!("/tasks?sort={sort}&cursor={}", cursor.as_str()));
                assert_eq!(reply.mistakes(), ["cursor"], "{sort} {after:?}");
            }
        }
    }
    assert_eq!(user.titles(""), ["t"]);
}

#[test]
fn a_cursor_is_good_for_its_own_query_alone() {
    let user = User::new("cursor");
    for n in 0..3 {
        user.create(json!({"title": n.to_string()}));
    }
    let cursor = user.get("/tasks?limit=1&sort=title").list().next_cursor.unwrap();
    user.get(&format!("/tasks?sort=title&cursor={cursor}&limit=2")).expect(200);
    let other = User::new("cursor-other");
    let mut flipped = cursor.clone().into_bytes();
    flipped[12] ^= 1;
    let flipped = String::from_utf8(flipped).unwrap();
    for (reader, query) in [
        (&user, format!("cursor={cursor}")),
        (&user, format!("sort=-title&cursor={cursor}")),
        (&user, format!("sort=title&completed=false&cursor={cursor}")),
        (&user, format!("sort=title&cursor={flipped}")),
        (&user, format!("sort=title&cursor={cursor}A")),
        (&user, format!("sort=title&cursor={}", &cursor[..cursor.len() - 2])),
        (&user, "sort=title&cursor=".to_owned()),
        (&user, "sort=title&cursor=%27--".to_owned()),
        (&other, format!("sort=title&cursor={cursor}")),
    ] {
        assert_eq!(reader.get(&format!("/tasks?{query}")).mistakes(), ["cursor"], "{query}");
    }
}

#[test]
fn every_bad_parameter_is_named() {
    let user = User::new("parameters");
    for (query, places) in [
        ("limit=0", vec!["limit"]),
        ("limit=501", vec!["limit"]),
        ("limit=x", vec!["limit"]),
        ("limit=", vec!["limit"]),
        ("sort=color", vec!["sort"]),
        ("completed=yes", vec!["completed"]),
        ("priority=urgent", vec!["priority"]),
        ("tag=", vec!["tag"]),
        ("due_before=soon", vec!["due_before"]),
        ("due_after=2026-13-01", vec!["due_after"]),
        ("overdue=1", vec!["overdue"]),
        ("updated_since=yesterday", vec!["updated_since"]),
        ("q=%00", vec!["q"]),
        ("count=all", vec!["count"]),
        ("offset=5", vec!["offset"]),
        ("limit=1&limit=2", vec!["limit"]),
        ("q=%FF", vec!["q"]),
        ("limit=0&sort=x&page=1", vec!["limit", "sort", "page"]),
    ] {
        assert_eq!(user.get(&format!("/tasks?{query}")).mistakes(), places, "{query}");
    }
    let long = "a".repeat(201);
    assert_eq!(user.get(&format!("/tasks?q={long}")).mistakes(), ["q"]);
}

/// Fills a user's list from within the database: faster than HTTP by far.
fn fill(user: &User, tasks: u32) {
    target().admin_query(&format!(
        "select set_config('errand.user_id', '{id}', false);
         insert into errand.account values ('{id}', {tasks}, now());
         insert into errand.task (user_id, id, seq, created_at, updated_at, completed, priority, due_date, tags, title)
         select '{id}', gen_random_uuid(), n, now() - n * interval '1 s', now() - (n * 7919 % {tasks}) * interval '1 s',
             false, n % 4, case when n % 3 > 0 then date '2026-01-01' + n % 500 end, '{{}}', 'task ' || n * 31 % 1000
         from generate_series(1, {tasks}) as n;
         analyze errand.task",
        id = user.id
    ));
}

#[test]
fn paging_while_others_write_skips_and_repeats_nothing() {
    const TASKS: usize = 10_000;
    for sort in [
        "created_at",
        "-created_at",
        "updated_at",
        "-updated_at",
        "due",
        "-due",
        "priority",
        "-priority",
        "title",
        "-title",
    ] {
        let user = User::new("paging");
        fill(&user, TASKS as u32);
        let mut still: HashSet<String> = target()
            .admin_query(&format!("select id from errand.task where user_id = '{}'", user.id))
            .into_iter()
            .collect();
        assert_eq!(still.len(), TASKS);
        let mut seen = HashSet::new();
        let mut cursor = String::new();
        for page_number in 0.. {
            let page = user.get(&format!("/tasks?sort={sort}&limit=500{cursor}")).expect(200).list();
            for task in &page.tasks {
                assert!(seen.insert(task.id.to_string()), "{sort}: {} came twice", task.id);
            }
            let Some(next) = page.next_cursor else { break };
            cursor = format!("&cursor={next}");
            // Between the pages another client creates, changes and deletes.
            user.create(json!({"title": "new", "priority": "medium", "due": {"date": "2026-06-01"}}));
            let victim = page.tasks[page_number % page.tasks.len()].id.to_string();
            user.delete(&format!("/tasks/{victim}")).expect(204);
            still.remove(&victim);
        }
        let skipped: Vec<_> = still.difference(&seen).collect();
        assert!(skipped.is_empty(), "{sort} skipped {} tasks", skipped.len());
    }
}

#[test]
fn each_order_has_an_index_that_serves_it() {
    let user = User::new("explain");
    fill(&user, 20_000);
    let middle = "'80000000-0000-0000-0000-000000000000'";
    for (order, key, id) in [
        ("created_at", "(now() - interval '10000 s')::text", middle),
        ("updated_at", "(now() - interval '10000 s')::text", middle),
        ("due", "'2026-06-01'", middle),
        ("due", "'infinity'", middle),
        ("priority", "'2'", middle),
        ("title", "'task 5'", middle),
        ("created_at", "null", "null"),
        ("updated_at", "null", "null"),
        ("due", "null", "null"),
        ("priority", "null", "null"),
        ("title", "null", "null"),
    ] {
        for (order, mode, number) in ["asc", "desc"].into_iter().flat_map(|direction| {
            let order = format!("{order}_{direction}");
            (0..8).flat_map(move |number| {
                ["force_generic_plan", "force_custom_plan"].map(|mode| (order.clone(), mode, number))
            })
        }) {
            let function = target()
                .admin_query(&format!(
                    "select prosrc from pg_proc where proname in ('page_by_{order}', 'short_page_by_{order}') order by proname desc"
                ))
                .concat();
            // No filters, filters in the longest walk, in an unbounded walk and in the short walk; each without and with a byte count.
            let query = function.split("answer := (").nth(1 + number).unwrap();
            let query = query
                .split(");")
                .next()
                .unwrap()
                .replace("(p_start)", "($1)")
                .replace("by_completed", "$2")
                .replace("by_priorities", "$3")
                .replace("by_tags", "$4")
                .replace("by_patterns", "$5")
                .replace("by_query", "$6")
                .replace("by_word", "$7");
            let plan = target()
                .app_query(&format!(
                    "set errand.user_id = '{}'; set plan_cache_mode = {mode}; set enable_sort = off;
                     prepare page (api.task_page_start, boolean, smallint[], text[], text[], tsquery, text) as {query};
                     explain (analyze, buffers, costs off, timing off)
                     execute page (row ({key}, {id}, 50), null, null, null, null, null, null)",
                    user.id,
                ))
                .unwrap_or_else(|error| panic!("{order}: {error}"))
                .join("\n");
            // What the page begins behind is not read, no row is thrown away, and the index is entered where the page
            // begins: 51 rows, each perhaps in a block of its own, and the way to them. From 18 on PostgreSQL may enter an
            // index again and again to skip values of its first column, and says how often it did.
            let served = plan.contains("Index Scan")
                && ["Sort", "Seq Scan", "Rows Removed", "Gather", "JIT"].iter().all(|waste| !plan.contains(waste))
                && blocks(&plan) < 70
                && searches(&plan).all(|searches| searches <= 1);
            assert!(served, "{order}, {mode}, {number}:\n{plan}");
        }
    }
}

/// How often each index of a plan was entered; nothing before PostgreSQL 18.
fn searches(plan: &str) -> impl Iterator<Item = u32> {
    plan.lines().filter_map(|line| line.trim().strip_prefix("Index Searches: ")?.parse().ok())
}

/// How many blocks a statement touched: the first line of a plan that counts them is that of the whole.
fn blocks(plan: &str) -> u32 {
    let line = plan.lines().find(|line| line.contains("Buffers: shared")).unwrap();
    let numbers = line.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse::<u32>().ok());
    numbers.sum()
}
