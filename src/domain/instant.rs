//! Dates and instants as clients write them: RFC 3339.

use time::format_description::well_known::Rfc3339;
use time::{Date, Month, OffsetDateTime, UtcOffset};

use super::Errors;

/// An instant of RFC 3339, kept as its text in UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instant(String);

/// A value of `due_before` or `due_after`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DateOrInstant {
    /// A calendar day, compared with the day of `due`.
    Date(String),
    /// An instant, compared with `due_at`; an all-day task is due at the end of its day in UTC.
    Instant(Instant),
}

impl Instant {
    /// Parses an instant such as `2026-12-01T09:30:00+02:00`; years 1 to 9999.
    pub fn parse(text: &str, errors: &mut Errors<'_>) -> Option<Self> {
        let instant = Self::in_utc(text);
        if instant.is_none() {
            errors.add("Must be an instant of RFC 3339 such as 2026-12-01T09:30:00Z (a plus sign is %2B here).");
        }
        instant
    }

    fn in_utc(text: &str) -> Option<Self> {
        let instant = OffsetDateTime::parse(text, &Rfc3339).ok()?.checked_to_offset(UtcOffset::UTC)?;
        if !(1..=9999).contains(&instant.year()) {
            return None;
        }
        instant.format(&Rfc3339).ok().map(Self)
    }

    /// The text, in UTC.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl DateOrInstant {
    /// Parses either form.
    pub fn parse(text: &str, errors: &mut Errors<'_>) -> Option<Self> {
        match (parse_date(text), Instant::in_utc(text)) {
            (Some(_), _) => Some(Self::Date(text.to_owned())),
            (None, Some(instant)) => Some(Self::Instant(instant)),
            (None, None) => errors.refuse(
                "Must be a day as YYYY-MM-DD, or an instant such as 2026-12-01T09:30:00Z (a plus sign is %2B here).",
            ),
        }
    }
}

/// Parses a full-date of RFC 3339, years 1 to 9999; `None` for a day that does not exist.
pub(super) fn parse_date(text: &str) -> Option<Date> {
    let (year, month, day) = match text.as_bytes() {
        [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] => {
            (number(&[*y1, *y2, *y3, *y4])?, number(&[*m1, *m2])?, number(&[*d1, *d2])?)
        }
        _ => return None,
    };
    if year == 0 {
        return None;
    }
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    Date::from_calendar_date(i32::from(year), month, u8::try_from(day).ok()?).ok()
}

/// The value of ASCII digits; `None` for any other text.
pub(super) fn number(digits: &[u8]) -> Option<u16> {
    digits.iter().try_fold(0_u16, |value, digit| {
        let digit = digit.is_ascii_digit().then(|| u16::from(digit - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_kept_in_utc() {
        let instant = Instant::in_utc("2026-12-01T09:30:00+02:00").unwrap();
        assert_eq!(instant.as_str(), "2026-12-01T07:30:00Z");
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for text in [
            "",
            "2026-12-01",
            "2026-12-01T09:30:00",
            "2026-02-30T00:00:00Z",
            "0000-12-31T00:00:00Z",
            "0001-01-01T00:00:00+02:00",
            "now",
            "2026-12-01T09:30Z",
            "12026-12-01T09:30:00Z",
        ] {
            assert_eq!(Instant::in_utc(text), None, "{text}");
        }
    }

    #[test]
    fn a_day_that_does_not_exist_is_refused() {
        assert!(parse_date("2024-02-29").is_some());
        for text in [
            "2026-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-01-00",
            "0000-01-01",
            "26-01-01",
            "2026-1-1",
            "+026-01-01",
            "2026-01-01 ",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }
}
