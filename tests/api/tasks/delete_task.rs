//! Deleting a task.

use serde_json::json;

use crate::support::User;

#[test]
fn a_deleted_task_is_gone() {
    let user = User::new("delete");
    let path = format!("/tasks/{}", user.create(json!({"title": "t"})).id);
    let reply = user.delete(&path).expect(204);
    assert_eq!(reply.body, "");
    let gone = user.get(&path).expect(404);
    for reply in [
        user.delete(&path),
        user.patch(&path, json!({"title": "x"})),
        user.get(&path),
        user.put(&path, json!({"title": "x", "completed": true})),
        user.send("PATCH", &format!("{path}/complete"), &[], None),
    ] {
        assert_eq!(reply.status, 404);
        assert_eq!(reply.problem().detail, gone.problem().detail);
    }
    assert!(user.get("/tasks").list().tasks.is_empty());
}
