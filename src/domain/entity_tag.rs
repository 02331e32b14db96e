//! Entity tags (RFC 9110, section 8.8.3): the names of states.

use serde::Serialize;

/// The tag of one state of one user's representation, for ever: the opaque text between the double quotes.
///
/// errand's own are a digest and a number with `-` between. A client may send any other; it names nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct EntityTag(String);

/// The tags of which a reader has the representation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Known {
    /// Any, which is `true`: the reader wants to hear only whether there is one.
    Any(bool),
    /// These.
    Tags(Vec<EntityTag>),
}

impl EntityTag {
    /// A tag of this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text without the quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text without the quotes.
    pub fn into_string(self) -> String {
        self.0
    }

    /// What all tags of a user begin with: everything but the number.
    pub fn base(&self) -> &str {
        self.0.trim_end_matches(|character: char| character.is_ascii_digit())
    }
}

impl Known {
    /// Whether the reader has the state of this tag.
    pub fn has(&self, tag: &EntityTag) -> bool {
        match self {
            Self::Any(any) => *any,
            Self::Tags(tags) => tags.contains(tag),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_of_a_tag_is_all_but_its_number() {
        for (tag, base) in [("9f86d081884c7d65-41", "9f86d081884c7d65-"), ("00-0", "00-"), ("-7", "-"), ("x", "x")] {
            assert_eq!(EntityTag::new(tag).base(), base);
        }
    }

    #[test]
    fn a_tag_is_compared_as_a_whole() {
        let known = Known::Tags(vec![EntityTag::new("a-1"), EntityTag::new("b-2")]);
        let has = |tag: &str| known.has(&EntityTag::new(tag));
        assert!(has("a-1") && has("b-2"));
        assert!(!has("a-2") && !has("a-") && !has("1") && !has("A-1") && !has(""));
        assert!(Known::Any(true).has(&EntityTag::new("x")) && !Known::Any(false).has(&EntityTag::new("x")));
    }
}
