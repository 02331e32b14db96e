//! Objects and lists in the form that clients get: the stored JSON with entity tags added.

use serde::Serialize;

use super::{Row, Scope, Value};
use crate::domain::{EntityTag, Error, Page, PagePosition};

/// An object in the form that clients get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its JSON.
    pub json: String,
    /// The tag of its state. The JSON has it, too.
    pub etag: EntityTag,
}

/// A list, or the fact that the client has it already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listing {
    /// Nothing has changed since the client's copy.
    Unchanged {
        /// The current tag of the caller's lists.
        etag: EntityTag,
    },
    /// A page.
    Page {
        /// The current tag of the caller's lists.
        etag: EntityTag,
        /// The objects.
        page: Page,
    },
}

impl Scope<'_> {
    /// The object of a row: its JSON (NULL if it does not exist), its number, and the epoch.
    pub(super) fn stored(&self, mut row: Row) -> Result<Option<Stored>, Error> {
        let Some(json) = row.take::<String>()? else { return Ok(None) };
        let etag = self.etag(&mut row)?;
        Ok(Some(Stored { json: tagged(&json, &etag), etag }))
    }

    /// The list of a row: the outcome, the number and the epoch of the list, the lines of the page, the position of its last object if
    /// there are more, and the total number if the query asks for it.
    pub(super) fn listing(&self, mut row: Row) -> Result<Listing, Error> {
        let (outcome, etag) = (row.require::<String>()?, self.etag(&mut row)?);
        match outcome.as_str() {
            "page" => {}
            "unchanged" => return Ok(Listing::Unchanged { etag }),
            other => return Err(Error::Internal(format!("unknown outcome {other}"))),
        }
        let objects = tagged_lines(&row.require::<String>()?, &etag)?;
        let next = match (row.take()?, row.take()?) {
            (Some(key), Some(id)) => Some(PagePosition { key, id }),
            _ => None,
        };
        Ok(Listing::Page { etag, page: Page { objects, next, total: row.take()? } })
    }

    /// Makes the entity tag of a state from the next two columns.
    fn etag(&self, row: &mut Row) -> Result<EntityTag, Error> {
        let (number, epoch) = (row.require()?, row.require::<String>()?);
        Ok(EntityTag::of_state(&epoch, self.caller.user_id(), number))
    }
}

/// The JSON before and after an entity tag, at the end of an object.
const TAG_BEFORE: &str = r#","etag":"\""#;
const TAG_BEHIND: &str = r#"\""}"#;
/// The maximum growth of an object's JSON: the member with 16 digits of a digest, `-`, and 19 digits of a number.
const TAG_ROOM: usize = TAG_BEFORE.len() + 36 + TAG_BEHIND.len();
/// The length of a response without its objects, unless the cursor is long.
const PAGE_ROOM: usize = 256;

/// The stored JSON with the entity tag added.
pub(super) fn tagged(json: &str, etag: &EntityTag) -> String {
    let mut tagged = String::with_capacity(json.len() + TAG_ROOM);
    tagged.extend([members(json), TAG_BEFORE, etag.as_str(), TAG_BEHIND]);
    tagged
}

/// The JSON of an object without its closing brace. The entity tag follows as the last member. It has only letters, digits and `-`, so
/// nothing is escaped.
fn members(json: &str) -> &str {
    json.strip_suffix('}').unwrap_or(json)
}

/// The objects of a page, separated by commas. The database gives a line with the numbers in their entity tags, and a line of JSON for
/// each object. The tags begin like that of the list. Lines beyond the numbers are not part of the page.
fn tagged_lines(page: &str, list: &EntityTag) -> Result<String, Error> {
    const BEHIND: &str = r#"\""},"#;
    let before = [TAG_BEFORE, list.base()].concat();
    let mut lines = page.split('\n');
    let numbers = lines.next().filter(|numbers| !numbers.is_empty());
    let numbers = numbers.into_iter().flat_map(|numbers| numbers.split(' '));
    // The numbers are in the page's length already.
    let room = numbers.clone().count() * (before.len() + BEHIND.len());
    let mut objects = String::with_capacity(page.len() + room + PAGE_ROOM);
    for number in numbers {
        let json = lines.next().ok_or_else(|| Error::Internal("a page has more numbers than objects".to_owned()))?;
        objects.extend([members(json), &before, number, BEHIND]);
    }
    // The comma after the last object.
    objects.pop();
    Ok(objects)
}

/// A document as a parameter.
pub(super) fn json(document: &impl Serialize) -> Result<Value, Error> {
    serde_json::to_string(document).map(Value::Json).map_err(|error| Error::Internal(error.to_string()))
}
