//! The fields of a resource, declared once ([`Fields`]). The declaration gives the parsers of its bodies, their OpenAPI schemas
//! ([`schema`]), and the document for the database.

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
    /// Its name with the article, for errors: "A task".
    const NOUN: &'static str;
    /// The members that only the server sets. Ignored in a replacement, so that clients can send back what they read.
    const READ_ONLY: &'static [&'static str] = &[];
    /// The error for a required field that is absent.
    const MISSING: &'static str = "The field is required.";

    /// The fields, one row each.
    fn fields<F: Field>() -> Vec<F>;

    /// The name of its schema, and texts for it.
    fn about(mode: Mode) -> About;
}

/// What is made of a row: a parser or a schema. They are two types, because the component needs no schemas.
pub trait Field {
    /// A field with values of type `T`.
    fn new<T: FieldType>(name: &'static str, required: Required) -> Self;
}

/// The type of a field.
pub trait FieldType {
    /// What null stands for, and absence in a new or replaced object; `None` if there must be a value.
    fn default() -> Option<FieldValue>;

    /// Parses a value. Gets null only if [`FieldType::default`] is not to be used.
    fn parse(json: Json, mode: Mode, errors: &mut Errors<'_>) -> Option<FieldValue>;

    /// The schema of a value. Schemas that it refers to go to `components`.
    fn schema(mode: Mode, components: &mut Components) -> RefOr<Schema>;
}

/// Whether a field must be in a body. A required field is not null either, except in a patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Required {
    /// In a new object and in a replacement
    Always,
    /// In a replacement
    ToReplace,
    /// Nowhere
    Never,
}

/// What a body is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A new object; absent fields get their default
    Create,
    /// A whole object; absent fields get their default
    Replace,
    /// A JSON merge patch (RFC 7396); absent fields stay, and null clears
    Patch,
}

/// The [`Mode`] of a [`Body`], as a type.
pub trait BodyMode {
    /// The mode.
    const MODE: Mode;
}

/// See [`Mode::Create`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Create {}

/// See [`Mode::Replace`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replace {}

/// See [`Mode::Patch`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Patch {}

/// The body of a write, parsed. Serialized, it is the document for the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body<R, M> {
    document: Document,
    kind: PhantomData<(R, M)>,
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
    pub fn parse(body: &[u8]) -> Result<Self, Vec<Invalid>> {
        let document = parse_body(body, M::MODE, &Declaration::of::<R>())?;
        Ok(Self { document, kind: PhantomData })
    }
}

impl<R, M> Serialize for Body<R, M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.document.serialize(serializer)
    }
}

impl Required {
    /// Whether the field must be in a body of this mode.
    fn applies(self, mode: Mode) -> bool {
        match mode {
            Mode::Create => self == Self::Always,
            Mode::Replace => self != Self::Never,
            Mode::Patch => false,
        }
    }

    /// Whether null may stand for the default.
    fn allows_null(self, mode: Mode) -> bool {
        self == Self::Never || mode == Mode::Patch
    }
}

/// A [`Fields`] without its type, so that there is one parser for all.
pub(super) struct Declaration {
    noun: &'static str,
    read_only: &'static [&'static str],
    missing: &'static str,
    fields: Vec<FieldParser>,
}

struct FieldParser {
    name: &'static str,
    required: Required,
    default: fn() -> Option<FieldValue>,
    parse: fn(Json, Mode, &mut Errors<'_>) -> Option<FieldValue>,
}

impl Field for FieldParser {
    fn new<T: FieldType>(name: &'static str, required: Required) -> Self {
        Self { name, required, default: T::default, parse: T::parse }
    }
}

impl FieldParser {
    fn parse(&self, json: Json, mode: Mode, errors: &mut Errors<'_>) -> Option<FieldValue> {
        match (self.default)() {
            Some(default) if json == Json::Null && self.required.allows_null(mode) => Some(default),
            _ => (self.parse)(json, mode, errors),
        }
    }
}

impl Declaration {
    pub(super) fn of<R: Fields>() -> Self {
        Self { noun: R::NOUN, read_only: R::READ_ONLY, missing: R::MISSING, fields: R::fields() }
    }

    /// Parses the members of an object.
    pub(super) fn parse(&self, members: Vec<(String, Json)>, mode: Mode, errors: &mut Errors<'_>) -> Document {
        let mut document = Document::default();
        for field in &self.fields {
            if members.iter().any(|(name, _)| name == field.name) {
                continue;
            }
            if field.required.applies(mode) {
                errors.at(field.name).add(self.missing);
            } else if let (Some(value), false) = ((field.default)(), mode == Mode::Patch) {
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
                errors.add(self.unknown());
            } else if mode != Mode::Replace {
                errors.add("The field is read-only.");
            }
        }
        document
    }

    fn unknown(&self) -> String {
        let mut list = String::new();
        for (index, field) in self.fields.iter().enumerate() {
            match index {
                0 => {}
                last if last + 1 == self.fields.len() => list.push_str(" and "),
                _ => list.push_str(", "),
            }
            list.push_str(field.name);
        }
        format!("Unknown field. {} has {list}.", self.noun)
    }
}

/// Parses a body that is one object.
pub(super) fn parse_body(body: &[u8], mode: Mode, declaration: &Declaration) -> Result<Document, Vec<Invalid>> {
    Errors::collect(|errors| match Json::parse(body, errors)? {
        Json::Object(members) => Some(declaration.parse(members, mode, errors)),
        other => errors.refuse(format!("The body must be a JSON object, not {}.", other.kind())),
    })
}

/// The first member of each name; the others are errors.
fn unique(mut members: Vec<(String, Json)>, errors: &mut Errors<'_>) -> Vec<(String, Json)> {
    let mut seen = HashSet::with_capacity(members.len());
    members.retain(|(name, _)| {
        let first = seen.insert(name.clone());
        if !first {
            errors.at(name).add("The field stands here twice.");
        }
        first
    });
    members
}
