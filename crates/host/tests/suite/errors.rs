//! Statements: errors as Spin tells them, rows as they come, connections as they are kept.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{App, database};

#[tokio::test]
async fn an_error_of_the_server_comes_with_all_its_fields() {
    let host = App::with_database().start();
    let sql = "do $$ begin raise exception 'no such luck' using errcode = '23505', detail = 'bad', hint = 'wait', \
               constraint = 'luck_key', table = 'luck', column = 'much', schema = 's'; end $$";
    let answer = host.database(json!({ "execute": true, "sql": sql })).await;
    let error = &answer["error"]["db-error"];
    assert_eq!(error["severity"], "ERROR");
    assert_eq!(error["code"], "23505");
    assert_eq!(error["message"], "no such luck");
    assert_eq!(error["detail"], "bad");
    for (name, value) in
        [("constraint", "luck_key"), ("table", "luck"), ("column", "much"), ("schema", "s"), ("hint", "wait")]
    {
        assert_eq!(error["extras"][name], value, "{name}");
    }
    for name in ["file", "line", "routine", "where_"] {
        assert!(error["extras"][name].is_string(), "{name}: {answer}");
    }
    assert!(error["as_text"].as_str().unwrap().contains("no such luck"));
}

#[tokio::test]
async fn an_error_before_the_first_row_is_the_calls() {
    let host = App::with_database().start();
    for how in ["async", "plain"] {
        let answer = host.database(json!({ "how": how, "sql": "select nonsense" })).await;
        assert_eq!(answer["error"]["db-error"]["code"], "42703", "{how}: {answer}");
    }
}

#[tokio::test]
async fn an_error_after_rows_ends_the_stream() {
    let host = App::with_database().start();
    let sql = "select 10 / (3 - n) as v from generate_series(1, 5) n";
    let answer = host.database(json!({ "sql": sql })).await;
    assert_eq!(answer["ended"]["db-error"]["code"], "22012", "{answer}");
    assert_eq!(answer["rows"], json!([["DbValue::Int32(5)"], ["DbValue::Int32(10)"]]));
    let answer = host.database(json!({ "how": "plain", "sql": sql })).await;
    assert!(answer["error"]["query-failed"].as_str().unwrap().contains("division by zero"), "{answer}");
}

#[tokio::test]
async fn rows_come_in_order_and_columns_with_the_first() {
    let host = App::with_database().start();
    for how in ["async", "plain"] {
        let sql = "select n::int4 as n from generate_series(1, 300) n";
        let answer = host.database(json!({ "how": how, "sql": sql })).await;
        let rows: Vec<_> = (1..=300).map(|n| json!([format!("DbValue::Int32({n})")])).collect();
        assert_eq!(answer["rows"], json!(rows), "{how}");
        let answer = host.database(json!({ "how": how, "sql": "select 1 as n where false" })).await;
        assert_eq!((&answer["columns"], &answer["rows"]), (&json!([]), &json!([])), "{how}");
    }
}

#[tokio::test]
async fn a_stream_may_be_left_early() {
    let host = App::with_database().start();
    let sql = "select n::int4 as n from generate_series(1, 100000) n";
    let answer = host.database(json!({ "sql": sql, "stop_after": 2 })).await;
    assert_eq!(answer["rows"], json!([["DbValue::Int32(1)"], ["DbValue::Int32(2)"]]));
    // Spin was about to send the next row, or was not.
    let cut = json!({ "query-failed": "async error: channel closed" });
    assert!([json!(null), cut].contains(&answer["ended"]), "{answer}");
    let answer = host.database(json!({ "sql": "select 7::int4 as n" })).await;
    assert_eq!(answer["rows"], json!([["DbValue::Int32(7)"]]));
}

#[tokio::test]
async fn execute_counts_rows() {
    let host = App::with_database().start();
    for how in ["async", "plain"] {
        let sql = "select from generate_series(1, $1::int4)";
        let ask = json!({ "how": how, "execute": true, "sql": sql, "parameters": [["int32", 3]] });
        assert_eq!(host.database(ask).await, json!({ "affected": 3 }), "{how}");
    }
}

#[tokio::test]
async fn an_unreachable_server_is_a_failed_connection() {
    let host = App::new().component("allowed_outbound_hosts = [\"postgres://127.0.0.1:1\"]").start();
    let answer = host.database(json!({ "address": "host=127.0.0.1 port=1 user=x", "sql": "select 1" })).await;
    assert!(answer["error"]["connection-failed"].as_str().unwrap().contains("refused"), "{answer}");
}

#[tokio::test]
async fn a_connection_goes_back_to_the_pool_clean() {
    let host = App::with_database().start();
    let pid = "select pg_backend_pid()::int4 as pid, current_setting('application_name') as name";
    let first = host.database(json!({ "sql": pid })).await;
    host.database(json!({ "execute": true, "sql": "set application_name = 'left behind'" })).await;
    let second = host.database(json!({ "sql": pid })).await;
    assert_eq!(first["rows"], second["rows"]);
}

#[tokio::test]
async fn max_connections_makes_the_next_one_wait() {
    let host = App::with_database()
        .file("runtime-config.toml", "[outbound_pg]\nmax_connections = 1")
        .arguments(&["--runtime-config-file", "runtime-config.toml"])
        .start();
    let begun = Instant::now();
    let ask = || host.database(json!({ "sql": "select pg_sleep(0.3)::text as v" }));
    let (one, two) = tokio::join!(ask(), ask());
    assert_eq!(one["ended"], json!(null));
    assert_eq!(two["ended"], json!(null));
    assert!(begun.elapsed() >= Duration::from_millis(600), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn asynchronous_statements_run_beside_each_other() {
    let host = App::with_database().start();
    let begun = Instant::now();
    let ask = || host.database(json!({ "sql": "select pg_sleep(0.3)::text as v" }));
    tokio::join!(ask(), ask(), ask(), ask());
    assert!(begun.elapsed() < Duration::from_millis(1000), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_wrong_password_or_database_is_a_failed_connection() {
    let host = App::with_database().start();
    let mut address: url::Url = database().parse().unwrap();
    address.set_path("/no_such_database");
    let answer = host.database(json!({ "address": address.as_str(), "sql": "select 1" })).await;
    assert!(answer["error"]["connection-failed"].as_str().unwrap().contains("no_such_database"), "{answer}");
}
