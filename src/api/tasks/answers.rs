//! What the operations on tasks answer, described.

use http::StatusCode;

use super::TaskList;
use crate::api::answer::PRIVATE;
use crate::api::openapi::{Describe, Header, Operation};
use crate::domain::Task;

/// A task that was made.
pub(in crate::api) struct Created;
/// A task that was replaced, or made under an id of the client's.
pub(in crate::api) struct Replaced;
/// A task that was changed.
pub(in crate::api) struct Changed;
/// No task any more.
pub(in crate::api) struct Deleted;
/// A task, or nothing for a client that has its state.
pub(in crate::api) struct TaskOrUnchanged;
/// A page of tasks, or nothing for a client that has the list.
pub(in crate::api) struct PageOrUnchanged;

const TAG: Header = ("ETag", "The tag of the task's state; `etag` in the body.");
const LIST_TAG: Header = ("ETag", "The tag of all that the caller has; none with `overdue`.");
const REPLAYED: Header = ("Idempotency-Replayed", "`true` where the `Idempotency-Key` brought an earlier answer back.");
const MINIMAL: Header = ("Preference-Applied", "`return=minimal`.");

impl Describe for Created {
    fn describe(operation: &mut Operation) {
        let task = operation.refer_to::<Task>();
        let headers = [TAG, REPLAYED, ("Location", "The task's path."), MINIMAL, PRIVATE];
        operation.answers_json(StatusCode::CREATED, "Created. No body when `Prefer` asked for that.", &headers, task);
        let next = ["get_task", "replace_task", "patch_task", "complete_task", "delete_task"];
        operation.links(StatusCode::CREATED, &next);
    }
}

impl Describe for Replaced {
    fn describe(operation: &mut Operation) {
        Created::describe(operation);
        written(operation, "Replaced.");
    }
}

impl Describe for Changed {
    fn describe(operation: &mut Operation) {
        written(operation, "Changed.");
    }
}

fn written(operation: &mut Operation, description: &str) {
    let task = operation.refer_to::<Task>();
    operation.answers_json(StatusCode::OK, description, &[TAG, REPLAYED, PRIVATE], task);
    let minimal = "Written; the answer has no body, as `Prefer` asked for.";
    operation.answers(StatusCode::NO_CONTENT, minimal, &[TAG, REPLAYED, MINIMAL]);
}

impl Describe for Deleted {
    fn describe(operation: &mut Operation) {
        operation.answers(StatusCode::NO_CONTENT, "Deleted.", &[REPLAYED]);
    }
}

impl Describe for TaskOrUnchanged {
    fn describe(operation: &mut Operation) {
        let task = operation.refer_to::<Task>();
        operation.answers_json(StatusCode::OK, "The task.", &[TAG, PRIVATE], task);
        operation.answers(StatusCode::NOT_MODIFIED, "The client has it.", &[TAG]);
    }
}

impl Describe for PageOrUnchanged {
    fn describe(operation: &mut Operation) {
        let page = operation.refer_to::<TaskList>();
        let link = ("Link", "The next page (`rel=\"next\"`), if there is one.");
        operation.answers_json(StatusCode::OK, "A page.", &[LIST_TAG, link, PRIVATE], page);
        operation.answers(StatusCode::NOT_MODIFIED, "Nothing was written since.", &[LIST_TAG]);
    }
}
