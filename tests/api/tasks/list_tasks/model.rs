//! Lists against a model: every filter, every pair of filters and every order of a varied set of tasks gives what a plain
//! computation over the same tasks gives, page by page.

use std::cmp::Ordering;
use std::collections::HashMap;

use errand::domain::{Priority, Task};
use serde_json::{Value, json};
use uuid::Uuid;

use super::ORDERS;
use crate::support::{User, target};

/// Titles, and what they are sorted by. `{}` is a run of the letter a that ends at the 253rd character.
const TITLES: [(&str, &str); 10] = [
    ("Žalia arbata", "zalia arbata"),
    ("zalia ARBATA", "zalia arbata"),
    ("alfa", "alfa"),
    ("Álfa", "alfa"),
    ("Łódź", "lodz"),
    ("{}b", "{}b"),
    ("{}ab", "{}ab"),
    ("{}aa", "{}aa"),
    ("{}ß", "{}ss"),
    ("žalia", "zalia"),
];

const PRIORITIES: [&str; 4] = ["none", "low", "medium", "high"];
const TAGS: [&[&str]; 6] = [&[], &["a"], &["b", "a"], &["b"], &["a", "c", "b"], &["A"]];

/// A filter as a client writes it, and as the model understands it.
struct Condition {
    query: String,
    holds: Box<dyn Fn(&Modelled) -> bool>,
}

/// A task, and what the model has worked out about it.
struct Modelled {
    task: Task,
    title_key: String,
    /// The instant to sort and filter by, with microseconds; greater than any where there is none.
    due_key: String,
    words: Vec<String>,
}

fn condition(query: impl Into<String>, holds: impl Fn(&Modelled) -> bool + 'static) -> Condition {
    Condition { query: query.into(), holds: Box::new(holds) }
}

/// The end of time.
const NEVER: &str = "~";

fn run() -> String {
    "a".repeat(253)
}

fn due(number: usize) -> Value {
    let timed = |date: &str, time: &str, zone: &str| json!({"date": date, "time": time, "time_zone": zone});
    match number % 11 {
        0 | 1 => Value::Null,
        2 | 3 => json!({"date": "2020-02-29"}),
        4 => timed("2020-02-29", "12:00", "UTC"),
        // The same instant on another day, and the last second of the day before.
        5 => timed("2020-03-01", "02:00", "Etc/GMT-14"),
        6 => timed("2020-02-28", "23:59:59", "UTC"),
        7 => json!({"date": "2020-03-01"}),
        8 => json!({"date": "2990-01-01"}),
        9 => timed("2990-01-01", "00:00", "America/New_York"),
        _ => timed("2990-01-01", "05:00", "UTC"),
    }
}

/// Creates the tasks: no two fields go together, each value comes often, and each order has ties.
fn fill(user: &User) -> Vec<Modelled> {
    let mut title_keys = HashMap::new();
    let create = |number: usize| {
        let (title, key) = TITLES[number % TITLES.len()];
        let mut body = json!({
            "title": title.replace("{}", &run()),
            "completed": number.is_multiple_of(3),
            "priority": PRIORITIES[number / 2 % 4],
            "tags": TAGS[number % TAGS.len()],
            "due": due(number),
        });
        if number % 5 < 2 {
            body["description"] = json!(["Arbatos puodelis", "puodas"][number % 5]);
        }
        (body, key.replace("{}", &run()))
    };
    for number in 0..44 {
        let (body, key) = create(number);
        title_keys.insert(user.create(body).id, key);
    }
    // The least and the greatest id that there are, where an order without a due date, or by priority, begins and ends.
    for (id, priority) in [(Uuid::nil(), "none"), (Uuid::max(), "high")] {
        let body = json!({"title": "alfa", "completed": false, "priority": priority});
        user.with_json("PUT", &format!("/tasks/{id}"), &[("if-none-match", "*")], body).expect(201);
        title_keys.insert(id, "alfa".to_owned());
    }
    // Writes of one user never have the same time; so that these orders have ties, the administrator gives them some.
    target().admin_query(&format!(
        "update errand.task set
             created_at = '2026-01-01Z'::timestamptz + seq % 7 * interval '1 microsecond',
             updated_at = '2026-02-01Z'::timestamptz + seq % 5 * interval '1 microsecond'
         where user_id = '{}'",
        user.id
    ));
    let read = title_keys.into_iter().map(|(id, title_key)| {
        let task = user.get(&format!("/tasks/{id}")).expect(200).task();
        Modelled { due_key: due_key(&task), words: words(&task), title_key, task }
    });
    read.collect()
}

