//! The operations of the API, from `routes()` and the description. A test of every route reads these and names no route, so that
//! it has the cases of a new route without an edit.

use std::sync::LazyLock;

use errand::api::routes;
use serde_json::Value;

use super::client::{Reply, User, anonymous};

static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| anonymous("GET", "/openapi.json").expect(200).json());

/// A method of a route, and what the description says of it.
#[derive(Clone, Copy)]
pub struct Operation {
    pub method: &'static str,
    /// The path template.
    pub path: &'static str,
    /// Whether it answers without a token.
    pub public: bool,
    described: &'static Value,
}

/// An object that a test has made.
pub struct Object {
    pub id: String,
    pub etag: String,
}

/// Every operation that there is.
pub fn operations() -> impl Iterator<Item = Operation> {
    routes().flat_map(|route| {
        route.methods().map(|method| {
            let described = &DESCRIPTION["paths"][route.path][method.to_lowercase()];
            Operation { method, path: route.path, public: route.public, described }
        })
    })
}

/// Says how many cases a test had: `-- --nocapture` shows the lines.
pub fn tell(cases: usize, what: &str) {
    assert_ne!(cases, 0, "no {what}");
    println!("cases: {cases} {what}");
}

impl Operation {
    pub fn id(&self) -> &'static str {
        self.described["operationId"]
            .as_str()
            .unwrap_or_else(|| panic!("{} {} is not described", self.method, self.path))
    }

    /// Whether it reads or writes one object.
    pub fn has_id(&self) -> bool {
        self.path.contains("{id}")
    }

    /// The template of the path that its resource's objects are under.
    fn collection(&self) -> &'static str {
        self.path.split("/{id}").next().unwrap()
    }

    /// The operation of the same resource that reads or writes an object as a whole.
    pub fn of_the_object(&self, method: &str) -> Option<Self> {
        let path = format!("{}/{{id}}", self.collection());
        operations().find(|operation| operation.method == method && operation.path == path)
    }

    /// Its path, for a user and an object.
    pub fn path_of(&self, user: &str, id: &str) -> String {
        self.path.replace("{user_id}", user).replace("{id}", id)
    }

    /// Whether it has this parameter: in the query, or as a header.
    pub fn takes(&self, name: &str) -> bool {
        self.parameters().any(|parameter| parameter["name"] == name)
    }

    pub fn parameters(&self) -> impl Iterator<Item = &'static Value> {
        self.described["parameters"].as_array().into_iter().flatten()
    }

    /// The answers that it describes.
    pub fn responses(&self) -> impl Iterator<Item = (u16, &'static Value)> {
        let responses = self.described["responses"].as_object().unwrap().iter();
        responses.map(|(status, response)| (status.parse().unwrap(), resolved(response)))
    }

    /// The body that the description has as an example; none where it takes no body.
    pub fn body(&self) -> Option<Value> {
        let schema = self.schema()?;
        let example = schema.pointer("/examples/0").or_else(|| schema.get("example"));
        Some(example.unwrap_or_else(|| panic!("the body of {} has no example", self.id())).clone())
    }

    fn schema(&self) -> Option<&'static Value> {
        Some(resolved(&self.described.pointer("/requestBody/content/application~1json")?["schema"]))
    }

    /// Sends it with its example, to the paths of a user.
    pub fn send(&self, as_user: &User, user: &str, id: &str, headers: &[(&str, &str)]) -> Reply {
        self.send_to(as_user, &self.path_of(user, id), headers, self.body().map(|body| body.to_string()).as_deref())
    }

    /// Sends it to any path, with any body.
    pub fn send_to(&self, as_user: &User, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> Reply {
        let mut all = headers.to_vec();
        if body.is_some() && !headers.iter().any(|(name, _)| *name == "content-type") {
            all.push(("content-type", "application/json"));
        }
        as_user.send_to(self.method, path, &all, body.map(str::as_bytes))
    }

    /// Makes an object for it to read or write: of its resource, or, where no POST makes those, a task. The object has the
    /// members that are required and no others, so that the examples of the other operations change it.
    pub fn object(&self, user: &User) -> Object {
        let makes = |path: &str| {
            let mut made = operations().filter(|operation| operation.path == path && operation.method == "POST");
            made.find(|operation| operation.responses().any(|(status, _)| status == 201))
        };
        let create = makes(self.collection()).or_else(|| makes("/api/{user_id}/tasks")).unwrap();
        let mut body = create.body().unwrap();
        let required = create.schema().unwrap()["required"].as_array().cloned().unwrap_or_default();
        body.as_object_mut().unwrap().retain(|name, _| required.contains(&Value::from(name.as_str())));
        let reply = create.send_to(user, &create.path_of("me", ""), &[], Some(&body.to_string())).expect(201);
        let id = reply.json()["id"].as_str().unwrap().to_owned();
        Object { id, etag: reply.header("etag").to_owned() }
    }
}

/// What a `$ref` of the description stands for.
fn resolved(value: &'static Value) -> &'static Value {
    value["$ref"].as_str().map_or(value, |reference| DESCRIPTION.pointer(reference.trim_start_matches('#')).unwrap())
}
