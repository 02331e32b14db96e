//! Parameters as the server takes them. Nothing is coerced: the driver compares the Rust type with the server's.

use anyhow::{Context, Result};
use rust_decimal::Decimal;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::wire::{self, DecimalInRange, Interval, Null};
use crate::bindings::postgres::ParameterValue;

/// A parameter in the driver's hands.
pub(super) type Parameter = Box<dyn ToSql + Send + Sync>;

/// Converts one parameter.
///
/// # Errors
///
/// When the value cannot be one of its kind: no such day, no number, no UUID, no JSON.
pub(super) fn parameter(value: &ParameterValue) -> Result<Parameter> {
    Ok(match value {
        ParameterValue::Boolean(v) => Box::new(*v),
        ParameterValue::Int8(v) => Box::new(*v),
        ParameterValue::Int16(v) => Box::new(*v),
        ParameterValue::Int32(v) => Box::new(*v),
        ParameterValue::Int64(v) => Box::new(*v),
        ParameterValue::Floating32(v) => Box::new(*v),
        ParameterValue::Floating64(v) => Box::new(*v),
        ParameterValue::Str(v) => Box::new(v.clone()),
        ParameterValue::Binary(v) => Box::new(v.clone()),
        ParameterValue::Date(v) => Box::new(wire::to_date(*v)?),
        ParameterValue::Time(v) => Box::new(wire::to_time(*v)?),
        ParameterValue::Datetime(v) => Box::new(wire::to_datetime(*v)?),
        ParameterValue::Timestamp(v) => Box::new(wire::to_timestamp(*v)?),
        ParameterValue::Uuid(v) => Box::new(Uuid::parse_str(v).with_context(|| format!("invalid UUID {v}"))?),
        ParameterValue::Jsonb(v) => {
            let json: serde_json::Value =
                serde_json::from_slice(v).with_context(|| format!("invalid JSON {}", String::from_utf8_lossy(v)))?;
            Box::new(json)
        }
        ParameterValue::Decimal(v) => Box::new(decimal(v)?),
        ParameterValue::RangeInt32(v) => Box::new(wire::to_range(v, |n| Ok(*n))?),
        ParameterValue::RangeInt64(v) => Box::new(wire::to_range(v, |n| Ok(*n))?),
        ParameterValue::RangeDecimal(v) => Box::new(wire::to_range(v, |n| decimal(n).map(DecimalInRange))?),
        ParameterValue::ArrayInt32(v) => Box::new(v.clone()),
        ParameterValue::ArrayInt64(v) => Box::new(v.clone()),
        ParameterValue::ArrayDecimal(v) => {
            let numbers: Vec<Option<Decimal>> =
                v.iter().map(|n| n.as_deref().map(decimal).transpose()).collect::<Result<_>>()?;
            Box::new(numbers)
        }
        ParameterValue::ArrayStr(v) => Box::new(v.clone()),
        ParameterValue::Interval(v) => Box::new(Interval(*v)),
        ParameterValue::DbNull => Box::new(Null),
    })
}

fn decimal(text: &str) -> Result<Decimal> {
    Decimal::from_str_exact(text).with_context(|| format!("invalid decimal {text}"))
}
