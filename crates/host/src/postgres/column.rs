//! Rows as the guest sees them.

use anyhow::{Context, Result};
use rust_decimal::Decimal;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

use super::wire::{self, DecimalInRange, Interval, Raw};
use crate::bindings::postgres::{Column, DbDataType, DbValue};

/// The columns of a row.
pub(super) fn describe(row: &Row) -> Vec<Column> {
    row.columns()
        .iter()
        .map(|column| Column { name: column.name().to_owned(), data_type: data_type(column.type_()) })
        .collect()
}

/// The values of a row.
pub(super) fn values(row: &Row) -> Result<Vec<DbValue>> {
    row.columns().iter().enumerate().map(|(index, column)| value(row, index, column.type_())).collect()
}

/// Roughly what a row takes in memory.
pub(super) fn size(row: &[DbValue]) -> usize {
    row.iter()
        .map(|value| {
            size_of::<DbValue>()
                + match value {
                    DbValue::Str(text) | DbValue::Uuid(text) | DbValue::Decimal(text) => text.len(),
                    DbValue::Binary(bytes) | DbValue::Jsonb(bytes) | DbValue::Unsupported(bytes) => bytes.len(),
                    DbValue::ArrayInt32(items) => size_of_val(items.as_slice()),
                    DbValue::ArrayInt64(items) => size_of_val(items.as_slice()),
                    DbValue::ArrayDecimal(items) | DbValue::ArrayStr(items) => {
                        size_of_val(items.as_slice()) + items.iter().flatten().map(String::len).sum::<usize>()
                    }
                    _ => 0,
                }
        })
        .sum()
}

fn data_type(r#type: &Type) -> DbDataType {
    match *r#type {
        Type::BOOL => DbDataType::Boolean,
        Type::BYTEA => DbDataType::Binary,
        Type::FLOAT4 => DbDataType::Floating32,
        Type::FLOAT8 => DbDataType::Floating64,
        Type::INT2 => DbDataType::Int16,
        Type::INT4 => DbDataType::Int32,
        Type::INT8 => DbDataType::Int64,
        Type::TEXT | Type::VARCHAR | Type::BPCHAR => DbDataType::Str,
        Type::TIMESTAMP | Type::TIMESTAMPTZ => DbDataType::Datetime,
        Type::DATE => DbDataType::Date,
        Type::TIME => DbDataType::Time,
        Type::UUID => DbDataType::Uuid,
        Type::JSONB => DbDataType::Jsonb,
        Type::NUMERIC => DbDataType::Decimal,
        Type::INT4_RANGE => DbDataType::RangeInt32,
        Type::INT8_RANGE => DbDataType::RangeInt64,
        Type::NUM_RANGE => DbDataType::RangeDecimal,
        Type::INT4_ARRAY => DbDataType::ArrayInt32,
        Type::INT8_ARRAY => DbDataType::ArrayInt64,
        Type::NUMERIC_ARRAY => DbDataType::ArrayDecimal,
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY | Type::BPCHAR_ARRAY => DbDataType::ArrayStr,
        Type::INTERVAL => DbDataType::Interval,
        _ => DbDataType::Other(r#type.name().to_owned()),
    }
}

fn value(row: &Row, index: usize, r#type: &Type) -> Result<DbValue> {
    match *r#type {
        Type::BOOL => get(row, index, DbValue::Boolean),
        Type::BYTEA => get(row, index, DbValue::Binary),
        Type::FLOAT4 => get(row, index, DbValue::Floating32),
        Type::FLOAT8 => get(row, index, DbValue::Floating64),
        Type::INT2 => get(row, index, DbValue::Int16),
        Type::INT4 => get(row, index, DbValue::Int32),
        Type::INT8 => get(row, index, DbValue::Int64),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR => get(row, index, DbValue::Str),
        // The driver reads no TIMESTAMPTZ as a date and time without a zone: the error is Spin's.
        Type::TIMESTAMP | Type::TIMESTAMPTZ => try_get(row, index, |v| Ok(DbValue::Datetime(wire::from_datetime(v)?))),
        Type::DATE => try_get(row, index, |v| Ok(DbValue::Date(wire::from_date(v)?))),
        Type::TIME => try_get(row, index, |v| Ok(DbValue::Time(wire::from_time(v)?))),
        Type::UUID => get(row, index, |v: uuid::Uuid| DbValue::Uuid(v.to_string())),
        Type::JSONB => try_get(row, index, |v: serde_json::Value| {
            let bytes = serde_json::to_vec(&v).context("invalid JSON from database")?;
            Ok(DbValue::Jsonb(bytes))
        }),
        Type::NUMERIC => get(row, index, |v: Decimal| DbValue::Decimal(v.to_string())),
        Type::INT4_RANGE => get(row, index, |v| DbValue::RangeInt32(wire::from_range(&v, |n: &i32| *n))),
        Type::INT8_RANGE => get(row, index, |v| DbValue::RangeInt64(wire::from_range(&v, |n: &i64| *n))),
        Type::NUM_RANGE => {
            get(row, index, |v| DbValue::RangeDecimal(wire::from_range(&v, |n: &DecimalInRange| n.0.to_string())))
        }
        Type::INT4_ARRAY => get(row, index, DbValue::ArrayInt32),
        Type::INT8_ARRAY => get(row, index, DbValue::ArrayInt64),
        Type::NUMERIC_ARRAY => get(row, index, |v: Vec<Option<Decimal>>| {
            DbValue::ArrayDecimal(v.into_iter().map(|n| n.map(|n| n.to_string())).collect())
        }),
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY | Type::BPCHAR_ARRAY => get(row, index, DbValue::ArrayStr),
        Type::INTERVAL => get(row, index, |v: Interval| DbValue::Interval(v.0)),
        _ => get(row, index, |v: Raw| DbValue::Unsupported(v.0)),
    }
}

fn get<'a, T: FromSql<'a>>(row: &'a Row, index: usize, value: impl Fn(T) -> DbValue) -> Result<DbValue> {
    try_get(row, index, |v| Ok(value(v)))
}

fn try_get<'a, T: FromSql<'a>>(row: &'a Row, index: usize, value: impl Fn(T) -> Result<DbValue>) -> Result<DbValue> {
    match row.try_get::<_, Option<T>>(index)? {
        Some(v) => value(v),
        None => Ok(DbValue::DbNull),
    }
}
