//! The tags of a task.

use utoipa::openapi::{ArrayBuilder, RefOr, Schema};

use crate::domain::fields::{Components, FieldType, FieldValue, Mode};
use crate::domain::{Errors, Json, text};

/// Up to 20 different labels of 1 to 50 characters each, without white space around them, in Normalization Form C.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags(Vec<String>);

impl Tags {
    const MAX_TAGS: usize = 20;
    const MAX_CHARACTERS: usize = 50;

    fn parse(items: Vec<Json>, errors: &mut Errors<'_>) -> Option<Self> {
        if items.len() > Self::MAX_TAGS {
            return errors.refuse(format!("Must have at most {} tags, not {}.", Self::MAX_TAGS, items.len()));
        }
        let mut tags = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            let index = index.to_string();
            let errors = &mut errors.at(&index);
            let tag = item.text("a string", errors).and_then(|text| Self::parse_one(&text, errors));
            match tag {
                Some(tag) if tags.contains(&tag) => errors.add("The tag stands here twice."),
                tag => tags.extend(tag),
            }
        }
        Some(Self(tags))
    }

    /// Parses one tag. Tags are equal if their Normalization Forms C are (Unicode Standard Annex #15).
    pub fn parse_one(text: &str, errors: &mut Errors<'_>) -> Option<String> {
        text::check(text, errors)?;
        let tag = text::composed(text.trim());
        match tag.chars().count() {
            1..=Self::MAX_CHARACTERS if text::is_invisible(&tag) => errors.refuse("Must not be empty."),
            1..=Self::MAX_CHARACTERS => Some(tag),
            length => errors.refuse(format!("Must have 1 to {} characters, not {length}.", Self::MAX_CHARACTERS)),
        }
    }
}

impl FieldType for Tags {
    fn default_value() -> Option<FieldValue> {
        Some(FieldValue::Texts(Vec::new()))
    }

    fn parse(json: Json, _: Mode, errors: &mut Errors<'_>) -> Option<FieldValue> {
        match json {
            Json::Array(items) => Self::parse(items, errors).map(|tags| FieldValue::Texts(tags.0)),
            other => other.refuse("an array of strings", errors),
        }
    }

    fn schema(_: Mode, _: &mut Components) -> RefOr<Schema> {
        let tags = ArrayBuilder::new()
            .items(text::visible_schema(Self::MAX_CHARACTERS))
            .max_items(Some(Self::MAX_TAGS))
            .unique_items(true)
            .description(Some(
                "Up to 20 labels of 1 to 50 characters, kept in their order. White space around them is cut off, and they become \
                 Normalization Form C; they must be different ones then.",
            ));
        Schema::from(tags).into()
    }
}
