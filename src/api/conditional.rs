//! Conditional requests (RFC 9110, section 13). The database compares the entity tags of writers.

use http::HeaderValue;
use http::header::{HeaderMap, IF_MATCH, IF_NONE_MATCH};

use crate::domain::{EntityTag, Invalid, Precondition, TagMatch};

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

/// The state that a write needs.
pub(super) fn precondition(headers: &HeaderMap) -> Result<Precondition, Invalid> {
    let if_match = parse(headers, IF_MATCH, "If-Match")?.map(|condition| match condition {
        Condition::Any => TagMatch::Any,
        // Strong comparison (section 8.8.3.2): a weak tag matches nothing.
        Condition::Tags(tags) => {
            TagMatch::Tags(tags.into_iter().filter(|(weak, _)| !weak).map(|(_, tag)| EntityTag::new(tag)).collect())
        }
    });
    let must_be_absent = match parse(headers, IF_NONE_MATCH, "If-None-Match")? {
        None => false,
        Some(Condition::Any) => true,
        Some(Condition::Tags(_)) => {
            return Err(Invalid::header("If-None-Match", "Must be * in a write; to guard a state, use If-Match."));
        }
    };
    Ok(Precondition { if_match, must_be_absent })
}

/// The states that a reader has.
pub(super) fn if_none_match(headers: &HeaderMap) -> Result<Option<TagMatch>, Invalid> {
    Ok(parse(headers, IF_NONE_MATCH, "If-None-Match")?.map(|condition| match condition {
        Condition::Any => TagMatch::Any,
        // Weak comparison: a tag that a cache made weak on the way still names the same state.
        Condition::Tags(tags) => TagMatch::Tags(tags.into_iter().map(|(_, tag)| EntityTag::new(tag)).collect()),
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

    fn if_match(value: &'static str) -> Result<Option<TagMatch>, Invalid> {
        let headers = HeaderMap::from_iter([(IF_MATCH, HeaderValue::from_static(value))]);
        precondition(&headers).map(|precondition| precondition.if_match)
    }

    #[test]
    fn strong_tags_name_states() {
        let some = |tags: &[&str]| Some(TagMatch::Tags(tags.iter().map(|tag| EntityTag::new(*tag)).collect()));
        for (value, tags) in [
            (r#""a-3""#, &["a-3"][..]),
            (r#""a-3", W/"a-4" ,"05","","x""#, &["a-3", "05", "", "x"]),
            (r#", "a-3",, "a-7","#, &["a-3", "a-7"]),
            (r#"W/"a-3""#, &[]),
        ] {
            assert_eq!(if_match(value).unwrap(), some(tags), "{value}");
        }
        assert_eq!(if_match("*").unwrap(), Some(TagMatch::Any));
        assert_eq!(precondition(&HeaderMap::new()).unwrap(), Precondition::default());
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
            precondition(&values.iter().map(|value| (IF_MATCH, HeaderValue::from_static(value))).collect())
        };
        assert_eq!(of(&["*", "*"]).unwrap().if_match, Some(TagMatch::Any));
        for values in [["", "*"], ["*", ""], ["*", r#""3""#], [r#""3""#, "*"]] {
            assert!(of(&values).is_err(), "{values:?}");
        }
    }

    #[test]
    fn a_write_may_need_that_there_is_nothing() {
        let of = |value| precondition(&HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_static(value))]));
        assert_eq!(of("*").unwrap(), Precondition { if_match: None, must_be_absent: true });
        assert!(of(r#""3""#).is_err());
    }

    #[test]
    fn readers_may_have_weak_tags() {
        let headers = HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_static(r#"W/"3", "4""#))]);
        let known = if_none_match(&headers).unwrap().unwrap();
        let matches = |tag: &str| known.matches(&EntityTag::new(tag));
        assert!(matches("3") && matches("4") && !matches("5"));
    }
}
