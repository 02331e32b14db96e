//! Two JSON schemas: does everything that fitted the one fit the other?
//!
//! For an input, everything that fitted the old one has to fit the new one; for an output, the reverse. New members of outputs are
//! the exception: clients ignore those that they do not know. What is not understood is refused rather than let through.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::Value;

use super::{
    Change,
    document::Direction::{self, Input, Output},
    node::Node,
};

/// Says nothing about values.
const WORDS: [&str; 6] = ["title", "description", "example", "examples", "deprecated", "$comment"];
const JUDGED: [&str; 23] = [
    "type",
    "enum",
    "const",
    "default",
    "format",
    "pattern",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "oneOf",
    "anyOf",
    "readOnly",
    "uniqueItems",
    "multipleOf",
    "maximum",
    "minimum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "maxItems",
    "minItems",
];

pub(super) struct Schemas<'a> {
    old: &'a Value,
    new: &'a Value,
    /// What is being compared: a schema may contain itself.
    open: Vec<(Direction, String, String)>,
}

/// One of the schemas that a value may fit: a member of `oneOf` or `anyOf`, or one of several types.
#[derive(Clone)]
struct Alternative<'a> {
    node: Node<'a>,
    /// Unset: any.
    kind: Option<&'a str>,
    /// The `oneOf` or `anyOf` that it is in, with its own name; unset where there is none.
    listed: Option<String>,
}

/// An alternative before and after.
struct Pair<'p, 'a> {
    direction: Direction,
    old: &'p Alternative<'a>,
    new: &'p Alternative<'a>,
}

impl<'a> Schemas<'a> {
    pub(super) fn new(old: &'a Value, new: &'a Value) -> Self {
        Self { old, new, open: Vec::new() }
    }

    pub(super) fn compare(&mut self, direction: Direction, old: Node<'a>, new: Node<'a>) -> Result<Vec<Change>> {
        let (old, new) = (old.resolved(self.old)?, new.resolved(self.new)?);
        let entry = (direction, old.pointer.clone(), new.pointer.clone());
        if self.open.contains(&entry) {
            return Ok(Vec::new());
        }
        self.open.push(entry);
        let changes = self.resolved(direction, &old, &new);
        self.open.pop();
        changes
    }

    fn resolved(&mut self, direction: Direction, old: &Node<'a>, new: &Node<'a>) -> Result<Vec<Change>> {
        let mut changes = Vec::new();
        if direction == Input {
            if old.value.get("default").is_some_and(|value| new.value.get("default") != Some(value)) {
                changes.push(old.change_of("default", "what is left out means something else"));
            }
            if old.flag("readOnly") != Some(true) && new.flag("readOnly") == Some(true) {
                changes.push(new.change_of("readOnly", "this input is ignored"));
            }
        }
        let before = alternatives(self.old, old, &mut changes)?;
        let after = alternatives(self.new, new, &mut changes)?;
        let (narrow, wide) = match direction {
            Input => (&before, &after),
            Output => (&after, &before),
        };
        for each in narrow {
            let same_kind: Vec<_> = wide.iter().filter(|other| fits(each.kind, other.kind)).collect();
            let mut best: Option<Vec<Change>> = None;
            for other in &same_kind {
                let (old, new) = if direction == Input { (each, *other) } else { (*other, each) };
                let found = self.pair(&Pair { direction, old, new })?;
                // What has the same place is the same alternative, changed.
                let is_closer = best.as_ref().is_none_or(|best| {
                    found.is_empty() || (!best.is_empty() && each.node.pointer == other.node.pointer)
                });
                if is_closer {
                    best = Some(found);
                }
            }
            let siblings = narrow.iter().filter(|other| fits(other.kind, each.kind)).count();
            match best {
                None => changes.push(each.without_partner(direction)),
                Some(found) if found.is_empty() => {}
                Some(found)
                    if same_kind.len().max(siblings) == 1
                        || same_kind.iter().any(|other| other.node.pointer == each.node.pointer) =>
                {
                    changes.extend(found);
                }
                Some(_) => {
                    let pointer = each.listed.clone().unwrap_or_else(|| each.node.pointer.clone());
                    let what = match direction {
                        Input => "what fitted this alternative fits none any more",
                        Output => "this alternative is new",
                    };
                    changes.push(Change { pointer, what: what.to_owned() });
                }
            }
        }
        Ok(changes)
    }

