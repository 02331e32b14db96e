//! The fields of a resource, declared once ([`Fields`]). The declaration gives the parsers of its bodies, their OpenAPI schemas
//! ([`schema`]), and the document for the database ([`Document`]).

mod document;
pub(super) mod schema;

use std::collections::HashSet;
use std::marker::PhantomData;

use serde::{Serialize, Serializer};
use utoipa::openapi::{RefOr, Schema};

pub use self::document::{Document, FieldValue};
pub use self::schema::{About, Components};
use super::{Errors, Invalid, Json};

/// The declaration of a JSON object that clients write.
pub trait Fields {
    /// Its name with an article, for errors: "A task".
    const NOUN: &'static str;
    /// The members that only the server sets. A replacement may have them, because clients send back what they read.
    const READ_ONLY: &'static [&'static str] = &[];
    /// The error for a required field that is absent.
    const MISSING: &'static str = "The field is required.";

    /// The fields.
    fn fields<F: Field>() -> Vec<F>;

    /// The name of the schema, and texts for it.
    fn about(mode: Mode) -> About;
}

/// What a declaration makes of each field: its parser, or its schema. They are separate types, so that no schema gets into the
/// component.
pub trait Field {
    /// A field with values of type `T`.
    fn new<T: FieldType>(name: &'static str, required: Required) -> Self;
}

/// The type of a field.
pub trait FieldType {
    /// The value of a field that is null, or absent from a whole object; `None` if there must be another one.
    fn default_value() -> Option<FieldValue>;

    /// Parses a value. It is null only where the default may not be used.
    fn parse(json: Json, mode: Mode, errors: &mut Errors<'_>) -> Option<FieldValue>;

    /// The schema of a value that is not null. Adds the schemas that it refers to.
    fn schema(mode: Mode, components: &mut Components) -> RefOr<Schema>;
}

/// Which bodies must have a field. In those, and in the body of a new object, null is no value for a field that is ever required.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Required {
    /// A new object and a replacement
    Always,
    /// A replacement
    ToReplace,
    /// None
    Never,
}

/// What a body is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A new object: absent fields get their default
    Create,
    /// A whole object: absent fields get their default
    Replace,
    /// A JSON merge patch (RFC 7396): absent fields stay, and null sets the default
    Patch,
}

/// What a body is for, as a type.
pub trait BodyMode {
    /// The mode.
    const MODE: Mode;
}

/// The body of POST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Create {}

/// The body of PUT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replace {}

/// The body of PATCH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Patch {}

/// A body with the fields of `R`, parsed. Serialized, it is the document for the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body<R, M> {
    document: Document,
    kind: PhantomData<(R, M)>,
}

/// What parsers need of a [`Fields`], without its type, so that one parser serves all.
pub(super) struct Declaration {
    noun: &'static str,
    read_only: &'static [&'static str],
    missing: &'static str,
    fields: Vec<FieldParser>,
}

struct FieldParser {
    name: &'static str,
    required: Required,
    default_value: fn() -> Option<FieldValue>,
    parse: fn(Json, Mode, &mut Errors<'_>) -> Option<FieldValue>,
}

impl Required {
    fn applies_to(self, mode: Mode) -> bool {
        match mode {
            Mode::Create => self == Self::Always,
            Mode::Replace => self != Self::Never,
            Mode::Patch => false,
        }
    }

    fn allows_null(self, mode: Mode) -> bool {
        self == Self::Never || mode == Mode::Patch
    }
}

impl BodyMode for Create {
    const MODE: Mode = Mode::Create;
}

impl BodyMode for Replace {
    const MODE: Mode = Mode::Replace;
}

impl BodyMode for Patch {
    const MODE: Mode = Mode::Patch;
}

impl<R: Fields, M: BodyMode> Body<R, M> {
    /// Parses a JSON text.
    ///
    /// # Errors
    ///
    /// Every error in the text.
    pub fn parse(text: &[u8]) -> Result<Self, Vec<Invalid>> {
        let document = Declaration::of::<R>().parse_text(text, M::MODE)?;
        Ok(Self { document, kind: PhantomData })
    }

    /// Parses a value inside of a larger text.
    pub fn from_json(json: Json, errors: &mut Errors<'_>) -> Option<Self> {
        let document = Declaration::of::<R>().parse_object(json, M::MODE, errors)?;
        Some(Self { document, kind: PhantomData })
    }
}

impl<R, M> From<Body<R, M>> for Document {
    fn from(body: Body<R, M>) -> Self {
        body.document
    }
}

impl<R, M> Serialize for Body<R, M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.document.serialize(serializer)
    }
}

impl Declaration {
    pub(super) fn of<R: Fields>() -> Self {
        Self { noun: R::NOUN, read_only: R::READ_ONLY, missing: R::MISSING, fields: R::fields() }
    }

    /// Parses a JSON text that is one object.
    pub(super) fn parse_text(&self, text: &[u8], mode: Mode) -> Result<Document, Vec<Invalid>> {
        Errors::collect(|errors| self.parse_object(Json::parse(text, errors)?, mode, errors))
    }

    fn parse_object(&self, json: Json, mode: Mode, errors: &mut Errors<'_>) -> Option<Document> {
        match json {
            Json::Object(members) => Some(self.parse(members, mode, errors)),
            other => errors.refuse(format!("The body must be a JSON object, not {}.", other.kind())),
        }
    }

