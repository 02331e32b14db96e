//! Properties of the parsers: no input makes one panic, and a parsed value, printed, parses to the same value.

use errand::domain::{
    Completion, Cursor, CursorBinding, DateOrInstant, Description, Errors, Filter, IdempotencyKey, Instant, Invalid,
    Json, KeyedRequest, ListQuery, NewTask, PagePosition, Parameter, Priority, Replacement, Tags, TaskPatch, TimeZone,
    Title,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

/// Texts of all kinds, many of them almost valid.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ \\t\u{a0}]*.{0,300}",
        "[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,12})?(Z|[+-][0-9]{2}:[0-9]{2}))?",
        "[A-Z][a-z]+/[A-Z][a-z_]+",
        "(none|low|medium|high|true|false|exact|-?due|title|,)+",
        "[A-Za-z0-9_-]{0,80}",
    ]
}

/// JSON of any shape, with the member names of a task.
fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    let name =
        prop_oneof!["(title|description|completed|priority|due|tags|date|time|time_zone|id|version)", any::<String>(),];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..25).prop_map(Value::from),
            vec((name.clone(), inner), 0..8).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A body of POST as the API describes it.
fn new_task() -> impl Strategy<Value = Value> {
    let due = prop_oneof![
        Just(Value::Null),
        (1_i32..=9999, 1_u8..=12, 1_u8..=28).prop_map(|(y, m, d)| json!({"date": format!("{y:04}-{m:02}-{d:02}")})),
        (0_u8..24, 0_u8..60).prop_map(|(hour, minute)| json!({
            "date": "2026-12-01", "time": format!("{hour:02}:{minute:02}"), "time_zone": "Europe/Vilnius"
        })),
    ];
    let tags = proptest::collection::hash_set("[a-z]([a-zž 一-龠]{0,48}[a-z])?", 0..=20);
    ("[^\0]{0,100}[a-zž][^\0]{0,154}", option::of("[^\0]{0,500}"), any::<bool>(), "(none|low|medium|high)", due, tags)
        .prop_map(|(title, description, completed, priority, due, tags)| {
            json!({"title": title, "description": description, "completed": completed, "priority": priority, "due": due,
                "tags": tags})
        })
}

fn title(text: &str) -> Result<Title, Vec<Invalid>> {
    Errors::collect(|errors| Title::parse(text, errors))
}

