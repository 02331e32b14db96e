//! A client written for the contract that errand descends from works as it is.

use serde_json::json;

use crate::support::User;

#[test]
fn the_older_contract_holds() {
    // User ids were numbers.
    let user = User::with_id(&format!("{}", uuid::Uuid::now_v7().as_u128() % 1_000_000_000_000));
    let task = user.post("/tasks", json!({"title": "Buy milk", "description": "2 litres"})).expect(201).json();
    assert_eq!(task["owner_id"], user.id.as_str());
    let path = format!("/tasks/{}", task["id"].as_str().unwrap());
    assert_eq!(user.get("/tasks").expect(200).json()["tasks"][0], task);
    let put =
        user.put(&path, json!({"title": "Buy bread", "description": null, "completed": false})).expect(200).json();
    assert_eq!((&put["title"], &put["completed"]), (&json!("Buy bread"), &json!(false)));
    let done = user.patch(&format!("{path}/complete"), json!({"completed": true})).expect(200).json();
    assert_eq!(done["completed"], true);
    user.delete(&path).expect(204);
    user.get(&path).expect(404);
}

/// A client that stored a validator of an earlier version fails closed once. The new validator works, and `version` counts as before.
#[test]
fn a_validator_of_before_fails_once() {
    let user = User::new("older-validator");
    let task = user.create(json!({"title": "t"}));
    let path = format!("/tasks/{}", task.id);
    // A task's tag was its version; a list's was the number of the user's writes.
    let read = user.get_with(&path, &[("if-none-match", "\"1\"")]).expect(200);
    let list = user.get_with("/tasks", &[("if-none-match", "\"1\"")]).expect(200);
    user.get_with("/tasks", &[("if-none-match", list.header("etag"))]).expect(304);
    let write = |tag: &str| user.with_json("PATCH", &path, &[("if-match", tag)], json!({"title": "u"}));
    write("\"1\"").expect(412);
    assert_eq!(write(read.header("etag")).expect(200).task().version, task.version + 1);
    // A write without a precondition needs no validator.
    user.put(&path, json!({"title": "v", "completed": false})).expect(200);
    user.delete(&path).expect(204);
}
