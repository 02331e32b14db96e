//! Reads: whether the client has the state already, and where the next page of a list begins.

use crate::data::{Listing, Stored};
use crate::domain::{Cursor, CursorBinding, EntityTag, Error, Page, TagMatch};

/// What was read, unless the client has it.
pub enum Read<T> {
    /// The client has the state with this tag.
    Unchanged(EntityTag),
    /// The state, with its tag. A list that depends on the clock has none.
    Found(T, Option<EntityTag>),
}

/// A page of a list, in the form that clients get.
pub struct CursorPage {
    /// The JSON of each object, separated by commas.
    pub objects: String,
    /// The cursor of the next page, if there is one.
    pub next: Option<Cursor>,
    /// The number of objects on all pages, if the query asks for it.
    pub total: Option<i64>,
}

/// The JSON of an object, unless the client has its state. Fails with [`Error::NotFound`] where there is no such object.
pub fn object(stored: Option<Stored>, known: Option<&TagMatch>) -> Result<Read<String>, Error> {
    let Stored { json, etag } = stored.ok_or(Error::NotFound)?;
    Ok(match known.is_some_and(|known| known.matches(&etag)) {
        true => Read::Unchanged(etag),
        false => Read::Found(json, Some(etag)),
    })
}

/// A page, unless the client has the list.
pub fn page(listing: Listing, binding: &CursorBinding<'_>, depends_on_clock: bool) -> Result<Read<CursorPage>, Error> {
    let (etag, Page { objects, next, total }) = match listing {
        Listing::Unchanged { etag } => return Ok(Read::Unchanged(etag)),
        Listing::Page { etag, page } => (etag, page),
    };
    let next = match next {
        Some(position) => Some(
            Cursor::seal(&position, binding)
                .ok_or_else(|| Error::Internal("the next page begins nowhere".to_owned()))?,
        ),
        None => None,
    };
    Ok(Read::Found(CursorPage { objects, next, total }, (!depends_on_clock).then_some(etag)))
}
