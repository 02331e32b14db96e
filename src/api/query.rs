//! Query strings: `application/x-www-form-urlencoded`, strictly decoded.

use std::convert::Infallible;
use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use http::Uri;
use http::request::Parts;
use percent_encoding::percent_decode_str;

use super::code::Code;
use super::openapi::{Describe, Operation};
use crate::domain::{Invalid, Parameter};

/// The URI of a list, with its query string. `Q` describes the parameters.
pub(super) struct ListUri<Q> {
    pub(super) uri: Uri,
    query: PhantomData<Q>,
}

impl<S: Sync, Q> FromRequestParts<S> for ListUri<Q> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self { uri: parts.uri.clone(), query: PhantomData })
    }
}

impl<Q: Describe> Describe for ListUri<Q> {
    fn describe(operation: &mut Operation) {
        Q::describe(operation);
        operation.refuses(&[Code::InvalidInput]);
    }
}

/// The parameters of a query string.
pub(super) fn parameters(query: Option<&str>) -> Result<Vec<Parameter>, Vec<Invalid>> {
    let mut parameters = Vec::new();
    let mut errors = Vec::new();
    for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match (decode(name), value.split(',').map(decode).collect()) {
            (Some(name), Some(parts)) => parameters.push(Parameter { name, parts }),
            (Some(name), None) => errors.push(Invalid::parameter(name, "Must be UTF-8, percent-encoded.")),
            (None, _) => errors.push(Invalid::parameter(name, "The name must be UTF-8, percent-encoded.")),
        }
    }
    if errors.is_empty() { Ok(parameters) } else { Err(errors) }
}

/// The query string with its `cursor` replaced.
pub(super) fn with_cursor(query: Option<&str>, cursor: &str) -> String {
    let others = query.unwrap_or_default().split('&').filter(|pair| {
        let name = pair.split_once('=').map_or(*pair, |(name, _)| name);
        !pair.is_empty() && decode(name).as_deref() != Some("cursor")
    });
    let mut result = others.fold(String::new(), |query, pair| query + pair + "&");
    result.push_str("cursor=");
    result.push_str(cursor);
    result
}

fn decode(text: &str) -> Option<String> {
    let text = text.replace('+', " ");
    percent_decode_str(&text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded() {
        let parameter = |name: &str, parts: &[&str]| Parameter {
            name: name.to_owned(),
            parts: parts.iter().map(|part| (*part).to_owned()).collect(),
        };
        let expected = [parameter("a b", &["č&"]), parameter("c", &[""]), parameter("d", &["1", "2,3", ""])];
        assert_eq!(parameters(Some("a+b=%C4%8D%26&&c&d=1,2%2c3,")).unwrap(), expected);
        assert_eq!(parameters(None).unwrap(), []);
        assert_eq!(parameters(Some("a=%FF&%FF=b&c=1,%FF")).unwrap_err().len(), 3);
    }

    #[test]
    fn a_cursor_takes_the_place_of_the_one_before() {
        assert_eq!(with_cursor(Some("limit=5&cursor=old&sort=-due"), "new"), "limit=5&sort=-due&cursor=new");
        assert_eq!(with_cursor(None, "new"), "cursor=new");
    }
}
