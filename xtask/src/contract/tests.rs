//! Each test changes the real description.

use serde_json::{Value, json};

use super::*;

fn described() -> Value {
    read(&workspace::root().unwrap().join("openapi.json")).unwrap()
}

/// The pointers of what is refused after a change.
fn refused(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let old = described();
    let mut new = old.clone();
    change(&mut new);
    assert_ne!(old, new, "nothing was changed");
    pointers(&old, &new)
}

fn pointers(old: &Value, new: &Value) -> Vec<String> {
    document::compare(old, new).unwrap().into_iter().map(|change| change.pointer).collect()
}

/// An operation on all tasks.
fn operation<'a>(document: &'a mut Value, method: &str) -> &'a mut Value {
    &mut document["paths"]["/api/{user_id}/tasks"][method]
}

fn parameter<'a>(document: &'a mut Value, method: &str, name: &str) -> &'a mut Value {
    let parameters = operation(document, method)["parameters"].as_array_mut().unwrap();
    parameters.iter_mut().find(|parameter| parameter["name"] == name).unwrap()
}

fn component<'a>(document: &'a mut Value, name: &str) -> &'a mut Value {
    &mut document["components"]["schemas"][name]
}

fn member<'a>(document: &'a mut Value, schema: &str, name: &str) -> &'a mut Value {
    &mut component(document, schema)["properties"][name]
}

fn remove(object: &mut Value, name: &str) {
    object.as_object_mut().unwrap().remove(name).expect(name);
}

fn drop_from(list: &mut Value, value: &str) {
    list.as_array_mut().unwrap().retain(|each| each != value);
}

fn add_to(list: &mut Value, value: Value) {
    list.as_array_mut().unwrap().push(value);
}

const LIST: &str = "/paths/~1api~1{user_id}~1tasks/get";
const CREATE: &str = "/paths/~1api~1{user_id}~1tasks/post";

#[test]
fn the_same_description_keeps_the_contract() {
    assert_eq!(pointers(&described(), &described()), [""; 0]);
}

#[test]
fn what_is_removed_is_refused() {
    assert_eq!(refused(|new| remove(&mut new["paths"], "/health/live")), ["/paths/~1health~1live"]);
    assert_eq!(refused(|new| remove(&mut new["paths"]["/api/{user_id}/tasks"], "post")), [CREATE]);
    let status = |new: &mut Value| remove(&mut operation(new, "post")["responses"], "422");
    assert_eq!(refused(status), [format!("{CREATE}/responses/422")]);
    let header = |new: &mut Value| remove(&mut operation(new, "get")["responses"]["200"]["headers"], "ETag");
    assert_eq!(refused(header), [format!("{LIST}/responses/200/headers/ETag")]);
    let link = |new: &mut Value| remove(&mut operation(new, "post")["responses"]["201"]["links"], "get_task");
    assert_eq!(refused(link), [format!("{CREATE}/responses/201/links/get_task")]);
    let body = |new: &mut Value| remove(operation(new, "post"), "requestBody");
    assert_eq!(refused(body), [format!("{CREATE}/requestBody")]);
}

#[test]
fn a_removed_member_of_an_answer_is_refused() {
    let gone = |new: &mut Value| {
        remove(&mut component(new, "Task")["properties"], "due_at");
        drop_from(&mut component(new, "Task")["required"], "due_at");
    };
    assert_eq!(refused(gone), ["/components/schemas/Task/properties/due_at"]);
}

#[test]
fn another_media_type_alone_is_refused() {
    let renamed = |content: &mut Value| {
        let body = content["application/json"].take();
        *content = json!({ "application/cbor": body });
    };
    let answer = |new: &mut Value| renamed(&mut operation(new, "get")["responses"]["200"]["content"]);
    assert_eq!(refused(answer), [format!("{LIST}/responses/200/content/application~1json")]);
    let body = |new: &mut Value| renamed(&mut operation(new, "post")["requestBody"]["content"]);
    assert_eq!(refused(body), [format!("{CREATE}/requestBody/content/application~1json")]);
}

