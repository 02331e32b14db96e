//! The ends of pages and of orders: the longest page, the keys that nothing sorts before or behind, and what searches and
//! sorts see of long words.

use serde_json::{Value, json};
use uuid::Uuid;

use super::ORDERS;
use crate::support::{User, scratch, target};

/// Fills a user's list from within the database; the due date is an SQL expression over the number n.
fn fill(user: &User, tasks: u32, due_date: &str) {
    target().admin_query(&format!(
        "insert into errand.account values ('{id}', {tasks}, now());
         insert into errand.task (user_id, id, seq, created_at, updated_at, completed, priority, due_date, tags, title)
         select '{id}', gen_random_uuid(), n, now(), now(), false, n % 4, {due_date}, '{{}}', 'task ' || n % 9
         from generate_series(1, {tasks}) as n",
        id = user.id
    ));
}

#[test]
fn the_longest_page_has_500_tasks_and_knows_of_one_more() {
    for due_date in ["date '2026-01-01' + n", "null", "case when n > 250 then date '2026-01-01' end"] {
        let user = User::new("longest");
        fill(&user, 500, due_date);
        let every = |filter: &str, pages: &[usize]| {
            for sort in ORDERS {
                let mut cursor = String::new();
                for (number, length) in pages.iter().enumerate() {
                    let query = format!("/tasks?sort={sort}&limit=500{filter}{cursor}");
                    let page = user.get(&query).expect(200).list();
                    assert_eq!(page.tasks.len(), *length, "{query}");
                    assert_eq!(page.next_cursor.is_some(), number + 1 < pages.len(), "{query}");
                    cursor = page.next_cursor.map(|next| format!("&cursor={next}")).unwrap_or_default();
                }
            }
        };
        // With a filter by time the query is another one.
        let always = "&updated_since=2000-01-01T00:00:00Z";
        every("", &[500]);
        every(always, &[500]);
        let due = if due_date == "null" { Value::Null } else { json!({"date": "2026-01-01"}) };
        user.create(json!({"title": "t", "due": due}));
        every("", &[500, 1]);
        every(always, &[500, 1]);
    }
}

/// The database counts the bytes of a page only if a task has more than 2,096 bytes, because 500 shorter tasks fit into 1 MiB.
#[test]
fn tasks_have_their_entity_tags_in_pages_with_and_without_a_byte_count() {
    let user = User::new("counted");
    let [first, _, _] =
        ["a", "b", "c"].map(|title| user.create(json!({"title": title, "description": "x", "tags": ["t"]})));
    let path = format!("/tasks/{}", first.id);
    let length = || {
        let lengths =
            target().admin_query(&format!("select octet_length(json) from errand.task where id = '{}'", first.id));
        lengths.concat().parse::<usize>().unwrap()
    };
    for bytes in [2096, 2097] {
        let described = user.get(&path).json()["description"].as_str().unwrap().len();
        user.patch(&path, json!({"description": "x".repeat(described + bytes - length())})).expect(200);
        assert_eq!(length(), bytes);
        for query in
            ["limit=1", "limit=2", "limit=3", "limit=1&completed=false", "limit=2&completed=false", "limit=2&tag=t"]
        {
            let list = user.get(&format!("/tasks?sort=title&{query}")).expect(200).list();
            assert_eq!(list.next_cursor.is_some(), !query.starts_with("limit=3"), "{bytes}, {query}");
            assert_eq!(list.tasks.len().to_string(), query[6..7], "{bytes}, {query}");
            for task in list.tasks {
                let alone = user.get(&format!("/tasks/{}", task.id)).expect(200);
                assert_eq!(
                    (task.etag.as_str(), &task.title),
                    (alone.header("etag"), &alone.task().title),
                    "{bytes}, {query}"
                );
            }
        }
    }
}

#[test]
fn a_page_has_100_tasks_unless_the_client_says_so() {
    let user = User::new("hundred");
    fill(&user, 100, "null");
    let list = user.get("/tasks").list();
    assert_eq!((list.tasks.len(), list.next_cursor), (100, None));
    user.create(json!({"title": "t"}));
    let list = user.get("/tasks").list();
    assert_eq!((list.tasks.len(), list.next_cursor.is_some()), (100, true));
}

