//! Key-value stores: what is kept, where, and who sees it.

use serde_json::{Value, json};

use crate::support::{App, Host};

const GRANTED: &str = "key_value_stores = [\"default\"]";

async fn value(host: &Host, operation: &str, key: &str) -> Value {
    host.key_value(json!({ "store": "default", "do": operation, "key": key })).await["value"].clone()
}

async fn set(host: &Host, store: &str, key: &str, value: &str) {
    let said = host.key_value(json!({ "store": store, "do": "set", "key": key, "value": value })).await;
    assert_eq!(said, json!({ "value": null }));
}

#[tokio::test]
async fn what_is_set_is_there_until_it_is_deleted() {
    let host = App::new().component(GRANTED).start();
    assert_eq!((value(&host, "get", "a").await, value(&host, "exists", "a").await), (Value::Null, json!(false)));
    set(&host, "default", "a", "first").await;
    set(&host, "default", "a", "second").await;
    set(&host, "default", "b", "").await;
    assert_eq!((value(&host, "get", "a").await, value(&host, "exists", "a").await), (json!("second"), json!(true)));
    assert_eq!(value(&host, "get", "b").await, json!(""));
    let mut keys: Vec<String> = serde_json::from_value(value(&host, "keys", "").await).unwrap();
    keys.sort();
    assert_eq!(keys, ["a", "b"]);
    value(&host, "delete", "a").await;
    value(&host, "delete", "nobody").await;
    assert_eq!((value(&host, "get", "a").await, value(&host, "keys", "").await), (Value::Null, json!(["b"])));
}

#[tokio::test]
async fn instances_share_a_store() {
    let host = App::new().component(GRANTED).arguments(&["--max-instance-reuse-count", "1"]).start();
    set(&host, "default", "a", "shared").await;
    assert_eq!(value(&host, "get", "a").await, json!("shared"));
}

#[tokio::test]
async fn what_is_not_granted_is_denied_whether_it_is_there_or_not() {
    for app in [App::new(), App::new().component("key_value_stores = []")] {
        let host = app.start();
        for store in ["default", "nowhere", ""] {
            let said = host.key_value(json!({ "store": store, "do": "get", "key": "a" })).await;
            assert_eq!(said, json!({ "error": "Error::AccessDenied" }), "{store}");
        }
    }
}

#[test]
fn a_label_without_configuration_stops_the_start() {
    let said = App::new().component("key_value_stores = [\"default\", \"other\"]").refusal();
    assert!(said.contains("key_value_stores") && said.contains("\"other\""), "{said}");
}

#[tokio::test]
async fn the_default_store_is_a_file_beside_the_manifest() {
    let host = App::new().component(GRANTED).start();
    host.await_error("Storing default key-value data to");
    set(&host, "default", "a", "kept").await;
    let file = rusqlite::Connection::open(host.folder().join(".spin/sqlite_key_value.db")).unwrap();
    let row = file.query_row("select store, key, value from spin_key_value", [], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, Vec<u8>>(2)?))
    });
    assert_eq!(row.unwrap(), ("default".to_owned(), "a".to_owned(), b"kept".to_vec()));
}

#[tokio::test]
async fn the_state_is_where_the_command_line_says() {
    let host = App::new().component(GRANTED).arguments(&["--state-dir", "here/and/there"]).start();
    set(&host, "default", "a", "kept").await;
    assert!(host.folder().join("here/and/there/sqlite_key_value.db").is_file());
    assert!(!host.folder().join(".spin").exists());
}

#[tokio::test]
async fn without_a_folder_for_state_the_store_is_memory() {
    let host = App::new().component(GRANTED).arguments(&["--state-dir", ""]).start();
    host.await_error("in-memory");
    set(&host, "default", "a", "kept").await;
    assert_eq!(value(&host, "get", "a").await, json!("kept"));
    assert!(!host.folder().join(".spin").exists());
}

#[tokio::test]
async fn the_runtime_configuration_names_files_relative_to_itself() {
    let host = App::new()
        .component("key_value_stores = [\"default\", \"other\"]")
        .file(
            "settings/runtime-config.toml",
            "[key_value_store.other]\ntype = \"spin\"\npath = \"other.db\"\n[key_value_store.default]\ntype = \"spin\"",
        )
        .arguments(&["--runtime-config-file", "settings/runtime-config.toml"])
        .start();
    set(&host, "other", "a", "kept").await;
    assert!(host.folder().join("settings/other.db").is_file());
    // Stores of other labels are other stores, and one without a path is memory.
    assert_eq!(value(&host, "get", "a").await, Value::Null);
    assert!(!host.folder().join(".spin").exists());
}

#[test]
fn a_store_of_another_type_stops_the_start() {
    let said = App::new()
        .file("runtime-config.toml", "[key_value_store.default]\ntype = \"redis\"\nurl = \"redis://localhost\"")
        .arguments(&["--runtime-config-file", "runtime-config.toml"])
        .refusal();
    assert!(said.contains("redis"), "{said}");
}

#[tokio::test]
async fn the_command_line_gives_keys_their_first_values() {
    let host = App::new().component(GRANTED).arguments(&["--key-value", "a=b=c"]).start();
    assert_eq!(value(&host, "get", "a").await, json!("b=c"));
}

#[tokio::test]
async fn a_store_that_cannot_be_opened_is_an_error_of_the_call() {
    let host = App::new()
        .component(GRANTED)
        .file("folder/file", "")
        .file("runtime-config.toml", "[key_value_store.default]\ntype = \"spin\"\npath = \"folder\"")
        .arguments(&["--runtime-config-file", "runtime-config.toml"])
        .start();
    let said = host.key_value(json!({ "store": "default", "do": "get", "key": "a" })).await;
    assert!(said["error"].as_str().unwrap().contains("Other"), "{said}");
    assert_eq!(host.get("/").await.status(), 200);
}
