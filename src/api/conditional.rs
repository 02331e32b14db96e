//! Conditional requests (RFC 9110, section 13). The database compares the entity tags of writers.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::header::{HeaderMap, HeaderName, IF_MATCH, IF_NONE_MATCH};
use http::request::Parts;

use super::code::Code;
use super::openapi::parameters::{entity_tags, header};
use super::openapi::{Describe, Operation};
use super::problem::Problem;
use crate::App;
use crate::domain::{EntityTag, Invalid, Precondition, TagMatch};

/// The states that a reader has.
pub(super) struct IfNoneMatch(pub(super) Option<TagMatch>);

/// The value of `If-Match` or `If-None-Match`, as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Condition {
    /// `*`
    Any,
    /// A list of entity tags: whether each is weak, and its opaque text.
    Tags(Vec<(bool, String)>),
}

impl Condition {
    /// Strong comparison (section 8.8.3.2) never matches a weak tag. Weak comparison ignores whether a tag is weak.
    fn tags(self, strong: bool) -> TagMatch {
        match self {
            Self::Any => TagMatch::Any,
            Self::Tags(tags) => {
                let compared = tags.into_iter().filter(|(weak, _)| !(strong && *weak));
                TagMatch::Tags(compared.map(|(_, tag)| EntityTag::new(tag)).collect())
            }
        }
    }
}

impl FromRequestParts<Arc<App>> for IfNoneMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Problem> {
        let condition = parse(&parts.headers, IF_NONE_MATCH, "If-None-Match")?;
        Ok(Self(condition.map(|condition| condition.tags(false))))
    }
}

impl Describe for IfNoneMatch {
    fn describe(operation: &mut Operation) {
        describe_if_none_match(operation);
        operation.refuses(&[Code::InvalidInput]);
    }
}

/// Describes the header of a read.
pub(super) fn describe_if_none_match(operation: &mut Operation) {
    let meaning = "Entity tags that the client has; the answer is 304 when it is one of them.";
    operation.takes(header("If-None-Match", meaning, entity_tags()));
}

/// The state that a writer asks for.
pub(super) fn precondition(headers: &HeaderMap) -> Result<Precondition, Invalid> {
    let if_match = parse(headers, IF_MATCH, "If-Match")?.map(|condition| condition.tags(true));
    let must_be_absent = match parse(headers, IF_NONE_MATCH, "If-None-Match")? {
        None => false,
        Some(Condition::Any) => true,
        Some(Condition::Tags(_)) => {
            return Err(Invalid::header("If-None-Match", "Must be * in a write; to guard a state, use If-Match."));
        }
    };
    Ok(Precondition { if_match, must_be_absent })
}

fn parse(headers: &HeaderMap, name: HeaderName, shown: &'static str) -> Result<Option<Condition>, Invalid> {
    let invalid = || Invalid::header(shown, "Must be * or a list of entity tags in double quotes, as ETag gave them.");
    let mut tags = Vec::new();
    let (mut lines, mut any) = (0, 0);
    for value in headers.get_all(&name) {
        lines += 1;
        let mut rest = value.to_str().map_err(|_| invalid())?.trim();
        if rest == "*" {
            any += 1;
            continue;
        }
        // Empty elements of a list count for nothing (section 5.6.1.2).
        rest = rest.trim_start_matches([',', ' ', '\t']);
        while !rest.is_empty() {
            let weak = rest.strip_prefix("W/");
            let opaque = weak.unwrap_or(rest).strip_prefix('"').ok_or_else(invalid)?;
            let (tag, behind) = opaque.split_once('"').ok_or_else(invalid)?;
            tags.push((weak.is_some(), tag.to_owned()));
            rest = match behind.trim_start() {
                "" => "",
                more => more.strip_prefix(',').ok_or_else(invalid)?.trim_start_matches([',', ' ', '\t']),
            };
        }
    }
    match lines {
        0 => Ok(None),
        _ if any == lines => Ok(Some(Condition::Any)),
        _ if any == 0 && !tags.is_empty() => Ok(Some(Condition::Tags(tags))),
        _ => Err(invalid()),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn if_match(value: &'static str) -> Result<Precondition, Invalid> {
        precondition(&HeaderMap::from_iter([(IF_MATCH, HeaderValue::from_static(value))]))
    }

    fn tags(tags: &[&str]) -> TagMatch {
        TagMatch::Tags(tags.iter().map(|tag| EntityTag::new(*tag)).collect())
    }

    #[test]
    fn strong_tags_name_states() {
        for (value, expected) in [
            (r#""a-3""#, tags(&["a-3"])),
            (r#""a-3", W/"a-4" ,"05","","x""#, tags(&["a-3", "05", "", "x"])),
            (r#", "a-3",, "a-7","#, tags(&["a-3", "a-7"])),
            (r#"W/"a-3""#, tags(&[])),
            ("*", TagMatch::Any),
        ] {
            let precondition = if_match(value).unwrap();
            assert_eq!(precondition, Precondition { if_match: Some(expected), must_be_absent: false });
        }
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
    fn readers_may_have_weak_tags() {
        let headers = HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_static(r#"W/"3", "4""#))]);
        let condition = parse(&headers, IF_NONE_MATCH, "If-None-Match").unwrap().unwrap();
        assert_eq!(condition.tags(false), tags(&["3", "4"]));
    }
}
