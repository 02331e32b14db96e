//! What a list can be asked for, parsed from the parameters of its query string.

use std::collections::HashSet;

use serde::{Serialize, Serializer};

use super::{Cursor, CursorBinding, DateOrInstant, Instant, Invalid, Priority, Tags, text};

/// The parameters of a list, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery {
    /// How the tasks are ordered.
    pub order: Order,
    /// Which tasks are meant.
    pub filter: Filter,
    /// How many tasks a page has at most, 1 to 500.
    pub limit: u16,
    /// Where the page begins; at the beginning where `None`.
    pub after: Option<After>,
    /// Whether to count all tasks that are meant.
    pub count: bool,
}

/// How tasks are ordered; ties are broken by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// The value of the parameter `sort`.
    parameter: &'static str,
    /// What the database calls it: `errand.tasks_by_...`, written by `cargo xtask sql`.
    name: &'static str,
}

/// Which tasks a list has; every condition that is set must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Filter {
    /// Done, or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed: Option<bool>,
    /// Any of these priorities, as numbers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub priorities: Vec<u8>,
    /// All of these tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Due on a day before this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_before_date: Option<String>,
    /// Due before this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_before_at: Option<String>,
    /// Due on a day after this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_after_date: Option<String>,
    /// Due after this instant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_after_at: Option<String>,
    /// Open and past due, or not so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overdue: Option<bool>,
    /// Changed at this instant or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_since: Option<String>,
    /// Words, each of which a word of the task begins with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
}

/// The place in an order behind which a page begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct After {
    /// The sort key there, as the database wrote it.
    pub key: String,
    /// The id of the task there.
    pub id: String,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The JSON of each task, with commas between them.
    pub tasks: String,
    /// Where the next page begins, if there is one.
    pub next: Option<After>,
    /// How many tasks are meant, when asked for.
    pub total: Option<i64>,
}

impl ListQuery {
    /// How many tasks a page has unless the client says so.
    pub const DEFAULT_LIMIT: u16 = 100;
    /// How many tags are looked for. No task has as many, so that the list is empty whatever the rest of them are.
    const MOST_TAGS: usize = 21;

    /// Parses decoded name and value pairs for one user. Every mistake is named.
    pub fn parse(user_id: &str, pairs: &[(String, String)]) -> Result<Self, Vec<Invalid>> {
        let mut mistakes = Vec::new();
        let mut query = Self {
            order: Order::default(),
            filter: Filter::default(),
            limit: Self::DEFAULT_LIMIT,
            after: None,
            count: false,
        };
        let mut cursor = None;
        let mut seen = HashSet::new();
        for (name, value) in pairs {
            let repeatable = matches!(name.as_str(), "priority" | "tag");
            if !repeatable && !seen.insert(name.as_str()) {
                mistakes.push(Invalid::parameter(name, "The parameter stands here twice."));
                continue;
            }
            let result = match name.as_str() {
                "cursor" => {
                    cursor = Some(value);
                    Ok(())
                }
                _ => query.set(name, value),
            };
            if let Err(detail) = result {
                mistakes.push(Invalid::parameter(name, detail));
            }
        }
        // A cursor can only be compared with a query that is whole.
        if let (Some(text), true) = (cursor, mistakes.is_empty()) {
            match Cursor::open(text, &query.binding(user_id)) {
                Some(after) => query.after = Some(after),
                None => mistakes.push(Invalid::parameter(
                    "cursor",
                    "Not a cursor of this list: take next_cursor as it is, with the same sort and filters.",
                )),
            }
        }
        if mistakes.is_empty() { Ok(query) } else { Err(mistakes) }
    }

    /// What a cursor of this list is bound to.
    pub fn binding<'a>(&'a self, user_id: &'a str) -> CursorBinding<'a> {
        CursorBinding { user_id, order: self.order, filter: &self.filter }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        if let Some(mistake) = text::mistake(value) {
            return Err(mistake.to_owned());
        }
        let filter = &mut self.filter;
        match name {
            "limit" => self.limit = limit(value)?,
            "sort" => {
                self.order = Order::parse(value).ok_or_else(|| {
                    "Must be created_at, updated_at, due, priority or title, with a - before it to reverse.".to_owned()
                })?;
            }
            "count" if value == "exact" => self.count = true,
            "count" => return Err("Must be exact.".to_owned()),
            "completed" => filter.completed = Some(boolean(value)?),
            "overdue" => filter.overdue = Some(boolean(value)?),
            "priority" => {
                for word in value.split(',') {
                    let priority = Priority::parse(word)
                        .ok_or_else(|| "Must be of none, low, medium and high, with commas between.".to_owned())?;
                    filter.priorities.push(priority.number());
                }
                filter.priorities.sort_unstable();
                filter.priorities.dedup();
            }
            "tag" => {
                for tag in value.split(',') {
                    let tag = Tags::parse_one(tag)?;
                    match filter.tags.binary_search(&tag) {
                        Err(place) if filter.tags.len() < Self::MOST_TAGS => filter.tags.insert(place, tag),
                        _ => {}
                    }
                }
            }
            "due_before" => match date_or_instant(value)? {
                DateOrInstant::Date(date) => filter.due_before_date = Some(date),
                DateOrInstant::Instant(at) => filter.due_before_at = Some(at.as_str().to_owned()),
            },
            "due_after" => match date_or_instant(value)? {
                DateOrInstant::Date(date) => filter.due_after_date = Some(date),
                DateOrInstant::Instant(at) => filter.due_after_at = Some(at.as_str().to_owned()),
            },
            "updated_since" => {
                let at = Instant::parse(value).ok_or_else(|| {
                    "Must be an instant of RFC 3339 such as 2026-12-01T09:30:00Z (a plus sign is %2B here).".to_owned()
                })?;
                filter.updated_since = Some(at.as_str().to_owned());
            }
            "q" => match value.chars().count() {
                0..=200 => filter.q = Some(value.to_owned()),
                length => return Err(format!("Must have at most 200 characters, not {length}.")),
            },
            _ => return Err("Unknown parameter.".to_owned()),
        }
        Ok(())
    }
}