#[test]
fn a_new_required_input_is_refused() {
    for place in ["query", "header"] {
        let parameter = json!({ "name": "X-Tenant", "in": place, "required": true, "schema": { "type": "string" } });
        let new = |new: &mut Value| add_to(&mut operation(new, "get")["parameters"], parameter);
        let name = if place == "header" { "header:X-Tenant" } else { "query:X-Tenant" };
        assert_eq!(refused(new), [format!("{LIST}/parameters/{name}")]);
    }
    let stricter = |new: &mut Value| parameter(new, "post", "Idempotency-Key")["required"] = true.into();
    assert_eq!(refused(stricter), [format!("{CREATE}/parameters/header:Idempotency-Key/required")]);
    let of_path = |new: &mut Value| {
        let parameter = json!({ "name": "x", "in": "query", "required": true, "schema": { "type": "string" } });
        new["paths"]["/health/live"]["parameters"] = json!([parameter]);
    };
    assert_eq!(refused(of_path), ["/paths/~1health~1live/parameters/query:x"]);
    let required = |new: &mut Value| add_to(&mut component(new, "NewTask")["required"], "priority".into());
    assert_eq!(refused(required), ["/components/schemas/NewTask/required/priority"]);
    let member = |new: &mut Value| {
        component(new, "NewTask")["properties"]["color"] = json!({ "type": "string" });
        add_to(&mut component(new, "NewTask")["required"], "color".into());
    };
    assert_eq!(refused(member), ["/components/schemas/NewTask/required/color"]);
    let complete = |new: &mut Value| {
        new["paths"]["/api/{user_id}/tasks/{id}/complete"]["patch"]["requestBody"]["required"] = true.into();
    };
    assert_eq!(refused(complete), ["/paths/~1api~1{user_id}~1tasks~1{id}~1complete/patch/requestBody/required"]);
    let body = |new: &mut Value| {
        let live = &mut new["paths"]["/health/live"]["get"];
        live["requestBody"] = json!({ "required": true, "content": { "application/json": {} } });
    };
    assert_eq!(refused(body), ["/paths/~1health~1live/get/requestBody"]);
    let token = |new: &mut Value| new["paths"]["/health/live"]["get"]["security"] = json!([{ "bearer": [] }]);
    assert_eq!(refused(token), ["/paths/~1health~1live/get/security"]);
    let other = |new: &mut Value| new["components"]["securitySchemes"]["bearer"]["scheme"] = "basic".into();
    assert_eq!(refused(other), ["/components/securitySchemes/bearer"]);
}

#[test]
fn a_removed_optional_input_is_refused() {
    let parameter = |new: &mut Value| {
        operation(new, "get")["parameters"].as_array_mut().unwrap().retain(|parameter| parameter["name"] != "q");
    };
    assert_eq!(refused(parameter), [format!("{LIST}/parameters/query:q")]);
    let tags = |new: &mut Value| remove(&mut component(new, "NewTask")["properties"], "tags");
    assert_eq!(refused(tags), ["/components/schemas/NewTask/properties/tags"]);
    let ignored = |new: &mut Value| member(new, "NewTask", "completed")["readOnly"] = true.into();
    assert_eq!(refused(ignored), ["/components/schemas/NewTask/properties/completed/readOnly"]);
}

