//! What operations answer, described. `R` is the schema of the resource.

use std::marker::PhantomData;

use http::StatusCode;
use utoipa::ToSchema;

use super::PRIVATE;
use crate::api::openapi::{Describe, Header, Operation};

/// A resource that was made.
pub(in crate::api) struct Created<R>(PhantomData<R>);
/// A resource that was replaced, or made under an id of the client's.
pub(in crate::api) struct Replaced<R>(PhantomData<R>);
/// A resource that was changed.
pub(in crate::api) struct Changed<R>(PhantomData<R>);
/// No resource any more.
pub(in crate::api) struct Deleted;
/// A resource, or nothing for a client that has its state.
pub(in crate::api) struct ResourceOrUnchanged<R>(PhantomData<R>);
/// A page of a list, or nothing for a client that has the list. `L` is the schema of the page.
pub(in crate::api) struct PageOrUnchanged<L>(PhantomData<L>);

const TAG: Header = ("ETag", "The tag of the resource's state; `etag` in the body.");
const LIST_TAG: Header = ("ETag", "The tag of all that the caller has; none with `overdue`.");
const REPLAYED: Header =
    ("Idempotency-Replayed", "`true` where an earlier request with the `Idempotency-Key` did this write.");
const MINIMAL: Header = ("Preference-Applied", "`return=minimal`.");

impl<R: ToSchema> Describe for Created<R> {
    fn describe(operation: &mut Operation) {
        let resource = operation.refer_to::<R>();
        let headers = [TAG, REPLAYED, ("Location", "The resource's path."), MINIMAL, PRIVATE];
        operation.answers_json(
            StatusCode::CREATED,
            "Created. No body when `Prefer` asked for that.",
            &headers,
            resource,
        );
    }
}

impl<R: ToSchema> Describe for Replaced<R> {
    fn describe(operation: &mut Operation) {
        Created::<R>::describe(operation);
        written::<R>(operation, "Replaced.");
    }
}

impl<R: ToSchema> Describe for Changed<R> {
    fn describe(operation: &mut Operation) {
        written::<R>(operation, "Changed.");
    }
}

fn written<R: ToSchema>(operation: &mut Operation, description: &str) {
    let resource = operation.refer_to::<R>();
    operation.answers_json(StatusCode::OK, description, &[TAG, REPLAYED, PRIVATE], resource);
    let minimal = "Written; the answer has no body, as `Prefer` asked for.";
    operation.answers(StatusCode::NO_CONTENT, minimal, &[TAG, REPLAYED, MINIMAL]);
}

impl Describe for Deleted {
    fn describe(operation: &mut Operation) {
        operation.answers(StatusCode::NO_CONTENT, "Deleted.", &[REPLAYED]);
    }
}

impl<R: ToSchema> Describe for ResourceOrUnchanged<R> {
    fn describe(operation: &mut Operation) {
        let resource = operation.refer_to::<R>();
        operation.answers_json(StatusCode::OK, "The resource.", &[TAG, PRIVATE], resource);
        operation.answers(StatusCode::NOT_MODIFIED, "The client has it.", &[TAG]);
    }
}

impl<L: ToSchema> Describe for PageOrUnchanged<L> {
    fn describe(operation: &mut Operation) {
        let page = operation.refer_to::<L>();
        let link = ("Link", "The next page (`rel=\"next\"`), if there is one.");
        operation.answers_json(StatusCode::OK, "A page.", &[LIST_TAG, link, PRIVATE], page);
        operation.answers(StatusCode::NOT_MODIFIED, "Nothing was written since.", &[LIST_TAG]);
    }
}
