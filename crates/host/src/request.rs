//! What a request looks like when the component sees it: an absolute URI, and Spin's headers behind the client's own.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, header};

use crate::routes::RouteMatch;

/// Takes away what was meant for the server or for service chaining.
pub fn strip_headers(headers: &mut HeaderMap) {
    let chained = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .map(|host| host.rsplit_once(':').map_or(host, |(host, _)| host))
        .and_then(|host| host.split_once('.'))
        .is_some_and(|(_, domain)| domain == "spin.internal");
    if chained {
        headers.remove(header::HOST);
    }
    headers.remove(header::CONNECTION);
}

/// Makes the URI absolute with the one authority that the request names.
///
/// # Errors
///
/// When it names none, two different ones, or one that is malformed.
pub fn make_absolute<B>(request: &mut Request<B>) -> Result<()> {
    let named: Option<Authority> = request
        .headers()
        .get(header::HOST)
        .map(|host| -> Result<Authority> {
            let host = host.to_str().context("the Host header is not text")?;
            host.parse().context("the Host header is no authority")
        })
        .transpose()?;
    let mut parts = request.uri().clone().into_parts();
    parts.authority = Some(match (named, parts.authority.take()) {
        (None, None) => bail!("the request has no Host header"),
        (Some(one), None) | (None, Some(one)) => one,
        (Some(named), Some(requested)) => {
            ensure!(named == requested, "the Host header is not the authority of the request");
            named
        }
    });
    parts.scheme = Some(Scheme::HTTP);
    *request.uri_mut() = Uri::from_parts(parts)?;
    Ok(())
}

/// Appends Spin's headers. A client's own headers of those names stay, and stand first: that is Spin's doing too.
///
/// # Errors
///
/// When a header of the client is not UTF-8.
pub fn add_headers<B>(request: &mut Request<B>, route: &RouteMatch<'_>, client: SocketAddr) -> Result<()> {
    for (name, value) in request.headers() {
        std::str::from_utf8(value.as_bytes()).with_context(|| format!("the header {name} is not UTF-8"))?;
    }
    let host = match request.headers().get(header::HOST) {
        Some(host) => std::str::from_utf8(host.as_bytes())?,
        None => "localhost",
    };
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let scheme = request.uri().scheme_str().unwrap_or("http");
    let mut own = vec![
        ("spin-path-info".to_owned(), route.rest().into_owned()),
        ("spin-full-url".to_owned(), format!("{scheme}://{host}{path}")),
        ("spin-matched-route".to_owned(), route.absolute().to_owned()),
        ("spin-base-path".to_owned(), "/".to_owned()),
        ("spin-raw-component-route".to_owned(), route.raw().to_owned()),
        ("spin-component-route".to_owned(), route.raw_prefix().to_owned()),
        ("spin-client-addr".to_owned(), client.to_string()),
    ];
    for (name, value) in route.named() {
        let name = name.replace('_', "-").to_ascii_lowercase();
        own.push((format!("spin-path-match-{name}"), value));
    }
    for (name, value) in own {
        // As in Spin, a name or value that HTTP cannot carry is left out.
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(&value)) {
            request.headers_mut().append(name, value);
        }
    }
    Ok(())
}