#[test]
fn a_narrower_input_is_refused() {
    let sort = |new: &mut Value| drop_from(&mut parameter(new, "get", "sort")["schema"]["enum"], "-due");
    assert_eq!(refused(sort), [format!("{LIST}/parameters/query:sort/schema/enum/-due")]);
    // Sent in a body, and in a parameter of its own.
    let low = |new: &mut Value| drop_from(&mut component(new, "Priority")["enum"], "low");
    assert_eq!(refused(low), ["/components/schemas/Priority/enum/low"]);
    let restricted = |new: &mut Value| parameter(new, "get", "q")["schema"]["enum"] = json!(["a", "b"]);
    assert_eq!(refused(restricted), [format!("{LIST}/parameters/query:q/schema/enum")]);
    let not_null = |new: &mut Value| member(new, "NewTask", "description")["type"] = "string".into();
    assert_eq!(refused(not_null), ["/components/schemas/NewTask/properties/description/type/null"]);
    let no_time = |new: &mut Value| {
        component(new, "NewDue")["oneOf"].as_array_mut().unwrap().pop().unwrap();
    };
    assert_eq!(refused(no_time), ["/components/schemas/NewDue/oneOf/DueTime"]);
    let one_of_two = |new: &mut Value| member(new, "DueTime", "time_zone")["maxLength"] = 50.into();
    assert_eq!(refused(one_of_two), ["/components/schemas/DueTime/properties/time_zone/maxLength"]);
    let the_first = |new: &mut Value| member(new, "DueDay", "date")["pattern"] = "^2".into();
    assert_eq!(refused(the_first), ["/components/schemas/DueDay/properties/date/pattern"]);
    let untyped = |new: &mut Value| member(new, "Replacement", "id")["maxLength"] = 3.into();
    assert_eq!(refused(untyped), ["/components/schemas/Replacement/properties/id/maxLength"]);
    let typed = |new: &mut Value| member(new, "Replacement", "id")["type"] = "string".into();
    assert_eq!(refused(typed), ["/components/schemas/Replacement/properties/id/type/any"]);
    for (name, value) in [("maxLength", 254), ("minLength", 2)] {
        let title = |new: &mut Value| member(new, "NewTask", "title")[name] = value.into();
        assert_eq!(refused(title), [format!("/components/schemas/NewTask/properties/title/{name}")]);
    }
    for name in ["maxLength", "minLength"] {
        let limited = |new: &mut Value| parameter(new, "get", "cursor")["schema"][name] = 9.into();
        assert_eq!(refused(limited), [format!("{LIST}/parameters/query:cursor/schema/{name}")]);
    }
    for (name, value) in [("maximum", 499), ("minimum", 2), ("multipleOf", 5)] {
        let limit = |new: &mut Value| parameter(new, "get", "limit")["schema"][name] = value.into();
        assert_eq!(refused(limit), [format!("{LIST}/parameters/query:limit/schema/{name}")]);
    }
    for (name, value) in [("maxItems", 19), ("minItems", 1)] {
        let tags = |new: &mut Value| member(new, "TaskPatch", "tags")[name] = value.into();
        assert_eq!(refused(tags), [format!("/components/schemas/TaskPatch/properties/tags/{name}")]);
    }
    let longest = |new: &mut Value| member(new, "NewTask", "tags")["items"]["maxLength"] = 49.into();
    assert_eq!(refused(longest), ["/components/schemas/NewTask/properties/tags/items/maxLength"]);
    let pattern = |new: &mut Value| parameter(new, "post", "X-Request-Id")["schema"]["pattern"] = "^[a-z]+$".into();
    assert_eq!(refused(pattern), [format!("{CREATE}/parameters/header:X-Request-Id/schema/pattern")]);
    let format = |new: &mut Value| parameter(new, "get", "cursor")["schema"]["format"] = "uuid".into();
    assert_eq!(refused(format), [format!("{LIST}/parameters/query:cursor/schema/format")]);
    let unique = |new: &mut Value| parameter(new, "get", "priority")["schema"]["uniqueItems"] = true.into();
    assert_eq!(refused(unique), [format!("{LIST}/parameters/query:priority/schema/uniqueItems")]);
}

