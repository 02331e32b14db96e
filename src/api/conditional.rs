//! Conditional requests (RFC 9110, section 13). The database compares the entity tags of writers.

use http::HeaderValue;
use http::header::{HeaderMap, IF_MATCH, IF_NONE_MATCH};

use crate::domain::{EntityTag, Invalid, Known};
use crate::service::tasks::Expectation;

/// The value of `If-Match` or `If-None-Match`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Condition {
    /// `*`
    Any,
    /// A list of entity tags: whether each is weak, and its opaque text.
    Tags(Vec<(bool, String)>),
}

/// The value of `ETag`: a strong entity tag.
pub(super) fn etag(tag: &EntityTag) -> HeaderValue {
    HeaderValue::try_from(["\"", tag.as_str(), "\""].concat()).unwrap_or(HeaderValue::from_static("\"\""))
}

/// What a writer expects of the task.
pub(super) fn expectation(headers: &HeaderMap) -> Result<Expectation, Invalid> {
    let tags = match parse(headers, IF_MATCH, "If-Match")? {
        // A task that is not there is 404 in any case: what must exist is all that there is.
        None | Some(Condition::Any) => None,
        // Strong comparison (section 8.8.3.2): a weak tag matches nothing.
        Some(Condition::Tags(tags)) => {
            Some(tags.into_iter().filter(|(weak, _)| !weak).map(|(_, tag)| EntityTag::new(tag)).collect())
        }
    };
    match parse(headers, IF_NONE_MATCH, "If-None-Match")? {
        None => Ok(Expectation { tags, absent: false }),
        Some(Condition::Any) => Ok(Expectation { tags, absent: true }),
        Some(Condition::Tags(_)) => {
            Err(Invalid::header("If-None-Match", "Must be * in a write; to guard a state, use If-Match."))
        }
    }
}

/// The states that a reader has.
pub(super) fn known(headers: &HeaderMap) -> Result<Option<Known>, Invalid> {
    Ok(parse(headers, IF_NONE_MATCH, "If-None-Match")?.map(|condition| match condition {
        Condition::Any => Known::Any(true),
        // Weak comparison: what a cache made weak on the way still is the same task.
        Condition::Tags(tags) => Known::Tags(tags.into_iter().map(|(_, tag)| EntityTag::new(tag)).collect()),
    }))
}

fn parse(headers: &HeaderMap, name: http::HeaderName, shown: &'static str) -> Result<Option<Condition>, Invalid> {
    let mistake = || Invalid::header(shown, "Must be * or a list of entity tags in double quotes, as ETag gave them.");
    let mut tags = Vec::new();
    let (mut lines, mut any) = (0, 0);
    for value in headers.get_all(&name) {
        lines += 1;
        let mut rest = value.to_str().map_err(|_| mistake())?.trim();
        if rest == "*" {
            any += 1;
            continue;
        }
        // Empty elements of a list count for nothing (section 5.6.1.2).
        rest = rest.trim_start_matches([',', ' ', '\t']);
        while !rest.is_empty() {
            let weak = rest.strip_prefix("W/");
            let opaque = weak.unwrap_or(rest).strip_prefix('"').ok_or_else(mistake)?;
            let (tag, behind) = opaque.split_once('"').ok_or_else(mistake)?;
            tags.push((weak.is_some(), tag.to_owned()));
            rest = match behind.trim_start() {
                "" => "",
                more => more.strip_prefix(',').ok_or_else(mistake)?.trim_start_matches([',', ' ', '\t']),
            };
        }
    }
    match lines {
        0 => Ok(None),
        _ if any == lines => Ok(Some(Condition::Any)),
        _ if any == 0 && !tags.is_empty() => Ok(Some(Condition::Tags(tags))),
        _ => Err(mistake()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn if_match(value: &'static str) -> Result<Expectation, Invalid> {
        expectation(&HeaderMap::from_iter([(IF_MATCH, HeaderValue::from_static(value))]))
    }

    #[test]
    fn strong_tags_name_states() {
        let tags =
            |value| if_match(value).unwrap().tags.map(|tags| tags.into_iter().map(EntityTag::into_string).collect());
        let some = |tags: &[&str]| Some(tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>());
        assert_eq!(tags(r#""a-3""#), some(&["a-3"]));
        assert_eq!(tags(r#""a-3", W/"a-4" ,"05","","x""#), some(&["a-3", "05", "", "x"]));
        assert_eq!(tags(r#", "a-3",, "a-7","#), some(&["a-3", "a-7"]));
        assert_eq!(tags(r#"W/"a-3""#), some(&[]));
        assert_eq!(tags("*"), None);
        assert_eq!(expectation(&HeaderMap::new()).unwrap(), Expectation::default());
    }

    #[test]
    fn what_is_no_tag_is_refused_rather_than_ignored() {
        for value in ["3", "", ",", r#""3"#, r#""3" "4""#, r#"*, "3""#, "w/\"3\"", r#"W/3"#] {
            assert!(if_match(value).is_err(), "{value}");
        }
    }

    #[test]
    fn any_stands_alone() {
        let of = |values: &[&'static str]| {
            expectation(&values.iter().map(|value| (IF_MATCH, HeaderValue::from_static(value))).collect())
        };
        assert_eq!(of(&["*", "*"]).unwrap(), Expectation::default());
        for values in [["", "*"], ["*", ""], ["*", r#""3""#], [r#""3""#, "*"]] {
            assert!(of(&values).is_err(), "{values:?}");
        }
    }

    #[test]
    fn readers_may_have_weak_tags() {
        let headers = HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_static(r#"W/"3", "4""#))]);
        let known = known(&headers).unwrap().unwrap();
        let has = |tag: &str| known.has(&EntityTag::new(tag));
        assert!(has("3") && has("4") && !has("5"));
    }
}
