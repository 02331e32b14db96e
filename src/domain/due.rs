//! The due date of a task: a day, or a time of day in a time zone. It is kept as written; only the database computes instants.

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::openapi::{KnownFormat, ObjectBuilder, OneOfBuilder, RefOr, Schema, SchemaFormat, Type};

use super::fields::{
    About, Components, Declaration, Document, Field, FieldType, FieldValue, Fields, Mode, Required, schema,
};
use super::instant::{number, parse_date};
use super::{Errors, Json};

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

/// A calendar day.
struct Date;

/// A time of day.
struct TimeOfDay;

/// The name of a time zone. Whether there is such a zone, the database decides (`errand.time_zones()`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeZone(String);

impl Fields for Due {
    const NOUN: &'static str = "A due date";
    const MISSING: &'static str = "A due date needs a date.";

    fn fields<F: Field>() -> Vec<F> {
        vec![
            F::new::<Date>("date", Required::Always),
            F::new::<TimeOfDay>("time", Required::Never),
            F::new::<TimeZone>("time_zone", Required::Never),
        ]
    }

    fn about(mode: Mode) -> About {
        match mode {
            Mode::Create | Mode::Replace => About {
                name: "NewDue",
                description: "When a task is due: a whole day wherever the user is, or a time of day in a time zone.",
                example: json!({"date": "2026-12-01"}),
            },
            Mode::Patch => About {
                name: "DuePatch",
                description: "A change of a due date, merged member by member. With what stays, it must be a day, or a time in a \
                              time zone.",
                example: json!({"date": "2026-12-02"}),
            },
        }
    }
}

impl Due {
    /// The members of a due date, and their names in the document for the database.
    const COLUMNS: [(&'static str, &'static str); 3] =
        [("date", "due_date"), ("time", "due_time"), ("time_zone", "due_zone")];
}

impl FieldType for Due {
    fn default_value() -> Option<FieldValue> {
        let mut none = Document::default();
        for (_, column) in Self::COLUMNS {
            none.add(column, FieldValue::Null);
        }
        Some(FieldValue::Object(none))
    }

    fn parse(json: Json, mode: Mode, errors: &mut Errors<'_>) -> Option<FieldValue> {
        let members = match json {
            Json::Object(members) => members,
            other => return other.refuse("null or an object with a date", errors),
        };
        let before = errors.count();
        let parts = Declaration::of::<Self>().parse(members, mode, errors);
        if errors.count() > before {
            return None;
        }
        // A patch may name some parts only. The database checks the merged due date.
        if mode != Mode::Patch {
            let has = |part| matches!(parts.get(part), Some(FieldValue::Text(_)));
            match (has("time"), has("time_zone")) {
                (true, false) => {
                    return errors.at("time_zone").refuse("A time needs the time zone that it is meant in.");
                }
                (false, true) => {
                    return errors.at("time").refuse("A time zone needs a time; leave both out for the whole day.");
                }
                _ => {}
            }
        }
        let mut due = Document::default();
        for (part, column) in Self::COLUMNS {
            if let Some(value) = parts.get(part) {
                due.add(column, value.clone());
            }
        }
        Some(FieldValue::Object(due))
    }

    fn schema(mode: Mode, components: &mut Components) -> RefOr<Schema> {
        let about = Self::about(mode);
        if mode == Mode::Patch {
            let patch = schema::object::<Self>(mode, components);
            return schema::component(about.name, patch, components);
        }
        // Two schemas, because a time and its zone come together.
        let day = schema::closed_object("A whole day.")
            .property("date", Date::schema(mode, components))
            .property("time", schema::null())
            .property("time_zone", schema::null())
            .required("date");
        let time = "A time of day in a time zone. A time that the zone's clocks leap over is refused.";
        let time = schema::closed_object(time)
            .property("date", Date::schema(mode, components))
            .property("time", TimeOfDay::schema(mode, components))
            .property("time_zone", TimeZone::schema(mode, components))
            .required("date")
            .required("time")
            .required("time_zone");
        let due = OneOfBuilder::new()
            .item(schema::component("DueDay", Schema::from(day), components))
            .item(schema::component("DueTime", Schema::from(time), components))
            .description(Some(about.description))
            .examples([about.example]);
        schema::component(about.name, Schema::from(due), components)
    }
}

impl FieldType for Date {
    fn default_value() -> Option<FieldValue> {
        None
    }

    fn parse(json: Json, _: Mode, errors: &mut Errors<'_>) -> Option<FieldValue> {
        if json == Json::Null {
            return errors.refuse("A due date needs a date; to clear it, set due to null.");
        }
        let text = json.text("a string", errors)?;
        match parse_date(&text) {
            Some(_) => Some(FieldValue::Text(text)),
            None => errors.refuse("Must be a day that exists, as YYYY-MM-DD."),
        }
    }

    fn schema(_: Mode, _: &mut Components) -> RefOr<Schema> {
        let date = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)))
            .description(Some("A calendar day, years 1 to 9999."))
            .examples(["2026-12-01"]);
        Schema::from(date).into()
    }
}

impl FieldType for TimeOfDay {
    fn default_value() -> Option<FieldValue> {
        Some(FieldValue::Null)
    }

