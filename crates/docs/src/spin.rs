//! The Spin adapter, a component of WASI 0.2: every Spin runs it beside the API's component of either kind.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response};
use spin_sdk::http::{Fields, IncomingRequest, OutgoingResponse, ResponseOutparam};

#[allow(unsafe_code, reason = "the code of the macro")]
mod entry {
    use spin_sdk::http::{IncomingRequest, ResponseOutparam};

    #[spin_sdk::http_component]
    async fn handle(request: IncomingRequest, out: ResponseOutparam) {
        super::respond(super::answer(&request), out).await;
    }
}

/// The answer to a request, whose body nobody reads.
fn answer(request: &IncomingRequest) -> Response<Bytes> {
    // A method that is none for the crate `http` is one that the pages do not have.
    let method = Method::from_bytes(request.method().to_string().as_bytes()).unwrap_or(Method::PATCH);
    let path = request.path_with_query().unwrap_or_default();
    let path = path.split_once('?').map_or(path.as_str(), |(path, _)| path);
    let headers = request
        .headers()
        .entries()
        .into_iter()
        .filter_map(|(name, value)| Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?)));
    let mut all = HeaderMap::new();
    for (name, value) in headers {
        all.append(name, value);
    }
    crate::answer(&method, path, &all)
}

/// Gives the response to Spin, which answers 500 where it cannot take it.
async fn respond(response: Response<Bytes>, out: ResponseOutparam) {
    let (parts, body) = response.into_parts();
    let header = |(name, value): (&HeaderName, &HeaderValue)| (name.as_str().to_owned(), value.as_bytes().to_vec());
    let headers: Vec<_> = parts.headers.iter().map(header).collect();
    let Ok(headers) = Fields::from_list(&headers) else { return };
    let outgoing = OutgoingResponse::new(headers);
    if outgoing.set_status_code(parts.status.as_u16()).is_err() {
        return;
    }
    if body.is_empty() {
        // Without a body, Content-Length may be that of the response to a GET (RFC 9110, section 9.3.2).
        out.set(outgoing);
        return;
    }
    // The client may have gone.
    _ = out.set_with_body(outgoing, body.into()).await;
}
