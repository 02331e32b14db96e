//! The pages under `/docs`: a component of its own, so that the API's stays small. It has no database, no variables and
//! nobody to call: it answers with what was compiled into it.
//!
//! `index.html` shows the API's `/openapi.json` in Swagger UI; `problems.html` explains each code of a problem. Nothing
//! is loaded from elsewhere.

mod assets;

#[cfg(target_family = "wasm")]
mod spin;

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    ETAG, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{Method, Response, StatusCode};

use assets::{ASSETS, Asset};

/// What the pages may load and whom they may call: this origin alone. Swagger UI sets styles on elements.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// Answers a request for a path at or under `/docs`.
pub fn answer(method: &Method, path: &str, headers: &HeaderMap) -> Response<Bytes> {
    let found = path.strip_prefix("/docs").and_then(|rest| match rest {
        "" | "/" => Some(""),
        rest => rest.strip_prefix('/').filter(|rest| !rest.is_empty()),
    });
    let mut response = match found.and_then(|name| ASSETS.iter().find(|asset| asset.path == name)) {
        None => plain(StatusCode::NOT_FOUND, "There is nothing at this path; the documentation begins at /docs.\n"),
        Some(asset) if method == Method::GET || method == Method::HEAD => serve(asset, headers),
        Some(_) => {
            let (status, text) = match *method {
                Method::OPTIONS => (StatusCode::NO_CONTENT, ""),
                _ => (StatusCode::METHOD_NOT_ALLOWED, "These pages can only be read.\n"),
            };
            let mut response = plain(status, text);
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            response
        }
    };
    let length = response.body().len();
    let bodiless = matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let headers = response.headers_mut();
    if !bodiless {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if method == Method::HEAD {
        *response.body_mut() = Bytes::new();
    }
    response
}

fn serve(asset: &Asset, request: &HeaderMap) -> Response<Bytes> {
    // The compressed and the plain form are two representations, and a strong entity tag is of one (RFC 9110, 8.8.3.3).
    let gzip = accepts_gzip(request);
    let etag = format!("\"{}{}\"", asset.hash, if gzip { "-gzip" } else { "" });
    let had = values(request, IF_NONE_MATCH).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag);
    let mut response = match (had, gzip) {
        (true, _) => empty(StatusCode::NOT_MODIFIED),
        (false, true) => Response::new(Bytes::from_static(asset.gzip)),
        (false, false) => match asset.plain() {
            Some(content) => Response::new(Bytes::from(content)),
            None => plain(StatusCode::INTERNAL_SERVER_ERROR, "This page is damaged.\n"),
        },
    };
    let page = asset.content_type.starts_with("text/html");
    let headers = response.headers_mut();
    if !had {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
        if gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
    }
    // A page leads to its assets, so it is asked for anew; it is small, and mostly has not changed.
    let caching = if page { "no-cache" } else { "public, max-age=3600" };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    headers.extend(HeaderValue::try_from(etag).ok().map(|etag| (ETAG, etag)));
    response
}

/// Whether the client names gzip, and not to refuse it.
fn accepts_gzip(request: &HeaderMap) -> bool {
    values(request, ACCEPT_ENCODING).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let weight = parts.find_map(|parameter| parameter.strip_prefix("q="));
        named && weight.is_none_or(|weight| weight.parse::<f32>().is_ok_and(|weight| weight > 0.0))
    })
}

/// The members of a list-valued header.
fn values(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(',')).map(str::trim)
}

fn plain(status: StatusCode, text: &'static str) -> Response<Bytes> {
    let mut response = empty(status);
    *response.body_mut() = Bytes::from_static(text.as_bytes());
    if !text.is_empty() {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(path: &str, headers: &[(HeaderName, &'static str)]) -> Response<Bytes> {
        let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        answer(&Method::GET, path, &headers.collect())
    }

    #[test]
    fn every_asset_comes_plain_and_compressed() {
        for asset in ASSETS {
            let path = format!("/docs/{}", asset.path);
            let plain = get(&path, &[]);
            assert_eq!((plain.status(), plain.body().len()), (StatusCode::OK, asset.length), "{path}");
            let zipped = get(&path, &[(ACCEPT_ENCODING, "br, gzip;q=0.5")]);
            assert_eq!(zipped.headers()[CONTENT_ENCODING], "gzip");
            assert_ne!(zipped.headers()[ETAG], plain.headers()[ETAG]);
            assert_eq!(zipped.headers()[CONTENT_LENGTH], zipped.body().len().to_string());
        }
        assert!(!get("/docs", &[(ACCEPT_ENCODING, "gzip;q=0")]).headers().contains_key(CONTENT_ENCODING));
    }

    #[test]
    fn what_a_browser_has_is_not_sent_again() {
        let etag = get("/docs", &[]).headers()[ETAG].to_str().unwrap().to_owned();
        let headers =
            HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::try_from(format!("\"x\", W/{etag}")).unwrap())]);
        let again = answer(&Method::GET, "/docs", &headers);
        assert_eq!((again.status(), again.body().len()), (StatusCode::NOT_MODIFIED, 0));
        assert!(!again.headers().contains_key(CONTENT_LENGTH));
    }

    #[test]
    fn there_is_nothing_else() {
        for path in ["/docs/x", "/docs//", "/docsx", "/", "/docs/index.html", "/docs/../Cargo.toml", "/docs/problems/"]
        {
            assert_eq!(get(path, &[]).status(), StatusCode::NOT_FOUND, "{path}");
        }
        let refused = answer(&Method::POST, "/docs", &HeaderMap::new());
        assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(refused.headers()[ALLOW], "GET, HEAD");
    }

    #[test]
    fn head_is_get_without_a_body() {
        let (head, get) = (answer(&Method::HEAD, "/docs", &HeaderMap::new()), get("/docs", &[]));
        assert_eq!(head.headers(), get.headers());
        assert!(head.body().is_empty());
    }
}
