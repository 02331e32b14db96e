//! When a task is due: a day, or a time of day in a time zone. Kept as written; only the database computes instants.

use serde::{Deserialize, Serialize};

use super::instant::{number, parse_date};
use super::json::pointer;
use super::{Invalid, Json};

/// A due date as the client wrote it: `{"date"}` (all day), or `{"date", "time", "time_zone"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"date": "2026-12-01", "time": "09:30", "time_zone": "Europe/Vilnius"}))]
pub struct Due {
    /// A calendar day, `YYYY-MM-DD`, years 1 to 9999.
    #[schema(format = "date", example = "2026-12-01")]
    pub date: String,
    /// The time of day, `HH:MM` or `HH:MM:SS`; absent for the whole day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$", example = "09:30")]
    pub time: Option<String>,
    /// The IANA time zone that the time is meant in; comes with `time`, and only with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100, example = "Europe/Vilnius")]
    pub time_zone: Option<String>,
}

/// A change of a due date, merged member by member (RFC 7396): the outer `None` keeps, the inner one clears.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DuePatch {
    /// The day.
    #[serde(rename = "due_date", skip_serializing_if = "Option::is_none")]
    pub date: Option<Option<String>>,
    /// The time of day.
    #[serde(rename = "due_time", skip_serializing_if = "Option::is_none")]
    pub time: Option<Option<String>>,
    /// The time zone.
    #[serde(rename = "due_zone", skip_serializing_if = "Option::is_none")]
    pub zone: Option<Option<String>>,
}

/// The name of a time zone. Whether there is such a zone, the database decides (`errand.time_zones()`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeZone(String);

impl Due {
    /// Parses the `due` of a whole task. Every mistake goes to `mistakes`.
    pub(super) fn parse(json: Json, mistakes: &mut Vec<Invalid>) -> Option<Self> {
        if json == Json::Null {
            return None;
        }
        let before = mistakes.len();
        let patch = DuePatch::parse(json, mistakes);
        if mistakes.len() > before {
            return None;
        }
        let (date, time, time_zone) = (patch.date.flatten(), patch.time.flatten(), patch.zone.flatten());
        match (date, &time, &time_zone) {
            (None, _, _) => {
                mistakes.push(Invalid::body("/due/date", "A due date needs a date."));
                None
            }
            (Some(_), Some(_), None) => {
                mistakes.push(Invalid::body("/due/time_zone", "A time needs the time zone that it is meant in."));
                None
            }
            (Some(_), None, Some(_)) => {
                mistakes
                    .push(Invalid::body("/due/time", "A time zone needs a time; leave both out for the whole day."));
                None
            }
            (Some(date), _, _) => Some(Self { date, time, time_zone }),
        }
    }
}

impl DuePatch {
    /// No due date at all.
    pub(super) const NONE: Self = Self { date: Some(None), time: Some(None), zone: Some(None) };

    /// Parses the `due` of a patch. Every mistake goes to `mistakes`.
    pub(super) fn parse(json: Json, mistakes: &mut Vec<Invalid>) -> Self {
        let members = match json {
            Json::Null => return Self::NONE,
            Json::Object(members) => members,
            other => {
                let detail = format!("Must be null or an object with a date, not {}.", other.kind());
                mistakes.push(Invalid::body("/due", detail));
                return Self::default();
            }
        };
        let mut patch = Self::default();
        for (name, value) in members {
            let at = pointer("/due", &name);
            let slot = match name.as_str() {
                "date" => &mut patch.date,
                "time" => &mut patch.time,
                "time_zone" => &mut patch.zone,
                _ => {
                    mistakes.push(Invalid::body(at, "Unknown field. A due date has date, time and time_zone."));
                    continue;
                }
            };
            if slot.is_some() {
                mistakes.push(Invalid::body(at, "The field stands here twice."));
                continue;
            }
            let text = match value {
                Json::Null => {
                    *slot = Some(None);
                    continue;
                }
                Json::String(text) => text,
                other => {
                    mistakes.push(Invalid::body(at, format!("Must be a string, not {}.", other.kind())));
                    // Taken as seen, so that the one mistake is not reported as a missing field too.
                    *slot = Some(None);
                    continue;
                }
            };
            let mistake = match name.as_str() {
                "date" if parse_date(&text).is_none() => Some("Must be a day that exists, as YYYY-MM-DD."),
                "time" if !is_time(&text) => Some("Must be a time of day from 00:00 to 23:59, as HH:MM or HH:MM:SS."),
                "time_zone" => TimeZone::parse(&text).err(),
                _ => None,
            };
            if let Some(detail) = mistake {
                mistakes.push(Invalid::body(at, detail));
            }
            *slot = Some(Some(text));
        }
        patch
    }
}

