//! Two descriptions: paths, operations, parameters, bodies, answers.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::Value;

use super::{Change, node::Node, schema::Schemas};

/// Which way a value goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// From the client: what was accepted must be.
    Input,
    /// To the client: what comes must be what could come before.
    Output,
}

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Every change from `old` to `new` that an existing client may not survive.
pub(super) fn compare(old: &Value, new: &Value) -> Result<BTreeSet<Change>> {
    let mut comparison = Comparison { old, new, schemas: Schemas::new(old, new), changes: BTreeSet::new() };
    comparison.document()?;
    Ok(comparison.changes)
}

struct Comparison<'a> {
    old: &'a Value,
    new: &'a Value,
    schemas: Schemas<'a>,
    changes: BTreeSet<Change>,
}

impl<'a> Comparison<'a> {
    fn document(&mut self) -> Result<()> {
        let (old, new) = (Node::root(self.old), Node::root(self.new));
        self.not_judged(&old, &new, &["openapi", "info", "paths", "components", "tags", "security", "externalDocs"]);
        for (path, old) in old.members("paths") {
            match new.get("paths").and_then(|paths| paths.get(path)) {
                Some(new) => self.path(&old, &new)?,
                None => self.refuse(old.change("this path is gone")),
            }
        }
        Ok(())
    }

    fn path(&mut self, old: &Node<'a>, new: &Node<'a>) -> Result<()> {
        self.not_judged(old, new, &[METHODS.as_slice(), &["parameters", "summary", "description"]].concat());
        for method in METHODS {
            match (old.get(method), new.get(method)) {
                (Some(before), Some(after)) => self.operation((old, &before), (new, &after))?,
                (Some(before), None) => self.refuse(before.change("this method is gone")),
                (None, _) => {}
            }
        }
        Ok(())
    }

    fn operation(
        &mut self,
        (old_path, old): (&Node<'a>, &Node<'a>),
        (new_path, new): (&Node<'a>, &Node<'a>),
    ) -> Result<()> {
        self.not_judged(
            old,
            new,
            &[
                "tags",
                "summary",
                "description",
                "operationId",
                "parameters",
                "requestBody",
                "responses",
                "security",
                "deprecated",
                "externalDocs",
            ],
        );
        if old.text("operationId") != new.text("operationId") {
            self.refuse(
                old.change_of("operationId", "the operation has another id, by which generated clients call it"),
            );
        }
        self.security(old, new);
        self.parameters(&parameters(self.old, old_path, old)?, &parameters(self.new, new_path, new)?)?;
        self.request_body(old, new)?;
        for (status, before) in old.members("responses") {
            match new.get("responses").and_then(|responses| responses.get(status)) {
                Some(after) => self.response(before, after)?,
                None => self.refuse(before.change("this status is gone")),
            }
        }
        Ok(())
    }