#[test]
fn other_members_are_compared() {
    let extra = |schema: &str, others: Value| {
        let mut document = described();
        *member(&mut document, schema, "extra") = json!({ "type": "object", "additionalProperties": others });
        document
    };
    let changed = |schema: &str, old: Value, new: Value| pointers(&extra(schema, old), &extra(schema, new));
    let (text, number) = (json!({ "type": "string" }), json!({ "type": "integer" }));
    let others = |schema: &str| format!("/components/schemas/{schema}/properties/extra/additionalProperties");
    for closed in [json!(false), text.clone()] {
        assert_eq!(changed("NewTask", json!(true), closed.clone()), [others("NewTask")]);
        assert_eq!(changed("NewTask", closed, json!(true)), [""; 0]);
    }
    assert_eq!(changed("NewTask", text.clone(), json!(false)), [others("NewTask")]);
    assert_eq!(changed("NewTask", json!(false), json!(false)), [""; 0]);
    assert_eq!(changed("NewTask", text.clone(), number.clone()), [others("NewTask") + "/type/string"]);
    assert_eq!(changed("Task", text.clone(), number), [others("Task") + "/type/integer"]);
    assert_eq!(changed("Task", text, json!(true)), [others("Task")]);
    assert_eq!(changed("Task", json!(true), json!(false)), [""; 0]);
}

#[test]
fn who_may_call_is_compared() {
    let with = |ways: Value| {
        let mut document = described();
        operation(&mut document, "get")["security"] = ways;
        document
    };
    let changed = |old: Value, new: Value| pointers(&with(old), &with(new));
    let (bearer, both) = (json!([{ "bearer": [] }]), json!([{ "bearer": [] }, { "key": [] }]));
    let refusal = [format!("{LIST}/security")];
    assert_eq!(changed(json!([]), bearer.clone()), refusal);
    assert_eq!(changed(json!([]), json!([{}, { "bearer": [] }])), [""; 0]);
    assert_eq!(changed(both.clone(), bearer.clone()), refusal);
    assert_eq!(changed(bearer.clone(), both), [""; 0]);
    assert_eq!(changed(bearer, json!([])), [""; 0]);
}

#[test]
fn an_input_that_comes_to_mean_something_else_is_refused() {
    let default = |new: &mut Value| parameter(new, "get", "limit")["schema"]["default"] = 50.into();
    assert_eq!(refused(default), [format!("{LIST}/parameters/query:limit/schema/default")]);
    let commas = |new: &mut Value| parameter(new, "get", "tag")["explode"] = false.into();
    assert_eq!(refused(commas), [format!("{LIST}/parameters/query:tag/style")]);
    let renamed = |new: &mut Value| operation(new, "get")["operationId"] = "tasks".into();
    assert_eq!(refused(renamed), [format!("{LIST}/operationId")]);
}

#[test]
fn a_wider_output_is_refused() {
    let urgent = |new: &mut Value| add_to(&mut component(new, "Priority")["enum"], "urgent".into());
    assert_eq!(refused(urgent), ["/components/schemas/Priority/enum/urgent"]);
    let any = |new: &mut Value| remove(component(new, "Priority"), "enum");
    assert_eq!(refused(any), ["/components/schemas/Priority/enum"]);
    let optional = |new: &mut Value| drop_from(&mut component(new, "Task")["required"], "etag");
    assert_eq!(refused(optional), ["/components/schemas/Task/required/etag"]);
    let nullable = |new: &mut Value| member(new, "Task", "title")["type"] = json!(["string", "null"]);
    assert_eq!(refused(nullable), ["/components/schemas/Task/properties/title/type/null"]);
    let text = |new: &mut Value| member(new, "Task", "version")["type"] = "string".into();
    assert_eq!(refused(text), ["/components/schemas/Task/properties/version/type/string"]);
    let longer = |new: &mut Value| member(new, "Task", "title")["maxLength"] = 300.into();
    assert_eq!(refused(longer), ["/components/schemas/Task/properties/title/maxLength"]);
    let other = |new: &mut Value| remove(member(new, "Task", "id"), "format");
    assert_eq!(refused(other), ["/components/schemas/Task/properties/id/format"]);
    let elements = |new: &mut Value| member(new, "TaskList", "tasks")["items"] = json!({ "type": "string" });
    assert_eq!(refused(elements), ["/components/schemas/TaskList/properties/tasks/items/type/string"]);
    let header = |new: &mut Value| {
        operation(new, "get")["responses"]["200"]["headers"]["ETag"]["schema"]["type"] = "integer".into();
    };
    assert_eq!(refused(header), [format!("{LIST}/responses/200/headers/ETag/schema/type/integer")]);
    let mut always = described();
    operation(&mut always, "get")["responses"]["200"]["headers"]["ETag"]["required"] = true.into();
    assert_eq!(pointers(&always, &described()), [format!("{LIST}/responses/200/headers/ETag/required")]);
    assert_eq!(pointers(&always, &always), [""; 0]);
}

