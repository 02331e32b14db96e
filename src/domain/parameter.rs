//! The parameters of a query string.

/// A parameter: its name and its value, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// The parts of its value between the commas that are not percent-encoded; at least one.
    pub parts: Vec<String>,
}

impl Parameter {
    /// The whole value.
    pub fn value(&self) -> String {
        self.parts.join(",")
    }
}
