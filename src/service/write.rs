//! A write of one resource.

use crate::data::Scope;
use crate::domain::{Error, IdempotencyKey, Write, Writes, Written};

/// Runs one write, or finds what an earlier request with the same key did.
///
/// # Errors
///
/// What refuses the write: [`Error::NotFound`], [`Error::PreconditionFailed`], [`Error::Gone`], and those of [`Scope::write`].
pub async fn write(scope: &Scope<'_>, write: Write, key: Option<IdempotencyKey>) -> Result<Written, Error> {
    let mut results = scope.write(&Writes { key, atomic: true, list: vec![write] }).await?;
    results.pop().unwrap_or_else(|| Err(Error::Internal("a write has no result".to_owned())))
}
