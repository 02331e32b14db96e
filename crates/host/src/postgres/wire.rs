//! Types that the driver does not have, and the tuples of the WIT beside chrono's and postgres_range's types.

use std::error::Error as StdError;

use anyhow::{Context, Result};
use bytes::{Buf, BufMut, BytesMut};
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Utc};
use postgres_range::{BoundSided, BoundType, Normalizable, Range, RangeBound};
use rust_decimal::Decimal;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::bindings::postgres::{Interval as WitInterval, RangeBoundKind};

type Fault = Box<dyn StdError + Sync + Send>;
type WitDate = (i32, u8, u8);
type WitTime = (u8, u8, u8, u32);
type WitDatetime = (i32, u8, u8, u8, u8, u8, u32);
type WitBound<T> = Option<(T, RangeBoundKind)>;
type WitRange<T> = (WitBound<T>, WitBound<T>);

/// NULL of whatever type the server expects.
#[derive(Debug)]
pub(super) struct Null;

impl ToSql for Null {
    fn to_sql(&self, _: &Type, _: &mut BytesMut) -> Result<IsNull, Fault> {
        Ok(IsNull::Yes)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A value of a type that Spin does not know: the bytes as the server sent them.
#[derive(Debug)]
pub(super) struct Raw(pub(super) Vec<u8>);

impl FromSql<'_> for Raw {
    fn from_sql(_: &Type, bytes: &[u8]) -> Result<Self, Fault> {
        Ok(Self(bytes.to_vec()))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// INTERVAL: microseconds, days and months, in this order on the wire.
#[derive(Debug)]
pub(super) struct Interval(pub(super) WitInterval);

impl ToSql for Interval {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        out.put_i64(self.0.micros);
        out.put_i32(self.0.days);
        out.put_i32(self.0.months);
        Ok(IsNull::No)
    }

    fn accepts(r#type: &Type) -> bool {
        *r#type == Type::INTERVAL
    }

    to_sql_checked!();
}

impl FromSql<'_> for Interval {
    fn from_sql(_: &Type, mut bytes: &[u8]) -> Result<Self, Fault> {
        if bytes.len() != 16 {
            return Err("unexpected binary format for Postgres INTERVAL".into());
        }
        Ok(Self(WitInterval { micros: bytes.get_i64(), days: bytes.get_i32(), months: bytes.get_i32() }))
    }

    fn accepts(r#type: &Type) -> bool {
        *r#type == Type::INTERVAL
    }
}

/// A number in a range, which postgres_range does not know by itself.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(super) struct DecimalInRange(pub(super) Decimal);

impl ToSql for DecimalInRange {
    fn to_sql(&self, r#type: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        self.0.to_sql(r#type, out)
    }

    fn accepts(r#type: &Type) -> bool {
        <Decimal as ToSql>::accepts(r#type)
    }

    to_sql_checked!();
}

impl FromSql<'_> for DecimalInRange {
    fn from_sql(r#type: &Type, bytes: &[u8]) -> Result<Self, Fault> {
        Decimal::from_sql(r#type, bytes).map(Self)
    }

    fn accepts(r#type: &Type) -> bool {
        <Decimal as FromSql>::accepts(r#type)
    }
}

impl Normalizable for DecimalInRange {
    fn normalize<S: BoundSided>(bound: RangeBound<S, Self>) -> RangeBound<S, Self> {
        bound
    }
}

pub(super) fn from_range<T: PartialOrd + Normalizable, U>(range: &Range<T>, value: impl Fn(&T) -> U) -> WitRange<U> {
    (range.lower().map(|bound| from_bound(bound, &value)), range.upper().map(|bound| from_bound(bound, &value)))
}

fn from_bound<S: BoundSided, T, U>(bound: &RangeBound<S, T>, value: impl Fn(&T) -> U) -> (U, RangeBoundKind) {
    let kind = match bound.type_ {
        BoundType::Inclusive => RangeBoundKind::Inclusive,
        BoundType::Exclusive => RangeBoundKind::Exclusive,
    };
    (value(&bound.value), kind)
}

pub(super) fn to_range<T, U: PartialOrd + Normalizable>(
    (lower, upper): &WitRange<T>,
    value: impl Fn(&T) -> Result<U>,
) -> Result<Range<U>> {
    Ok(Range::new(to_bound(lower, &value)?, to_bound(upper, &value)?))
}

fn to_bound<S: BoundSided, T, U: PartialOrd>(
    bound: &WitBound<T>,
    value: impl Fn(&T) -> Result<U>,
) -> Result<Option<RangeBound<S, U>>> {
    let Some((bound, kind)) = bound else {
        return Ok(None);
    };
    let kind = match kind {
        RangeBoundKind::Inclusive => BoundType::Inclusive,
        RangeBoundKind::Exclusive => BoundType::Exclusive,
    };
    Ok(Some(RangeBound::new(value(bound)?, kind)))
}

pub(super) fn to_date((year, month, day): WitDate) -> Result<NaiveDate> {
    NaiveDate::from_ymd_opt(year, month.into(), day.into())
        .with_context(|| format!("invalid date y={year}, m={month}, d={day}"))
}

pub(super) fn from_date(date: NaiveDate) -> Result<WitDate> {
    Ok((date.year(), date.month().try_into()?, date.day().try_into()?))
}

pub(super) fn to_time((hour, minute, second, nanosecond): WitTime) -> Result<NaiveTime> {
    NaiveTime::from_hms_nano_opt(hour.into(), minute.into(), second.into(), nanosecond)
        .with_context(|| format!("invalid time {hour}:{minute}:{second}:{nanosecond}"))
}

pub(super) fn from_time(time: NaiveTime) -> Result<WitTime> {
    Ok((time.hour().try_into()?, time.minute().try_into()?, time.second().try_into()?, time.nanosecond()))
}

pub(super) fn to_datetime((year, month, day, hour, minute, second, nano): WitDatetime) -> Result<NaiveDateTime> {
    Ok(to_date((year, month, day))?.and_time(to_time((hour, minute, second, nano))?))
}

pub(super) fn from_datetime(value: NaiveDateTime) -> Result<WitDatetime> {
    let (year, month, day) = from_date(value.date())?;
    let (hour, minute, second, nanosecond) = from_time(value.time())?;
    Ok((year, month, day, hour, minute, second, nanosecond))
}

pub(super) fn to_timestamp(seconds: i64) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp(seconds, 0).with_context(|| format!("invalid epoch timestamp {seconds}"))
}