proptest! {
    // A failure is printed, and not kept in a file.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_a_parser_panic(bytes in vec(any::<u8>(), 0..600)) {
        let _ = Errors::collect(|errors| Json::parse(&bytes, errors));
        let _ = NewTask::parse(&bytes);
        let _ = Replacement::parse(&bytes);
        let _ = TaskPatch::parse(&bytes);
        let _ = Completion::parse(&bytes);
    }

    #[test]
    fn no_text_makes_a_parser_panic(text in text()) {
        let _ = title(&text);
        let _ = Errors::collect(|errors| Description::parse(text.clone(), errors));
        let _ = Errors::collect(|errors| Tags::parse_one(&text, errors));
        let _ = Priority::from_name(&text);
        let _ = Errors::collect(|errors| TimeZone::parse(text.clone(), errors));
        let _ = Errors::collect(|errors| DateOrInstant::parse(&text, errors));
        let _ = IdempotencyKey::parse(&text, &KeyedRequest { operation: "create_task", subject: "", query: None, body: b"" });
        let filter = Filter::default();
        let binding = CursorBinding { user_id: "alice", order: "created_at_desc", filter: &filter };
        prop_assert_eq!(Cursor::open(&text, &binding), None);
    }

    #[test]
    fn no_document_makes_a_parser_panic_and_each_error_has_a_text(document in document()) {
        let body = document.to_string();
        let taken = [
            NewTask::parse(body.as_bytes()).map(drop),
            Replacement::parse(body.as_bytes()).map(drop),
            TaskPatch::parse(body.as_bytes()).map(drop),
            Completion::parse(body.as_bytes()).map(drop),
        ];
        for errors in taken.into_iter().filter_map(Result::err) {
            prop_assert!(!errors.is_empty());
            prop_assert!(errors.iter().all(|error| !error.detail.is_empty()));
        }
    }

    #[test]
    fn what_is_described_is_understood(task in new_task()) {
        let body = task.to_string();
        let new = NewTask::parse(body.as_bytes());
        prop_assert!(new.is_ok(), "{new:?}");
        // The document for the database has what the client wrote.
        let fields = serde_json::to_value(new.unwrap()).unwrap();
        let replacement = Replacement::parse(body.as_bytes());
        prop_assert!(replacement.is_ok(), "{replacement:?}");
        prop_assert_eq!(&fields, &serde_json::to_value(replacement.unwrap()).unwrap());
        let patch = TaskPatch::parse(body.as_bytes());
        prop_assert!(patch.is_ok(), "{patch:?}");
        prop_assert_eq!(fields["title"].as_str().unwrap(), task["title"].as_str().unwrap().trim());
        prop_assert_eq!(&fields["completed"], &task["completed"]);
        prop_assert_eq!(&fields["tags"], &task["tags"]);
        if let Some(date) = task["due"]["date"].as_str() {
            prop_assert_eq!(&fields["due_date"], date);
        }
    }

    #[test]
    fn a_title_is_understood_again(text in text()) {
        if let Ok(parsed) = title(&text) {
            let again = title(parsed.as_str());
            prop_assert_eq!(again, Ok(parsed));
        }
    }

    #[test]
    fn an_instant_is_understood_again(text in text()) {
        let instant = |text: &str| Errors::collect(|errors| Instant::parse(text, errors));
        if let Ok(parsed) = instant(&text) {
            prop_assert!(parsed.as_str().ends_with('Z'));
            prop_assert_eq!(instant(parsed.as_str()), Ok(parsed));
        }
    }

    #[test]
    fn a_cursor_opens_where_it_was_made_and_nowhere_else(
        (key, id, user, other) in (any::<String>(), any::<u128>(), any::<String>(), any::<String>())
    ) {
        let filter = Filter::default();
        let after = PagePosition { key, id: Uuid::from_u128(id).to_string() };
        let binding = CursorBinding { user_id: &user, order: "title_asc", filter: &filter };
        let cursor = Cursor::seal(&after, &binding).unwrap();
        prop_assert_eq!(Cursor::open(cursor.as_str(), &binding), Some(after));
        if other != user {
            prop_assert_eq!(Cursor::open(cursor.as_str(), &CursorBinding { user_id: &other, ..binding }), None);
        }
    }

    #[test]
    fn a_query_never_panics_and_names_what_is_wrong(
        parameters in vec((
            "(limit|cursor|sort|completed|priority|tag|time_zone|due_before|due_after|overdue|updated_since|q|count|x)",
            vec(text(), 1..3)), 0..6)
    ) {
        let names: Vec<_> = parameters.iter().map(|(name, _)| name.clone()).collect();
        let parameters: Vec<_> =
            parameters.into_iter().map(|(name, parts)| Parameter { name, parts }).collect();
        match ListQuery::parse("alice", &parameters) {
            Ok(query) => prop_assert!((1..=500).contains(&query.limit)),
            Err(errors) => for error in errors {
                let errand::domain::Place::Parameter(name) = error.place else { panic!("{error:?}") };
                prop_assert!(names.contains(&name));
            }
        }
    }

    #[test]
    fn the_order_of_tags_and_priorities_in_a_query_does_not_matter(
        mut tags in vec("[a-z]{1,8}", 1..10), priorities in vec("(none|low|medium|high)", 1..6)
    ) {
        let query = |tags: &[String]| {
            let parameter = |name: &str, parts: &[String]| Parameter { name: name.to_owned(), parts: parts.to_vec() };
            let mut parameters: Vec<_> = tags.iter().map(|tag| parameter("tag", std::slice::from_ref(tag))).collect();
            parameters.push(parameter("priority", &priorities));
            ListQuery::parse("alice", &parameters)
        };
        let forwards = query(&tags);
        tags.reverse();
        prop_assert_eq!(forwards, query(&tags));
    }
}