#[test]
fn an_account_without_writes_has_an_empty_list() {
    let user = User::new("empty");
    let reply = user.get("/tasks?count=exact").expect(200);
    assert_eq!(reply.body, r#"{"tasks":[],"next_cursor":null,"total":0}"#);
    assert!(reply.header("etag").ends_with("-0\""));
    assert_eq!(user.get("/tasks").body, r#"{"tasks":[],"next_cursor":null}"#);
    user.create(json!({"title": "t"}));
    assert!(user.get("/tasks").header("etag").ends_with("-1\""));
}

/// The greatest key that a title can have, under the greatest id.
#[test]
fn no_title_is_behind_the_end_of_its_order() {
    let user = User::new("greatest");
    let body = json!({"title": "\u{10ffff}".repeat(255), "completed": false});
    user.with_json("PUT", &format!("/tasks/{}", Uuid::max()), &[("if-none-match", "*")], body).expect(201);
    user.create(json!({"title": "a"}));
    for (sort, greatest) in [("title", 1), ("-title", 0)] {
        let ids: Vec<_> =
            user.get(&format!("/tasks?sort={sort}")).list().tasks.into_iter().map(|task| task.id).collect();
        assert_eq!((ids.len(), ids[greatest]), (2, Uuid::max()), "{sort}");
    }
}

#[test]
fn a_word_is_compared_to_its_end() {
    let user = User::new("long-words");
    let [a63, a64] = [63, 64].map(|length| "a".repeat(length));
    user.create(json!({"title": format!("{a63}b")}));
    user.create(json!({"title": format!("{a64}{}", "c".repeat(150))}));
    for (q, found) in [
        (a63.clone(), 2),
        (format!("{a63}b"), 1),
        (format!("{a63}x"), 0),
        (a64.clone(), 1),
        (format!("{a64}c"), 1),
        (format!("{a63}bx"), 0),
    ] {
        assert_eq!(user.titles(&format!("?q={q}")).len(), found, "{q}");
    }
}

#[test]
fn letters_that_do_not_come_apart_are_found_by_those_that_stand_for_them() {
    let user = User::new("letters");
    user.create(json!({"title": "oøo lłl dđd dðd hħh iıi tŧt sſs aæa oœo tþt eﬁe"}));
    for word in ["ooo", "lll", "ddd", "hhh", "iii", "ttt", "sss", "aaea", "ooeo", "ttht", "efie"] {
        assert_eq!(user.titles(&format!("?q={word}")).len(), 1, "{word}");
    }
    for letter in ["ø", "ł", "đ", "ð", "ħ", "ı", "ŧ", "ß", "æ", "œ", "þ"] {
        let other = User::new("letter");
        other.create(json!({ "title": letter }));
        other.create(json!({"title": "Zz"}));
        assert_eq!(other.titles(&format!("?q={letter}")), [letter]);
        assert_eq!(other.titles("?sort=title"), [letter, "Zz"], "{letter} sorts as a plain letter");
    }
}

/// Whether a task is overdue depends on the clock, so that its very instant can only be met within one transaction, in
/// which the clock stands still.
#[test]
fn a_task_is_overdue_when_its_instant_is_past() {
    let scratch = scratch();
    let task = "{\"title\": \"t\", \"completed\": false, \"priority\": 0, \"tags\": [], \"due_date\": \"2026-01-01\"}";
    let list = |overdue: bool| {
        let list = format!(
            "{{\"order\": \"due_asc\", \"limit\": 10, \"count\": true, \"filter\": {{\"overdue\": {overdue}}}}}"
        );
        scratch.rows(&format!("set local role errand_app; select total from api.read_tasks('a', '{list}'); reset role"))
    };
    scratch.rows(&format!(
        "set local role errand_app; select api.add_task('a', gen_random_uuid(), '{task}', null, null, null); reset role"
    ));
    // The instant is set as it is, without the trigger.
    scratch.rows("set local session_replication_role = replica");
    for (due_at, overdue) in
        [("now() - interval '1 microsecond'", true), ("now()", false), ("now() + interval '1 microsecond'", false)]
    {
        scratch
            .rows(&format!("update errand.task set due_at = {due_at}, due_key = errand.due_key(due_date, {due_at})"));
        assert_eq!(list(true), [if overdue { "1" } else { "0" }], "{due_at}");
        assert_eq!(list(false), [if overdue { "0" } else { "1" }], "{due_at}");
        scratch.rows("update errand.task set completed = true, completed_at = now()");
        assert_eq!((list(true), list(false)), (vec!["0".to_owned()], vec!["1".to_owned()]), "{due_at}, completed");
        scratch.rows("update errand.task set completed = false, completed_at = null");
    }
}

#[test]
fn a_whole_day_is_overdue_when_it_is_over() {
    let user = User::new("whole-days");
    let today = || target().admin_query("select (now() at time zone 'UTC')::date").concat();
    let day = |offset: i32| target().admin_query(&format!("select date '{}' + {offset}", today())).concat();
    let begun = today();
    for offset in [-1, 0, 1] {
        user.create(json!({"title": offset.to_string(), "due": {"date": day(offset)}}));
    }
    let (overdue, others) = (user.titles("?overdue=true&sort=due"), user.titles("?overdue=false&sort=due"));
    // On a run over midnight the days are not those that were meant; another run has its own test.
    if today() == begun {
        assert_eq!((overdue, others), (vec!["-1".to_owned()], vec!["0".to_owned(), "1".to_owned()]));
    }
}

/// A description may have 60 kB of JSON.
#[test]
fn a_page_ends_at_a_mebibyte() {
    const MAX_PAGE: usize = 1024 * 1024;
    let user = User::new("mebibyte");
    // Control characters are written with six bytes each.
    let long = "\u{1}".repeat(10_000);
    for number in 0..40 {
        user.create(json!({"title": format!("{number:02}"), "description": long, "tags": ["t"],
            "due": {"date": format!("2026-12-{:02}", 1 + number % 28)}}));
    }
    for (writes, query) in [
        (40, "limit=500"),
        (40, "limit=500&sort=title"),
        (40, "limit=30&sort=due"),
        (40, "limit=500&tag=t"),
        (40, "limit=500&due_after=2026-11-01"),
        (40, "limit=500&completed=false"),
        // With 501 writes, the account may have more tasks than a short list reads.
        (501, "limit=500&completed=false"),
        // With 20,001 writes, the account may have more tasks than the longest walk reads.
        (20_001, "limit=500&tag=t"),
    ] {
        target().admin_query(&format!("update errand.account set seq = {writes} where user_id = '{}'", user.id));
        let (mut seen, mut pages, mut rest) = (Vec::new(), 0, String::new());
        loop {
            let reply = user.get(&format!("/tasks?{query}{rest}")).expect(200);
            let list = reply.list();
            let documents: usize =
                reply.json()["tasks"].as_array().unwrap().iter().map(|task| task.to_string().len()).sum();
            // One more would not have fitted: each has some 60,300 bytes, and its tag is not counted.
            assert!(
                (1..=17).contains(&list.tasks.len()) && documents < MAX_PAGE + 17 * 40,
                "{query}: {}",
                list.tasks.len()
            );
            assert!(list.next_cursor.is_none() || list.tasks.len() >= 16, "{query}: {}", list.tasks.len());
            seen.extend(list.tasks.into_iter().map(|task| task.id));
            pages += 1;
            match list.next_cursor {
                Some(cursor) => rest = format!("&cursor={cursor}"),
                None => break,
            }
        }
        let all = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!((seen.len(), all, pages), (40, 40, 3), "{query}");
    }
    // Beside short ones; and the count is of all.
    let short = user.create(json!({"title": "00"}));
    let list = user.get("/tasks?limit=2&sort=-created_at&count=exact").list();
    assert_eq!((list.tasks.len(), list.total), (2, Some(41)));
    assert_eq!(user.get("/tasks?limit=1").list().tasks, [short]);
}

/// What fits to the byte: the first page has as many tasks as 1 MiB holds, and a task that is longer than that stands alone.
#[test]
fn a_page_holds_what_fits() {
    let scratch = scratch();
    let task = r#"{"title": "t", "completed": false, "priority": 0, "tags": []}"#;
    for _ in 0..3 {
        scratch.rows(&format!("set local role errand_app; select api.add_task('a', gen_random_uuid(), '{task}', null, null, null); reset role"));
    }
    let first_page = |lengths: [usize; 3], filter: &str| {
        // Past the trigger, which would write the text anew.
        scratch.rows("alter table errand.task disable trigger derive");
        for (number, length) in (1..).zip(lengths) {
            scratch.rows(&format!("update errand.task set json = repeat('x', {length}) where seq = {number}"));
        }
        scratch.rows(&format!(
            "set local role errand_app;
             select concat_ws(' ', cardinality(string_to_array(split_part(tasks, chr(10), 1), ' ')), last_id is not null)
             from api.read_tasks('a', '{{\"order\": \"created_at_asc\", \"limit\": 500{filter}}}')",
        ))
    };
    for (lengths, page) in [
        ([10, 10, 10], "3 f"),
        ([2_096, 2_096, 2_096], "3 f"),
        ([524_288, 524_288, 10], "2 t"),
        ([524_288, 524_289, 10], "1 t"),
        ([1_048_566, 10, 10], "2 t"),
        ([1_048_577, 10, 10], "1 t"),
        ([10, 1_048_577, 10], "1 t"),
        ([10, 10, 2_000_000], "2 t"),
        ([2_000_000, 2_000_000, 2_000_000], "1 t"),
        ([2_097, 10, 10], "3 f"),
    ] {
        for filter in ["", ", \"filter\": {\"completed\": false}", ", \"filter\": {\"overdue\": false}"] {
            scratch.rows("reset role");
            assert_eq!(first_page(lengths, filter), [page], "{lengths:?}{filter}");
        }
    }
}