    fn pair(&mut self, pair: &Pair<'_, 'a>) -> Result<Vec<Change>> {
        let Pair { direction, old, new } = pair;
        let mut changes = pair.values();
        let kind = old.kind.and(new.kind);
        let may_be = |names: &[&str]| kind.is_none_or(|kind| names.contains(&kind));
        if may_be(&["string"]) {
            changes.extend(pair.limits(&["maxLength"], &["minLength"], Some(0.0)));
            changes.extend(pair.equal(&["pattern"]));
        }
        if may_be(&["number", "integer"]) {
            changes.extend(pair.limits(&["maximum", "exclusiveMaximum"], &["minimum", "exclusiveMinimum"], None));
            changes.extend(pair.equal(&["multipleOf"]));
        }
        if may_be(&["string", "number", "integer"]) {
            changes.extend(pair.equal(&["format"]));
        }
        if may_be(&["array"]) {
            changes.extend(pair.limits(&["maxItems"], &["minItems"], Some(0.0)));
            if pair.wide().flag("uniqueItems") == Some(true) && pair.narrow().flag("uniqueItems") != Some(true) {
                changes.push(old.node.change_of("uniqueItems", pair.what("uniqueItems")));
            }
            if pair.wide().get("items").is_some() {
                let (before, after) = (old.node.or_anything("items"), new.node.or_anything("items"));
                changes.extend(self.compare(*direction, before, after)?);
            }
        }
        if may_be(&["object"]) {
            changes.extend(self.members(pair)?);
        }
        Ok(changes)
    }

    fn members(&mut self, pair: &Pair<'_, 'a>) -> Result<Vec<Change>> {
        let Pair { direction, old, new } = pair;
        let (old, new) = (&old.node, &new.node);
        let mut changes = Vec::new();
        for (name, before) in old.members("properties") {
            match new.get("properties").and_then(|properties| properties.get(name)) {
                Some(after) => changes.extend(self.compare(*direction, before, after)?),
                None => changes.push(before.change(match direction {
                    Input => "this member is not understood any more",
                    Output => "this member is gone",
                })),
            }
        }
        let (before, after) = (texts(old, "required"), texts(new, "required"));
        match direction {
            Input => changes.extend(after.difference(&before).map(|name| {
                let list = new.below("required", new.value);
                list.change_of(name, "this member was optional, or is new")
            })),
            Output => {
                // Those that are gone are named above.
                let kept =
                    |name: &&&str| new.get("properties").is_some_and(|properties| properties.get(name).is_some());
                changes.extend(before.difference(&after).filter(kept).map(|name| {
                    let list = old.below("required", old.value);
                    list.change_of(name, "this member was always there")
                }));
            }
        }
        let others = |node: &Node<'a>| node.get("additionalProperties").filter(|node| node.value != &Value::Bool(true));
        match (direction, others(old), others(new)) {
            (_, Some(before), Some(after)) if before.value.is_object() && after.value.is_object() => {
                changes.extend(self.compare(*direction, before, after)?);
            }
            (Input, before, Some(after))
                if before.as_ref().is_none_or(|before| before.value != &Value::Bool(false)) =>
            {
                changes.push(after.change("members that were accepted are not"));
            }
            (Output, Some(before), _) if before.value.is_object() => {
                changes.push(before.change("members of any name were of this kind"));
            }
            _ => {}
        }
        Ok(changes)
    }
}

