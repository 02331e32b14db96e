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
    /// The object of a row, or `None` if it does not exist: its number, the epoch and its JSON, separated by blanks.
    pub(super) fn stored(&self, mut row: Row) -> Result<Option<Stored>, Error> {
        let Some(answer) = row.take::<String>()? else { return Ok(None) };
        let mut columns = answer.splitn(3, ' ');
        let etag = self.etag(&mut columns)?;
        let json = tagged(columns.next().ok_or_else(incomplete)?, &etag);
        Ok(Some(Stored { json, etag }))
    }

    /// The list of a row. Its last line has the outcome, the number and the epoch of the list, the total number or `-`, and the position of
    /// the last object if there are more: its id, and its key as JSON. The lines of the page come before.
    pub(super) fn listing(&self, mut row: Row) -> Result<Listing, Error> {
        let answer: String = row.require()?;
        let (page, last) = answer.rsplit_once('\n').unwrap_or(("", &answer));
        let mut columns = last.splitn(6, ' ');
        let outcome = columns.next().unwrap_or_default();
        if !matches!(outcome, "page" | "unchanged") {
            return Err(Error::Internal(format!("unknown outcome {outcome}")));
        }
        let etag = self.etag(&mut columns)?;
        if outcome == "unchanged" {
            return Ok(Listing::Unchanged { etag });
        }
        let total = match columns.next() {
            Some("-") => None,
            total => Some(total.and_then(|total| total.parse().ok()).ok_or_else(incomplete)?),
        };
        let next = match (columns.next(), columns.next()) {
            (None, _) => None,
            (Some(id), key) => {
                let key = key.and_then(|key| serde_json::from_str(key).ok()).ok_or_else(incomplete)?;
                Some(PagePosition { key, id: id.to_owned() })
            }
        };
        Ok(Listing::Page { page: Page { objects: tagged_lines(page, &etag)?, next, total }, etag })
    }

    /// Makes the entity tag of a state from the next two columns of a line: the number and the epoch.
    fn etag<'a>(&self, columns: &mut impl Iterator<Item = &'a str>) -> Result<EntityTag, Error> {
        let (number, epoch) = (columns.next().and_then(|number| number.parse().ok()), columns.next());
        let (Some(number), Some(epoch)) = (number, epoch) else { return Err(incomplete()) };
        Ok(EntityTag::of_state(epoch, self.caller.user_id(), number))
    }
}

/// The error of an answer that no function of the database gives. It has nothing of the answer, because text of a user must not be logged.
pub(super) fn incomplete() -> Error {
    Error::Internal("an answer of the database is incomplete".to_owned())
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
