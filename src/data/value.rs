//! What goes to a database function and comes back from it: the few types that every runtime carries faithfully.

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
    /// `bigint[]`; a parameter only
    Ints(Vec<i64>),
}

impl Value {
    /// A parameter as an element of an array of text.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Bool(value) => Some(value.to_string()),
            Self::Int(value) => Some(value.to_string()),
            Self::Text(value) | Self::Json(value) => Some(value.clone()),
            Self::Uuid(value) => Some(value.to_string()),
            Self::Ints(values) => {
                Some(format!("{{{}}}", values.iter().map(i64::to_string).collect::<Vec<_>>().join(",")))
            }
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

    /// Takes the next column, which may be NULL.
    pub fn take<T>(&mut self) -> Result<Option<T>, Error>
    where
        T: TryFrom<Value, Error = Value>,
    {
        match self.0.next() {
            Some(Value::Null) => Ok(None),
            Some(value) => T::try_from(value).map(Some).map_err(|value| {
                Error::Internal(format!("a column is not a {}: {value:.40?}", std::any::type_name::<T>()))
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

impl From<Vec<i64>> for Value {
    fn from(value: Vec<i64>) -> Self {
        Self::Ints(value)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