impl<'a> Pair<'_, 'a> {
    fn narrow(&self) -> &Node<'a> {
        if self.direction == Input { &self.old.node } else { &self.new.node }
    }

    fn wide(&self) -> &Node<'a> {
        if self.direction == Input { &self.new.node } else { &self.old.node }
    }

    fn what(&self, of: &str) -> String {
        match self.direction {
            Input => format!("{of} refuses what was accepted"),
            Output => format!("{of} admits what could not come before"),
        }
    }

    /// `enum` and `const`.
    fn values(&self) -> Vec<Change> {
        let (old, new) = (self.old.values(), self.new.values());
        let (narrow, wide) = if self.direction == Input { (old, new) } else { (new, old) };
        let Some(wide) = wide else { return Vec::new() };
        let owner = if self.direction == Input { &self.old.node } else { &self.new.node };
        let Some(narrow) = narrow else {
            return vec![self.wide().change_of("enum", self.what("enum"))];
        };
        let list = owner.below("enum", owner.value);
        let what = if self.direction == Input { "this value was accepted" } else { "this value could not come before" };
        let lost = narrow.into_iter().filter(|value| !wide.contains(value));
        let name = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        lost.map(|value| list.change_of(&name(value), what)).collect()
    }

    /// `least` is what a lower limit is that is not set.
    fn limits(&self, upper: &[&str], lower: &[&str], least: Option<f64>) -> Vec<Change> {
        let number = |node: &Node<'a>, name: &str| node.value.get(name).and_then(Value::as_f64);
        let beyond = |name: &str, is_beyond: &dyn Fn(f64, f64) -> bool, unset: Option<f64>| {
            let limit = number(self.wide(), name)?;
            let own = number(self.narrow(), name).or(unset);
            own.is_none_or(|own| is_beyond(own, limit)).then(|| self.old.node.change_of(name, self.what(name)))
        };
        let upper = upper.iter().filter_map(|name| beyond(name, &|own, limit| own > limit, None));
        let lower = lower.iter().filter_map(|name| beyond(name, &|own, limit| own < limit, least));
        upper.chain(lower).collect()
    }

    /// What can be dropped or be the same, because nothing tells whether another one is narrower.
    fn equal(&self, names: &[&str]) -> Vec<Change> {
        let differ = names.iter().filter(|name| {
            self.wide().value.get(name).is_some_and(|value| self.narrow().value.get(name) != Some(value))
        });
        differ.map(|name| self.old.node.change_of(name, self.what(name))).collect()
    }
}

impl<'a> Alternative<'a> {
    /// The values that it is restricted to.
    fn values(&self) -> Option<Vec<&'a Value>> {
        let all: Vec<_> = match self.node.value.get("const") {
            Some(value) => vec![value],
            None => self.node.value.get("enum")?.as_array()?.iter().collect(),
        };
        Some(all.into_iter().filter(|value| fits(Some(kind(value)), self.kind)).collect())
    }

    fn without_partner(&self, direction: Direction) -> Change {
        let list = self.node.below("type", self.node.value);
        let what = match direction {
            Input => "this type was accepted",
            Output => "this type did not come",
        };
        list.change_of(self.kind.unwrap_or("any"), what)
    }
}

impl<'a> Node<'a> {
    /// A schema below, or the one that everything fits.
    fn or_anything(&self, name: &str) -> Self {
        self.get(name).unwrap_or_else(|| self.below(name, &Value::Bool(true)))
    }
}

fn alternatives<'a>(document: &'a Value, node: &Node<'a>, changes: &mut Vec<Change>) -> Result<Vec<Alternative<'a>>> {
    let known = [WORDS.as_slice(), &JUDGED].concat();
    changes.extend(node.not_judged(&known));
    if node.value == &Value::Bool(false) {
        return Ok(Vec::new());
    }
    for union in ["oneOf", "anyOf"] {
        let Some(list) = node.get(union) else { continue };
        changes.extend(node.not_judged(&[WORDS.as_slice(), &[union, "default", "readOnly"]].concat()));
        let mut all = Vec::new();
        for (index, value) in node.elements(union).iter().enumerate() {
            let each = list.below(&index.to_string(), value).resolved(document)?;
            let name = each.pointer.rsplit('/').next().unwrap_or_default();
            let listed = format!("{}/{name}", list.pointer);
            let nested = alternatives(document, &each, changes)?.into_iter();
            all.extend(nested.map(|each| Alternative { listed: each.listed.or(Some(listed.clone())), ..each }));
        }
        return Ok(all);
    }
    let mut kinds = texts(node, "type");
    kinds.extend(node.text("type"));
    if kinds.is_empty() {
        let values = node.elements("enum").iter().chain(node.value.get("const"));
        kinds.extend(values.map(|value| -> &str { kind(value) }));
    }
    let one = |kind| Alternative { node: node.clone(), kind, listed: None };
    Ok(if kinds.is_empty() { vec![one(None)] } else { kinds.into_iter().map(|kind| one(Some(kind))).collect() })
}

fn fits(narrow: Option<&str>, wide: Option<&str>) -> bool {
    wide.is_none() || narrow == wide || (narrow, wide) == (Some("integer"), Some("number"))
}

/// The type of a value.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The texts in the array `name`.
fn texts<'a>(node: &Node<'a>, name: &str) -> BTreeSet<&'a str> {
    node.elements(name).iter().filter_map(Value::as_str).collect()
}
