//! The title of a task.

use utoipa::openapi::{RefOr, Schema};

use crate::domain::fields::{Components, FieldType, FieldValue, Mode};
use crate::domain::{Errors, Json, text};

/// 1 to 255 characters, without white space around them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title(String);

impl Title {
    const MAX_CHARACTERS: usize = 255;

    /// Parses a title.
    pub fn parse(text: &str, errors: &mut Errors<'_>) -> Option<Self> {
        let title = text.trim();
        if text::is_invisible(title) {
            return errors.refuse("Must not be empty.");
        }
        text::check_length(title, Self::MAX_CHARACTERS, errors)?;
        text::check(title, errors)?;
        Some(Self(title.to_owned()))
    }

    /// The title.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FieldType for Title {
    fn default_value() -> Option<FieldValue> {
        None
    }

    fn parse(json: Json, _: Mode, errors: &mut Errors<'_>) -> Option<FieldValue> {
        let text = json.text("a string", errors)?;
        Self::parse(&text, errors).map(|title| FieldValue::Text(title.0))
    }

    fn schema(_: Mode, _: &mut Components) -> RefOr<Schema> {
        let title = text::visible_schema(Self::MAX_CHARACTERS)
            .description(Some(
                "1 to 255 characters, of which one can be seen; white space around them is cut off. At most 30 combining marks in \
                 a row.",
            ))
            .examples(["Book the train"]);
        Schema::from(title).into()
    }
}
