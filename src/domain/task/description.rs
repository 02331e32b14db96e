//! The description of a task.

use utoipa::openapi::{RefOr, Schema};

use crate::domain::fields::{Components, FieldType, FieldValue, Mode};
use crate::domain::{Errors, Json, text};

/// Up to 10,000 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description(String);

impl Description {
    const MAX_CHARACTERS: usize = 10_000;

    /// Parses a description.
    pub fn parse(text: String, errors: &mut Errors<'_>) -> Option<Self> {
        text::check_length(&text, Self::MAX_CHARACTERS, errors)?;
        text::check(&text, errors)?;
        Some(Self(text))
    }
}

impl FieldType for Description {
    fn default_value() -> Option<FieldValue> {
        Some(FieldValue::Null)
    }

    fn parse(json: Json, _: Mode, errors: &mut Errors<'_>) -> Option<FieldValue> {
        let text = json.text("null or a string", errors)?;
        Self::parse(text, errors).map(|description| FieldValue::Text(description.0))
    }

    fn schema(_: Mode, _: &mut Components) -> RefOr<Schema> {
        let description = text::schema(Self::MAX_CHARACTERS)
            .description(Some("Up to 10,000 characters, at most 30 combining marks in a row."));
        Schema::from(description).into()
    }
}
