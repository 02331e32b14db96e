//! Preconditions of requests (RFC 9110, section 13.1).

use serde::{Serialize, Serializer};

use super::EntityTag;

/// The value of `If-Match` or `If-None-Match`. Serialized, it is `true` or the list of tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagMatch {
    /// `*`: any state.
    Any,
    /// The states with these tags.
    Tags(Vec<EntityTag>),
}

/// The state that a write needs. In any other state the write is refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Precondition {
    /// `If-Match`, compared strongly.
    pub if_match: Option<TagMatch>,
    /// `If-None-Match: *`
    pub must_be_absent: bool,
}

impl TagMatch {
    /// Whether the state with this tag is among them.
    pub fn matches(&self, tag: &EntityTag) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.contains(tag),
        }
    }
}

impl Serialize for TagMatch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Any => serializer.serialize_bool(true),
            Self::Tags(tags) => tags.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_compared_as_a_whole() {
        let tags = TagMatch::Tags(vec![EntityTag::new("a-1"), EntityTag::new("b-2")]);
        let matches = |tag: &str| tags.matches(&EntityTag::new(tag));
        assert!(matches("a-1") && matches("b-2"));
        assert!(!matches("a-2") && !matches("a-") && !matches("1") && !matches("A-1") && !matches(""));
        assert!(TagMatch::Any.matches(&EntityTag::new("x")));
    }

    #[test]
    fn the_database_gets_true_or_a_list() {
        let json = |tags: TagMatch| serde_json::to_string(&tags).unwrap();
        assert_eq!(json(TagMatch::Any), "true");
        assert_eq!(json(TagMatch::Tags(vec![EntityTag::new("a-1")])), r#"["a-1"]"#);
        assert_eq!(json(TagMatch::Tags(Vec::new())), "[]");
    }
}
