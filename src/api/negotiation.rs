//! What the client wants as an answer: `Accept` (RFC 9110, section 12.5.1) and `Prefer` (RFC 7240).

use http::header::{ACCEPT, HeaderMap, HeaderName};
use http::request::Parts;
use http::{HeaderValue, Method};

use super::problem::Problem;

/// RFC 7240
const PREFER: HeaderName = HeaderName::from_static("prefer");
/// RFC 7240
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// Refuses a client that does not accept JSON. DELETE is not checked, because its answer has no body.
pub(super) fn accept_json(parts: &Parts) -> Result<(), Problem> {
    if parts.method == Method::DELETE || accepts(&parts.headers, "application", "json") {
        Ok(())
    } else {
        Err(Problem::not_acceptable("application/json"))
    }
}

/// Whether the most specific range that covers the media type gives it a weight above zero; so does no header at all.
fn accepts(headers: &HeaderMap, r#type: &str, subtype: &str) -> bool {
    let mut best: Option<(u8, bool)> = None;
    let mut ranges = 0;
    for value in headers.get_all(ACCEPT) {
        for range in value.to_str().unwrap_or_default().split(',').map(str::trim).filter(|range| !range.is_empty()) {
            ranges += 1;
            let mut parts = range.split(';').map(str::trim);
            let specificity = match parts.next().and_then(|range| range.split_once('/')) {
                Some((t, s)) if t.eq_ignore_ascii_case(r#type) && s.eq_ignore_ascii_case(subtype) => 2,
                Some((t, "*")) if t.eq_ignore_ascii_case(r#type) => 1,
                Some(("*", "*")) => 0,
                _ => continue,
            };
            let weight = parts.find_map(|parameter| {
                let (name, value) = parameter.split_once('=')?;
                name.trim().eq_ignore_ascii_case("q").then(|| value.trim())
            });
            let wanted = weight.is_none_or(|weight| weight.parse::<f32>().is_ok_and(|weight| weight > 0.0));
            if best.is_none_or(|(so_far, _)| specificity > so_far) {
                best = Some((specificity, wanted));
            }
        }
    }
    match best {
        Some((_, wanted)) => wanted,
        None => ranges == 0,
    }
}

/// Whether the client wants no body in answer to a write.
pub(super) fn prefers_minimal(headers: &HeaderMap) -> bool {
    // RFC 7240, section 2: of several equal preferences the first one counts.
    let first = headers
        .get_all(PREFER)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|preference| preference.split(';').next())
        .filter_map(|preference| preference.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("return"));
    first.is_some_and(|(_, value)| value.trim().trim_matches('"').eq_ignore_ascii_case("minimal"))
}

/// Says that the preference was honoured.
pub(super) fn apply_minimal(headers: &mut HeaderMap) {
    headers.insert(PREFERENCE_APPLIED, HeaderValue::from_static("return=minimal"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn the_most_specific_range_decides() {
        for (accept, wanted) in [
            ("*/*", true),
            ("application/*", true),
            ("text/html, */*;q=0.1", true),
            ("application/json;q=0, */*", false),
            ("text/html", false),
            ("application/json; q=0.0", false),
            ("", true),
            ("application/problem+json", false),
            ("*/*;q=0", false),
            ("Application/JSON", true),
            ("nonsense", false),
        ] {
            assert_eq!(accepts(&headers(ACCEPT, accept), "application", "json"), wanted, "{accept}");
        }
        assert!(accepts(&HeaderMap::new(), "application", "json"));
    }

    #[test]
    fn a_preference_is_found_among_others() {
        for (prefer, minimal) in [
            ("return=minimal", true),
            ("wait=5, Return=\"minimal\"; x=1", true),
            ("return=representation, return=minimal", false),
            ("respond-async", false),
            ("return=minimally", false),
        ] {
            assert_eq!(prefers_minimal(&headers(PREFER, prefer)), minimal, "{prefer}");
        }
    }
}