#[test]
fn what_does_not_hurt_a_client_passes() {
    type Edit = fn(&mut Value);
    let changes: [(&str, Edit); 19] = [
        ("a member of answers", |new| member(new, "Task", "color")["type"] = "string".into()),
        ("a required member of answers", |new| {
            member(new, "Task", "color")["type"] = "string".into();
            add_to(&mut component(new, "Task")["required"], "color".into());
        }),
        ("an optional input", |new| member(new, "NewTask", "color")["type"] = "string".into()),
        ("a path", |new| new["paths"]["/api/{user_id}/labels"] = new["paths"]["/health/live"].clone()),
        ("a method", |new| new["paths"]["/health/live"]["head"] = new["paths"]["/health/live"]["get"].clone()),
        ("an optional parameter", |new| {
            let parameter = json!({ "name": "color", "in": "query", "schema": { "type": "string" } });
            add_to(&mut operation(new, "get")["parameters"], parameter);
        }),
        ("a status", |new| operation(new, "get")["responses"]["410"] = json!({ "description": "Gone" })),
        ("a header of answers", |new| {
            operation(new, "get")["responses"]["200"]["headers"]["Sunset"] = json!({ "schema": { "type": "string" } });
        }),
        ("a deprecation", |new| operation(new, "get")["deprecated"] = true.into()),
        ("a value of an input", |new| add_to(&mut parameter(new, "get", "sort")["schema"]["enum"], "id".into())),
        ("limits that are none", |new| {
            parameter(new, "get", "cursor")["schema"]["minLength"] = 0.into();
            member(new, "NewTask", "tags")["minItems"] = 0.into();
        }),
        ("a header that is always there", |new| {
            operation(new, "get")["responses"]["200"]["headers"]["ETag"]["required"] = true.into();
        }),
        ("an optional body", |new| {
            new["paths"]["/health/live"]["get"]["requestBody"] = json!({ "content": { "application/json": {} } });
        }),
        ("longer inputs", |new| member(new, "NewTask", "title")["maxLength"] = 1000.into()),
        ("a nullable input", |new| member(new, "NewTask", "title")["type"] = json!(["string", "null"])),
        ("an order of parameters", |new| operation(new, "get")["parameters"].as_array_mut().unwrap().reverse()),
        ("a header in other letters", |new| parameter(new, "post", "Prefer")["name"] = "prefer".into()),
        ("what is the default", |new| parameter(new, "get", "limit")["explode"] = true.into()),
        ("words", |new| component(new, "Task")["description"] = "Something to do.".into()),
    ];
    for (what, change) in changes {
        assert_eq!(refused(change), [""; 0], "{what}");
    }
}

#[test]
fn a_schema_that_moves_is_the_same() {
    let moved = |new: &mut Value| {
        let priority = component(new, "Priority").clone();
        *member(new, "NewTask", "priority") = json!({ "anyOf": [{ "type": "null" }, priority] });
    };
    assert_eq!(refused(moved), [""; 0]);
}

#[test]
fn what_is_not_understood_is_refused() {
    let servers = |new: &mut Value| new["servers"] = json!([{ "url": "/v2" }]);
    assert_eq!(refused(servers), ["/servers"]);
    let mut old = described();
    servers(&mut old);
    assert_eq!(pointers(&old, &described()), ["/servers"]);
    let mut old = described();
    *member(&mut old, "Task", "title") = json!({ "not": { "type": "null" } });
    assert_eq!(pointers(&old, &old), ["/components/schemas/Task/properties/title/not"]);
    *member(&mut old, "Task", "title") = json!({ "oneOf": [{ "type": "string" }], "maxLength": 3 });
    assert_eq!(pointers(&old, &old), ["/components/schemas/Task/properties/title/maxLength"]);
    *member(&mut old, "Task", "title") = json!({ "$ref": "#/components/schemas/Priority", "maxLength": 3 });
    assert!(document::compare(&old, &old).unwrap_err().to_string().contains("`maxLength` beside `$ref`"));
}

