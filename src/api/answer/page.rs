//! A page of a list.

use axum::response::Response;
use http::header::{HeaderValue, LINK};
use http::{StatusCode, Uri};

use super::{json, not_modified, with_tag};
use crate::api::problem::Problem;
use crate::api::query;
use crate::data::Listing;
use crate::domain::{Cursor, CursorBinding, Error, Page};

/// A page, unless the client has the list. `name` is the member with the objects. A list that depends on the clock is not `tagged`.
pub(in crate::api) fn listing(
    name: &str,
    uri: &Uri,
    listing: Listing,
    binding: &CursorBinding<'_>,
    tagged: bool,
) -> Result<Response, Problem> {
    let (etag, page) = match listing {
        Listing::Unchanged { etag } => return Ok(not_modified(&etag)),
        Listing::Page { etag, page } => (etag, page),
    };
    let cursor = page.next.as_ref().map(|after| {
        let cursor = Cursor::seal(after, binding);
        cursor.ok_or_else(|| Error::Internal("the next page begins nowhere".to_owned()))
    });
    let response = respond(name, uri, page, cursor.transpose()?.as_ref().map(Cursor::as_str));
    Ok(if tagged { with_tag(response, &etag) } else { response })
}

/// The objects as the database wrote them, and a link to the next page.
fn respond(name: &str, uri: &Uri, page: Page, cursor: Option<&str>) -> Response {
    let mut body = page.objects;
    body.insert_str(0, &["{\"", name, "\":["].concat());
    body.push_str(r#"],"next_cursor":"#);
    match cursor {
        // A cursor consists of letters, digits, - and _: nothing to escape.
        Some(cursor) => body.extend(["\"", cursor, "\""]),
        None => body.push_str("null"),
    }
    if let Some(total) = page.total {
        body.push_str(r#","total":"#);
        body.push_str(&total.to_string());
    }
    body.push('}');
    let mut response = json(StatusCode::OK, body);
    if let Some(cursor) = cursor {
        let link = format!("<{}?{}>; rel=\"next\"", uri.path(), query::with_cursor(uri.query(), cursor));
        response.headers_mut().extend(HeaderValue::try_from(link).ok().map(|link| (LINK, link)));
    }
    response
}
