//! Completing and reopening a task.

use serde_json::json;

use crate::support::User;

#[test]
fn complete_sets_or_toggles() {
    let user = User::new("complete");
    let path = format!("/tasks/{}/complete", user.create(json!({"title": "t"})).id);
    let done = user.patch(&path, json!({"completed": true})).expect(200).task();
    assert!(done.completed && done.completed_at.is_some() && done.version == 2);
    let again = user.patch(&path, json!({"completed": true})).expect(200).task();
    assert_eq!((again.completed_at, again.version), (done.completed_at, 2));
    let toggled = user.send("PATCH", &path, &[], None).expect(200).task();
    assert_eq!((toggled.completed, toggled.completed_at), (false, None));
    assert!(user.send("PATCH", &path, &[], None).expect(200).task().completed);
    assert_eq!(user.patch(&path, json!({})).mistakes(), ["/completed"]);
    assert_eq!(user.patch(&path, json!({"completed": null})).mistakes(), ["/completed"]);
    assert_eq!(user.patch(&path, json!({"completed": true, "title": "x"})).mistakes(), ["/title"]);
}