fn due_key(task: &Task) -> String {
    match (&task.due, &task.due_at) {
        (_, Some(instant)) => instant.replace('Z', ".000000Z"),
        (Some(due), None) => format!("{}T23:59:59.999999Z", due.date),
        (None, None) => NEVER.to_owned(),
    }
}

/// The words of a task, as far as its texts have accents at all.
fn words(task: &Task) -> Vec<String> {
    let text = format!("{} {} {}", task.title, task.description.as_deref().unwrap_or_default(), task.tags.join(" "));
    let plain = |letter: char| match letter {
        'ž' | 'ź' => 'z',
        'á' => 'a',
        'ł' => 'l',
        'ó' => 'o',
        other => other,
    };
    text.to_lowercase().split(' ').map(|word| word.chars().map(plain).collect()).collect()
}

/// The date as written, then whether it is a whole day, then the instant; greater than any without a due date.
fn due_order(of: &Modelled) -> (&str, bool, Option<&str>) {
    let date = of.task.due.as_ref().map_or(NEVER, |due| &due.date);
    (date, of.task.due_at.is_none(), of.task.due_at.as_deref())
}

fn conditions() -> Vec<Condition> {
    let mut all = vec![
        condition("completed=true", |of| of.task.completed),
        condition("completed=false", |of| !of.task.completed),
        condition("priority=none", |of| of.task.priority == Priority::None),
        condition("priority=low,high", |of| matches!(of.task.priority, Priority::Low | Priority::High)),
        condition("tag=a", |of| has_tags(of, &["a"])),
        condition("tag=b,a", |of| has_tags(of, &["a", "b"])),
        condition("tag=a&tag=c", |of| has_tags(of, &["a", "c"])),
        // Due in 2020 or earlier is past, due in 2990 is not.
        condition("overdue=true", |of| !of.task.completed && *of.due_key < *"2021"),
        condition("overdue=false", |of| of.task.completed || *of.due_key >= *"2021"),
        condition("q=zal+arb", |of| has_words(of, &["zal", "arb"])),
        condition("q=puod", |of| has_words(of, &["puod"])),
        condition("q=Alfa", |of| has_words(of, &["alfa"])),
        condition("time_zone=Etc/UTC", |_| true),
    ];
    for day in ["2020-02-28", "2020-02-29", "2020-03-01", "2020-03-02", "2990-01-01"] {
        // A task with a time is due on the day of its instant in UTC.
        let on = |of: &Modelled, order: Ordering| of.due_key != NEVER && of.due_key[..10].cmp(day) == order;
        all.push(condition(format!("due_before={day}"), move |of| on(of, Ordering::Less)));
        all.push(condition(format!("due_after={day}"), move |of| on(of, Ordering::Greater)));
    }
    for instant in [
        "2020-02-28T23:59:59.000000Z",
        "2020-02-29T12:00:00.000000Z",
        "2020-02-29T12:00:00.000001Z",
        "2020-02-29T23:59:59.999998Z",
        "2020-02-29T23:59:59.999999Z",
        "2020-03-01T00:00:00.000000Z",
        "2990-01-01T05:00:00.000000Z",
        "9999-12-31T23:59:59.999999Z",
    ] {
        all.push(condition(format!("due_before={instant}"), move |of| *of.due_key < *instant));
        all.push(condition(format!("due_after={instant}"), move |of| *of.due_key > *instant && of.due_key != NEVER));
    }
    for instant in ["2026-02-01T00:00:00.000000Z", "2026-02-01T00:00:00.000003Z", "2026-02-01T00:00:00.000005Z"] {
        all.push(condition(format!("updated_since={instant}"), move |of| *of.task.updated_at >= *instant));
    }
    all
}

fn has_tags(of: &Modelled, tags: &[&str]) -> bool {
    tags.iter().all(|tag| of.task.tags.iter().any(|other| other == tag))
}

fn has_words(of: &Modelled, beginnings: &[&str]) -> bool {
    beginnings.iter().all(|beginning| of.words.iter().any(|word| word.starts_with(beginning)))
}

