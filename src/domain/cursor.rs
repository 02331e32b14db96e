//! The cursor of a list: the position that the next page follows, opaque to clients and valid for one query.
//!
//! A digest binds it to the user, the order and the filters, so that a cursor of another query is recognized. The digest needs no
//! secret: a client that makes its own cursor reads a page of its own tasks.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Filter, PagePosition};

/// A cursor as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(String);

/// The query that a cursor is bound to. A client may change the page size between pages, so it is not part of this.
#[derive(Debug, Clone, Copy)]
pub struct CursorBinding<'a> {
    /// Whose list it is.
    pub user_id: &'a str,
    /// The order of the list. No two lists have the same.
    pub order: &'a str,
    /// The conditions of the list.
    pub filter: &'a Filter,
}

/// The length of the digest in bytes. A wrong cursor passes once in 2^64.
const DIGEST: usize = 8;
/// The length of an id in bytes.
const ID: usize = 16;

impl Cursor {
    /// Makes the cursor of a position; `None` if the database cannot have given the position.
    pub fn seal(after: &PagePosition, binding: &CursorBinding<'_>) -> Option<Self> {
        let id = Uuid::try_parse(&after.id).ok()?;
        let mut bytes = binding.digest(id, &after.key)?.to_vec();
        bytes.extend_from_slice(id.as_bytes());
        bytes.extend_from_slice(after.key.as_bytes());
        Some(Self(BASE64_URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Reads a cursor back; `None` if it is the cursor of another query, or not a cursor.
    pub fn open(text: &str, binding: &CursorBinding<'_>) -> Option<PagePosition> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let (digest, rest) = bytes.split_first_chunk::<DIGEST>()?;
        let (id, key) = rest.split_first_chunk::<ID>()?;
        let (id, key) = (Uuid::from_bytes(*id), std::str::from_utf8(key).ok()?);
        (binding.digest(id, key)? == *digest).then(|| PagePosition { key: key.to_owned(), id: id.to_string() })
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
        CursorBinding { user_id: "alice", order: "title_asc", filter }
    }

    fn after() -> PagePosition {
        PagePosition { key: "žiema".to_owned(), id: Uuid::from_u128(7).to_string() }
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
