//! The order by due date, and the filters by it in the client's time zone.

use serde_json::{Value, json};
use uuid::Uuid;

use super::list_tasks::ORDERS;
use crate::support::{User, target};

fn whole(date: &str) -> Value {
    json!({ "date": date })
}

fn timed(date: &str, time: &str, zone: &str) -> Value {
    json!({"date": date, "time": time, "time_zone": zone})
}

/// A user with a task for each due date, titled by its place, made in another order.
fn user_with(name: &str, dues: &[Value]) -> User {
    let user = User::new(name);
    for shift in [1, 0] {
        for (place, due) in dues.iter().enumerate().filter(|(place, _)| place % 2 == shift) {
            user.create(json!({"title": place.to_string(), "due": due}));
        }
    }
    user
}

fn pages(user: &User, query: &str) -> Vec<String> {
    let mut titles = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = user.get(&format!("/tasks?{query}&limit=2{cursor}")).expect(200).list();
        titles.extend(page.tasks.into_iter().map(|task| task.title));
        match page.next_cursor {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return titles,
        }
    }
}

#[test]
fn tasks_are_in_the_order_of_their_dates_as_written() {
    let dues = [
        whole("0001-01-02"),
        // The instants of a date: the earliest local day begins 14 hours before that of UTC, and the latest ends 12 hours after it.
        timed("2026-11-30", "23:59:59", "Etc/GMT+12"),
        whole("2026-11-30"),
        timed("2026-12-01", "00:00", "Pacific/Kiritimati"),
        timed("2026-12-01", "09:00", "Asia/Tokyo"),
        timed("2026-12-01", "00:00:01", "UTC"),
        timed("2026-12-01", "09:30", "Europe/Vilnius"),
        timed("2026-12-01", "23:59:58", "Etc/GMT+12"),
        timed("2026-12-01", "23:59:59", "Etc/GMT+12"),
        whole("2026-12-01"),
        // In UTC this is the day before.
        timed("2026-12-02", "08:00", "Asia/Tokyo"),
        whole("2026-12-02"),
        timed("9999-12-31", "12:00", "UTC"),
        whole("9999-12-31"),
        Value::Null,
    ];
    let user = user_with("due-order", &dues);
    let ascending: Vec<_> = (0..dues.len()).map(|place| place.to_string()).collect();
    assert_eq!(pages(&user, "sort=due"), ascending);
    // No due date is last all the same.
    let mut descending = ascending.clone();
    descending[..dues.len() - 1].reverse();
    assert_eq!(pages(&user, "sort=-due"), descending);
    let before: Vec<_> = descending.into_iter().filter(|title| title != "0").collect();
    assert_eq!(pages(&user, "sort=-due&due_after=2000-01-01"), before[..dues.len() - 2]);
}

#[test]
fn a_due_date_that_is_changed_has_its_new_place() {
    let user = user_with("due-moves", &[whole("2026-12-01"), whole("2026-12-02"), whole("2026-12-04")]);
    let path = format!("/tasks/{}", user.get("/tasks?sort=due").list().tasks[0].id);
    for (due, expected) in [
        (json!({"date": "2026-12-03"}), ["1", "0", "2"]),
        (json!({"date": "2026-12-02", "time": "10:00", "time_zone": "Asia/Tokyo"}), ["0", "1", "2"]),
        (json!({"date": "2026-12-05", "time": "01:00"}), ["1", "2", "0"]),
        (json!({"date": "2026-12-04"}), ["1", "0", "2"]),
        (Value::Null, ["1", "2", "0"]),
    ] {
        user.patch(&path, json!({ "due": due })).expect(200);
        assert_eq!(pages(&user, "sort=due"), expected, "{due}");
    }
}

#[test]
fn a_day_of_a_filter_ends_at_midnight_in_the_time_zone() {
    let dues = [
        // 30 November in New York, 1 December in UTC and in Tokyo.
        timed("2026-12-01", "04:00", "UTC"),
        // 1 December in New York and in UTC, 2 December in Tokyo.
        timed("2026-12-02", "01:00", "Asia/Tokyo"),
        // Midnight in Tokyo.
        timed("2026-12-02", "00:00", "Asia/Tokyo"),
        whole("2026-12-01"),
        whole("2026-12-02"),
        Value::Null,
    ];
    let user = user_with("due-zones", &dues);
    let sorted = |query: &str| {
        let mut titles = user.titles(&format!("?{query}"));
        titles.sort_unstable();
        titles
    };
    for (query, expected) in [
        ("due_before=2026-12-01&time_zone=America/New_York", vec!["0"]),
        ("due_before=2026-12-01", vec![]),
        ("due_before=2026-12-01&time_zone=Asia/Tokyo", vec![]),
        ("due_before=2026-12-02", vec!["0", "1", "2", "3"]),
        ("due_before=2026-12-02&time_zone=UTC", vec!["0", "1", "2", "3"]),
        ("due_before=2026-12-02&time_zone=asia/tokyo", vec!["0", "3"]),
        ("due_after=2026-12-01", vec!["4"]),
        ("due_after=2026-12-01&time_zone=Asia/Tokyo", vec!["1", "2", "4"]),
        ("due_after=2026-11-30&time_zone=America/New_York", vec!["1", "2", "3", "4"]),
        ("due_after=2026-11-30&due_before=2026-12-02&time_zone=Asia/Tokyo", vec!["0", "3"]),
        // An instant has no use for a zone.
        ("due_before=2026-12-01T15:00:00Z&time_zone=Asia/Tokyo", vec!["0"]),
    ] {
        for sort in ORDERS {
            assert_eq!(sorted(&format!("{query}&sort={sort}")), expected, "{query} {sort}");
        }
        let counted = user.get(&format!("/tasks?{query}&count=exact&limit=1")).list().total;
        assert_eq!(counted, Some(expected.len() as i64), "{query}");
    }
}

