//! The document for the database: the fields that a client wrote, checked.

use serde::ser::{Serialize, SerializeMap, Serializer};

/// Named values. A name that is absent stays as it is in the database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document(Vec<(&'static str, FieldValue)>);

/// The value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldValue {
    /// No value
    Null,
    /// A flag
    Bool(bool),
    /// A number of an enumeration
    Number(u8),
    /// A text
    Text(String),
    /// Texts
    Texts(Vec<String>),
    /// An object. Its members stand in the document in its place, so that a patch can merge them
    Object(Document),
}

impl Document {
    /// The value of a name.
    pub(crate) fn get(&self, name: &str) -> Option<&FieldValue> {
        self.0.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    /// Adds a value. No name may be added twice.
    pub(crate) fn add(&mut self, name: &'static str, value: FieldValue) {
        self.0.push((name, value));
    }

    fn serialize_members<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        for (name, value) in &self.0 {
            match value {
                FieldValue::Null => map.serialize_entry(name, &())?,
                FieldValue::Bool(value) => map.serialize_entry(name, value)?,
                FieldValue::Number(value) => map.serialize_entry(name, value)?,
                FieldValue::Text(value) => map.serialize_entry(name, value)?,
                FieldValue::Texts(value) => map.serialize_entry(name, value)?,
                FieldValue::Object(members) => members.serialize_members(map)?,
            }
        }
        Ok(())
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.serialize_members(&mut map)?;
        map.end()
    }
}
