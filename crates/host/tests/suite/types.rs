//! Each PostgreSQL type that Spin knows, to the server and back; and those that it does not.

use serde_json::{Value, json};

use crate::support::{App, Host};

/// Parameter, the type that the server takes it for, and how the guest sees it come back.
fn table() -> Vec<(Value, &'static str, &'static str, &'static str)> {
    vec![
        (json!(["boolean", true]), "bool", "Boolean", "Boolean(true)"),
        (json!(["int16", -2]), "int2", "Int16", "Int16(-2)"),
        (json!(["int32", 2147483647]), "int4", "Int32", "Int32(2147483647)"),
        (json!(["int64", i64::MIN]), "int8", "Int64", "Int64(-9223372036854775808)"),
        (json!(["floating32", 1.5]), "float4", "Floating32", "Floating32(1.5)"),
        (json!(["floating64", -0.1]), "float8", "Floating64", "Floating64(-0.1)"),
        (json!(["str", "über"]), "text", "Str", "Str(\"über\")"),
        (json!(["str", "v"]), "varchar", "Str", "Str(\"v\")"),
        (json!(["str", "b"]), "char(3)", "Str", "Str(\"b  \")"),
        (json!(["binary", [0, 255]]), "bytea", "Binary", "Binary([0, 255])"),
        (json!(["date", [2024, 2, 29]]), "date", "Date", "Date((2024, 2, 29))"),
        (json!(["time", [23, 59, 58, 123456000]]), "time", "Time", "Time((23, 59, 58, 123456000))"),
        (
            json!(["datetime", [1999, 12, 31, 1, 2, 3, 4000]]),
            "timestamp",
            "Datetime",
            "Datetime((1999, 12, 31, 1, 2, 3, 4000))",
        ),
        (
            json!(["uuid", "6BA7B810-9DAD-11D1-80B4-00C04FD430C8"]),
            "uuid",
            "Uuid",
            "Uuid(\"6ba7b810-9dad-11d1-80b4-00c04fd430c8\")",
        ),
        (json!(["jsonb", "{\"a\": [1]}"]), "jsonb", "Jsonb", "Jsonb([123, 34, 97, 34, 58, 91, 49, 93, 125])"),
        (json!(["decimal", "123.4500"]), "numeric", "Decimal", "Decimal(\"123.4500\")"),
        (
            json!(["interval", [1, 2, 3]]),
            "interval",
            "Interval",
            "Interval(Interval { micros: 1, days: 2, months: 3 })",
        ),
        (
            json!(["range-int32", [[1, "inclusive"], [5, "exclusive"]]]),
            "int4range",
            "RangeInt32",
            "RangeInt32((Some((1, RangeBoundKind::Inclusive)), Some((5, RangeBoundKind::Exclusive))))",
        ),
        (
            json!(["range-int64", [null, [5, "exclusive"]]]),
            "int8range",
            "RangeInt64",
            "RangeInt64((None, Some((5, RangeBoundKind::Exclusive))))",
        ),
        (
            json!(["range-decimal", [["1.5", "exclusive"], null]]),
            "numrange",
            "RangeDecimal",
            "RangeDecimal((Some((\"1.5\", RangeBoundKind::Exclusive)), None))",
        ),
        (json!(["array-int32", [1, null]]), "int4[]", "ArrayInt32", "ArrayInt32([Some(1), None])"),
        (json!(["array-int64", [1, null]]), "int8[]", "ArrayInt64", "ArrayInt64([Some(1), None])"),
        (json!(["array-decimal", ["1.50", null]]), "numeric[]", "ArrayDecimal", "ArrayDecimal([Some(\"1.50\"), None])"),
        (json!(["array-str", ["a", null]]), "text[]", "ArrayStr", "ArrayStr([Some(\"a\"), None])"),
        (json!(["array-str", ["a"]]), "varchar[]", "ArrayStr", "ArrayStr([Some(\"a\")])"),
    ]
}

async fn select(host: &Host, how: &str, sql: &str, parameters: Value) -> Value {
    host.database(json!({ "how": how, "sql": sql, "parameters": parameters })).await
}

#[tokio::test]
async fn every_type_goes_there_and_back() {
    let host = App::with_database().start();
    for how in ["async", "plain"] {
        for (parameter, sql, kind, value) in table() {
            let answer = select(&host, how, &format!("select $1::{sql} as v"), json!([parameter])).await;
            assert_eq!(answer["columns"], json!([["v", format!("DbDataType::{kind}")]]), "{how} {sql}: {answer}");
            assert_eq!(answer["rows"], json!([[format!("DbValue::{value}")]]), "{how} {sql}");
        }
    }
}

