//! The parameters and columns of database functions: the few types that every runtime supports without loss.

use uuid::Uuid;

use crate::domain::Error;

/// A parameter or a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// SQL NULL, of any type
    Null,
    /// `boolean`
    Bool(bool),
    /// `bigint`
    Int(i64),
    /// `text`
    Text(String),
    /// `uuid`; a parameter only
    Uuid(Uuid),
    /// `jsonb`, as text; a parameter only
    Json(String),
}

impl Value {
    /// Its type as PostgreSQL names it.
    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Int(_) => "bigint",
            Self::Text(_) => "text",
            Self::Uuid(_) => "uuid",
            Self::Json(_) => "jsonb",
        }
    }

    /// A parameter as an element of an array of text.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Bool(value) => Some(value.to_string()),
            Self::Int(value) => Some(value.to_string()),
            Self::Text(value) | Self::Json(value) => Some(value.clone()),
            Self::Uuid(value) => Some(value.to_string()),
        }
    }
}

/// The row of an answer.
#[derive(Debug, Clone)]
pub struct Row(std::vec::IntoIter<Value>);

impl Row {
    /// A row of these columns.
    pub fn new(columns: Vec<Value>) -> Self {
        Self(columns.into_iter())
    }

    /// Whether its first column is `busy`: no slot of the caller is free, or another write has the turn.
    pub fn is_busy(&self) -> bool {
        self.begins_with("busy")
    }

    /// Whether its first column is `long`: the list needs the dedicated pool.
    pub fn is_long(&self) -> bool {
        self.begins_with("long")
    }

    fn begins_with(&self, word: &str) -> bool {
        matches!(self.0.as_slice(), [Value::Text(outcome), ..] if outcome == word)
    }

    /// Takes the next column, which may be NULL.
    pub fn take<T>(&mut self) -> Result<Option<T>, Error>
    where
        T: TryFrom<Value, Error = Value>,
    {
        match self.0.next() {
            Some(Value::Null) => Ok(None),
            Some(value) => T::try_from(value).map(Some).map_err(|value| {
                // The error has no value, because text of a user must not be logged.
                Error::Internal(format!("a column is {}, not {}", value.kind(), std::any::type_name::<T>()))
            }),
            None => Err(Error::Internal("a column is missing".to_owned())),
        }
    }

    /// Takes the next column, which may not be NULL.
    pub fn require<T>(&mut self) -> Result<T, Error>
    where
        T: TryFrom<Value, Error = Value>,
    {
        self.take()?.ok_or_else(|| Error::Internal("a column is null".to_owned()))
    }
}

impl TryFrom<Value> for bool {
    type Error = Value;

    fn try_from(value: Value) -> Result<Self, Value> {
        if let Value::Bool(value) = value { Ok(value) } else { Err(value) }
    }
}

impl TryFrom<Value> for i64 {
    type Error = Value;

    fn try_from(value: Value) -> Result<Self, Value> {
        if let Value::Int(value) = value { Ok(value) } else { Err(value) }
    }
}

impl TryFrom<Value> for String {
    type Error = Value;

    fn try_from(value: Value) -> Result<Self, Value> {
        if let Value::Text(value) = value { Ok(value) } else { Err(value) }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Uuid> for Value {
    fn from(value: Uuid) -> Self {
        Self::Uuid(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_as_text_is_what_postgresql_reads_as_its_type() {
        for (value, expected) in [
            (Value::Null, None),
            (Value::Bool(true), Some("true")),
            (Value::Int(-7), Some("-7")),
            (Value::Text("a\"b".to_owned()), Some("a\"b")),
            (Value::Json(r#"{"a":1}"#.to_owned()), Some(r#"{"a":1}"#)),
            (Value::Uuid(Uuid::from_u128(1)), Some("00000000-0000-0000-0000-000000000001")),
        ] {
            assert_eq!(value.text().as_deref(), expected, "{value:?}");
        }
    }

    #[test]
    fn columns_are_taken_one_after_the_other_by_their_types() {
        let mut row = Row::new(vec![Value::Bool(true), Value::Int(7), Value::Text("t".to_owned()), Value::Null]);
        assert_eq!(row.take(), Ok(Some(true)));
        assert_eq!(row.require(), Ok(7_i64));
        assert_eq!(row.take(), Ok(Some("t".to_owned())));
        assert_eq!(row.take::<bool>(), Ok(None));
        assert_eq!(row.take::<bool>(), Err(Error::Internal("a column is missing".to_owned())));
        assert_eq!(Row::new(vec![Value::Null]).require::<i64>(), Err(Error::Internal("a column is null".to_owned())));
    }

    #[test]
    fn a_column_of_another_type_is_told_by_its_type_and_not_by_its_content() {
        let why = |value: Value| match Row::new(vec![value]).require::<i64>() {
            Err(Error::Internal(why)) => why,
            other => panic!("{other:?}"),
        };
        assert_eq!(why(Value::Text("secret".to_owned())), "a column is text, not i64");
        assert_eq!(why(Value::Bool(true)), "a column is boolean, not i64");
        assert_eq!(why(Value::Uuid(Uuid::nil())), "a column is uuid, not i64");
        assert_eq!(why(Value::Json("secret".to_owned())), "a column is jsonb, not i64");
        assert!(Row::new(vec![Value::Int(1)]).take::<bool>().is_err());
        assert!(Row::new(vec![Value::Int(1)]).take::<String>().is_err());
    }
}