impl Order {
    const NEWEST_FIRST: Self = Self::new("created_at", "created_at_desc");

    /// Every order. Tasks without a due date come last in both directions.
    const ALL: [Self; 10] = [
        Self::NEWEST_FIRST,
        Self::new("updated_at", "updated_at_desc"),
        Self::new("due", "due_asc"),
        Self::new("priority", "priority_desc"),
        Self::new("title", "title_asc"),
        Self::new("-created_at", "created_at_asc"),
        Self::new("-updated_at", "updated_at_asc"),
        Self::new("-due", "due_desc"),
        Self::new("-priority", "priority_asc"),
        Self::new("-title", "title_desc"),
    ];

    const fn new(parameter: &'static str, name: &'static str) -> Self {
        Self { parameter, name }
    }

    /// The order that the parameter `sort` names.
    pub fn parse(value: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.parameter == value)
    }
}

impl Default for Order {
    fn default() -> Self {
        Self::NEWEST_FIRST
    }
}

/// As the database calls it.
impl Serialize for Order {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

impl Filter {
    /// Whether the list has every task.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether `completed` and `priority` are the only filters. Their conditions are cheap to evaluate for each task.
    pub fn is_cheap(&self) -> bool {
        *self == Self { completed: self.completed, priorities: self.priorities.clone(), ..Self::default() }
    }
}

fn limit(value: &str) -> Result<u16, String> {
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    match value.parse() {
        Ok(limit @ 1..=500) if digits => Ok(limit),
        _ => Err("Must be a number from 1 to 500.".to_owned()),
    }
}

fn boolean(value: &str) -> Result<bool, String> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("Must be true or false.".to_owned()),
    }
}

fn date_or_instant(value: &str) -> Result<DateOrInstant, String> {
    DateOrInstant::parse(value).ok_or_else(|| {
        "Must be a day as YYYY-MM-DD, or an instant such as 2026-12-01T09:30:00Z (a plus sign is %2B here).".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pairs: &[(&str, &str)]) -> Result<ListQuery, Vec<Invalid>> {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        ListQuery::parse("alice", &pairs)
    }

    #[test]
    fn without_parameters_the_newest_hundred_are_meant() {
        let query = parse(&[]).unwrap();
        assert_eq!((query.order, query.limit, query.count), (Order::NEWEST_FIRST, 100, false));
        assert!(query.filter.is_empty());
    }

    #[test]
    fn the_database_has_every_order() {
        let functions = include_str!("../../migrations/functions/errand/task_orders.sql");
        for order in Order::ALL {
            assert!(functions.contains(&format!(" errand.tasks_by_{}(", order.name)), "{order:?}");
            assert_eq!(Order::parse(order.parameter), Some(order));
        }
        assert_eq!(functions.matches("function errand.tasks_by_").count(), Order::ALL.len());
    }

    #[test]
    fn repeated_and_comma_separated_values_add_up() {
        let query = parse(&[("priority", "high,low"), ("priority", "low"), ("tag", "b"), ("tag", "a,b")]).unwrap();
        assert_eq!(query.filter.priorities, [1, 3]);
        assert_eq!(query.filter.tags, ["a", "b"]);
    }

    #[test]
    fn no_more_tags_are_looked_for_than_decide() {
        let tags = |range: std::ops::Range<usize>| range.map(|n| n.to_string()).collect::<Vec<_>>().join(",");
        let twenty = parse(&[("tag", &tags(0..10)), ("tag", &tags(0..20))]).unwrap();
        assert_eq!(twenty.filter.tags.len(), 20);
        assert!(twenty.filter.tags.is_sorted());
        let many = parse(&[("tag", &tags(0..50)), ("tag", &tags(50..5000))]).unwrap();
        assert_eq!(many.filter.tags.len(), ListQuery::MOST_TAGS);
        // Each is looked at all the same.
        assert_eq!(parse(&[("tag", &tags(0..50)), ("tag", &format!("a,{}", "x".repeat(51)))]).unwrap_err().len(), 1);
    }

    #[test]
    fn every_bad_value_is_named() {
        for (name, value) in [
            ("limit", "0"),
            ("limit", "501"),
            ("limit", "+5"),
            ("limit", ""),
            ("sort", "id"),
            ("sort", "--due"),
            ("completed", "True"),
            ("completed", ""),
            ("priority", "urgent"),
            ("priority", ""),
            ("tag", ""),
            ("tag", "a,,b"),
            ("due_before", "tomorrow"),
            ("due_after", "2026-02-30"),
            ("overdue", "1"),
            ("updated_since", "2026-12-01"),
            ("q", "a\0b"),
            ("count", "true"),
            ("cursor", "x"),
            ("page", "2"),
            ("", ""),
        ] {
            let mistakes = parse(&[(name, value)]).unwrap_err();
            assert_eq!(mistakes.len(), 1, "{name}={value}");
            assert_eq!(mistakes[0].place, crate::domain::Place::Parameter(name.to_owned()));
        }
        assert_eq!(parse(&[("limit", "0"), ("sort", "x"), ("limit", "1")]).unwrap_err().len(), 3);
    }
}
