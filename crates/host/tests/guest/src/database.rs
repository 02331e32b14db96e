//! One statement, described in JSON, by any of the ways that `spin:postgres` offers; values come back as Rust writes them.

use bytes::Bytes;
use http_body_util::Full;
use serde_json::{Value, json};
use spin_sdk::pg::wit::postgres::{Column, Connection, ConnectionBuilder, Error};
use spin_sdk::pg::{DbValue, Interval, ParameterValue, RangeBoundKind};

struct Answer {
    columns: Vec<Column>,
    rows: Vec<Vec<DbValue>>,
    ended: Option<Error>,
}

pub(crate) async fn run(body: Bytes) -> http::Response<Full<Bytes>> {
    let ask: Value = serde_json::from_slice(&body).expect("JSON");
    crate::json_response(match answer(&ask).await {
        Ok(answer) => answer,
        Err(error) => json!({ "error": describe(&error) }),
    })
}

async fn answer(ask: &Value) -> Result<Value, Error> {
    let how = ask["how"].as_str().unwrap_or("async");
    let sql = ask["sql"].as_str().expect("sql");
    let parameters =
        || -> Vec<ParameterValue> { ask["parameters"].as_array().into_iter().flatten().map(parameter).collect() };
    let connection = connect(ask, how).await?;
    if ask["execute"] == true {
        let affected = match how {
            "plain" => connection.execute(sql, &parameters())?,
            _ => connection.execute_async(sql.to_owned(), parameters()).await?,
        };
        return Ok(json!({ "affected": affected }));
    }
    let answer = match how {
        "plain" => {
            let set = connection.query(sql, &parameters())?;
            Answer { columns: set.columns, rows: set.rows, ended: None }
        }
        _ => {
            let (columns, mut stream, result) = connection.query_async(sql.to_owned(), parameters()).await?;
            let mut rows = Vec::new();
            let limit = ask["stop_after"].as_u64().unwrap_or(u64::MAX);
            while (rows.len() as u64) < limit {
                let Some(row) = stream.next().await else { break };
                rows.push(row);
            }
            drop(stream);
            Answer { columns, rows, ended: result.await.err() }
        }
    };
    Ok(json!({
        "columns": answer.columns.iter().map(|c| json!([c.name, format!("{:?}", c.data_type)])).collect::<Vec<_>>(),
        "rows": answer.rows.iter().map(|row| row.iter().map(|v| format!("{v:?}")).collect::<Vec<_>>()).collect::<Vec<_>>(),
        "ended": answer.ended.as_ref().map(describe),
    }))
}

async fn connect(ask: &Value, how: &str) -> Result<Connection, Error> {
    let address = ask["address"].as_str().expect("address");
    let authority = ask["authority"].as_str();
    match how {
        "plain" => Connection::open(address),
        "builder" | "builder-async" => {
            let builder = ConnectionBuilder::new(address);
            if let Some(authority) = authority {
                builder.set_ca_root(authority)?;
            }
            match how {
                "builder" => builder.build(),
                _ => builder.build_async().await,
            }
        }
        _ => Connection::open_async(address.to_owned()).await,
    }
}

fn describe(error: &Error) -> Value {
    use spin_sdk::pg::QueryError;
    match error {
        Error::ConnectionFailed(text) => json!({ "connection-failed": text }),
        Error::BadParameter(text) => json!({ "bad-parameter": text }),
        Error::QueryFailed(QueryError::Text(text)) => json!({ "query-failed": text }),
        Error::QueryFailed(QueryError::DbError(e)) => json!({ "db-error": {
            "as_text": e.as_text, "severity": e.severity, "code": e.code, "message": e.message, "detail": e.detail,
            "extras": e.extras.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
        } }),
        Error::ValueConversionFailed(text) => json!({ "value-conversion-failed": text }),
        Error::Other(text) => json!({ "other": text }),
    }
}

fn parameter(value: &Value) -> ParameterValue {
    let kind = value[0].as_str().expect("a kind");
    let value = &value[1];
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let int = |value: &Value| value.as_i64().expect("an integer");
    match kind {
        "null" => ParameterValue::DbNull,
        "boolean" => ParameterValue::Boolean(value.as_bool().expect("a boolean")),
        "int8" => ParameterValue::Int8(int(value) as i8),
        "int16" => ParameterValue::Int16(int(value) as i16),
        "int32" => ParameterValue::Int32(int(value) as i32),
        "int64" => ParameterValue::Int64(int(value)),
        "floating32" => ParameterValue::Floating32(value.as_f64().expect("a number") as f32),
        "floating64" => ParameterValue::Floating64(value.as_f64().expect("a number")),
        "str" => ParameterValue::Str(text(value)),
        "binary" => ParameterValue::Binary(list(value, |v| int(v) as u8)),
        "date" => {
            let n = list(value, int);
            ParameterValue::Date((n[0] as i32, n[1] as u8, n[2] as u8))
        }
        "time" => {
            let n = list(value, int);
            ParameterValue::Time((n[0] as u8, n[1] as u8, n[2] as u8, n[3] as u32))
        }
        "datetime" => {
            let n = list(value, int);
            ParameterValue::Datetime((
                n[0] as i32,
                n[1] as u8,
                n[2] as u8,
                n[3] as u8,
                n[4] as u8,
                n[5] as u8,
                n[6] as u32,
            ))
        }
        "timestamp" => ParameterValue::Timestamp(int(value)),
        "uuid" => ParameterValue::Uuid(text(value)),
        "jsonb" => ParameterValue::Jsonb(text(value).into_bytes()),
        "decimal" => ParameterValue::Decimal(text(value)),
        "range-int32" => ParameterValue::RangeInt32(range(value, |v| int(v) as i32)),
        "range-int64" => ParameterValue::RangeInt64(range(value, int)),
        "range-decimal" => ParameterValue::RangeDecimal(range(value, text)),
        "array-int32" => ParameterValue::ArrayInt32(nullable(value, |v| int(v) as i32)),
        "array-int64" => ParameterValue::ArrayInt64(nullable(value, int)),
        "array-decimal" => ParameterValue::ArrayDecimal(nullable(value, text)),
        "array-str" => ParameterValue::ArrayStr(nullable(value, text)),
        "interval" => {
            let n = list(value, int);
            ParameterValue::Interval(Interval { micros: n[0], days: n[1] as i32, months: n[2] as i32 })
        }
        other => panic!("no such kind of parameter: {other}"),
    }
}

fn list<T>(value: &Value, one: impl Fn(&Value) -> T) -> Vec<T> {
    value.as_array().expect("an array").iter().map(one).collect()
}

fn nullable<T>(value: &Value, one: impl Fn(&Value) -> T) -> Vec<Option<T>> {
    list(value, |v| (!v.is_null()).then(|| one(v)))
}

type Range<T> = (Option<(T, RangeBoundKind)>, Option<(T, RangeBoundKind)>);

fn range<T>(value: &Value, one: impl Fn(&Value) -> T) -> Range<T> {
    let bound = |value: &Value| {
        (!value.is_null()).then(|| {
            let kind = match value[1].as_str() {
                Some("exclusive") => RangeBoundKind::Exclusive,
                _ => RangeBoundKind::Inclusive,
            };
            (one(&value[0]), kind)
        })
    };
    (bound(&value[0]), bound(&value[1]))
}
