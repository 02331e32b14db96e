//! The description of an operation, made of the types of its handler.

use std::collections::BTreeMap;
use std::future::Future;

use axum::Extension;
use axum::extract::{Request, State};
use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::path::{self, HttpMethod, Parameter};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, Response, Schema};

use super::problems;
use crate::api::code::Code;

/// A part of an operation that describes itself: an extractor says what it takes and refuses, a result what it answers.
pub(in crate::api) trait Describe {
    /// Adds the part. Some parts say nothing.
    fn describe(operation: &mut Operation) {
        let _ = operation;
    }
}

/// A handler, described by its arguments and its result. `T` is the tuple of the arguments.
pub(in crate::api) trait DescribedHandler<T> {
    /// Adds all that the types say.
    fn describe(&self, operation: &mut Operation);
}

macro_rules! handlers {
    ($($argument:ident)*) => {
        impl<F, R, $($argument,)*> DescribedHandler<($($argument,)*)> for F
        where
            F: Fn($($argument),*) -> R,
            R: Future<Output: Describe>,
            $($argument: Describe,)*
        {
            fn describe(&self, operation: &mut Operation) {
                $($argument::describe(operation);)*
                R::Output::describe(operation);
            }
        }
    };
}

handlers!();
handlers!(A);
handlers!(A B);
handlers!(A B C);
handlers!(A B C D);
handlers!(A B C D E);

impl<T: Describe, E> Describe for Result<T, E> {
    fn describe(operation: &mut Operation) {
        T::describe(operation);
    }
}

impl Describe for Request {}
impl Describe for HeaderMap {}
impl<T> Describe for State<T> {}
impl<T> Describe for Extension<T> {}

/// A header field of a response, with its meaning.
pub(in crate::api) type Header = (&'static str, &'static str);

/// The description of one operation, and the schemas that it refers to.
pub(in crate::api) struct Operation {
    /// Its method.
    pub(in crate::api) method: Method,
    described: path::Operation,
    schemas: BTreeMap<String, RefOr<Schema>>,
}

impl Operation {
    /// An operation of which only the name and a text are known: the first line is the summary.
    pub(super) fn new(method: Method, tag: &str, id: &str, text: &[&str]) -> Self {
        let mut lines = text.iter().map(|line| line.trim());
        let mut described = path::Operation::new();
        described.tags = Some(vec![tag.to_owned()]);
        described.operation_id = Some(id.to_owned());
        described.summary = lines.next().map(str::to_owned);
        let description = lines.collect::<Vec<_>>().join("\n").trim().to_owned();
        described.description = Some(description).filter(|text| !text.is_empty());
        Self { method, described, schemas: BTreeMap::new() }
    }

    /// What it is in the document, with the schemas that it refers to.
    pub(super) fn finish(mut self) -> (HttpMethod, path::Operation, BTreeMap<String, RefOr<Schema>>) {
        self.takes(super::parameters::request_id());
        for response in self.described.responses.responses.values_mut() {
            if let RefOr::T(response) = response {
                problems::add_common_headers(response);
            }
        }
        let method = match self.method {
            Method::POST => HttpMethod::Post,
            Method::PUT => HttpMethod::Put,
            Method::PATCH => HttpMethod::Patch,
            Method::DELETE => HttpMethod::Delete,
            _ => HttpMethod::Get,
        };
        (method, self.described, self.schemas)
    }

    /// It needs a bearer token.
    pub(in crate::api) fn needs_token(&mut self) {
        self.described.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], _>("bearer", [])]);
    }

    /// It takes a parameter.
    pub(in crate::api) fn takes(&mut self, parameter: impl Into<Parameter>) {
        self.described.parameters.get_or_insert_default().push(RefOr::T(parameter.into()));
    }

    /// It takes a body of one of these media types.
    pub(in crate::api) fn takes_body<T: ToSchema>(&mut self, media_types: &[&str], required: Required) {
        let schema = self.refer_to::<T>();
        let content = || ContentBuilder::new().schema(Some(schema.clone())).build();
        let body = media_types.iter().fold(RequestBodyBuilder::new(), |body, name| body.content(*name, content()));
        self.described.request_body = Some(RefOr::T(body.required(Some(required)).build()));
    }

    /// It answers with these problems.
    pub(in crate::api) fn refuses(&mut self, codes: &[Code]) {
        for code in codes {
            let response = Ref::from_response_name(problems::name(code.status()));
            self.described.responses.responses.insert(code.status().as_str().to_owned(), response.into());
        }
    }

    /// It answers without a body.
    pub(in crate::api) fn answers(&mut self, status: StatusCode, description: &str, headers: &[Header]) {
        let mut response = Response::new(description);
        response.headers = headers.iter().map(|header| problems::described(*header)).collect();
        self.described.responses.responses.insert(status.as_str().to_owned(), response.into());
    }

    /// It answers with a JSON body.
    pub(in crate::api) fn answers_json(
        &mut self,
        status: StatusCode,
        description: &str,
        headers: &[Header],
        schema: impl Into<RefOr<Schema>>,
    ) {
        self.answers(status, description, headers);
        let content = ContentBuilder::new().schema(Some(schema)).build();
        if let Some(response) = self.response(status) {
            response.content.insert("application/json".to_owned(), content.into());
        }
    }

    /// The JSON body of the answer with this status may be this one.
    pub(in crate::api) fn example(&mut self, status: StatusCode, example: Value) {
        let content = self.response(status).and_then(|response| response.content.get_mut("application/json"));
        if let Some(RefOr::T(content)) = content {
            content.example = Some(example);
        }
    }

    fn response(&mut self, status: StatusCode) -> Option<&mut Response> {
        match self.described.responses.responses.get_mut(status.as_str()) {
            Some(RefOr::T(response)) => Some(response),
            _ => None,
        }
    }

    /// A reference to a schema, which the document has then.
    pub(in crate::api) fn refer_to<T: ToSchema>(&mut self) -> RefOr<Schema> {
        let mut schemas = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut schemas);
        self.schemas.extend(schemas);
        Ref::from_schema_name(T::name()).into()
    }
}
