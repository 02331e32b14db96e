//! The query of a list, parsed from the parameters of its query string.

use std::collections::HashSet;

use serde::{Serialize, Serializer};

use super::{
    Cursor, CursorBinding, DateOrInstant, Errors, Instant, Invalid, Parameter, Priority, Search, Tags, TimeZone, text,
};

/// The maximum number of resources of a page. The functions of lists have the same one (`cargo xtask sql`).
pub const MAX_PAGE_SIZE: u16 = 500;

/// The query of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery {
    /// How the tasks are ordered.
    pub order: Order,
    /// Which tasks are listed.
    pub filter: Filter,
    /// What the filters search for.
    pub search: Search,
    /// The maximum number of tasks of a page, 1 to [`MAX_PAGE_SIZE`].
    pub limit: u16,
    /// The position that the page follows; `None` for the first page.
    pub after: Option<PagePosition>,
    /// Whether to count the matching tasks of all pages.
    pub count: bool,
}

/// How tasks are ordered; ties are broken by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// The value of the parameter `sort`.
    parameter: &'static str,
    /// What the database calls it: `errand.page_by_...`, written by `cargo xtask sql`.
    name: &'static str,
}

/// The conditions of a list. A task must meet every one that is set.
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
    /// The time zone whose midnight ends a day for the filters by due date; UTC without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
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
    /// Words and symbols, each of which a word or a symbol of the task begins with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
}

/// A position in an ordered list: that of one task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PagePosition {
    /// The sort key of the task, as the database wrote it.
    pub key: String,
    /// The id of the task.
    pub id: String,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The JSON of each object, with commas between them.
    pub objects: String,
    /// The position that the next page follows, if there is one.
    pub next: Option<PagePosition>,
    /// The number of matching objects on all pages, if the query asks for it.
    pub total: Option<i64>,
}

impl ListQuery {
    /// The maximum number of tasks of a page, if the client sets none.
    pub const DEFAULT_LIMIT: u16 = 100;
    /// Parses the parameters of a user's query.
    pub fn parse(user_id: &str, parameters: &[Parameter]) -> Result<Self, Vec<Invalid>> {
        Errors::collect(|errors| {
            let mut query = Self {
                order: Order::default(),
                filter: Filter::default(),
                search: Search::default(),
                limit: Self::DEFAULT_LIMIT,
                after: None,
                count: false,
            };
            let mut cursor = None;
            let mut seen = HashSet::new();
            for parameter in parameters {
                let name = parameter.name.as_str();
                let mut errors = errors.at_parameter(name);
                if matches!(name, "priority" | "tag") {
                    query.filter.add(name, &parameter.parts, &mut errors);
                } else if !seen.insert(name) {
                    errors.add("The parameter stands here twice.");
                } else if name == "cursor" {
                    cursor = Some(parameter.value());
                } else {
                    query.set(name, &parameter.value(), &mut errors);
                }
            }
            query.search = Search::of(&query.filter);
            if query.filter.q.is_some() && !query.search.has_patterns() {
                errors.at_parameter("q").add("Has nothing to search for: there must be a letter, a digit or a symbol.");
            }
            // A cursor can only be compared with a query without errors.
            if let (Some(cursor), 0) = (cursor, errors.count()) {
                query.after = Cursor::open(&cursor, &query.binding(user_id));
                if query.after.is_none() {
                    errors
                        .at_parameter("cursor")
                        .add("Not a cursor of this list: take next_cursor as it is, with the same sort and filters.");
                }
            }
            Some(query)
        })
    }

    /// What a cursor of this list is bound to.
    pub fn binding<'a>(&'a self, user_id: &'a str) -> CursorBinding<'a> {
        CursorBinding { user_id, order: self.order.name, filter: &self.filter }
    }

    /// Sets what a parameter asks for. `None` if its value has an error.
    fn set(&mut self, name: &str, value: &str, errors: &mut Errors<'_>) -> Option<()> {
        text::check(value, errors)?;
        let filter = &mut self.filter;
        match name {
            "limit" => self.limit = limit(value, errors)?,
            "sort" => match Order::parse(value) {
                Some(order) => self.order = order,
                None => {
                    return errors.refuse(
                        "Must be created_at, updated_at, due, priority or title, with a - before it to reverse.",
                    );
                }
            },
            "count" if value == "exact" => self.count = true,
            "count" => return errors.refuse("Must be exact."),
            "completed" => filter.completed = Some(boolean(value, errors)?),
            "overdue" => filter.overdue = Some(boolean(value, errors)?),
            "time_zone" => filter.time_zone = Some(TimeZone::parse(value.to_owned(), errors)?.as_str().to_owned()),
            "due_before" => match DateOrInstant::parse(value, errors)? {
                DateOrInstant::Date(date) => filter.due_before_date = Some(date),
                DateOrInstant::Instant(at) => filter.due_before_at = Some(at.as_str().to_owned()),
            },
            "due_after" => match DateOrInstant::parse(value, errors)? {
                DateOrInstant::Date(date) => filter.due_after_date = Some(date),
                DateOrInstant::Instant(at) => filter.due_after_at = Some(at.as_str().to_owned()),
            },
            "updated_since" => filter.updated_since = Some(Instant::parse(value, errors)?.as_str().to_owned()),
            "q" => {
                text::check_length(value, 200, errors)?;
                filter.q = Some(value.to_owned());
            }
            _ => return errors.refuse("Unknown parameter."),
        }
        Some(())
    }
}