    fn parse(json: Json, _: Mode, errors: &mut Errors<'_>) -> Option<FieldValue> {
        let text = json.text("a string", errors)?;
        match is_time(&text) {
            true => Some(FieldValue::Text(text)),
            false => errors.refuse("Must be a time of day from 00:00 to 23:59, as HH:MM or HH:MM:SS."),
        }
    }

    fn schema(_: Mode, _: &mut Components) -> RefOr<Schema> {
        let time = ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"))
            .description(Some("`HH:MM` or `HH:MM:SS`."))
            .examples(["09:30"]);
        Schema::from(time).into()
    }
}

impl TimeZone {
    const MAX_LENGTH: usize = 100;

    /// Parses the form of a zone's name: letters, digits, `_`, `-`, `+` and `/` (the naming rules of the tz database), at most 100.
    pub fn parse(text: String, errors: &mut Errors<'_>) -> Option<Self> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '/');
        if text.starts_with(|first: char| first.is_ascii_alphabetic())
            && text.len() <= Self::MAX_LENGTH
            && text.chars().all(allowed)
        {
            Some(Self(text))
        } else {
            errors.refuse("Must be an IANA time zone such as Europe/Vilnius or UTC.")
        }
    }

    /// The name, as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FieldType for TimeZone {
    fn default_value() -> Option<FieldValue> {
        Some(FieldValue::Null)
    }

    fn parse(json: Json, _: Mode, errors: &mut Errors<'_>) -> Option<FieldValue> {
        let text = json.text("a string", errors)?;
        Self::parse(text, errors).map(|zone| FieldValue::Text(zone.0))
    }

    fn schema(_: Mode, _: &mut Components) -> RefOr<Schema> {
        // No registry of formats has this one. PostgreSQL's copy of the IANA database decides which zones there are.
        let zone = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::Custom("iana-time-zone".to_owned())))
            .max_length(Some(Self::MAX_LENGTH))
            .description(Some("The name of an IANA time zone, such as `Europe/Vilnius` or `UTC`."))
            .examples(["Europe/Vilnius"]);
        Schema::from(zone).into()
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
    use crate::domain::Invalid;

    fn parse(text: &str, mode: Mode) -> Result<serde_json::Value, Vec<Invalid>> {
        let value = Errors::collect(|errors| {
            let json = Json::parse(text.as_bytes(), errors)?;
            <Due as FieldType>::parse(json, mode, errors)
        });
        let mut document = Document::default();
        document.add("due", value?);
        Ok(serde_json::to_value(document).unwrap())
    }

    #[test]
    fn a_due_date_is_a_day_or_a_time_in_a_zone() {
        let day = json!({"due_date": "2026-12-01", "due_time": null, "due_zone": null});
        assert_eq!(parse(r#"{"date":"2026-12-01"}"#, Mode::Create), Ok(day.clone()));
        assert_eq!(parse(r#"{"date":"2026-12-01","time":null,"time_zone":null}"#, Mode::Create), Ok(day));
        let time = json!({"due_date": "2026-12-01", "due_time": "09:30", "due_zone": "Europe/Vilnius"});
        assert_eq!(
            parse(r#"{"date":"2026-12-01","time":"09:30","time_zone":"Europe/Vilnius"}"#, Mode::Replace),
            Ok(time)
        );
    }

    #[test]
    fn a_patch_has_the_parts_that_it_names() {
        assert_eq!(parse("{}", Mode::Patch), Ok(json!({})));
        assert_eq!(parse(r#"{"time":null}"#, Mode::Patch), Ok(json!({"due_time": null})));
        assert_eq!(parse(r#"{"date":null}"#, Mode::Patch).unwrap_err().len(), 1);
    }

    #[test]
    fn every_error_is_named() {
        let wrong = r#"{"date":"2026-02-30","time":"24:00","time_zone":"<CET>","x":1,"date":"2026-01-01"}"#;
        assert_eq!(parse(wrong, Mode::Create).unwrap_err().len(), 5);
        for text in [
            r#"{}"#,
            r#"{"date":null}"#,
            r#"{"time":"10:00","time_zone":"UTC"}"#,
            r#"{"date":"2026-01-01","time":"10:00"}"#,
            r#"{"date":"2026-01-01","time_zone":"UTC"}"#,
            "5",
            r#""2026-01-01""#,
            r#"{"date":20260101}"#,
        ] {
            assert_eq!(parse(text, Mode::Create).unwrap_err().len(), 1, "{text}");
        }
    }

    #[test]
    fn a_zone_has_the_form_of_a_name() {
        let is_zone = |name: &str| Errors::collect(|errors| TimeZone::parse(name.to_owned(), errors)).is_ok();
        let longest = "a".repeat(100);
        for name in ["UTC", "America/Port-au-Prince", "Etc/GMT+12", "EST5EDT", "Japan", "GB-Eire", &longest] {
            assert!(is_zone(name), "{name}");
        }
        let too_long = "a".repeat(101);
        for name in ["", "../etc/passwd", "/UTC", "<+03>-3", "Europe/Vilnius\0", "+3", "UTC 3", "Zürich", &too_long] {
            assert!(!is_zone(name), "{name}");
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
