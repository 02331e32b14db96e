//! A page of a list.

use axum::response::Response;
use http::header::{HeaderValue, LINK};
use http::{StatusCode, Uri};

use super::{json, read};
use crate::api::query;
use crate::domain::Cursor;
use crate::service::{CursorPage, Read};

/// A page, unless the client has the list. `name` is the member with the objects.
pub(in crate::api) fn listing(name: &str, uri: &Uri, listing: Read<CursorPage>) -> Response {
    read(listing, |page| respond(name, uri, page))
}

/// The objects as the database wrote them, and a link to the next page.
fn respond(name: &str, uri: &Uri, page: CursorPage) -> Response {
    let cursor = page.next.as_ref().map(Cursor::as_str);
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
