//! The call of `api.run_writes` (`migrations/functions/write.sql`).

use serde::Serialize;
use uuid::Uuid;

use super::representation::{incomplete, json, tagged};
use super::{Row, Scope, Statement, no_row, served};
use crate::domain::{Document, EntityTag, Error, TagMatch, Write, Writes, Written};

const WRITE: Statement = Statement::write(served!("select api.run_writes($1, $2)"));

/// The parameter `p_writes` of `api.run_writes`.
#[derive(Serialize)]
struct Request<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint: Option<&'a str>,
    atomic: bool,
    wait: bool,
    list: Vec<Element<'a>>,
}

/// A write in the list.
#[derive(Serialize)]
struct Element<'a> {
    operation: &'static str,
    id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    if_match: Option<&'a TagMatch>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    must_be_absent: bool,
    document: &'a Document,
}

impl<'a> From<&'a Write> for Element<'a> {
    fn from(write: &'a Write) -> Self {
        Self {
            operation: write.operation.name,
            id: write.id,
            if_match: write.precondition.if_match.as_ref(),
            must_be_absent: write.precondition.must_be_absent,
            document: &write.operation.document,
        }
    }
}

impl Scope<'_> {
    /// Runs the writes of a request. The result has an element for each write. With `atomic`, it ends with the first refused write, and
    /// nothing is written then.
    ///
    /// # Errors
    ///
    /// [`Error::KeyReused`] and [`Error::InFlight`] because of the key, [`Error::Invalid`] for a mistake that only the database detects,
    /// and the errors of the database.
    pub async fn write(&self, writes: &Writes) -> Result<Vec<Result<Written, Error>>, Error> {
        let request = |wait| {
            json(&Request {
                key: writes.key.as_ref().map(|key| key.key.as_str()),
                fingerprint: writes.key.as_ref().map(|key| key.fingerprint.as_str()),
                atomic: writes.atomic,
                wait,
                list: writes.list.iter().map(Element::from).collect(),
            })
        };
        let row = self.call_as_writer(WRITE, request).await?.ok_or_else(|| no_row("run_writes"))?;
        self.results(row)
    }

    /// The results of a row: its first line is the outcome of the request, and a line for each write follows.
    fn results(&self, mut row: Row) -> Result<Vec<Result<Written, Error>>, Error> {
        let answer: String = row.require()?;
        let mut lines = answer.split('\n');
        let head = lines.next().unwrap_or_default();
        let (outcome, epoch) = head.split_once(' ').unwrap_or((head, ""));
        let replayed = match outcome {
            "done" => false,
            "replayed" => true,
            "key_reused" => return Err(Error::KeyReused),
            "in_flight" => return Err(Error::InFlight),
            other => return Err(unknown(other)),
        };
        if epoch.is_empty() {
            return Err(incomplete());
        }
        lines.map(|line| self.result(line, epoch, replayed)).collect()
    }

    /// The result of a write: its outcome, and the id, the number, the version and the body of the resource, separated by blanks.
    fn result(&self, line: &str, epoch: &str, replayed: bool) -> Result<Result<Written, Error>, Error> {
        let mut columns = line.splitn(5, ' ');
        let outcome = columns.next().unwrap_or_default();
        let refusal = match outcome {
            "created" | "changed" | "deleted" => None,
            "not_found" => Some(Error::NotFound),
            "precondition_failed" => Some(Error::PreconditionFailed),
            "gone" => Some(Error::Gone),
            other => return Err(unknown(other)),
        };
        if let Some(error) = refusal {
            return Ok(Err(error));
        }
        let id = columns.next().and_then(|id| id.parse().ok());
        let mut number = || columns.next()?.parse().ok();
        let (Some(id), Some(seq), Some(version)) = (id, number(), number()) else {
            return Err(Error::Internal(format!("a resource is {outcome}, and has no id or number")));
        };
        // An operation without a branch in api.run_writes writes nothing.
        let body = columns.next();
        if body.is_none() != (outcome == "deleted") {
            return Err(Error::Internal(format!("a resource is {outcome}, which its body contradicts")));
        }
        let etag = EntityTag::of_state(epoch, self.caller.user_id(), seq);
        let body = body.map(|json| tagged(json, &etag));
        Ok(Ok(Written { id, etag, version, body, created: outcome == "created", replayed }))
    }
}

fn unknown(outcome: &str) -> Error {
    Error::Internal(format!("unknown outcome {outcome}"))
}
