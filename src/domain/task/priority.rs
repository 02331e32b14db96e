//! The priority of a task.

use serde::{Deserialize, Serialize, Serializer};
use utoipa::PartialSchema;
use utoipa::openapi::{RefOr, Schema};

use crate::domain::fields::{Components, FieldType, FieldValue, Mode, schema};
use crate::domain::{Errors, Json};

/// How urgent a task is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Not said
    #[default]
    None,
    /// Low
    Low,
    /// Medium
    Medium,
    /// High
    High,
}

impl Priority {
    /// The priority with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::None),
            "low" => Some(Self::Low),
            "medium" => Some(Self::Medium),
            "high" => Some(Self::High),
            _ => None,
        }
    }

    /// The number that the database stores, 0 to 3.
    pub fn number(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Low => 1,
            Self::Medium => 2,
            Self::High => 3,
        }
    }
}

impl FieldType for Priority {
    fn default_value() -> Option<FieldValue> {
        Some(FieldValue::Number(Self::None.number()))
    }

    fn parse(json: Json, _: Mode, errors: &mut Errors<'_>) -> Option<FieldValue> {
        let name = json.text("one of none, low, medium and high", errors)?;
        match Self::from_name(&name) {
            Some(priority) => Some(FieldValue::Number(priority.number())),
            None => errors.refuse("Must be one of none, low, medium and high."),
        }
    }

    fn schema(_: Mode, components: &mut Components) -> RefOr<Schema> {
        schema::component("Priority", <Self as PartialSchema>::schema(), components)
    }
}

impl Serialize for Priority {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        })
    }
}