    /// Parses the members of an object.
    pub(super) fn parse(&self, members: Vec<(String, Json)>, mode: Mode, errors: &mut Errors<'_>) -> Document {
        let mut document = Document::default();
        for field in &self.fields {
            if members.iter().any(|(name, _)| name == field.name) {
                continue;
            }
            if field.required.applies_to(mode) {
                errors.at(field.name).add(self.missing);
            } else if let (Some(value), Mode::Create | Mode::Replace) = ((field.default_value)(), mode) {
                document.add(field.name, value);
            }
        }
        for (name, json) in unique(members, errors) {
            let errors = &mut errors.at(&name);
            if let Some(field) = self.fields.iter().find(|field| field.name == name) {
                if let Some(value) = field.parse(json, mode, errors) {
                    document.add(field.name, value);
                }
            } else if !self.read_only.contains(&name.as_str()) {
                errors.add(format!("Unknown field. {} has {}.", self.noun, self.names()));
            } else if mode != Mode::Replace {
                errors.add("The field is read-only.");
            }
        }
        document
    }

    /// The names of the fields: "date, time and time_zone".
    fn names(&self) -> String {
        let names: Vec<_> = self.fields.iter().map(|field| field.name).collect();
        match names.split_last() {
            Some((last, others)) if !others.is_empty() => format!("{} and {last}", others.join(", ")),
            _ => names.concat(),
        }
    }
}

impl Field for FieldParser {
    fn new<T: FieldType>(name: &'static str, required: Required) -> Self {
        Self { name, required, default_value: T::default_value, parse: T::parse }
    }
}

impl FieldParser {
    fn parse(&self, json: Json, mode: Mode, errors: &mut Errors<'_>) -> Option<FieldValue> {
        match (self.default_value)() {
            Some(value) if json == Json::Null && self.required.allows_null(mode) => Some(value),
            _ => (self.parse)(json, mode, errors),
        }
    }
}

/// The first member of each name. Every other one is an error.
fn unique(mut members: Vec<(String, Json)>, errors: &mut Errors<'_>) -> Vec<(String, Json)> {
    let mut seen = HashSet::with_capacity(members.len());
    members.retain(|(name, _)| {
        let is_first = seen.insert(name.clone());
        if !is_first {
            errors.at(name).add("The field stands here twice.");
        }
        is_first
    });
    members
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::{Description, Title};

    #[derive(Debug, PartialEq)]
    struct Note;

    impl Fields for Note {
        const NOUN: &'static str = "A note";
        const READ_ONLY: &'static [&'static str] = &["id"];

        fn fields<F: Field>() -> Vec<F> {
            vec![F::new::<Title>("title", Required::ToReplace), F::new::<Description>("body", Required::Never)]
        }

        fn about(_: Mode) -> About {
            About { name: "Note", description: "A note.", example: json!({"title": "t"}) }
        }
    }

    fn parse<M: BodyMode>(body: &Value) -> Result<Value, Vec<(String, String)>> {
        match Body::<Note, M>::parse(body.to_string().as_bytes()) {
            Ok(note) => Ok(serde_json::to_value(note).unwrap()),
            Err(errors) => Err(errors.into_iter().map(|error| (format!("{:?}", error.place), error.detail)).collect()),
        }
    }

    fn details<M: BodyMode>(body: Value) -> Vec<String> {
        parse::<M>(&body).unwrap_err().into_iter().map(|(_, detail)| detail).collect()
    }

    #[test]
    fn a_resource_has_its_own_fields() {
        assert_eq!(parse::<Replace>(&json!({"id": 1, "title": "t"})), Ok(json!({"title": "t", "body": null})));
        assert_eq!(parse::<Create>(&json!({"body": "b"})), Ok(json!({"body": "b"})));
        assert_eq!(parse::<Patch>(&json!({"body": null})), Ok(json!({"body": null})));
        assert_eq!(details::<Patch>(json!({"tags": []})), ["Unknown field. A note has title and body."]);
        assert_eq!(details::<Patch>(json!({"id": 1})), ["The field is read-only."]);
        assert_eq!(details::<Replace>(json!({})), ["The field is required."]);
    }

    #[test]
    fn an_error_inside_of_a_larger_text_has_its_place_there() {
        let result = Errors::collect(|errors| {
            let json = Json::parse(br#"{"title":1}"#, errors)?;
            Body::<Note, Create>::from_json(json, &mut errors.at("operations").at("3").at("body"))
        });
        assert_eq!(result, Err(vec![Invalid::body("/operations/3/body/title", "Must be a string, not a number.")]));
    }

    #[test]
    fn a_required_field_is_not_null() {
        assert_eq!(details::<Create>(json!({"title": null})), ["Must be a string, not null."]);
        assert_eq!(details::<Replace>(json!({"title": null})), ["Must be a string, not null."]);
    }

    #[test]
    fn a_schema_agrees_with_its_parser() {
        let schema = |mode| serde_json::to_value(schema::object::<Note>(mode, &mut Components::new())).unwrap();
        let [create, replace, patch] = [Mode::Create, Mode::Replace, Mode::Patch].map(schema);
        assert_eq!((create["required"].clone(), replace["required"].clone()), (Value::Null, json!(["title"])));
        assert_eq!(replace["properties"]["id"]["readOnly"], true);
        assert_eq!(patch["properties"]["id"], Value::Null);
        for schema in [create, replace, patch] {
            assert_eq!(schema["properties"]["title"]["type"], "string");
            assert_eq!(schema["properties"]["body"]["type"], json!(["string", "null"]));
        }
    }
}
