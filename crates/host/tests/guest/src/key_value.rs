//! What the tests ask of a key-value store: a label, an operation, and what it needs.

use bytes::Bytes;
use http_body_util::Full;
use serde_json::{Value, json};
use spin_sdk::key_value::{Error, Store};

pub(crate) async fn run(ask: &[u8]) -> http::Response<Full<Bytes>> {
    let ask: Value = serde_json::from_slice(ask).expect("JSON");
    crate::json_response(match answer(&ask).await {
        Ok(value) => json!({ "value": value }),
        Err(error) => json!({ "error": format!("{error:?}") }),
    })
}

async fn answer(ask: &Value) -> Result<Value, Error> {
    let text = |name: &str| ask[name].as_str().unwrap_or_default();
    let store = Store::open(text("store")).await?;
    let key = text("key");
    Ok(match text("do") {
        "get" => store.get(key).await?.map(|value| String::from_utf8_lossy(&value).into_owned()).into(),
        "set" => store.set(key, text("value")).await.map(|()| Value::Null)?,
        "delete" => store.delete(key).await.map(|()| Value::Null)?,
        "exists" => store.exists(key).await?.into(),
        "keys" => store.get_keys().await.collect().await?.into(),
        _ => Value::Null,
    })
}
