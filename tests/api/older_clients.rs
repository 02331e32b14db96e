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
