//! A place in a description, and the way there.

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

use super::Change;

/// They do not change what is referred to.
const BESIDE_REFERENCE: [&str; 5] = ["$ref", "summary", "description", "example", "examples"];

/// A value with its pointer. A pointer names the elements of some arrays, so that it stays the same when they move.
#[derive(Debug, Clone)]
pub(super) struct Node<'a> {
    pub(super) value: &'a Value,
    pub(super) pointer: String,
}

impl<'a> Node<'a> {
    pub(super) fn root(value: &'a Value) -> Self {
        Self { value, pointer: String::new() }
    }

    /// Another value, at a place below this one.
    pub(super) fn below(&self, name: &str, value: &'a Value) -> Self {
        Self { value, pointer: self.pointer_to(name) }
    }

    pub(super) fn pointer_to(&self, name: &str) -> String {
        format!("{}/{}", self.pointer, name.replace('~', "~0").replace('/', "~1"))
    }

    pub(super) fn get(&self, name: &str) -> Option<Self> {
        self.value.get(name).map(|value| self.below(name, value))
    }

    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.value.get(name)?.as_str()
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.value.get(name)?.as_bool()
    }

    /// The members of the object that is the member `name`; none where there is none.
    pub(super) fn members(&self, name: &str) -> Vec<(&'a str, Self)> {
        self.get(name).map(|node| node.all()).unwrap_or_default()
    }

    /// The members of this object.
    pub(super) fn all(&self) -> Vec<(&'a str, Self)> {
        let members = self.value.as_object().into_iter().flat_map(Map::iter);
        members.map(|(name, value)| (name.as_str(), self.below(name, value))).collect()
    }

    /// The elements of the array that is the member `name`.
    pub(super) fn elements(&self, name: &str) -> &'a [Value] {
        self.value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    /// A change here.
    pub(super) fn change(&self, what: impl Into<String>) -> Change {
        Change { pointer: self.pointer.clone(), what: what.into() }
    }

    /// A change of the member or element `name`, which may be gone.
    pub(super) fn change_of(&self, name: &str, what: impl Into<String>) -> Change {
        Change { pointer: self.pointer_to(name), what: what.into() }
    }

    /// Members that no comparison looks at. They are refused even where they have not changed, because what they refer to may have.
    pub(super) fn not_judged(&self, known: &[&str]) -> Vec<Change> {
        let unknown = self.all().into_iter().filter(|(name, _)| !known.contains(name));
        let what = "is not judged here; teach xtask/src/contract/ to compare it";
        unknown.map(|(name, node)| node.change(format!("`{name}` {what}"))).collect()
    }

    /// Follows `$ref`.
    pub(super) fn resolved(self, root: &'a Value) -> Result<Self> {
        let mut node = self;
        let mut steps = 0;
        while let Some(reference) = node.text("$ref") {
            if let Some((name, _)) = node.all().iter().find(|(name, _)| !BESIDE_REFERENCE.contains(name)) {
                bail!("{}: `{name}` beside `$ref` is not judged; teach xtask/src/contract/ to", node.pointer);
            }
            let pointer = reference.strip_prefix('#').with_context(|| format!("{reference} leads out of the file"))?;
            let value = root.pointer(pointer).with_context(|| format!("{reference} leads nowhere"))?;
            node = Self { value, pointer: pointer.to_owned() };
            steps += 1;
            if steps > 100 {
                bail!("{reference} leads to itself");
            }
        }
        Ok(node)
    }
}
