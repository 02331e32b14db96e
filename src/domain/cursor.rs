//! The cursor of a list: where its next page begins, opaque to clients, good for the query that it came from alone.
//!
//! A digest binds it to the user, the order and the filters, so that a changed or borrowed cursor is recognized. It is
//! no secret: whoever computes one for a place of their choosing reads a page of their own tasks.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{After, Filter, Order};

/// A cursor as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(String);

/// What a cursor is bound to. The page size is not among it: a client may change that on the way.
#[derive(Debug, Clone, Copy)]
pub struct CursorBinding<'a> {
    /// Whose tasks are listed.
    pub user_id: &'a str,
    /// In which order.
    pub order: Order,
    /// Which of them.
    pub filter: &'a Filter,
}

/// The length of the digest in bytes: enough that no mistake goes unnoticed.
const DIGEST: usize = 8;
/// The length of an id in bytes.
const ID: usize = 16;

impl Cursor {
    /// Makes the cursor of a place; `None` when the place is not one that the database gives.
    pub fn seal(after: &After, binding: &CursorBinding<'_>) -> Option<Self> {
        let id = Uuid::try_parse(&after.id).ok()?;
        let mut bytes = binding.digest(id, &after.key)?.to_vec();
        bytes.extend_from_slice(id.as_bytes());
        bytes.extend_from_slice(after.key.as_bytes());
        Some(Self(BASE64_URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Reads a cursor back; `None` when it is of another query, or none at all.
    pub fn open(text: &str, binding: &CursorBinding<'_>) -> Option<After> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let (digest, rest) = bytes.split_first_chunk::<DIGEST>()?;
        let (id, key) = rest.split_first_chunk::<ID>()?;
        let (id, key) = (Uuid::from_bytes(*id), std::str::from_utf8(key).ok()?);
        (binding.digest(id, key)? == *digest).then(|| After { key: key.to_owned(), id: id.to_string() })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl CursorBinding<'_> {
    fn digest(&self, id: Uuid, key: &str) -> Option<[u8; DIGEST]> {
        let text = serde_json::to_vec(&(1, self.user_id, self.order, self.filter, id, key)).ok()?;
        Sha256::digest(text).first_chunk().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(filter: &Filter) -> CursorBinding<'_> {
        CursorBinding { user_id: "alice", order: Order::parse("title").unwrap(), filter }
    }

    fn after() -> After {
        After { key: "žiema".to_owned(), id: Uuid::from_u128(7).to_string() }
    }

    #[test]
    fn a_cursor_opens_for_its_own_query_only() {
        let filter = Filter::default();
        let cursor = Cursor::seal(&after(), &binding(&filter)).unwrap();
        assert_eq!(Cursor::open(cursor.as_str(), &binding(&filter)), Some(after()));
        let open_tasks = Filter { completed: Some(false), ..Filter::default() };
        assert_eq!(Cursor::open(cursor.as_str(), &binding(&open_tasks)), None);
        let of_bob = CursorBinding { user_id: "bob", ..binding(&filter) };
        assert_eq!(Cursor::open(cursor.as_str(), &of_bob), None);
    }

    #[test]
    fn a_changed_cursor_does_not_open() {
        let filter = Filter::default();
        let cursor = Cursor::seal(&after(), &binding(&filter)).unwrap();
        for position in 0..cursor.as_str().len() {
            let mut text = cursor.as_str().as_bytes().to_vec();
            text[position] = if text[position] == b'A' { b'B' } else { b'A' };
            assert_eq!(Cursor::open(std::str::from_utf8(&text).unwrap(), &binding(&filter)), None, "{position}");
        }
    }
}
