//! The OpenAPI schemas of the bodies, from the same declaration as their parsers.

use std::borrow::Cow;

use utoipa::openapi::schema::{AdditionalProperties, SchemaType};
use utoipa::openapi::{ObjectBuilder, OneOfBuilder, Ref, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::{Body, BodyMode, Field, FieldType, Fields, Mode, Required};

/// Schemas by their names.
pub type Components = Vec<(String, RefOr<Schema>)>;

/// The name of a schema, and texts for it.
pub struct About {
    /// The name.
    pub name: &'static str,
    /// The description.
    pub description: &'static str,
    /// An example.
    pub example: serde_json::Value,
}

struct FieldSchema {
    name: &'static str,
    required: Required,
    has_default: bool,
    schema: fn(Mode, &mut Components) -> RefOr<Schema>,
}

impl Field for FieldSchema {
    fn new<T: FieldType>(name: &'static str, required: Required) -> Self {
        Self { name, required, has_default: T::default_value().is_some(), schema: T::schema }
    }
}

/// The schema of an object.
pub(crate) fn object<R: Fields>(mode: Mode, components: &mut Components) -> RefOr<Schema> {
    let about = R::about(mode);
    let mut object = closed_object(about.description).examples([about.example]);
    for field in R::fields::<FieldSchema>() {
        let schema = (field.schema)(mode, components);
        let is_nullable = field.has_default && field.required.allows_null(mode);
        object = object.property(field.name, if is_nullable { nullable(schema) } else { schema });
        if field.required.applies_to(mode) {
            object = object.required(field.name);
        }
    }
    if mode == Mode::Replace {
        for name in R::READ_ONLY {
            let ignored = ObjectBuilder::new().schema_type(SchemaType::AnyValue).read_only(true);
            object = object.property(*name, ignored.description(Some("Ignored.")));
        }
    }
    Schema::from(object).into()
}

/// An object without members so far, which has no others than those that its schema names.
pub(crate) fn closed_object(description: &str) -> ObjectBuilder {
    let object = ObjectBuilder::new().schema_type(Type::Object).description(Some(description));
    object.additional_properties(Some(AdditionalProperties::FreeForm(false)))
}

/// Adds a component; returns the reference to it.
pub(crate) fn component(name: &str, schema: impl Into<RefOr<Schema>>, components: &mut Components) -> RefOr<Schema> {
    components.push((name.to_owned(), schema.into()));
    Ref::from_schema_name(name).into()
}

/// The schema of a value, or of null.
fn nullable(schema: RefOr<Schema>) -> RefOr<Schema> {
    let or_null = |schema_type: &mut SchemaType| {
        if let SchemaType::Type(one) = schema_type {
            *schema_type = SchemaType::from_iter([one.clone(), Type::Null]);
        }
    };
    match schema {
        RefOr::T(Schema::Object(mut object)) => {
            or_null(&mut object.schema_type);
            RefOr::T(Schema::Object(object))
        }
        RefOr::T(Schema::Array(mut array)) => {
            or_null(&mut array.schema_type);
            RefOr::T(Schema::Array(array))
        }
        other => Schema::from(OneOfBuilder::new().item(other).item(null())).into(),
    }
}

/// The schema of null.
pub(crate) fn null() -> Schema {
    ObjectBuilder::new().schema_type(Type::Null).into()
}

impl<R: Fields, M: BodyMode> PartialSchema for Body<R, M> {
    fn schema() -> RefOr<Schema> {
        object::<R>(M::MODE, &mut Components::new())
    }
}

impl<R: Fields, M: BodyMode> ToSchema for Body<R, M> {
    fn name() -> Cow<'static, str> {
        R::about(M::MODE).name.into()
    }

    fn schemas(components: &mut Components) {
        object::<R>(M::MODE, components);
    }
}
