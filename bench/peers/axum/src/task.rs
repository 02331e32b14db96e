//! A task, from columns to JSON.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde::{Deserialize, Serialize, Serializer};
use tokio_postgres::{Error, Row};
use uuid::Uuid;

/// The columns that `Task::read` reads, in its order.
pub const COLUMNS: &str = "task.id, task.user_id, task.title, task.description, task.completed, task.completed_at, task.priority, \
    task.due_date, task.due_time, task.due_zone, task.due_at, task.tags, task.version, task.created_at, task.updated_at";

#[derive(Clone, Copy, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    #[default]
    None,
    Low,
    Medium,
    High,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Due {
    pub date: NaiveDate,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

#[derive(Serialize)]
pub struct Task {
    pub id: Uuid,
    owner_id: String,
    title: String,
    description: Option<String>,
    completed: bool,
    #[serde(serialize_with = "optional_instant")]
    completed_at: Option<DateTime<Utc>>,
    priority: Priority,
    due: Option<Due>,
    #[serde(serialize_with = "seconds")]
    due_at: Option<DateTime<Utc>>,
    tags: Vec<String>,
    pub version: i64,
    #[serde(serialize_with = "instant")]
    pub created_at: DateTime<Utc>,
    #[serde(serialize_with = "instant")]
    updated_at: DateTime<Utc>,
}

impl Task {
    pub fn read(row: &Row) -> Result<Self, Error> {
        let date: Option<NaiveDate> = row.try_get(7)?;
        let (time, time_zone) = (row.try_get(8)?, row.try_get(9)?);
        Ok(Self {
            id: row.try_get(0)?,
            owner_id: row.try_get(1)?,
            title: row.try_get(2)?,
            description: row.try_get(3)?,
            completed: row.try_get(4)?,
            completed_at: row.try_get(5)?,
            priority: Priority::of(row.try_get(6)?),
            due: date.map(|date| Due { date, time, time_zone }),
            due_at: row.try_get(10)?,
            tags: row.try_get(11)?,
            version: row.try_get(12)?,
            created_at: row.try_get(13)?,
            updated_at: row.try_get(14)?,
        })
    }
}

impl Priority {
    fn of(number: i16) -> Self {
        match number {
            1 => Self::Low,
            2 => Self::Medium,
            3 => Self::High,
            _ => Self::None,
        }
    }

    /// The word of a query string.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "none" => Some(Self::None),
            "low" => Some(Self::Low),
            "medium" => Some(Self::Medium),
            "high" => Some(Self::High),
            _ => None,
        }
    }

    pub fn number(self) -> i16 {
        self as i16
    }
}

fn instant<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Micros, true))
}

fn optional_instant<S: Serializer>(at: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => instant(at, serializer),
        None => serializer.serialize_none(),
    }
}

fn seconds<S: Serializer>(at: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serializer.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Secs, true)),
        None => serializer.serialize_none(),
    }
}
