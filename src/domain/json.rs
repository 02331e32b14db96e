//! A JSON value that keeps every member of an object, in order, even if two have the same name.
//!
//! `serde_json::Value` silently keeps the last of two equal names; a client that sends both gets an error.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::Errors;

/// A parsed JSON text (RFC 8259).
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// Any number, because no field takes one
    Number,
    /// A string
    String(String),
    /// An array
    Array(Vec<Json>),
    /// An object, its members in the order of the text
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Parses a whole text. Nesting is limited to 128 levels; text after the value is an error.
    pub fn parse(text: &[u8], errors: &mut Errors<'_>) -> Option<Self> {
        match serde_json::from_slice(text) {
            Ok(json) => Some(json),
            Err(error) => errors.refuse(format!("The body is not valid JSON: {error}.")),
        }
    }

    /// The text of a string; `expected` names the type of the field in the error for any other value.
    pub(super) fn text(self, expected: &str, errors: &mut Errors<'_>) -> Option<String> {
        match self {
            Self::String(text) => Some(text),
            other => other.refuse(expected, errors),
        }
    }

    /// Adds the error for a value of the wrong type.
    pub(super) fn refuse<T>(&self, expected: &str, errors: &mut Errors<'_>) -> Option<T> {
        errors.refuse(format!("Must be {expected}, not {}.", self.kind()))
    }

    /// The name of this type, for an error.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Json, E> {
        Ok(Json::Number)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Json, E> {
        Ok(Json::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Number)
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = access.next_entry()? {
            members.push(member);
        }
        Ok(Json::Object(members))
    }
}