    /// Each way to be let in must be one still. Without any, everybody is.
    fn security(&mut self, old: &Node<'a>, new: &Node<'a>) {
        let ways = |document: &'a Value, operation: &Node<'a>| -> Vec<&'a Value> {
            let own = operation.value.get("security").or_else(|| document.get("security"));
            own.and_then(Value::as_array).into_iter().flatten().collect()
        };
        let (before, after) = (ways(self.old, old), ways(self.new, new));
        let lost = match (before.as_slice(), after.as_slice()) {
            (_, []) => false,
            ([], after) => !after.iter().any(|way| way.as_object().is_some_and(serde_json::Map::is_empty)),
            (before, after) => before.iter().any(|way| !after.contains(way)),
        };
        if lost {
            self.refuse(old.change_of("security", "a caller who was let in is not any more"));
        }
        for name in before.iter().filter_map(|way| way.as_object()).flat_map(|way| way.keys()) {
            let scheme = |document: &'a Value| {
                let components = Node::root(document).get("components")?;
                components.get("securitySchemes")?.get(name)
            };
            let (Some(before), Some(after)) = (scheme(self.old), scheme(self.new)) else { continue };
            let essence = |node: &Node<'a>| -> Vec<_> {
                let words = ["description", "bearerFormat"];
                node.all().into_iter().filter(|(name, _)| !words.contains(name)).map(|(k, v)| (k, v.value)).collect()
            };
            if essence(&before) != essence(&after) {
                self.refuse(before.change("callers are recognized in another way"));
            }
        }
    }

    fn parameters(&mut self, old: &[Parameter<'a>], new: &[Parameter<'a>]) -> Result<()> {
        for Parameter { key, node: before } in old {
            match new.iter().find(|parameter| parameter.key == *key) {
                Some(Parameter { node: after, .. }) => {
                    if before.flag("required") != Some(true) && after.flag("required") == Some(true) {
                        self.refuse(after.change_of("required", "this parameter was optional"));
                    }
                    let known = ["name", "in", "required", "allowEmptyValue"];
                    self.value_in_text(Direction::Input, before, after, &known)?;
                }
                None => self.refuse(before.change("this parameter is gone")),
            }
        }
        for Parameter { key, node } in new {
            if node.flag("required") == Some(true) && !old.iter().any(|parameter| parameter.key == *key) {
                self.refuse(node.change("this parameter is new and required"));
            }
        }
        Ok(())
    }

    /// What a parameter and a header have in common: a schema, and how its values are written.
    fn value_in_text(&mut self, direction: Direction, old: &Node<'a>, new: &Node<'a>, known: &[&str]) -> Result<()> {
        let common = ["description", "schema", "style", "explode", "example", "examples", "deprecated"];
        self.not_judged(old, new, &[known, &common].concat());
        if serialization(old) != serialization(new) {
            self.refuse(old.change_of("style", "its values are written in another way"));
        }
        self.schema(direction, old, new)
    }

    fn request_body(&mut self, old: &Node<'a>, new: &Node<'a>) -> Result<()> {
        let required = |body: &Node<'a>| body.flag("required") == Some(true);
        match (old.get("requestBody"), new.get("requestBody")) {
            (None, None) => {}
            (Some(before), None) => self.refuse(before.change("the body is gone")),
            (None, Some(after)) => {
                if required(&after.clone().resolved(self.new)?) {
                    self.refuse(after.change("the body is new and required"));
                }
            }
            (Some(before), Some(after)) => {
                let (before, after) = (before.resolved(self.old)?, after.resolved(self.new)?);
                self.not_judged(&before, &after, &["description", "content", "required"]);
                if !required(&before) && required(&after) {
                    self.refuse(after.change_of("required", "the body was optional"));
                }
                self.content(Direction::Input, &before, &after)?;
            }
        }
        Ok(())
    }

    fn response(&mut self, old: Node<'a>, new: Node<'a>) -> Result<()> {
        let (old, new) = (old.resolved(self.old)?, new.resolved(self.new)?);
        self.not_judged(&old, &new, &["description", "headers", "content", "links"]);
        for (name, before) in old.members("headers") {
            match new.get("headers").and_then(|headers| headers.get(name)) {
                Some(after) => {
                    let (before, after) = (before.resolved(self.old)?, after.resolved(self.new)?);
                    if before.flag("required") == Some(true) && after.flag("required") != Some(true) {
                        self.refuse(before.change_of("required", "this header was always there"));
                    }
                    self.value_in_text(Direction::Output, &before, &after, &["required"])?;
                }
                None => self.refuse(before.change("this header is gone")),
            }
        }
        for (name, before) in old.members("links") {
            if new.get("links").and_then(|links| links.get(name)).is_none_or(|after| after.value != before.value) {
                self.refuse(before.change("this link is gone or another"));
            }
        }
        self.content(Direction::Output, &old, &new)
    }

    fn content(&mut self, direction: Direction, old: &Node<'a>, new: &Node<'a>) -> Result<()> {
        for (media_type, before) in old.members("content") {
            match new.get("content").and_then(|content| content.get(media_type)) {
                Some(after) => {
                    self.not_judged(&before, &after, &["schema", "example", "examples"]);
                    self.schema(direction, &before, &after)?;
                }
                None => self.refuse(before.change("this media type is gone")),
            }
        }
        Ok(())
    }

    /// The schema of a parameter, a header or a body. Without one, anything goes.
    fn schema(&mut self, direction: Direction, old: &Node<'a>, new: &Node<'a>) -> Result<()> {
        let schema = |node: &Node<'a>| node.get("schema").unwrap_or_else(|| node.below("schema", &Value::Bool(true)));
        let changes = self.schemas.compare(direction, schema(old), schema(new))?;
        self.changes.extend(changes);
        Ok(())
    }

    fn not_judged(&mut self, old: &Node<'a>, new: &Node<'a>, known: &[&str]) {
        self.changes.extend(old.not_judged(known));
        self.changes.extend(new.not_judged(known));
    }

    fn refuse(&mut self, change: Change) {
        self.changes.insert(change);
    }
}

struct Parameter<'a> {
    /// Where it is, and its name as it is compared.
    key: (&'a str, String),
    node: Node<'a>,
}

/// Those of the operation, and those of its path that it does not override.
fn parameters<'a>(document: &'a Value, path: &Node<'a>, operation: &Node<'a>) -> Result<Vec<Parameter<'a>>> {
    let mut found: Vec<Parameter<'a>> = Vec::new();
    for owner in [operation, path] {
        for (index, value) in owner.elements("parameters").iter().enumerate() {
            let node = owner.below(&index.to_string(), value).resolved(document)?;
            let (place, name) = (node.text("in").unwrap_or_default(), node.text("name").unwrap_or_default());
            // Names of headers have no case.
            let key = (place, if place == "header" { name.to_ascii_lowercase() } else { name.to_owned() });
            if !found.iter().any(|parameter| parameter.key == key) {
                let list = owner.below("parameters", owner.value);
                found.push(Parameter { key, node: list.below(&format!("{place}:{name}"), node.value) });
            }
        }
    }
    Ok(found)
}

/// `style` and `explode`, or what they are without being named.
fn serialization<'a>(node: &Node<'a>) -> (&'a str, bool) {
    let place = node.text("in").unwrap_or("header");
    let usual = if matches!(place, "query" | "cookie") { "form" } else { "simple" };
    let style = node.text("style").unwrap_or(usual);
    (style, node.flag("explode").unwrap_or(style == "form"))
}