impl Order {
    const NEWEST_FIRST: Self = Self::new("created_at", "created_at_desc");

    /// Every order, as openapi.json has them. Tasks without a due date come last in both directions.
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

    /// What the database calls it.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// The values of the parameter `sort`.
    pub fn parameters() -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().map(|order| order.parameter)
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
    /// The maximum number of tags that a filter keeps. No task has as many, so the list is empty whatever the other tags are.
    const MAX_TAGS: usize = 21;

    /// Adds the values of a parameter that may be repeated: `priority` or `tag`. `None` if one has an error.
    fn add(&mut self, name: &str, values: &[String], errors: &mut Errors<'_>) -> Option<()> {
        for value in values {
            text::check(value, errors)?;
            if name == "priority" {
                let Some(priority) = Priority::from_name(value) else {
                    return errors.refuse("Must be of none, low, medium and high, with commas between.");
                };
                if let Err(place) = self.priorities.binary_search(&priority.number()) {
                    self.priorities.insert(place, priority.number());
                }
            } else {
                let tag = Tags::parse_one(value, errors)?;
                match self.tags.binary_search(&tag) {
                    Err(place) if self.tags.len() < Self::MAX_TAGS => self.tags.insert(place, tag),
                    _ => {}
                }
            }
        }
        Some(())
    }

    /// Whether the list depends on the clock, or on the rules of a time zone, which change without a write.
    pub fn depends_on_clock(&self) -> bool {
        let by_day = self.due_before_date.is_some() || self.due_after_date.is_some();
        self.overdue.is_some() || (by_day && self.time_zone.is_some())
    }

    /// Whether the list has every task.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether `completed` and `priority` are the only filters. Their conditions are cheap to evaluate for each task.
    pub fn is_cheap(&self) -> bool {
        *self == Self { completed: self.completed, priorities: self.priorities.clone(), ..Self::default() }
    }
}

/// Parses the parameter `limit`.
pub(super) fn limit(value: &str, errors: &mut Errors<'_>) -> Option<u16> {
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    match value.parse() {
        Ok(limit @ 1..=MAX_PAGE_SIZE) if digits => Some(limit),
        _ => errors.refuse(format!("Must be a number from 1 to {MAX_PAGE_SIZE}.")),
    }
}

fn boolean(value: &str, errors: &mut Errors<'_>) -> Option<bool> {
    match value {
        "true" => Some(true),
        "false" => Some(false),
        _ => errors.refuse("Must be true or false."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pairs: &[(&str, &str)]) -> Result<ListQuery, Vec<Invalid>> {
        let parameter = |(name, value): &(&str, &str)| Parameter {
            name: (*name).to_owned(),
            parts: value.split(',').map(str::to_owned).collect(),
        };
        ListQuery::parse("alice", &pairs.iter().map(parameter).collect::<Vec<_>>())
    }

    #[test]
    fn without_parameters_the_newest_hundred_are_listed() {
        let query = parse(&[]).unwrap();
        assert_eq!((query.order, query.limit, query.count), (Order::NEWEST_FIRST, 100, false));
        assert!(query.filter.is_empty());
    }

    #[test]
    fn the_database_has_every_order_and_the_longest_page() {
        let functions = include_str!("../../migrations/functions/errand/task_orders.sql");
        // One more task says whether there is another page.
        let longest = format!("limit {}) as ", MAX_PAGE_SIZE + 1);
        let pages: Vec<_> = functions.lines().filter(|line| line.contains(" limit (p_start).size + 1)")).collect();
        assert!(pages.len() >= Order::ALL.len());
        assert_eq!(pages.iter().find(|line| !line.trim_start().starts_with(&longest)), None);
        for order in Order::ALL {
            assert!(functions.contains(&format!(" errand.page_by_{}(", order.name)), "{order:?}");
            assert_eq!(Order::parse(order.parameter), Some(order));
        }
        assert_eq!(functions.matches("function errand.page_by_").count(), Order::ALL.len());
    }

    #[test]
    fn repeated_and_comma_separated_values_add_up() {
        let query = parse(&[("priority", "high,low"), ("priority", "low"), ("tag", "b"), ("tag", "a,b")]).unwrap();
        assert_eq!(query.filter.priorities, [1, 3]);
        assert_eq!(query.filter.tags, ["a", "b"]);
    }

    #[test]
    fn a_filter_keeps_no_more_tags_than_decide() {
        let tags = |range: std::ops::Range<usize>| range.map(|n| n.to_string()).collect::<Vec<_>>().join(",");
        let twenty = parse(&[("tag", &tags(0..10)), ("tag", &tags(0..20))]).unwrap();
        assert_eq!(twenty.filter.tags.len(), 20);
        assert!(twenty.filter.tags.is_sorted());
        let many = parse(&[("tag", &tags(0..50)), ("tag", &tags(50..5000))]).unwrap();
        assert_eq!(many.filter.tags.len(), Filter::MAX_TAGS);
        // Each is checked all the same.
        assert_eq!(parse(&[("tag", &tags(0..50)), ("tag", &format!("a,{}", "x".repeat(51)))]).unwrap_err().len(), 1);
    }

    #[test]
    fn every_error_is_named() {
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
            let errors = parse(&[(name, value)]).unwrap_err();
            assert_eq!(errors.len(), 1, "{name}={value}");
            assert_eq!(errors[0].place, crate::domain::Place::Parameter(name.to_owned()));
        }
        assert_eq!(parse(&[("limit", "0"), ("sort", "x"), ("limit", "1")]).unwrap_err().len(), 3);
    }
}
