//! Replacing a task, and creating one under an id of the client's.

use serde_json::{Value, json};
use uuid::Uuid;

use super::full;
use crate::support::User;

#[test]
fn put_replaces_everything() {
    let user = User::new("put");
    let task = user.create(full());
    let path = format!("/tasks/{}", task.id);
    let reply = user.put(&path, json!({"title": "New", "completed": false})).expect(200);
    let new = reply.task();
    assert_eq!((new.title.as_str(), new.version, reply.header("etag")), ("New", 2, new.etag.as_str()));
    assert_eq!((new.description, new.completed, new.completed_at), (None, false, None));
    assert_eq!((new.due, new.due_at, new.tags.len(), new.priority), (None, None, 0, Default::default()));
    assert_eq!(new.created_at, task.created_at);
    assert!(new.updated_at > task.updated_at);
    assert_eq!(user.put(&path, json!({"completed": true})).mistakes(), ["/title"]);
    assert_eq!(user.put(&path, json!({"title": "x"})).mistakes(), ["/completed"]);
    assert_eq!(user.put(&path, json!({})).mistakes(), ["/title", "/completed"]);
    assert_eq!(user.get(&path).task().title, "New");
}

#[test]
fn put_creates_only_where_nothing_is_expected() {
    let user = User::new("put-create");
    let id = Uuid::now_v7();
    let path = format!("/tasks/{id}");
    let body = json!({"title": "Mine", "completed": false});
    assert_eq!(user.put(&path, body.clone()).expect(404).problem().code, "not_found");
    let create = |body: Value| user.with_json("PUT", &path, &[("if-none-match", "*")], body);
    let reply = create(body.clone()).expect(201);
    assert_eq!((reply.task().id, reply.task().version), (id, 1));
    assert_eq!(reply.header("location"), user.path(&path));
    assert_eq!(create(body).expect(412).problem().code, "precondition_failed");
    assert_eq!(user.get("/tasks").list().tasks.len(), 1);
    // The same id is another task for another user.
    let other = User::new("put-create-other");
    other.with_json("PUT", &path, &[("if-none-match", "*")], json!({"title": "Theirs", "completed": true})).expect(201);
    assert_eq!(user.get(&path).task().title, "Mine");
}