/// The ids of the tasks that a list should have, in its order.
fn expected(tasks: &[Modelled], sort: &str, conditions: &[&Condition]) -> Vec<Uuid> {
    let mut chosen: Vec<_> =
        tasks.iter().filter(|task| conditions.iter().all(|condition| (condition.holds)(task))).collect();
    let by = |a: &Modelled, b: &Modelled| {
        let id = a.task.id.cmp(&b.task.id);
        let number = |of: &Modelled| of.task.priority.number();
        let dated = |of: &Modelled| of.due_key != NEVER;
        match sort {
            "created_at" => a.task.created_at.cmp(&b.task.created_at).then(id).reverse(),
            "-created_at" => a.task.created_at.cmp(&b.task.created_at).then(id),
            "updated_at" => a.task.updated_at.cmp(&b.task.updated_at).then(id).reverse(),
            "-updated_at" => a.task.updated_at.cmp(&b.task.updated_at).then(id),
            "due" => due_order(a).cmp(&due_order(b)).then(id),
            // Latest first, and no due date last all the same.
            "-due" => dated(b).cmp(&dated(a)).then(due_order(a).cmp(&due_order(b)).then(id).reverse()),
            "priority" => number(a).cmp(&number(b)).then(id).reverse(),
            "-priority" => number(a).cmp(&number(b)).then(id),
            "title" => a.title_key.cmp(&b.title_key).then(id),
            "-title" => a.title_key.cmp(&b.title_key).then(id).reverse(),
            _ => panic!("{sort}"),
        }
    };
    chosen.sort_by(|a, b| by(a, b));
    chosen.iter().map(|of| of.task.id).collect()
}

/// Reads a list to its end, and compares it with the model: tasks, pages and the count.
#[track_caller]
fn agree(user: &User, tasks: &[Modelled], sort: &str, conditions: &[&Condition], limit: usize) {
    let filters: String = conditions.iter().map(|condition| format!("&{}", condition.query)).collect();
    let query = format!("?sort={sort}&count=exact&limit={limit}{filters}");
    let expected = expected(tasks, sort, conditions);
    let mut pages = expected.chunks(limit);
    let (mut cursor, mut left) = (String::new(), expected.len());
    loop {
        let page = user.get(&format!("/tasks{query}{cursor}")).expect(200).list();
        let ids: Vec<_> = page.tasks.iter().map(|task| task.id).collect();
        assert_eq!(ids, pages.next().unwrap_or_default(), "{query}{cursor}");
        assert_eq!(page.total, Some(expected.len() as i64), "{query}");
        for task in page.tasks {
            assert_eq!(Some(&task), tasks.iter().find(|of| of.task.id == task.id).map(|of| &of.task));
        }
        left -= ids.len();
        // A page that is full to the last task has no next one.
        assert_eq!(page.next_cursor.is_some(), left > 0, "{query}{cursor}");
        match page.next_cursor {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
}

#[test]
fn every_order_has_every_task_once_in_pages_of_any_size() {
    let user = User::new("model-orders");
    let tasks = fill(&user);
    for sort in ORDERS {
        for limit in [1, 7, tasks.len() - 1, tasks.len(), tasks.len() + 1] {
            agree(&user, &tasks, sort, &[], limit);
        }
    }
}

#[test]
fn every_filter_gives_what_it_says_in_every_order() {
    let user = User::new("model-filters");
    let tasks = fill(&user);
    for (number, condition) in conditions().iter().enumerate() {
        for (place, sort) in ORDERS.into_iter().enumerate() {
            let limit = if (number + place) % 2 == 0 { 500 } else { 4 };
            agree(&user, &tasks, sort, &[condition], limit);
        }
    }
}

#[test]
fn every_pair_of_filters_gives_what_both_say() {
    let user = User::new("model-pairs");
    let tasks = fill(&user);
    let all = conditions();
    let name = |condition: &Condition| condition.query.split('=').next().map(str::to_owned);
    let mut number = 0;
    for (place, first) in all.iter().enumerate() {
        for second in &all[place + 1..] {
            if name(first) == name(second) && name(first).as_deref() != Some("tag") {
                continue;
            }
            number += 1;
            let limit = if number % 4 == 0 { 3 } else { 500 };
            agree(&user, &tasks, ORDERS[number % ORDERS.len()], &[first, second], limit);
        }
    }
}