/// It is always Tuesday somewhere: between UTC-12 and UTC+14 there are two or three dates at any time.
#[test]
fn a_whole_day_is_overdue_when_it_is_over_in_the_time_zone() {
    let user = User::new("overdue-zones");
    let date = |zone: &str, shift: i32| {
        target().admin_query(&format!("select ((now() at time zone '{zone}')::date + {shift})::text")).concat()
    };
    for zone in ["Pacific/Kiritimati", "Etc/GMT+12", "UTC"] {
        let today = date(zone, 0);
        for shift in [-1, 0] {
            user.create(json!({"title": shift.to_string(), "due": {"date": date(zone, shift)}}));
        }
        let overdue = user.titles(&format!("?overdue=true&time_zone={}", zone.replace('+', "%2B")));
        let others = user.titles(&format!("?overdue=false&time_zone={}", zone.replace('+', "%2B")));
        // On a run over midnight the days are not those that were meant.
        if date(zone, 0) == today {
            assert_eq!((overdue, others), (vec!["-1".to_owned()], vec!["0".to_owned()]), "{zone}");
        }
        for task in user.get("/tasks").list().tasks {
            user.delete(&format!("/tasks/{}", task.id)).expect(204);
        }
    }
}

#[test]
fn an_unknown_time_zone_is_named() {
    let user = User::new("no-zone");
    for zone in ["Mars/Olympus", "CET-1", "EST5EDT4,M1", "", "%00", "+02:00"] {
        for filter in ["", "&overdue=true", "&due_before=2026-12-01", "&completed=false"] {
            let reply = user.get(&format!("/tasks?time_zone={zone}{filter}")).expect(400);
            assert_eq!(reply.json()["errors"][0]["parameter"], "time_zone", "{zone}{filter}");
        }
    }
}

#[test]
fn a_list_that_depends_on_a_zone_has_no_entity_tag() {
    let user = User::new("zone-etag");
    user.create(json!({"title": "t", "due": {"date": "2026-12-01"}}));
    for (query, tagged) in [
        ("due_before=2026-12-02", true),
        ("time_zone=UTC", true),
        ("due_before=2026-12-02T00:00:00Z&time_zone=UTC", true),
        ("due_before=2026-12-02&time_zone=UTC", false),
        ("due_after=2026-11-02&time_zone=Asia/Tokyo", false),
        ("overdue=false", false),
    ] {
        let reply = user.get_with(&format!("/tasks?{query}"), &[("if-none-match", "*")]);
        assert_eq!(reply.status, if tagged { 304 } else { 200 }, "{query}");
        assert_eq!(reply.headers.iter().any(|(name, _)| name == "etag"), tagged, "{query}");
    }
}

/// Before migration 0014, the keys of the order by due date were others.
#[test]
fn a_cursor_of_the_order_by_due_date_from_before_is_refused() {
    let user = user_with("due-cursors", &[whole("2026-12-01"), whole("2026-12-02"), whole("2026-12-03")]);
    for (order, key, mark, served) in [
        ("due_asc", "2026-12-01 23:59:59.999999+00", "", false),
        ("due_desc", "2026-12-01 23:59:59.999999+00", "", false),
        ("due_asc", "2026-12-01 23:59:59.999999+00", "day ", true),
        ("title_asc", "0", "", true),
    ] {
        let list = format!(
            "select api.read_tasks('{id}', jsonb_build_object('order', '{order}', 'limit', 1, 'after', jsonb_build_object(
                'key', errand.tag_base('{id}') || '0 {mark}{key}', 'id', '{nil}')))",
            id = user.id,
            nil = Uuid::nil()
        );
        assert_eq!(target().app_query(&list).is_ok(), served, "{order} {mark}");
    }
}

/// A list begins behind the least key with the least id.
#[test]
fn the_least_and_the_greatest_id_are_in_every_order() {
    let user = User::new("extremes");
    for title in ["\u{301}", "\u{10ffff}", "a"] {
        for id in [Uuid::nil(), Uuid::max()] {
            for (priority, due) in [("none", Value::Null), ("high", whole("0001-01-01")), ("low", whole("9999-12-31"))]
            {
                let body = json!({"title": title, "completed": false, "priority": priority, "due": due});
                user.with_json("PUT", &format!("/tasks/{id}"), &[("if-none-match", "*")], body).expect(201);
                user.create(json!({"title": "other"}));
                for sort in ORDERS {
                    let mut titles = pages(&user, &format!("sort={sort}"));
                    titles.sort_unstable();
                    let mut expected = [title, "other"].map(str::to_owned);
                    expected.sort_unstable();
                    assert_eq!(titles, expected, "{sort} {priority} {id}");
                }
                for task in user.get("/tasks?limit=500").list().tasks {
                    user.delete(&format!("/tasks/{}", task.id)).expect(204);
                }
            }
        }
    }
}

#[test]
fn the_whole_title_is_sorted() {
    let user = User::new("whole-titles");
    let long = "ß".repeat(253);
    let titles = [format!("{long}a"), format!("{long}aa"), format!("{long}b"), format!("{long}bb")];
    for title in [1, 3, 0, 2] {
        user.create(json!({ "title": titles[title] }));
    }
    assert_eq!(pages(&user, "sort=title"), titles);
    assert_eq!(pages(&user, "sort=-title"), titles.iter().rev().cloned().collect::<Vec<_>>());
}