#[test]
fn a_schema_that_contains_itself_is_compared() {
    let mut old = described();
    *member(&mut old, "Task", "parent") = json!({ "$ref": "#/components/schemas/Task" });
    let mut new = old.clone();
    member(&mut new, "Task", "title")["maxLength"] = 300.into();
    assert_eq!(pointers(&old, &new), ["/components/schemas/Task/properties/title/maxLength"]);
}

/// A folder with a description, and the same as that of the last release.
fn checkout() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let description = serde_json::to_string(&described()).unwrap();
    fs::create_dir(folder.path().join(FOLDER)).unwrap();
    fs::write(folder.path().join("openapi.json"), &description).unwrap();
    fs::write(folder.path().join("contract/0.0.9.json"), &description).unwrap();
    fs::write(folder.path().join("contract/exceptions.toml"), NO_EXCEPTIONS).unwrap();
    folder
}

fn break_it(root: &Path) {
    let mut new = described();
    remove(&mut new["paths"], "/health/live");
    fs::write(root.join("openapi.json"), new.to_string()).unwrap();
}

fn except(root: &Path, pointer: &str, reason: &str) {
    let exception = format!("[[exception]]\npointer = \"{pointer}\"\nreason = \"{reason}\"\n");
    fs::write(root.join("contract/exceptions.toml"), exception).unwrap();
}

#[test]
fn an_exception_needs_a_change_and_a_reason() {
    let folder = checkout();
    let root = folder.path();
    let told = || check(root).map_err(|error| format!("{error:#}"));
    assert_eq!(told().unwrap(), "0.0.9");
    break_it(root);
    assert!(told().unwrap_err().contains("\n  /paths/~1health~1live: this path is gone"));
    except(root, "/paths/~1health~1live", "Nobody has asked for it.");
    told().unwrap();
    except(root, "/paths/~1health~1live", " ");
    assert!(told().unwrap_err().contains("no reason"));
    let mut new = read(&root.join("openapi.json")).unwrap();
    remove(&mut new["paths"], "/health/ready");
    fs::write(root.join("openapi.json"), new.to_string()).unwrap();
    except(root, "/paths/~1health~1live", "Nobody has asked for it.");
    let text = told().unwrap_err();
    assert!(text.ends_with(": \n  /paths/~1health~1ready: this path is gone"), "{text}");
    except(root, "/paths/~1health", "Nobody has asked for it.");
    let text = told().unwrap_err();
    assert!(text.contains("this path is gone") && text.contains("matches no breaking change"), "{text}");
    fs::write(root.join("contract/exceptions.toml"), "[[exceptions]]\npointer = \"/x\"\n").unwrap();
    assert!(told().unwrap_err().contains("not understood"));
}

#[test]
fn a_release_makes_a_new_contract() {
    let folder = checkout();
    let root = folder.path();
    let version = described()["info"]["version"].as_str().unwrap().to_owned();
    break_it(root);
    assert!(replace(root, &version).is_err(), "it breaks the last one");
    except(root, "/paths/~1health~1live", "Nobody has asked for it.");
    assert!(replace(root, "9.9.9").unwrap_err().to_string().contains("not of 9.9.9"));
    replace(root, &version).unwrap();
    assert!(!root.join("contract/0.0.9.json").exists());
    assert_eq!(check(root).unwrap(), version);
    replace(root, &version).unwrap();
    assert_eq!(check(root).unwrap(), version);
}

#[test]
fn the_committed_exceptions_are_explained() {
    let text = fs::read_to_string(workspace::root().unwrap().join(FOLDER).join(EXCEPTIONS)).unwrap();
    assert!(text.starts_with(NO_EXCEPTIONS));
}

#[test]
fn the_contract_is_kept() {
    check(&workspace::root().unwrap()).unwrap();
}
