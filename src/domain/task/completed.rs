//! Whether a task is done.

use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};

use crate::domain::fields::{Components, FieldType, FieldValue, Mode};
use crate::domain::{Errors, Json};

/// The flag.
pub(super) struct Completed;

impl FieldType for Completed {
    fn default_value() -> Option<FieldValue> {
        Some(FieldValue::Bool(false))
    }

    fn parse(json: Json, _: Mode, errors: &mut Errors<'_>) -> Option<FieldValue> {
        match json {
            Json::Bool(completed) => Some(FieldValue::Bool(completed)),
            other => other.refuse("true or false", errors),
        }
    }

    fn schema(mode: Mode, _: &mut Components) -> RefOr<Schema> {
        let description = if mode == Mode::Patch { "Whether it is done; null for not." } else { "Whether it is done." };
        Schema::from(ObjectBuilder::new().schema_type(Type::Boolean).description(Some(description))).into()
    }
}
