//! The extractors for the caller and for the id in the path.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use http::Method;
use http::header::AUTHORIZATION;
use http::request::Parts;
use utoipa::openapi::{KnownFormat, SchemaFormat};
use uuid::Uuid;

use super::Observed;
use super::code::Code;
use super::openapi::parameters::{path, text};
use super::openapi::{Describe, Operation};
use super::problem::Problem;
use super::{metadata, negotiation};
use crate::App;
use crate::auth::{self, Access, Moment, Refusal};
use crate::data::Scope;
use crate::domain::Invalid;

/// A verified caller, whose path this is.
pub(super) struct Caller {
    app: Arc<App>,
    caller: auth::Caller,
    observed: Arc<Observed>,
}

/// The id of the resource that a path names.
pub(super) struct ResourceId(pub(super) Uuid);

impl Caller {
    /// The database as the caller sees it.
    pub(super) fn scope(&self) -> Scope<'_> {
        self.app.data.scope(&self.caller, self.observed.as_ref())
    }

    /// The caller's user id.
    pub(super) fn user_id(&self) -> &str {
        self.caller.user_id()
    }

    /// A new id.
    pub(super) fn new_id(&self) -> Uuid {
        (self.app.ambient.new_id)()
    }
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let observed = parts.extensions.get::<Arc<Observed>>().cloned().unwrap_or_default();
        let caller = verify(parts, app, &observed).await.map_err(|refusal| metadata::hint(app, refusal.into()))?;
        app.log.note_user(&observed, caller.user_id());
        match path_parameter(parts, "user_id").await? {
            user_id if user_id == "me" || user_id == caller.user_id() => {}
            _ => return Err(Problem::forbidden()),
        }
        let access = if parts.method.is_safe() { Access::Read } else { Access::Write };
        if !caller.may(access) {
            return Err(metadata::hint(app, Problem::insufficient_scope(access)));
        }
        negotiation::accept_json(parts)?;
        Ok(Self { app: Arc::clone(app), caller, observed })
    }
}

/// Verifies the token in the `Authorization` header (RFC 6750, section 2.1). Tokens in other places are not read.
async fn verify(parts: &Parts, app: &App, observed: &Observed) -> Result<auth::Caller, Refusal> {
    let mut values = parts.headers.get_all(AUTHORIZATION).iter();
    let authorization = match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().map_err(|_| Refusal::Invalid("it is not a signed JSON Web Token"))?,
        (None, _) => return Err(Refusal::Missing),
        (Some(_), Some(_)) => return Err(Refusal::Invalid("there are two Authorization headers")),
    };
    let now = Moment { wall: (app.ambient.now)(), steady: (app.ambient.clock)() };
    let outcome = app.verifier.verify(authorization, now).await;
    if app.log.timing {
        observed.note_verification((app.ambient.clock)().saturating_duration_since(now.steady));
    }
    outcome
}

impl FromRequestParts<Arc<App>> for ResourceId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Problem> {
        let id = path_parameter(parts, "id").await?;
        // Only the hyphenated form, so that a resource has one path.
        match Uuid::try_parse(&id) {
            Ok(uuid) if id.len() == uuid::fmt::Hyphenated::LENGTH => Ok(Self(uuid)),
            _ => Err(Invalid::parameter("id", "Must be a UUID.").into()),
        }
    }
}

impl Describe for Caller {
    fn describe(operation: &mut Operation) {
        let meaning = "The caller's user id, the `sub` of the token; `me` stands for it.";
        let user_id = text().min_length(Some(1)).max_length(Some(255));
        operation.takes(path("user_id", meaning, user_id).example(Some("me".into())));
        operation.needs_token();
        operation.refuses(&[Code::InvalidInput, Code::Unauthorized, Code::Forbidden]);
        if operation.method != Method::DELETE {
            operation.refuses(&[Code::NotAcceptable]);
        }
        // Every operation with a caller queries the database.
        operation.refuses(&[Code::Internal, Code::Unavailable]);
    }
}

impl Describe for ResourceId {
    fn describe(operation: &mut Operation) {
        let id = text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)));
        operation.takes(path("id", "The resource's id.", id));
        operation.refuses(&[Code::InvalidInput, Code::NotFound]);
    }
}

/// A segment of the path, decoded.
async fn path_parameter(parts: &mut Parts, name: &'static str) -> Result<String, Problem> {
    let parameters = RawPathParams::from_request_parts(parts, &())
        .await
        .map_err(|_| Invalid::parameter(name, "Must be UTF-8, percent-encoded."))?;
    let value = parameters.iter().find(|(parameter, _)| *parameter == name);
    value.map(|(_, value)| value.to_owned()).ok_or_else(Problem::no_route)
}
