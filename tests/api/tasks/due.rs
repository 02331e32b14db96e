//! Due dates: kept as written, and the instant that they mean.

use serde_json::{Value, json};

use crate::support::User;

fn due_at(user: &User, due: Value) -> Value {
    let task = user.post("/tasks", json!({"title": "t", "due": due})).expect(201).json();
    assert_eq!(task["due"], due);
    task["due_at"].clone()
}

#[test]
fn the_server_computes_the_instant() {
    let user = User::new("due");
    assert_eq!(due_at(&user, json!(null)), Value::Null);
    assert_eq!(due_at(&user, json!({"date": "2026-12-01"})), Value::Null);
    for (date, time, zone, instant) in [
        ("2026-12-01", "09:30", "Europe/Vilnius", "2026-12-01T07:30:00Z"),
        ("2026-07-01", "09:30:15", "Europe/Vilnius", "2026-07-01T06:30:15Z"),
        ("2026-12-31", "23:59:59", "America/Los_Angeles", "2027-01-01T07:59:59Z"),
        ("2026-01-01", "00:00", "Pacific/Kiritimati", "2025-12-31T10:00:00Z"),
        ("2026-12-01", "00:00", "UTC", "2026-12-01T00:00:00Z"),
        ("2026-12-01", "12:00", "Etc/GMT-3", "2026-12-01T09:00:00Z"),
        ("2026-12-01", "12:00", "Asia/Kathmandu", "2026-12-01T06:15:00Z"),
        ("2024-02-29", "12:00", "Europe/London", "2024-02-29T12:00:00Z"),
        // Clocks go back: the time is there twice, and the first of the two is meant (RFC 5545, section 3.3.5).
        ("2026-10-25", "02:59:59", "Europe/Vilnius", "2026-10-24T23:59:59Z"),
        ("2026-10-25", "03:00", "Europe/Vilnius", "2026-10-25T00:00:00Z"),
        ("2026-10-25", "03:30", "Europe/Vilnius", "2026-10-25T00:30:00Z"),
        ("2026-10-25", "03:59:59", "Europe/Vilnius", "2026-10-25T00:59:59Z"),
        ("2026-10-25", "04:00", "Europe/Vilnius", "2026-10-25T02:00:00Z"),
        ("2026-11-01", "01:30", "America/New_York", "2026-11-01T05:30:00Z"),
        // By half an hour; and a day whose morning is not.
        ("2026-04-05", "01:45", "Australia/Lord_Howe", "2026-04-04T14:45:00Z"),
        ("2026-03-29", "04:30", "Europe/Vilnius", "2026-03-29T01:30:00Z"),
    ] {
        let due = json!({"date": date, "time": time, "time_zone": zone});
        assert_eq!(due_at(&user, due), instant, "{date} {time} {zone}");
    }
}

#[test]
fn every_name_of_a_zone_is_given_back_as_the_database_spells_it() {
    let user = User::new("due-zones");
    for (sent, kept) in [
        ("Europe/Vilnius", "Europe/Vilnius"),
        ("europe/VILNIUS", "Europe/Vilnius"),
        ("Japan", "Japan"),
        ("Etc/GMT0", "Etc/GMT0"),
        ("Etc/GMT+12", "Etc/GMT+12"),
        ("Etc/GMT-14", "Etc/GMT-14"),
        ("UTC", "UTC"),
        ("Zulu", "Zulu"),
        ("America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
    ] {
        let due = json!({"date": "2026-12-01", "time": "09:30", "time_zone": sent});
        let task = user.create(json!({"title": "t", "due": due}));
        assert_eq!(task.due.unwrap().time_zone.as_deref(), Some(kept), "{sent}");
    }
}

#[test]
fn what_no_clock_shows_is_refused() {
    let user = User::new("due-refused");
    for (date, time, zone, place) in [
        ("2026-03-29", "03:30", "Europe/Vilnius", "/due/time"),
        ("2026-03-08", "02:00", "America/New_York", "/due/time"),
        ("2026-12-01", "09:30", "Europe/Nowhere", "/due/time_zone"),
        ("2026-12-01", "09:30", "Foo/Bar", "/due/time_zone"),
        // What PostgreSQL would take for POSIX rules.
        ("2026-12-01", "09:30", "Etc/GMT+13", "/due/time_zone"),
        ("2026-12-01", "09:30", "Etc/GMT-15", "/due/time_zone"),
        ("2026-12-01", "09:30", "UTC+3", "/due/time_zone"),
        ("2026-12-01", "09:30", "Foo/Bar3", "/due/time_zone"),
        // Abbreviations, which it would take for offsets that never change, and what is no zone of anybody's.
        ("2026-12-01", "09:30", "CET", "/due/time_zone"),
        ("2026-12-01", "09:30", "CEST", "/due/time_zone"),
        ("2026-12-01", "09:30", "posix/UTC", "/due/time_zone"),
        ("2026-12-01", "09:30", "right/UTC", "/due/time_zone"),
        ("2026-12-01", "09:30", "Factory", "/due/time_zone"),
        ("2026-12-01", "09:30", "localtime", "/due/time_zone"),
        ("0001-01-01", "00:00", "Asia/Tokyo", "/due/date"),
        ("9999-12-31", "23:59", "America/New_York", "/due/date"),
    ] {
        let due = json!({"date": date, "time": time, "time_zone": zone});
        assert_eq!(user.post("/tasks", json!({"title": "t", "due": due})).mistakes(), [place], "{date} {time} {zone}");
    }
    assert!(user.get("/tasks").list().tasks.is_empty());
    let path = format!("/tasks/{}", user.create(json!({"title": "t", "due": {"date": "2026-03-29"}})).id);
    let gap = json!({"due": {"time": "03:30", "time_zone": "Europe/Vilnius"}});
    assert_eq!(user.patch(&path, gap).mistakes(), ["/due/time"]);
    // A zone without a time is the mistake, whatever zone it is.
    assert_eq!(user.patch(&path, json!({"due": {"time_zone": "Foo/Bar"}})).mistakes(), ["/due"]);
    assert_eq!(user.get(&path).task().version, 1);
}