#[tokio::test]
async fn null_is_of_any_type() {
    let host = App::with_database().start();
    for (_, sql, ..) in table() {
        let answer = select(&host, "async", &format!("select $1::{sql} as v"), json!([["null"]])).await;
        assert_eq!(answer["rows"], json!([["DbValue::DbNull"]]), "{sql}: {answer}");
    }
}

#[tokio::test]
async fn a_timestamp_parameter_is_a_timestamptz() {
    let host = App::with_database().start();
    let sql = "select extract(epoch from $1::timestamptz)::int8 as v";
    let answer = select(&host, "async", sql, json!([["timestamp", 86400]])).await;
    assert_eq!(answer["rows"], json!([["DbValue::Int64(86400)"]]), "{answer}");
}

#[tokio::test]
async fn reading_a_timestamptz_fails() {
    let host = App::with_database().start();
    let sql = "select now() as v";
    let answer = select(&host, "async", sql, json!([])).await;
    assert_eq!(answer["columns"], json!([["v", "DbDataType::Datetime"]]));
    let said = answer["ended"]["query-failed"].as_str().unwrap_or_else(|| panic!("{answer}"));
    assert!(said.contains("timestamptz"), "{said}");
    let answer = select(&host, "plain", sql, json!([])).await;
    assert!(answer["error"]["query-failed"].as_str().unwrap().contains("timestamptz"), "{answer}");
}

#[tokio::test]
async fn what_spin_does_not_know_comes_as_bytes() {
    let host = App::with_database().start();
    for (sql, name, bytes) in [
        ("'{}'::json", "json", "[123, 125]"),
        ("array[true]", "_bool", "[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 1]"),
        ("'127.0.0.1'::inet", "inet", "[2, 32, 0, 4, 127, 0, 0, 1]"),
        ("'n'::name", "name", "[110]"),
    ] {
        let answer = select(&host, "async", &format!("select {sql} as v"), json!([])).await;
        assert_eq!(answer["columns"], json!([["v", format!("DbDataType::Other(\"{name}\")")]]), "{sql}");
        assert_eq!(answer["rows"], json!([[format!("DbValue::Unsupported({bytes})")]]), "{sql}");
    }
    let answer = select(&host, "async", "select null::json as v", json!([])).await;
    assert_eq!(answer["rows"], json!([["DbValue::DbNull"]]));
}

#[tokio::test]
async fn an_enum_and_uuids_in_an_array_come_as_bytes() {
    let host = App::with_database().start();
    let sql = "select array['6ba7b810-9dad-11d1-80b4-00c04fd430c8'::uuid] as v";
    let answer = select(&host, "async", sql, json!([])).await;
    assert_eq!(answer["columns"], json!([["v", "DbDataType::Other(\"_uuid\")"]]));
    let create =
        "do $$ begin create type errand_host_mood as enum ('fine'); exception when duplicate_object then end $$";
    host.database(json!({ "execute": true, "sql": create })).await;
    let answer = select(&host, "async", "select 'fine'::errand_host_mood as v", json!([])).await;
    assert_eq!(answer["rows"], json!([["DbValue::Unsupported([102, 105, 110, 101])"]]), "{answer}");
}

#[tokio::test]
async fn nothing_is_coerced() {
    let host = App::with_database().start();
    for (parameter, sql) in [
        (json!(["int32", 1]), "int8"),
        (json!(["int64", 1]), "int4"),
        (json!(["int8", 1]), "int2"),
        (json!(["str", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"]), "uuid"),
        (json!(["str", "{}"]), "jsonb"),
        (json!(["datetime", [2024, 1, 1, 0, 0, 0, 0]]), "timestamptz"),
    ] {
        let answer = select(&host, "async", &format!("select $1::{sql} as v"), json!([parameter])).await;
        let said = answer["error"]["query-failed"].as_str().unwrap_or_else(|| panic!("{sql}: {answer}"));
        assert!(said.contains("error serializing parameter 0") || said.contains("ToSql(0)"), "{said}");
    }
}

#[tokio::test]
async fn a_value_that_cannot_be_is_a_bad_parameter() {
    let host = App::with_database().start();
    for (parameter, sql) in [
        (json!(["date", [2023, 2, 29]]), "date"),
        (json!(["time", [24, 0, 0, 0]]), "time"),
        (json!(["uuid", "no"]), "uuid"),
        (json!(["jsonb", "{"]), "jsonb"),
        (json!(["decimal", "one"]), "numeric"),
    ] {
        let ask = |execute: bool| json!({ "sql": format!("select $1::{sql}"), "parameters": [parameter], "execute": execute });
        let answer = host.database(ask(false)).await;
        assert!(answer["error"]["bad-parameter"].as_str().unwrap().contains("invalid"), "{answer}");
        let answer = host.database(ask(true)).await;
        assert!(answer["error"]["value-conversion-failed"].as_str().unwrap().contains("invalid"), "{answer}");
    }
}