impl TimeZone {
    /// Parses the form of a zone's name: letters, digits, `_`, `-`, `+` and `/` (the tz database's naming rules), at most 100.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '/');
        if text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.len() <= 100 && text.chars().all(allowed)
        {
            Ok(Self(text.to_owned()))
        } else {
            Err("Must be an IANA time zone such as Europe/Vilnius or UTC.")
        }
    }

    /// The name, as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a text is `HH:MM` or `HH:MM:SS` on a clock of 24 hours; no leap seconds.
fn is_time(text: &str) -> bool {
    let (clock, seconds) = match text.as_bytes() {
        [clock @ .., b':', s1, s2] if clock.len() == 5 => (clock, number(&[*s1, *s2])),
        clock => (clock, Some(0)),
    };
    let [h1, h2, b':', m1, m2] = clock else { return false };
    matches!((number(&[*h1, *h2]), number(&[*m1, *m2]), seconds), (Some(0..=23), Some(0..=59), Some(0..=59)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Option<Due>, Vec<Invalid>> {
        let mut mistakes = Vec::new();
        let due = Due::parse(Json::parse(text.as_bytes()).unwrap(), &mut mistakes);
        if mistakes.is_empty() { Ok(due) } else { Err(mistakes) }
    }

    #[test]
    fn the_three_forms_are_taken() {
        assert_eq!(parse("null"), Ok(None));
        assert_eq!(parse(r#"{"date":"2026-12-01"}"#).unwrap().unwrap().time, None);
        let due = parse(r#"{"date":"2026-12-01","time":"09:30","time_zone":"Europe/Vilnius"}"#).unwrap().unwrap();
        assert_eq!(due.time_zone.as_deref(), Some("Europe/Vilnius"));
    }

    #[test]
    fn every_mistake_is_named() {
        let mistakes = parse(r#"{"date":"2026-02-30","time":"24:00","time_zone":"<CET>","x":1,"date":"2026-01-01"}"#);
        assert_eq!(mistakes.unwrap_err().len(), 5);
        for text in [
            r#"{}"#,
            r#"{"time":"10:00","time_zone":"UTC"}"#,
            r#"{"date":"2026-01-01","time":"10:00"}"#,
            r#"{"date":"2026-01-01","time_zone":"UTC"}"#,
            "5",
            r#""2026-01-01""#,
            r#"{"date":20260101}"#,
        ] {
            assert_eq!(parse(text).unwrap_err().len(), 1, "{text}");
        }
    }

    #[test]
    fn a_zone_has_the_form_of_a_name() {
        let longest = "a".repeat(100);
        for name in ["UTC", "America/Port-au-Prince", "Etc/GMT+12", "EST5EDT", "Japan", "GB-Eire", &longest] {
            assert!(TimeZone::parse(name).is_ok(), "{name}");
        }
        let too_long = "a".repeat(101);
        for name in ["", "../etc/passwd", "/UTC", "<+03>-3", "Europe/Vilnius\0", "+3", "UTC 3", "Zürich", &too_long] {
            assert!(TimeZone::parse(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_time_of_day_has_24_hours() {
        for text in ["00:00", "23:59", "23:59:59"] {
            assert!(is_time(text), "{text}");
        }
        for text in ["24:00", "9:30", "09:60", "09:30:60", "09:30:0", "0930", "09:30Z", "09:30:00.5", ":09:30"] {
            assert!(!is_time(text), "{text}");
        }
    }
}
